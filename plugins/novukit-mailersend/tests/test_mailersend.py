"""MailerSend keeps what an e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from novukit_mailersend import MailerSend

from novukit.providers import DeliveryEvent, EventKind, Outcome, Reason
from novukit.testing.conformance import (
    Answer,
    Callbacks,
    Documented,
    EmailConformance,
    Nowhere,
    Sample,
    Signed,
    Vendor,
)

STATUSES = "developers.mailersend.com: General API resources"
HOOKS = "developers.mailersend.com: Webhooks"
ANYMAIL = "django-anymail: mailersend backend and webhooks"
SECRET = "mailersend-kit-secret-0001"
ID = "5fc0d003f718c90162341852"
AT = datetime(2020, 11, 27, 10, 8, 6, 258000, tzinfo=UTC)


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """HMAC-SHA256 over the body, in hex («Security»)."""
    key = b"another-signing-secret" if forged else SECRET.encode()
    return Signed(body, {"Signature": hmac.new(key, body, hashlib.sha256).hexdigest()})


def meant(kind: EventKind, permanent: bool = False) -> DeliveryEvent:
    """What a callback stands for."""
    return DeliveryEvent(kind, provider_message_id=ID, at=AT, recipient="test@example.com", permanent=permanent)


def first(name: str, kind: EventKind | None, permanent: bool = False, source: str = HOOKS, morph: Any = None) -> Sample:
    """A callback in the first form."""
    body = {
        "type": f"activity.{name}",
        "domain_id": "yv69oxl5kl785kw2",
        "created_at": "2020-11-27T10:08:08.298647Z",
        "webhook_id": "2351ndgwr4zqx8ko",
        "url": "https://your-domain.com/webhook",
        "data": {
            "object": "activity",
            "id": "5fc0d006b42c3e16e1774882",
            "type": name,
            "created_at": "2020-11-27T10:08:06.258000Z",
            "email": {
                "object": "email",
                "id": "5fc0d003e7a5e7035446aa32",
                "from": "test@mailersend.com",
                "subject": "Test email",
                "status": "sent",
                "tags": None,
                "message": {"object": "message", "id": ID, "created_at": "2020-11-27T10:08:03.017000Z"},
                "recipient": {"object": "recipient", "id": "5c9e021c20a4d7ac5e2c5f4c", "email": "test@example.com"},
            },
            "morph": morph,
        },
    }
    events = [meant(kind, permanent)] if kind else []
    return Sample(name=name, body=body, events=events, source=source, confirmed=source is HOOKS)


def second(name: str, kind: EventKind, permanent: bool = False, **meta: str) -> Sample:
    """A callback in the second form, whose empty ``meta`` is a list."""
    body = {
        "type": f"activity.{name}",
        "created_at": "2020-11-27T10:08:06.258000Z",
        "data": {
            "id": "63fd1c1d31b9c750540fe85c",
            "type": name,
            "message_id": ID,
            "recipient": "test@example.com",
            "tags": [],
            "meta": meta or [],
        },
    }
    return Sample(name=f"{name} (2)", body=body, events=[meant(kind, permanent)], source=ANYMAIL, confirmed=False)


def error(status: int, said: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None) -> Documented:
    """An answer with a status that the page explains."""
    return Documented(
        name=f"{status} {said}", status=status, body={"message": said}, outcome=outcome, reason=reason, source=STATUSES
    )


def warned(name: str, address: str, outcome: Outcome) -> Documented:
    """A 202 that warns of a recipient that was left out."""
    left_out = {"email": address, "name": "", "reasons": ["hard_bounced"]}
    warning = {"type": name, "warning": "Suppressed", "recipients": [left_out]}
    return Documented(
        name=f"{name} {address}", status=202, headers={"X-Message-Id": ID}, outcome=outcome, source=ANYMAIL,
        body={"message": "There are some warnings for your request.", "warnings": [warning]}, confirmed=False,
    )  # fmt: skip


class TestMailerSend(EmailConformance):
    """The kit, on MailerSend."""

    provider = MailerSend
    vendor = Vendor(
        credentials={"api_key": "mlsn.kit-token-0001", "webhook_secret": SECRET},
        accepted=Answer(202, b"", {"X-Message-Id": ID}),
        message_id=ID,
        fields={
            "to": "json:to[0].email",
            "sender": "json:from.email",
            "sender_name": "json:from.name",
            "subject": "json:subject",
            "text": "json:text",
            "html": "json:html",
            "reply_to": "json:reply_to.email",
            "cc": lambda request: [one["email"] for one in request.json.get("cc", [])],
            "bcc": lambda request: [one["email"] for one in request.json.get("bcc", [])],
            "headers": lambda request: {one["name"]: one["value"] for one in request.json.get("headers", [])},
            "tags": "json:tags",
            "attachments.name": "json:attachments[0].filename",
            "attachments.content": "json:attachments[0].content",
            "attachments.mime": Nowhere("MailerSend takes the type from the file's name."),
            "attachments.content_id": "json:attachments[0].id",
        },
        overrides={"template_id": ("abc", "json:template_id"), "send_at": (1617260400, "json:send_at")},
        errors=[
            error(400, "There was an error when processing your request."),
            error(401, "Unauthenticated.", reason=Reason.CREDENTIALS_INVALID),
            error(403, "This action is unauthorized.", reason=Reason.CREDENTIALS_INVALID),
            error(404, "Not found."),
            error(408, "Request Timeout.", Outcome.UNKNOWN),
            error(421, "Maintenance.", Outcome.UNAVAILABLE),
            Documented(
                name="422 a field is wrong", status=422, source=STATUSES,
                body={
                    "message": "The given data was invalid.",
                    "errors": {"from.email": ["The from.email domain must be verified in your account."]},
                },
            ),
            error(429, "Too Many Requests.", Outcome.THROTTLED),
            error(500, "Internal Server Error.", Outcome.UNKNOWN),
            warned("ALL_SUPPRESSED", "ada@kit.example", Outcome.RECIPIENT_GONE),
            warned("SOME_SUPPRESSED", "Ada@Kit.example", Outcome.RECIPIENT_GONE),
            warned("SOME_SUPPRESSED", "copy@kit.example", Outcome.ACCEPTED),
        ],
        callbacks=Callbacks(
            sign=sign,
            timestamped=False,
            samples=[
                first("sent", EventKind.ACCEPTED),
                first("delivered", EventKind.DELIVERED),
                first("opened", EventKind.OPENED),
                first("clicked", EventKind.CLICKED),
                first("unsubscribed", EventKind.UNSUBSCRIBED),
                first("spam_complaint", EventKind.COMPLAINED),
                first(
                    "hard_bounced", EventKind.BOUNCED, True, ANYMAIL,
                    {"object": "recipient_bounce", "reason": "Host or domain name not found"},
                ),
                first("soft_bounced", EventKind.BOUNCED, False, ANYMAIL, {"reason": "Unknown reason"}),
                first("deferred", None),
                second("delivered", EventKind.DELIVERED),
                second("hard_bounced", EventKind.BOUNCED, True, bounce_reason="user unknown"),
                second("spam_complaints", EventKind.COMPLAINED),
                second("suppressed", EventKind.FAILED, suppression_reason="blocklisted"),
            ],
            unknown={"type": "webhook.test", "data": {"type": "sent"}},
        ),
    )  # fmt: skip

    async def test_an_eleventh_copy_is_refused(self) -> None:
        """In cc as in bcc, and nothing is sent."""
        copies = tuple(f"copy-{number}@kit.example" for number in range(11))
        async with self.stage() as stage:
            for delivery in (await stage.deliver(cc=copies), await stage.deliver(bcc=copies)):
                assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    async def test_what_is_wrong_with_a_field_is_told(self) -> None:
        """Not only that something is."""
        async with self.stage(Answer(422, {"message": "Invalid.", "errors": {"subject": ["Too long."]}})) as stage:
            assert "Too long." in (await stage.deliver()).detail
