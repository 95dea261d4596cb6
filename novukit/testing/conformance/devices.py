"""Push to several devices: the ones that are gone are named, and only those."""

from __future__ import annotations

from collections.abc import Sequence

from ...providers import Outcome
from .kit import Conformance, KitClass, applies, each, expect
from .vendor import Answer, Documented, Request

HERE, GONE = "kit-device-token-1", "kit-device-token-2"


def gone(kit: KitClass) -> list[Documented]:
    """The documented answers that mean that a device's token is gone."""
    return [error for error in kit.vendor.errors if error.outcome is Outcome.RECIPIENT_GONE]


def not_gone(kit: KitClass) -> list[Documented]:
    """The other documented answers."""
    return [error for error in kit.vendor.errors if error.outcome is not Outcome.RECIPIENT_GONE]


class DeviceTests(Conformance):
    """A token that is gone is forgotten; one that is not is kept."""

    def tokens(self) -> tuple[str, str]:
        """Two device tokens, as the vendor has them."""
        given: Sequence[str] = self.vendor.content.get("tokens", ())
        return (given[0], given[1]) if len(given) > 1 else (HERE, GONE)

    def test_the_answers_for_a_token_that_is_gone_are_named(self) -> None:
        """Every push vendor has them."""
        assert gone(type(self)), "Describe in `Vendor.errors` the answer for a device that has uninstalled the app."

    @each("error", gone)
    async def test_a_token_that_is_gone_is_named(self, error: Documented) -> None:
        """It alone."""
        token = self.tokens()[1]
        async with self.stage(error.answer) as stage:
            delivery = await stage.deliver(tokens=(token,))
        expect(delivery, Outcome.RECIPIENT_GONE, f"{error.name}, {error.source}.")
        assert delivery.gone_tokens == (token,), f"{error.name}: raise RecipientGone(…, tokens=[the token])."

    @each("error", not_gone)
    async def test_a_token_that_is_not_gone_is_kept(self, error: Documented) -> None:
        """Whatever else went wrong, the device is still there."""
        async with self.stage(error.answer) as stage:
            delivery = await stage.deliver()
        assert delivery.gone_tokens == (), (
            f"{error.name} does not say that the device is gone, and its token would be forgotten. Go by the vendor's "
            f"code, never by the words or the status alone ({error.source})."
        )

    @applies(lambda kit: bool(gone(kit)))
    async def test_of_several_devices_the_one_that_is_gone_is_named(self) -> None:
        """The others have the message, so it is accepted."""
        here, lost = self.tokens()
        error = gone(type(self))[0]

        def answer(request: Request) -> Answer:
            if self.vendor.partial is not None:
                return self.vendor.partial(request, [lost])
            said = request.target + request.body.decode("utf-8", "replace")
            return error.answer if lost in said else self.vendor.accepted

        async with self.stage(answer) as stage:
            delivery = await stage.deliver(tokens=(here, lost))
        expect(delivery, Outcome.ACCEPTED, "one device has it; see `send_to_each`.")
        assert delivery.gone_tokens == (lost,), f"{lost!r} is gone, told was {delivery.gone_tokens}."
