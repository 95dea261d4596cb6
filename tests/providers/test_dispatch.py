"""``deliver``: whatever a plugin does, the engine is told one of six outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from pydantic import SecretStr

from novukit.errors import AddressRefused, CredentialsInvalid, UnsupportedFeature
from novukit.providers import (
    Delivery,
    EmailContent,
    EmailProvider,
    HttpClient,
    Outcome,
    ProviderError,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Throttled,
    Unavailable,
    Unknown,
    check,
    deliver,
    look_up,
)

from .samples import CANARY, EMAIL, SMS, PostCredentials

pytestmark = pytest.mark.anyio


class Scripted(EmailProvider[PostCredentials]):
    """Does what the test says."""

    id = "scripted"
    supports = frozenset({"cc"})
    timeout = 1.0

    def __init__(self, act: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(PostCredentials(api_key=SecretStr(CANARY)), HttpClient())
        self.act = act
        self.calls = 0

    async def send(self, content: EmailContent, key: str) -> Receipt:
        self.calls += 1
        return await self.act()

    async def lookup(self, key: str) -> Receipt | None:
        return await self.act()

    async def check(self) -> str | None:
        return cast("str | None", await self.act())


def raising(error: BaseException) -> Scripted:
    async def act() -> None:
        raise error

    return Scripted(act)


def returning(value: Any) -> Scripted:
    async def act() -> Any:
        return value

    return Scripted(act)


OUTCOMES: list[tuple[BaseException, Outcome, Reason]] = [
    (Rejected("no"), Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    (Rejected("no", reason=Reason.CREDENTIALS_INVALID), Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
    (Throttled("slow"), Outcome.THROTTLED, Reason.PROVIDER_THROTTLED),
    (Unavailable("down"), Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    (RecipientGone("gone"), Outcome.RECIPIENT_GONE, Reason.RECIPIENT_GONE),
    (Unknown("lost"), Outcome.UNKNOWN, Reason.OUTCOME_UNKNOWN),
    (ProviderError("bare"), Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    (AddressRefused("inside"), Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    (UnsupportedFeature("cannot"), Outcome.REJECTED, Reason.UNSUPPORTED_FEATURE),
    (CredentialsInvalid("wrong"), Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
    (TimeoutError(), Outcome.UNKNOWN, Reason.OUTCOME_UNKNOWN),
    (KeyError("id"), Outcome.REJECTED, Reason.PLUGIN_ERROR),
    (SystemExit(3), Outcome.REJECTED, Reason.PLUGIN_ERROR),
    (asyncio.CancelledError(), Outcome.REJECTED, Reason.PLUGIN_ERROR),
    (ExceptionGroup("two", [ValueError("a")]), Outcome.REJECTED, Reason.PLUGIN_ERROR),
    (NotImplementedError(), Outcome.REJECTED, Reason.PLUGIN_ERROR),
    (RecursionError("deep"), Outcome.REJECTED, Reason.PLUGIN_ERROR),
]


@pytest.mark.parametrize(("error", "outcome", "reason"), OUTCOMES)
async def test_every_exception_becomes_an_outcome(error: BaseException, outcome: Outcome, reason: Reason) -> None:
    """Of the contract, of the standard library or of nobody: none comes through."""
    delivery = await deliver(raising(error), EMAIL, "key")

    assert (outcome, reason) == (delivery.outcome, delivery.reason)


async def test_a_plugin_that_fails_is_named() -> None:
    """The provider, the module it is from, and what it let fly."""
    delivery = await deliver(raising(KeyError("id")), EMAIL, "key")

    assert delivery.detail == "scripted (tests.providers.test_dispatch) raised KeyError: 'id'"


async def test_an_exception_that_cannot_be_printed_is_still_told() -> None:
    """Its ``__str__`` raises, too."""

    class RudeError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    delivery = await deliver(raising(RudeError()), EMAIL, "key")

    assert (delivery.reason, delivery.detail.endswith("raised RudeError")) == (Reason.PLUGIN_ERROR, True)


@pytest.mark.parametrize("value", [None, "m1", 1, {"id": "m1"}, Receipt])
async def test_what_is_not_a_receipt_is_a_fault_of_the_plugin(value: Any) -> None:
    """It is named by its type."""
    delivery = await deliver(returning(value), EMAIL, "key")

    assert Reason.PLUGIN_ERROR is delivery.reason
    assert f"returned {type(value).__name__} instead of a Receipt" in delivery.detail


@pytest.mark.parametrize(("given", "kept"), [("m1", "m1"), (17, "17"), ("", None), (None, None), ("x\ny", "x y")])
async def test_an_accepted_message_has_its_receipt(given: Any, kept: str | None) -> None:
    """An id that a plugin gives as a number is still an id."""
    delivery = await deliver(returning(Receipt(given, "said", ("t1",))), EMAIL, "key")

    assert Delivery(Outcome.ACCEPTED, Receipt(kept, "said", ("t1",)), None, "said", None, ("t1",)) == delivery
    assert delivery.accepted


async def test_a_long_id_is_cut() -> None:
    """It must fit its column."""
    delivery = await deliver(returning(Receipt("x" * 1000)), EMAIL, "key")

    assert len(delivery.provider_message_id or "") == 255


@pytest.mark.parametrize(
    ("given", "kept"),
    [(5, 5.0), (0, 0.0), (99999, 3600.0), (-1, None), (None, None), (float("nan"), None), (float("inf"), 3600.0)],
)
async def test_the_wait_is_between_nothing_and_an_hour(given: float | None, kept: float | None) -> None:
    """A plugin that passes nonsense on leaves the wait to the engine."""
    delivery = await deliver(raising(Throttled("slow", retry_after=given)), EMAIL, "key")

    assert kept == delivery.retry_after


async def test_tokens_that_are_gone_are_told() -> None:
    """The engine forgets them."""
    delivery = await deliver(raising(RecipientGone("gone", tokens=["t1", "t2"])), EMAIL, "key")

    assert delivery.gone_tokens == ("t1", "t2")


async def test_a_feature_that_is_not_supported_is_refused_before_any_call() -> None:
    """Never quietly thinned; every missing one is named."""
    provider = returning(Receipt())
    content = EMAIL.model_copy(update={"cc": ("b@x.example",), "bcc": ("c@x.example",), "reply_to": "d@x.example"})

    delivery = await deliver(provider, content, "key")

    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.UNSUPPORTED_FEATURE)
    assert delivery.detail == "scripted does not support bcc, reply_to."
    assert provider.calls == 0


async def test_content_of_another_channel_is_refused_before_any_call() -> None:
    """An SMS has nothing to say to an e-mail provider."""
    provider = returning(Receipt())

    delivery = await deliver(provider, SMS, "key")

    assert (delivery.reason, provider.calls) == (Reason.CONTENT_INVALID, 0)


BAD_LINES = ["hi\r\nBcc: e@x", "a\nb", "a\rb", "a\x0bb", "a\x85b", "a\u2028b", "a\0b", "\ud800"]
BAD_LINES += ["=?utf-8?q?a=0d=0aBcc:x?=", "=?utf-8*en?B?aGk=?=", "x =? utf-8?Q?a?="]
BAD_ADDRESSES = [
    "victim@x.example, evil@y.example",
    "a@b>\r\nX: 1",
    "a b@x.example",
    "a@b@c",
    "Ada <a@x.example>",
    "a",
    "",
]
BAD_ADDRESSES += ["a@x.example\r\nBcc: e@x.example", "a@x.example\0", '"a b"@x.example', "a@[127.0.0.1]", "a@x;b@y"]
BAD_HEADERS = ["X-A\r\nBcc", "Bcc", "to", "X A", "X:A", "", "X" * 65, "Content-Type", "content-transfer-encoding"]
BAD_HEADERS += [
    "Message-ID",
    "MIME-Version",
    "Return-Path",
    "Received",
    "Subject",
    "Date",
    "From",
    "Cc",
    "Reply-To",
    "Xü",
]


@pytest.mark.parametrize(
    "change",
    [{field: line} for line in BAD_LINES for field in ("subject", "sender_name")]
    + [{"headers": {"X-A": line}} for line in BAD_LINES]
    + [{"headers": {name: "x"}} for name in BAD_HEADERS]
    + [{"headers": {"X-A": "1", "x-a": "2"}}]
    + [
        {field: address}
        for address in BAD_ADDRESSES
        for field in ("to", "sender", "reply_to")
        if address or field != "reply_to"
    ]
    + [{field: (address,)} for address in BAD_ADDRESSES for field in ("cc", "bcc")]
    + [{"text": "a\0b"}, {"html": "\udfff"}],
)
async def test_what_could_be_read_as_another_header_is_refused_before_any_call(change: dict[str, Any]) -> None:
    """For every provider: what a JSON service does with a line break is not known."""
    provider = returning(Receipt())
    provider.supports = frozenset({"cc", "bcc", "reply_to", "headers", "attachments"})  # type: ignore[misc]

    delivery = await deliver(provider, EMAIL.model_copy(update=change), "key")

    assert (delivery.reason, provider.calls) == (Reason.CONTENT_INVALID, 0)
    assert delivery.detail.startswith(next(iter(change)))


async def test_a_timeout_without_the_http_client_is_unknown() -> None:
    """A plugin that sends by other means may have sent."""

    async def hang() -> None:
        await asyncio.Event().wait()

    delivery = await deliver(Scripted(hang), EMAIL, "key", timeout=0.01)

    assert Outcome.UNKNOWN is delivery.outcome


async def test_a_receipt_that_comes_while_the_call_is_cut_off_counts() -> None:
    """A plugin may finish when it is told to stop; then the message is known to have gone out."""

    async def stubborn() -> Receipt:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return Receipt("m1")
        raise AssertionError

    assert (await deliver(Scripted(stubborn), EMAIL, "key", timeout=0.01)).provider_message_id == "m1"


async def test_being_cancelled_is_passed_on() -> None:
    """The engine's own cancellation is no outcome."""
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(deliver(Scripted(hang), EMAIL, "key"))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


SPOKEN = [
    f"key {CANARY} is wrong",
    f"https://x/?k={CANARY}",
    f"a{CANARY}b",
    f"{'x' * 195}{CANARY}",
    f'{{"k":"{CANARY}"}}',
]


@pytest.mark.parametrize("text", SPOKEN)
@pytest.mark.parametrize("wrap", [Rejected, Unknown, ValueError, AddressRefused, SystemExit])
async def test_no_detail_tells_a_secret(text: str, wrap: type[BaseException]) -> None:
    """Also where it would be cut in two by the limit."""
    delivery = await deliver(raising(wrap(text)), EMAIL, "key")

    assert "CAN" not in repr(delivery)
    assert len(delivery.detail) <= 200


async def test_no_receipt_tells_a_secret() -> None:
    """A provider may echo what it was given."""
    delivery = await deliver(returning(Receipt(f"id-{CANARY}", f"sent with {CANARY}")), EMAIL, "key")

    assert "CANARY" not in repr(delivery)


async def test_a_detail_is_one_printable_line() -> None:
    """No log line can be forged and no terminal driven by what a provider says."""
    delivery = await deliver(raising(Rejected("x\n2026-01-01 ERROR fake\x1b[31m\0" + "y" * 500)), EMAIL, "key")

    assert delivery.detail.isprintable()
    assert len(delivery.detail) == 200


async def test_a_look_up_says_whether_it_went_out() -> None:
    """Found, not found, or not to be known."""

    class Asked(Scripted):
        id = "asked"
        idempotency = "lookup"

    async def found() -> Receipt:
        return Receipt("m1")

    async def missing() -> None:
        return None

    async def fails() -> None:
        raise Rejected("who are you?", reason=Reason.CREDENTIALS_INVALID)

    assert (await look_up(Asked(found), "key") or Delivery(Outcome.UNKNOWN)).provider_message_id == "m1"
    assert await look_up(Asked(missing), "key") is None
    failed = await look_up(Asked(fails), "key")
    assert failed is not None
    assert (failed.outcome, failed.detail) == (Outcome.UNKNOWN, "who are you?")
    unasked = await look_up(returning(Receipt("m1")), "key")
    assert unasked is not None
    assert Outcome.UNKNOWN is unasked.outcome


async def test_credentials_can_be_checked_without_sending() -> None:
    """``check`` tells the same outcomes."""
    assert (await check(returning(None))).accepted
    wrong = await check(raising(Rejected(f"{CANARY} is wrong", reason=Reason.CREDENTIALS_INVALID)))
    assert (wrong.reason, wrong.detail) == (Reason.CREDENTIALS_INVALID, "*** is wrong")


async def test_a_check_that_passes_may_have_a_remark() -> None:
    """It is told as the detail, without secrets."""
    remarked = await check(returning(f"The account of {CANARY} is in a sandbox."))
    assert (remarked.accepted, remarked.detail) == (True, "The account of *** is in a sandbox.")
