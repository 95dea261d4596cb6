"""Brevo keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from novukit_brevo import Brevo

from novukit.providers import (
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Headers,
    Outcome,
    Reason,
    receive,
)
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

CODES = "Brevo's Node.js client 6.0.3: BadRequestErrorBody"
HOOKS = "developers.brevo.com: Transactional webhooks"
ANYMAIL = "django-anymail: anymail/webhooks/brevo.py"
SECRET = "kit-password-of-the-webhook-03"
ID = "202611271200.12345678901@smtp-relay.mailin.fr"


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """With the user and the password of the webhook's URL («Secure webhook calls»), and nothing more."""
    password = "another-password" if forged else SECRET
    given = base64.b64encode(f"novukit:{password}".encode()).decode()
    return Signed(body, {"Authorization": f"Basic {given}"})


def event(name: str, kind: EventKind | None, permanent: bool = False, **more: Any) -> Sample:
    """A callback with the attributes of the page."""
    body = {
        "event": name,
        "email": "example@domain.com",
        "id": 1,
        "date": "2020-10-09 00:00:00",
        "ts": 1604933619,
        "message-id": f"<{ID}>",
        "ts_event": 1604933654,
        "ts_epoch": 1604933654123,
        "X-Mailin-custom": '{"order": "7", "novukit_key": "key-7"}',
        "tags": ["transac_messages"],
        **more,
    }
    told = DeliveryEvent(
        kind or EventKind.FAILED,
        provider_message_id=ID,
        at=datetime(2020, 11, 9, 14, 54, 14, 123000, tzinfo=UTC),
        recipient="example@domain.com",
        permanent=permanent,
        key="key-7",
    )
    confirmed = name == "request"
    return Sample(
        name=name, body=body, events=[told] if kind else [], source=HOOKS if confirmed else ANYMAIL, confirmed=confirmed
    )


def error(status: int, code: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None) -> Documented:
    """An error: the codes are listed, the status of each is not."""
    body = {"code": code, "message": f"The words for {code}."}
    return Documented(
        name=f"{status} {code}", status=status, body=body, outcome=outcome, reason=reason, source=CODES, confirmed=False
    )


class TestBrevo(EmailConformance):
    """The kit, on Brevo."""

    provider = Brevo
    vendor = Vendor(
        credentials={"api_key": "xkeysib-kit-key-0001", "webhook_secret": SECRET},
        accepted=Answer(201, {"messageId": f"<{ID}>"}),
        message_id=ID,
        key="json:headers.idempotencyKey",
        fields={
            "to": "json:to[0].email",
            "sender": "json:sender.email",
            "sender_name": "json:sender.name",
            "subject": "json:subject",
            "text": "json:textContent",
            "html": "json:htmlContent",
            "reply_to": "json:replyTo.email",
            "cc": lambda request: [one["email"] for one in request.json.get("cc", [])],
            "bcc": lambda request: [one["email"] for one in request.json.get("bcc", [])],
            "headers": "json:headers",
            "tags": "json:tags",
            "metadata": "json:headers.X-Mailin-custom",
            "attachments.name": "json:attachment[0].name",
            "attachments.content": "json:attachment[0].content",
            "attachments.mime": Nowhere("Brevo takes the type from the file's name."),
            "attachments.content_id": Nowhere("Brevo shows no files within the HTML."),
        },
        overrides={"templateId": (7, "json:templateId")},
        check=Answer(200, {"email": "me@example.com", "companyName": "Example"}),
        errors=[
            error(400, "invalid_parameter"),
            error(400, "missing_parameter"),
            error(400, "duplicate_request", Outcome.UNKNOWN),
            error(400, "Request already processed", Outcome.UNKNOWN),
            error(400, "unauthorized", reason=Reason.CREDENTIALS_INVALID),
            error(401, "unauthorized", reason=Reason.CREDENTIALS_INVALID),
            error(402, "not_enough_credits"),
            error(403, "permission_denied", reason=Reason.PROVIDER_REJECTED),
            error(404, "document_not_found"),
            error(429, "too_many_requests", Outcome.THROTTLED),
        ],
        callbacks=Callbacks(
            sign=sign,
            timestamped=False,
            covers_body=False,
            samples=[
                event("request", EventKind.ACCEPTED),
                event("delivered", EventKind.DELIVERED),
                event("opened", EventKind.OPENED),
                event("unique_opened", EventKind.OPENED),
                event("click", EventKind.CLICKED, link="https://example.com"),
                event("hard_bounce", EventKind.BOUNCED, permanent=True, reason="user unknown"),
                event("soft_bounce", EventKind.BOUNCED, reason="mailbox full"),
                event("invalid_email", EventKind.BOUNCED, permanent=True),
                event("spam", EventKind.COMPLAINED),
                event("unsubscribed", EventKind.UNSUBSCRIBED),
                event("blocked", EventKind.FAILED),
                event("error", EventKind.FAILED),
                event("deferred", None),
            ],
            unknown={"event": "proxy_open", "message-id": f"<{ID}>"},
        ),
    )  # fmt: skip

    async def test_the_key_is_a_uuid_under_both_names(self) -> None:
        """Brevo takes nothing else; and our own key is given back with the metadata."""
        async with self.stage() as stage:
            headers = (await stage.sent("key-7", metadata={"order": "7"})).json["headers"]
        assert UUID(headers["idempotencyKey"]) == UUID(headers["Idempotency-Key"])
        assert json.loads(headers["X-Mailin-custom"]) == {"order": "7", "novukit_key": "key-7"}

    @pytest.mark.parametrize("name", ["X-Mailin-Custom", "idempotencyKey", "Idempotency-Key"])
    async def test_headers_of_our_own_are_refused(self, name: str) -> None:
        """In any case, and nothing is sent."""
        async with self.stage() as stage:
            delivery = await stage.deliver(headers={name: "1"})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    async def test_a_bearer_token_is_proof_as_well(self) -> None:
        """The right one, and no other."""
        now = datetime(2026, 1, 15, tzinfo=UTC)
        async with self.stage() as stage:
            for token in (SECRET, "another", ""):
                headers = Headers({"Authorization": f"Bearer {token}"})
                request = CallbackRequest("POST", "https://kit.example/", headers, b'{"event": "delivered"}', now)
                if token == SECRET:
                    assert (await receive(stage.provider, request)).events[0].kind is EventKind.DELIVERED
                else:
                    with pytest.raises(CallbackRefused):
                        await receive(stage.provider, request)

    def test_novu_knows_it_by_its_old_name(self) -> None:
        """Its list of providers is closed."""
        assert Brevo.novu_id == "sendinblue"
