"""Mailgun keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from novukit_mailgun import Mailgun, MailgunCredentials

from novukit.providers import (
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Headers,
    HttpClient,
    Outcome,
    Reason,
    receive,
)
from novukit.testing.conformance import Answer, Callbacks, Documented, EmailConformance, Request, Sample, Signed, Vendor

OVERVIEW = "documentation.mailgun.com: API overview"
PAYLOADS = "documentation.mailgun.com: Webhook Payloads"
TYPES = "documentation.mailgun.com: Event types"
ANYMAIL = "django-anymail: tests/test_mailgun_webhooks.py"
SECRET = "mailgun-kit-signing-key-0001"
ID = "20260203192638.000be97f99f8cea1@sample.mailgun.com"
TOKEN = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"


def signature(at: datetime, key: str = SECRET) -> dict[str, str]:
    """HMAC-SHA256 over timestamp and token («Securing Webhooks»)."""
    seconds = str(int(at.timestamp()))
    mac = hmac.new(key.encode(), f"{seconds}{TOKEN}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": seconds, "token": TOKEN, "signature": mac}


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """The signature stands in the body, beside the event."""
    told = json.loads(body)
    told["signature"] = signature(at, "another-signing-key" if forged else SECRET)
    return Signed(json.dumps(told).encode(), {})


def event(name: str, kind: EventKind | None, source: str = PAYLOADS, confirmed: bool = True, **more: Any) -> Sample:
    """A callback as the page shows it."""
    data = {
        "event": name,
        "id": "CCXMjJ7nQi2N3BPigGOdgQ",
        "timestamp": 1521233195.375624,
        "recipient": "recipient@sample.mailgun.com",
        "message": {"headers": {"message-id": ID, "to": "recipient@sample.mailgun.com"}},
        "user-variables": {"novukit_key": "key-7"},
        **more,
    }
    told = DeliveryEvent(
        kind or EventKind.FAILED,
        provider_message_id=ID,
        at=datetime(2018, 3, 16, 20, 46, 35, 375624, tzinfo=UTC),
        recipient="recipient@sample.mailgun.com",
        permanent=kind is EventKind.BOUNCED,
        key="key-7",
    )
    label = f"{name} {more.get('severity', '')} {more.get('reason', '')}".strip()
    return Sample(
        name=label, body={"event-data": data}, events=[told] if kind else [], source=source, confirmed=confirmed
    )


delivered: Any = {"delivery-status": {"code": 250, "message": "OK"}}


def parts(request: Request) -> dict[str, list[EmailMessage]]:
    """The parts of the form (RFC 7578), by their names."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    whole = cast(EmailMessage, message_from_bytes(head + request.body, policy=default))
    found: dict[str, list[EmailMessage]] = {}
    for part in cast("list[EmailMessage]", whole.get_payload()):
        found.setdefault(str(part.get_param("name", header="content-disposition")), []).append(part)
    return found


def values(request: Request, name: str) -> list[str]:
    """The values of a field of the form."""
    return [part.get_payload(decode=True).decode() for part in parts(request).get(name, [])]  # type: ignore[union-attr]


def mail(request: Request) -> EmailMessage:
    """The message in the form, which must be said to be a file."""
    (part,) = parts(request)["message"]
    assert part.get_filename() == "message.eml"
    raw = request.body.split(b"message/rfc822\r\n\r\n", 1)[1]
    return cast(EmailMessage, message_from_bytes(raw, policy=default))


def text(request: Request, kind: str) -> object:
    """A body of the message."""
    body = mail(request).get_body((kind,))
    return body.get_content() if body else None


def files(request: Request) -> list[EmailMessage]:
    """What is attached, and what is shown within."""
    return [part for part in mail(request).walk() if part.get_filename()]  # type: ignore[misc]


def variables(request: Request) -> dict[str, str]:
    """What Mailgun keeps with the message."""
    return {name[2:]: values(request, name)[0] for name in parts(request) if name.startswith("v:")}


def error(status: int, said: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None) -> Documented:
    """An error: the status is documented, the words are from practice."""
    return Documented(
        name=f"{status} {said}", status=status, body={"message": said}, outcome=outcome, reason=reason, source=OVERVIEW,
        confirmed=status in (401, 403, 429),
    )  # fmt: skip


class TestMailgun(EmailConformance):
    """The kit, on Mailgun."""

    provider = Mailgun
    vendor = Vendor(
        credentials={"api_key": "mailgun-kit-key-0001", "domain": "mg.kit.example", "webhook_secret": SECRET},
        accepted=Answer(200, {"id": f"<{ID}>", "message": "Queued. Thank you."}),
        message_id=ID,
        fields={
            "to": lambda request: [mail(request)["To"], *values(request, "to")],
            "sender": lambda request: str(mail(request)["From"]),
            "sender_name": lambda request: str(mail(request)["From"]),
            "subject": lambda request: str(mail(request)["Subject"]),
            "text": lambda request: text(request, "plain"),
            "html": lambda request: text(request, "html"),
            "reply_to": lambda request: str(mail(request)["Reply-To"]),
            "cc": lambda request: str(mail(request)["Cc"]),
            "bcc": lambda request: values(request, "to"),
            "headers": lambda request: {name: str(value) for name, value in mail(request).items()},
            "tags": lambda request: values(request, "o:tag"),
            "metadata": variables,
            "attachments.name": lambda request: [part.get_filename() for part in files(request)],
            "attachments.content": lambda request: " ".join(
                "".join(str(part.get_payload()).split()) for part in files(request)
            ),
            "attachments.mime": lambda request: [part.get_content_type() for part in files(request)],
            "attachments.content_id": lambda request: [part["Content-ID"] for part in files(request)],
        },
        overrides={"o:tracking": ("no", lambda request: values(request, "o:tracking"))},
        errors=[
            error(400, "to parameter is not a valid address. please check documentation"),
            error(401, "Invalid private key", reason=Reason.CREDENTIALS_INVALID),
            error(403, "Domain mg.kit.example is not allowed to send", reason=Reason.PROVIDER_REJECTED),
            error(404, "Domain not found: mg.kit.example"),
            error(413, "Request Entity Too Large"),
            error(429, "Too many requests", Outcome.THROTTLED),
            error(500, "Internal Server Error", Outcome.UNKNOWN),
            Documented(
                name="401 in plain text", status=401, body="Forbidden", reason=Reason.CREDENTIALS_INVALID,
                source=OVERVIEW, confirmed=False,
            ),
        ],
        callbacks=Callbacks(
            sign=sign,
            covers_body=False,
            samples=[
                event("accepted", EventKind.ACCEPTED),
                event("delivered", EventKind.DELIVERED, **delivered),
                event("opened", EventKind.OPENED),
                event("clicked", EventKind.CLICKED, url="http://example.com/signup"),
                event("complained", EventKind.COMPLAINED),
                event("unsubscribed", EventKind.UNSUBSCRIBED),
                event("rejected", EventKind.FAILED, TYPES, reject={"reason": "Sandbox subdomains are for tests."}),
                event("failed", EventKind.BOUNCED, ANYMAIL, False, severity="permanent", reason="bounce"),
                event("failed", EventKind.BOUNCED, ANYMAIL, False, severity="permanent", reason="suppress-bounce"),
                event("failed", EventKind.FAILED, TYPES, severity="permanent", reason="old"),
                event("failed", None, TYPES, severity="temporary", reason="generic"),
            ],
            unknown={"event-data": {"event": "stored", "id": "x"}},
        ),
    )  # fmt: skip

    async def test_copies_nobody_may_see_are_in_the_envelope_alone(self) -> None:
        """And everybody is in it once."""
        async with self.stage() as stage:
            request = await stage.sent(cc=("cc@kit.example",), bcc=("bcc@kit.example", "cc@kit.example"))
        assert values(request, "to") == ["ada@kit.example", "cc@kit.example", "bcc@kit.example"]
        assert b"bcc@kit.example" not in request.body.split(b"message/rfc822", 1)[1]

    async def test_a_second_try_can_be_told(self) -> None:
        """Its Message-ID and the variable with our key are the same."""
        async with self.stage() as stage:
            first, again, other = await stage.sent("one"), await stage.sent("one"), await stage.sent("two")
        assert mail(first)["Message-ID"] == mail(again)["Message-ID"] != mail(other)["Message-ID"]
        assert variables(first)["novukit_key"] == "one"
        assert first.path == "/v3/mg.kit.example/messages.mime"

    async def test_an_eleventh_tag_is_refused(self) -> None:
        """Mailgun takes ten, and none is dropped."""
        async with self.stage() as stage:
            delivery = await stage.deliver(tags=tuple(f"tag-{number}" for number in range(11)))
        assert delivery.reason is Reason.CONTENT_INVALID

    @pytest.mark.parametrize("name", ["timestamp", "token", "signature"])
    @pytest.mark.parametrize("value", [None, "", 7, [], "ü", "0" * 5000])
    async def test_each_part_of_the_signature_is_needed(self, name: str, value: object) -> None:
        """Missing, empty or garbage: the callback is refused."""
        now = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
        told = {"event-data": {"event": "delivered"}, "signature": signature(now) | {name: value}}
        request = CallbackRequest("POST", "https://kit.example/", Headers(), json.dumps(told).encode(), now)
        async with self.stage() as stage:
            with pytest.raises(CallbackRefused):
                await receive(stage.provider, request)

    async def test_a_token_that_was_seen_proves_no_other_event(self) -> None:
        """What is told with it has the id of the first, and is taken for its repetition."""
        now, ids = datetime(2026, 1, 15, 12, 0, tzinfo=UTC), set[str]()
        async with self.stage() as stage:
            for data in ({"event": "delivered", "id": "1"}, {"event": "complained", "id": "2"}):
                body = json.dumps({"event-data": data, "signature": signature(now)}).encode()
                request = CallbackRequest("POST", "https://kit.example/", Headers(), body, now)
                ids |= {event.id for event in (await receive(stage.provider, request)).events}
        assert ids == {TOKEN}

    async def test_the_account_above_may_sign_for_a_subaccount(self) -> None:
        """Its signature stands beside the subaccount's own."""
        now = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
        proof = signature(now, "key-of-the-subaccount") | {"parent-signature": signature(now)["signature"]}
        body = json.dumps({"event-data": {"event": "delivered", "id": "1"}, "signature": proof}).encode()
        async with self.stage() as stage:
            answer = await receive(
                stage.provider, CallbackRequest("POST", "https://kit.example/", Headers(), body, now)
            )
        assert [event.kind for event in answer.events] == [EventKind.DELIVERED]

    @pytest.mark.parametrize(
        ("given", "url"),
        [
            ({}, "https://api.mailgun.net"),
            ({"region": "eu"}, "https://api.eu.mailgun.net"),
            ({"baseUrl": "https://mail.example/v3/"}, "https://mail.example"),
        ],
    )
    def test_a_region_has_its_own_host(self, given: dict[str, str], url: str) -> None:
        """A domain is known at one of them only."""
        credentials = MailgunCredentials.model_validate(
            {"apiKey": "mailgun-kit-key-0001", "domain": "mg.kit.example"} | given
        )
        assert Mailgun(credentials, HttpClient()).base_url == url
