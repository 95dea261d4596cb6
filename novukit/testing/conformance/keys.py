"""One message, one key; one access token for many messages."""

from __future__ import annotations

import asyncio

from ...providers import Outcome, look_up
from .kit import KEY, Conformance, applies, at, expect


class KeyTests(Conformance):
    """A second try is known as one."""

    @applies(lambda kit: kit.provider.idempotency == "native")
    async def test_a_second_try_has_the_same_key(self) -> None:
        """At the place that the vendor documents, also after the first answer was lost."""
        place = self.vendor.key
        assert place is not None, "`idempotency` is native: say in `Vendor.key` where the key stands in the request."
        async with self.stage() as stage:
            first = await stage.sent()
            second = await stage.sent()
            other = await stage.sent("kit-key-2-77aa")
        assert isinstance(at(first, place), str), f"There is no key at {place!r}. Pass `key` on. Request:\n{first}"
        assert at(first, place) == at(second, place), "A second try had another key: it would be sent twice."
        assert at(first, place) != at(other, place), "Another message had the same key: it would not be sent."
        assert first.body == second.body, "A second try said something else; vendors refuse the key then."

    @applies(lambda kit: kit.provider.idempotency == "lookup")
    async def test_the_vendor_can_be_asked_for_a_message(self) -> None:
        """It is found by its key, not found, or nobody knows; and asking sends nothing."""
        assert self.vendor.found, "`idempotency` is lookup: give `Vendor.found` and `Vendor.missing`."
        assert self.vendor.missing, "`idempotency` is lookup: give `Vendor.missing`."
        async with self.stage() as stage:
            message = await stage.sent()
            stage.server.answer = self.vendor.found
            delivery = await look_up(stage.provider, KEY)
            assert delivery is not None, "`lookup` did not find the message in `Vendor.found`."
            expect(delivery, Outcome.ACCEPTED, "the vendor has it (`Vendor.found`).")
            asked = stage.server.sent[-1]
            assert (asked.method, asked.path) != (message.method, message.path), "`lookup` called what sends."
            stage.server.answer = self.vendor.missing
            delivery = await look_up(stage.provider, KEY)
            assert delivery is None, f"The vendor has no such message, and `lookup` says {delivery}. Return None."

    @applies(lambda kit: kit.vendor.token is not None)
    async def test_many_messages_fetch_one_token(self) -> None:
        """Also when they are sent at once."""
        async with self.stage() as stage:
            await asyncio.gather(*(stage.deliver(f"kit-key-{number}") for number in range(8)))
            await stage.deliver()
            fetched = [one for one in stage.server.asked if one.path == self.vendor.token]
        assert len(fetched) == 1, f"9 messages fetched {len(fetched)} access tokens. Keep one in a TokenCache."
