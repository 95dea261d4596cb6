"""When the network fails: not sent where that is certain, otherwise unknown; and nowhere that is not public."""

from __future__ import annotations

from ...providers import Outcome, check
from .kit import Conformance, applies, expect
from .server import cut, silence
from .vendor import Answer

IMPATIENT = 0.3
"""Seconds."""


class NetworkTests(Conformance):
    """A lost answer is neither a success nor a failure."""

    async def test_who_cannot_be_reached_is_unavailable(self) -> None:
        """Nothing has left, so the message may safely be tried again."""
        async with self.stage(gone=True) as stage:
            expect(await stage.deliver(), Outcome.UNAVAILABLE, "the connection was refused. Let `self.http` raise.")

    async def test_a_connection_that_is_cut_leaves_it_unknown(self) -> None:
        """Whether before the request was read or after: the vendor may have taken it on."""
        for place in ("before", "after"):
            async with self.stage() as stage:
                if place == "before" and self.vendor.token is None:
                    stage.server.before = cut
                else:
                    stage.server.after = cut
                expect(await stage.deliver(), Outcome.UNKNOWN, f"the connection was cut {place} the request was read.")

    async def test_no_answer_leaves_it_unknown(self) -> None:
        """A time that is up says nothing of the message. Told as rejected, it would be lost or sent twice."""
        async with self.stage(seconds=IMPATIENT) as stage:
            stage.server.after = silence
            delivery = await stage.deliver()
        expect(delivery, Outcome.UNKNOWN, "the request had left. Do not catch what `self.http` raises.")

    @applies(lambda kit: kit.vendor.token is not None)
    async def test_what_only_prepares_leaves_nothing_unknown(self) -> None:
        """If the answer of the token endpoint is lost, the message was certainly not sent."""
        async with self.stage() as stage:
            stage.server.before = cut
            delivery = await stage.deliver()
        expect(delivery, Outcome.UNAVAILABLE, "nothing was sent yet. Fetch tokens with `sends=False`.")

    async def test_the_guard_stands(self) -> None:
        """With private addresses refused, as in production, no connection is made."""
        async with self.stage(private=False) as stage:
            delivery = await stage.deliver()
            assert not stage.server.connections, "It went around `self.http`, which refuses private addresses."
        expect(delivery, Outcome.REJECTED, "the address is private. All requests go through `self.http`.")

    @applies(lambda kit: kit.vendor.check is not None)
    async def test_the_check_sends_no_message(self) -> None:
        """It asks something else, accepts good credentials and refuses bad ones."""
        async with self.stage() as stage:
            await stage.deliver()
            message = stage.server.sent.pop()
            stage.server.answer = self.vendor.check or Answer()
            delivery = await check(stage.provider)
            expect(delivery, Outcome.ACCEPTED, "it is `Vendor.check`, the answer to good credentials.")
            asked = [*stage.server.sent, *stage.server.asked]
            assert asked, "`check` asked the vendor nothing. Leave it out if there is nothing to ask."
            assert all((one.method, one.path) != (message.method, message.path) for one in asked), (
                f"`check` called {message.method} {message.path}, which sends. Ask something that only reads."
            )
        async with self.stage(Answer(401, {"message": "no"})) as stage:
            stage.server.routes = {}  # the endpoint that gives tokens refuses too
            expect(await check(stage.provider), Outcome.REJECTED, "401 to `check`. Use `raise_for_outcome`.")
