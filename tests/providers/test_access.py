"""Access tokens are fetched once for all, renewed early; and one message goes to several devices."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from novukit.providers import (
    AddressRefused,
    HttpClient,
    Outcome,
    Receipt,
    RecipientGone,
    Rejected,
    Throttled,
    Token,
    TokenCache,
    Unavailable,
    Unknown,
    deliver,
    send_to_each,
)
from novukit.testing import VirtualClock

from .samples import EMAIL, post

pytestmark = pytest.mark.anyio


class Vendor:
    """It gives a new token each time it is asked, for an hour."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.asked, self.fails = clock, 0, False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self) -> Token:
        self.asked += 1
        await self.may_answer.wait()
        if self.fails:
            raise Unavailable("no tokens today")
        return Token(f"token-{self.asked}", self.clock.now() + timedelta(hours=1))


@pytest.fixture
async def vendor(clock: VirtualClock) -> Vendor:
    """A vendor on a wound clock."""
    return Vendor(clock)


async def test_whoever_asks_at_once_shares_one_fetch(vendor: Vendor, clock: VirtualClock) -> None:
    """One asks, the others wait."""
    vendor.may_answer.clear()
    cache = TokenCache(vendor.fetch, clock.now)
    asking = [asyncio.create_task(cache.get()) for _ in range(20)]
    await asyncio.sleep(0)
    vendor.may_answer.set()

    assert (set(await asyncio.gather(*asking)), vendor.asked) == ({"token-1"}, 1)


async def test_one_who_gives_up_does_not_take_the_others_along(vendor: Vendor, clock: VirtualClock) -> None:
    """If the one that fetches is cancelled, the next one does."""
    vendor.may_answer.clear()
    cache = TokenCache(vendor.fetch, clock.now)
    first, second = asyncio.create_task(cache.get()), asyncio.create_task(cache.get())
    await asyncio.sleep(0)
    first.cancel()
    vendor.may_answer.set()

    assert await second == "token-2"


async def test_a_token_is_renewed_before_its_end(vendor: Vendor, clock: VirtualClock) -> None:
    """Five minutes early; and if that fails, it serves until its end."""
    cache = TokenCache(vendor.fetch, clock.now)
    assert await cache.get() == "token-1"
    clock.advance(timedelta(minutes=54))
    assert await cache.get() == "token-1"
    clock.advance(timedelta(minutes=2))
    vendor.fails = True
    assert await cache.get() == "token-1"
    vendor.fails = False
    assert await cache.get() == "token-3"
    clock.advance(timedelta(minutes=61))
    vendor.fails = True
    with pytest.raises(Unavailable):
        await cache.get()


async def test_a_token_that_was_refused_is_forgotten(vendor: Vendor, clock: VirtualClock) -> None:
    """Only that one: another may have been fetched meanwhile."""
    cache = TokenCache(vendor.fetch, clock.now)
    await cache.get()
    cache.forget("token-0")
    assert await cache.get() == "token-1"
    cache.forget("token-1")
    assert await cache.get() == "token-2"


def test_a_token_does_not_show_itself() -> None:
    """Neither in a repr nor in a log of one."""
    assert "s3cret" not in repr(Token("s3cret", VirtualClock().now()))


async def test_who_waits_for_a_token_has_sent_nothing(vendor: Vendor, clock: VirtualClock) -> None:
    """If the time is up meanwhile, the message was certainly not sent."""
    vendor.may_answer.clear()
    cache = TokenCache(vendor.fetch, clock.now)

    class Waiting(type(post(HttpClient()))):
        async def send(self, content: object, key: str) -> Receipt:
            return Receipt(await cache.get())

    delivery = await deliver(Waiting(post(HttpClient()).credentials, HttpClient()), EMAIL, "key", timeout=0.05)

    assert delivery.outcome is Outcome.UNAVAILABLE


ANSWERS = {
    "ok": None, "ok2": None, "gone": RecipientGone("unregistered"), "bad": Rejected("malformed"),
    "slow": Throttled("slow down", retry_after=7), "down": Unavailable("down", retry_after=9), "lost": Unknown("lost"),
}  # fmt: skip


async def one(token: str) -> str:
    """What the vendor says of one device."""
    if (error := ANSWERS[token]) is not None:
        raise error
    return f"id-{token}"


async def test_a_message_is_accepted_if_one_device_was_reached() -> None:
    """The receipt names the tokens that are gone, and tells of the others."""
    assert await send_to_each(("gone", "ok", "ok2"), one) == Receipt("id-ok", gone_tokens=("gone",))
    assert await send_to_each(("lost", "ok"), one) == Receipt("id-ok", detail="1 of 2 devices; lost")


async def test_a_device_at_a_refused_address_does_not_stop_the_others() -> None:
    """A browser's token holds an address, and anybody can register one that leads inside."""

    async def to_address(token: str) -> str:
        if token == "inside":
            raise AddressRefused("'localhost' does not lead to a public address.")
        return token

    assert (await send_to_each(("inside", "outside"), to_address)).provider_message_id == "outside"
    with pytest.raises(Rejected, match="localhost"):
        await send_to_each(("inside",), to_address)


@pytest.mark.parametrize(
    ("tokens", "kind", "wait"),
    [
        (("gone", "bad", "slow", "lost"), Unknown, None),
        (("gone", "slow", "bad"), Throttled, 7),
        (("slow", "down"), Unavailable, 9),
        (("bad", "gone"), RecipientGone, None),
        (("bad",), Rejected, None),
    ],
)
async def test_otherwise_the_worst_answer_counts(tokens: tuple[str, ...], kind: type[Exception], wait: float) -> None:
    """Unknown before «later», «later» before gone."""
    with pytest.raises(kind) as caught:
        await send_to_each(tokens, one)

    assert getattr(caught.value, "retry_after", None) == wait
    if kind is RecipientGone:
        assert getattr(caught.value, "tokens", None) == ("gone",)
