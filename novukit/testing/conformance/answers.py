"""Each answer of the vendor becomes the outcome that it stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from ...providers import Outcome, Reason
from .kit import Conformance, KitClass, applies, each, expect
from .server import Behaviour, endless, half
from .vendor import Answer, Documented

STATUSES: dict[int, tuple[Outcome, ...]] = {
    418: (Outcome.REJECTED,), 451: (Outcome.REJECTED,), 500: (Outcome.UNKNOWN,), 502: (Outcome.UNKNOWN,),
    503: (Outcome.UNAVAILABLE, Outcome.UNKNOWN), 504: (Outcome.UNKNOWN,), 599: (Outcome.UNKNOWN,),
    301: (Outcome.REJECTED,), 302: (Outcome.REJECTED,), 307: (Outcome.REJECTED,), 308: (Outcome.REJECTED,),
}  # fmt: skip

WAITS: dict[str, float | None] = {"7": 7.0, "date": 90.0, "soon": None, "-5": None, "99999999": 3600.0}

UNREADABLE: dict[str, Answer | Behaviour] = {
    "empty": Answer(200, b""),
    "HTML": Answer(200, "<html><body>Welcome to nginx!</body></html>", {"Content-Type": "text/html"}),
    "a list": Answer(200, b"[1, 2]"),
    "null": Answer(200, b"null"),
    "no JSON": Answer(200, b'{"id": '),
    "no UTF-8": Answer(200, b'{"id": "\xff\xfe"}'),
    "nested": Answer(200, b"[" * 100_000),
    "cut": half(Answer(200, b'{"id": "kit-message-0001"}' * 20)),
    "endless": endless,
    "huge": Answer(200, b" " * 3_000_000),
}


def documented(kit: KitClass) -> set[int]:
    """The statuses of which the vendor says more."""
    return {error.status for error in kit.vendor.errors}


class AnswerTests(Conformance):
    """Success, refusal, «later» and «nobody knows» are told apart."""

    async def test_a_message_that_is_taken_on_is_accepted(self) -> None:
        """With the vendor's id, where it gives one."""
        async with self.stage() as stage:
            delivery = await stage.deliver()
        expect(delivery, Outcome.ACCEPTED, "it is `Vendor.accepted`.")
        assert delivery.provider_message_id == self.vendor.message_id, (
            f"The receipt has the id {delivery.provider_message_id!r}, the answer {self.vendor.message_id!r}. "
            "Without it the vendor's later events find no message."
        )

    @each("error", lambda kit: kit.vendor.errors)
    async def test_a_documented_error_has_its_outcome(self, error: Documented) -> None:
        """As the vendor's page says, not by the words of the message."""
        async with self.stage(error.answer) as stage:
            delivery = await stage.deliver()
        expect(delivery, error.outcome, f"{error.name}, {error.source}.")
        if error.reason is not None:
            assert delivery.reason is error.reason, (
                f"{error.name}: the reason is {error.reason}, not {delivery.reason}."
            )
        if error.retry_after is not None:
            assert delivery.retry_after == error.retry_after, (
                f"{error.name} asks to wait {error.retry_after} s; {delivery.retry_after} was told. Give `retry_after`."
            )
        if error.outcome is not Outcome.ACCEPTED:
            assert delivery.detail, f"{error.name}: say in the vendor's words what is wrong."

    @each("status", lambda kit: [status for status in STATUSES if status not in documented(kit)])
    async def test_a_status_has_its_outcome(self, status: int) -> None:
        """Also one that the vendor does not document: a 4xx was not sent, after a 5xx nobody knows."""
        answer = Answer(status, b"", {"Location": "http://127.0.0.1:9/elsewhere"} if status < 400 else {})
        async with self.stage(answer) as stage:
            delivery = await stage.deliver()
            assert delivery.outcome in STATUSES[status], (
                f"Status {status} was told as {delivery.outcome}; it is {' or '.join(STATUSES[status])}. Let "
                "`raise_for_outcome` decide what the vendor does not document."
            )
            assert len(stage.server.sent) == 1, "One `send` is one request: novukit does the trying again."

    @each("wait", lambda kit: WAITS)
    async def test_retry_after_is_kept(self, wait: str) -> None:
        """In seconds or as a date; nonsense is left out, and an age is cut to an hour."""
        now = datetime.now(UTC).replace(microsecond=0)
        said = format_datetime(now + timedelta(seconds=90), usegmt=True) if wait == "date" else wait
        answer = Answer(429, b"", {"Retry-After": said, "Date": format_datetime(now, usegmt=True)})
        async with self.stage(answer) as stage:
            delivery = await stage.deliver()
        expect(delivery, Outcome.THROTTLED, "429 is «too many requests» (RFC 6585 §4).")
        assert delivery.retry_after == WAITS[wait], (
            f"Retry-After: {said} was told as {delivery.retry_after}. Read it with `retry_after(response)`."
        )

    @each("body", lambda kit: UNREADABLE)
    async def test_a_success_that_cannot_be_read_is_not_a_refusal(self, body: str) -> None:
        """The message was taken on; a refusal here would send it twice."""
        given = UNREADABLE[body]
        async with self.stage(given if isinstance(given, Answer) else None, seconds=2.0) as stage:
            stage.server.after = None if isinstance(given, Answer) else given
            delivery = await stage.deliver()
        assert delivery.outcome in (Outcome.ACCEPTED, self.vendor.unreadable), (
            f"A 200 whose body is {body} was told as {delivery.outcome} ({delivery.detail}). Read it with `read_json`; "
            "where only the body tells what became of the message, raise Unknown and say so in `Vendor.unreadable`."
        )

    @applies(lambda kit: any(error.reason is Reason.CREDENTIALS_INVALID for error in kit.vendor.errors))
    async def test_bad_credentials_are_no_passing_trouble(self) -> None:
        """They are not tried again."""
        error = next(error for error in self.vendor.errors if error.reason is Reason.CREDENTIALS_INVALID)
        async with self.stage(error.answer) as stage:
            expect(await stage.deliver(), Outcome.REJECTED, "nobody gets in by trying again.")
