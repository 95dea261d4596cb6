"""Resend keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from novukit_resend import Resend

from novukit.providers import DeliveryEvent, EventKind, Outcome, Reason
from novukit.testing.conformance import Answer, Callbacks, Documented, EmailConformance, Sample, Signed, Spelled, Vendor

SEND = "resend.com/docs: Send Email"
ERRORS = "resend.com/docs: Errors"
EVENTS = "resend.com/docs: Event Types"
BOUNCED = "resend.com/docs: email.bounced"
SECRET = b"kit-secret-of-the-webhook-0001"


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """As Svix does: HMAC-SHA256 over id, timestamp and body. Source: Standard Webhooks specification 1.0.0."""
    event_id, seconds = f"msg_{hashlib.sha256(body).hexdigest()[:24]}", str(int(at.timestamp()))
    key = b"another secret of another account" if forged else SECRET
    mac = hmac.new(key, f"{event_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return Signed(body, {"svix-id": event_id, "svix-timestamp": seconds, "svix-signature": signature})


def event(kind: EventKind, name: str, source: str = EVENTS, confirmed: bool = True, **data: Any) -> Sample:
    """A callback as the page shows it."""
    body = {
        "type": name,
        "created_at": "2024-02-22T23:41:12.126Z",
        "data": {
            "created_at": "2024-02-22T23:41:11.894719+00:00",
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "Acme <onboarding@resend.dev>",
            "to": ["delivered@resend.dev"],
            "subject": "Sending this example",
            **data,
        },
    }
    bounce: dict[str, str] = data.get("bounce", {"type": "Permanent"})
    told = DeliveryEvent(
        kind,
        provider_message_id="56761188-7520-42d8-8898-ff6fc54ce618",
        at=datetime(2024, 2, 22, 23, 41, 12, 126000, tzinfo=UTC),
        recipient="delivered@resend.dev",
        permanent=kind is EventKind.BOUNCED and bounce["type"] == "Permanent",
    )
    return Sample(name=f"{name} {data}".strip(" {}"), body=body, events=[told], source=source, confirmed=confirmed)


def error(status: int, name: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None) -> Documented:
    """An error as the page lists it."""
    body = {"statusCode": status, "name": name, "message": f"The words for {name}."}
    return Documented(name=f"{status} {name}", status=status, body=body, outcome=outcome, reason=reason, source=ERRORS)


class TestResend(EmailConformance):
    """The kit, on Resend."""

    provider = Resend
    vendor = Vendor(
        credentials={"api_key": "re_kit_key_0001", "webhook_secret": f"whsec_{base64.b64encode(SECRET).decode()}"},
        accepted=Answer(200, {"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}),
        message_id="49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
        key="header:Idempotency-Key",
        fields={
            "to": "json:to[0]",
            "sender": Spelled("json:from", lambda sender: f"<{sender}>"),
            "sender_name": "json:from",
            "subject": "json:subject",
            "text": "json:text",
            "html": "json:html",
            "reply_to": "json:reply_to",
            "cc": "json:cc",
            "bcc": "json:bcc",
            "headers": "json:headers",
            "metadata": lambda request: {tag["name"]: tag["value"] for tag in request.json.get("tags", [])},
            "attachments.name": "json:attachments[0].filename",
            "attachments.content": "json:attachments[0].content",
            "attachments.mime": "json:attachments[0].content_type",
            "attachments.content_id": "json:attachments[0].content_id",
        },
        overrides={"scheduled_at": ("2026-08-05T11:52:01.858Z", "json:scheduled_at")},
        check=Answer(200, {"data": []}),
        errors=[
            error(400, "invalid_idempotency_key"),
            error(400, "validation_error"),
            error(401, "missing_api_key", reason=Reason.CREDENTIALS_INVALID),
            error(401, "validation_error", reason=Reason.CREDENTIALS_INVALID),
            error(403, "invalid_api_key", reason=Reason.CREDENTIALS_INVALID),
            error(403, "validation_error", reason=Reason.PROVIDER_REJECTED),
            error(404, "not_found"),
            error(405, "method_not_allowed"),
            error(409, "invalid_idempotent_request", Outcome.UNKNOWN),
            error(409, "concurrent_idempotent_requests", Outcome.UNKNOWN),
            error(422, "invalid_attachment"),
            error(422, "missing_required_field"),
            error(429, "daily_quota_exceeded", Outcome.THROTTLED),
            error(429, "rate_limit_exceeded", Outcome.THROTTLED),
        ],
        callbacks=Callbacks(
            sign=sign,
            samples=[
                event(EventKind.ACCEPTED, "email.sent"),
                event(EventKind.DELIVERED, "email.delivered"),
                event(EventKind.OPENED, "email.opened"),
                event(EventKind.CLICKED, "email.clicked"),
                event(EventKind.COMPLAINED, "email.complained"),
                event(EventKind.FAILED, "email.failed", confirmed=False),
                event(EventKind.BOUNCED, "email.bounced"),
                event(EventKind.BOUNCED, "email.bounced", BOUNCED, confirmed=False, bounce={"type": "Transient"}),
            ],
            unknown={"type": "email.delivery_delayed", "created_at": "2024-02-22T23:41:12.126Z", "data": {}},
        ),
    )  # fmt: skip
