"""Postmark keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from novukit_postmark import Postmark

from novukit.providers import DeliveryEvent, EventKind, Outcome, Reason, look_up
from novukit.testing.conformance import (
    Answer,
    Callbacks,
    Documented,
    EmailConformance,
    Request,
    Sample,
    Signed,
    Spelled,
    Vendor,
)

OVERVIEW = "postmarkapp.com/developer: API overview"
FIREWALL = "postmarkapp.com/support: Getting a 403 that doesn't look like a Postmark error?"
WEBHOOKS = "postmarkapp.com: Webhooks, and the types of Postmark's Node.js client 4.0.7"
ANYMAIL = "django-anymail: tests/test_postmark_webhooks.py"
LEFT_OUT = "Message OK, but will not deliver to these inactive addresses:"
SECRET = "kit-password-of-the-webhook-01"
ID = "883953f4-6105-42a2-a16a-77a8eac79483"
AT = "2014-08-01T13:28:10.2735393-04:00"
INACTIVE = "Inactive recipients are ones that have generated a hard bounce or a spam complaint."


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """As Postmark does: with the user and the password of the webhook (RFC 7617), and nothing more."""
    password = "another-password" if forged else SECRET
    given = base64.b64encode(f"novukit:{password}".encode()).decode()
    return Signed(body, {"Authorization": f"Basic {given}"})


def record(name: str, kind: EventKind | None, time: str, source: str = WEBHOOKS, **more: Any) -> Sample:
    """A callback, with the fields that matter."""
    address = "Email" if time == "BouncedAt" else "Recipient"
    body: dict[str, Any] = {
        "RecordType": name,
        "MessageID": ID,
        address: "john@example.com",
        time: AT,
        "MessageStream": "outbound",
    }
    body["Metadata"] = {"novukit_key": "key-7"}
    told = DeliveryEvent(
        kind or EventKind.FAILED,
        provider_message_id=ID,
        at=datetime(2014, 8, 1, 17, 28, 10, 273539, tzinfo=UTC),
        recipient="john@example.com",
        permanent=kind is EventKind.BOUNCED and "HardBounce" in more.values(),
        key="key-7",
    )
    of = more.get("Type") or more.get("SuppressionReason") or ""
    confirmed = source is WEBHOOKS
    return Sample(
        name=f"{name} {of}", body=body | more, events=[told] if kind else [], source=source, confirmed=confirmed
    )


def error(
    status: int, code: int, said: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None
) -> Documented:
    """An error: Postmark's own code is in the body. With which status most codes come, its page does not say."""
    body = {"ErrorCode": code, "Message": said}
    return Documented(
        name=f"{code} {said[:20]}", status=status, body=body, outcome=outcome, reason=reason, source=OVERVIEW,
        confirmed=status in (401, 429, 500),
    )  # fmt: skip


def found(request: Request) -> Answer:
    """The search's answer with the message that was asked for."""
    key = request.at("query:metadata_novukit_key")
    return Answer(200, {"TotalCount": 1, "Messages": [{"MessageID": ID, "Metadata": {"novukit_key": key}}]})


class TestPostmark(EmailConformance):
    """The kit, on Postmark."""

    provider = Postmark
    vendor = Vendor(
        credentials={"api_key": "postmark-kit-token-0001", "webhook_secret": SECRET},
        accepted=Answer(
            200,
            {
                "To": "receiver@example.com",
                "SubmittedAt": "2014-02-17T07:25:01.4178645-05:00",
                "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d",
                "ErrorCode": 0,
                "Message": "OK",
            },
        ),
        message_id="0a129aee-e1cd-480d-b08d-4f48548ff48d",
        fields={
            "to": "json:To",
            "sender": Spelled("json:From", lambda sender: f"<{sender}>"),
            "sender_name": "json:From",
            "subject": "json:Subject",
            "text": "json:TextBody",
            "html": "json:HtmlBody",
            "reply_to": "json:ReplyTo",
            "cc": "json:Cc",
            "bcc": "json:Bcc",
            "headers": lambda request: {one["Name"]: one["Value"] for one in request.json.get("Headers", [])},
            "tags": "json:Tag",
            "metadata": "json:Metadata",
            "attachments.name": "json:Attachments[0].Name",
            "attachments.content": "json:Attachments[0].Content",
            "attachments.mime": "json:Attachments[0].ContentType",
            "attachments.content_id": Spelled("json:Attachments[0].ContentID", lambda cid: f"cid:{cid}"),
        },
        overrides={
            "TrackOpens": (True, "json:TrackOpens"),
            "MessageStream": ("broadcast", "json:MessageStream"),
        },
        check=Answer(200, {"ID": 1, "Name": "Staging Testing"}),
        found=found,
        missing=Answer(200, {"TotalCount": 0, "Messages": []}),
        errors=[
            error(401, 10, "Bad or missing API token", reason=Reason.CREDENTIALS_INVALID),
            error(422, 300, "Invalid email request"),
            error(422, 400, "Sender Signature not found", reason=Reason.PROVIDER_REJECTED),
            error(422, 405, "Not allowed to send"),
            error(
                422, 406, f"Found inactive addresses: ada@kit.example. {INACTIVE}", Outcome.RECIPIENT_GONE,
                Reason.RECIPIENT_GONE,
            ),
            error(422, 412, "Account is Pending"),
            error(429, 429, "Rate Limit Exceeded", Outcome.THROTTLED),
            error(500, 0, "Internal Server Error", Outcome.UNKNOWN),
            error(503, 100, "Maintenance", Outcome.UNAVAILABLE),
            Documented(
                name="a firewall", status=403, body="<html><head><title>403 Forbidden</title></head></html>",
                reason=Reason.PROVIDER_REJECTED, source=FIREWALL,
            ),
            Documented(name="too large", status=413, body="", source=OVERVIEW),
            Documented(
                name="only copies were sent", status=200, outcome=Outcome.RECIPIENT_GONE, confirmed=False,
                body={
                    "ErrorCode": 0, "MessageID": ID,
                    "Message": f"{LEFT_OUT} ada@kit.example. {INACTIVE}",
                },
                source="django-anymail: anymail/backends/postmark.py",
            ),
        ],
        callbacks=Callbacks(
            sign=sign,
            timestamped=False,
            covers_body=False,
            samples=[
                record("Delivery", EventKind.DELIVERED, "DeliveredAt"),
                record("Open", EventKind.OPENED, "ReceivedAt", FirstOpen=True),
                record("Click", EventKind.CLICKED, "ReceivedAt", OriginalLink="https://example.com"),
                record("Bounce", EventKind.BOUNCED, "BouncedAt", ID=42, Type="HardBounce", Inactive=True),
                record("Bounce", EventKind.BOUNCED, "BouncedAt", ANYMAIL, ID=43, Type="SoftBounce", Inactive=False),
                record("Bounce", EventKind.FAILED, "BouncedAt", ANYMAIL, ID=44, Type="SMTPApiError"),
                record("Bounce", None, "BouncedAt", ANYMAIL, ID=45, Type="Transient"),
                record("SpamComplaint", EventKind.COMPLAINED, "BouncedAt", ID=46, Type="SpamComplaint"),
                record(
                    "SubscriptionChange", EventKind.UNSUBSCRIBED, "ChangedAt", SuppressSending=True,
                    SuppressionReason="ManualSuppression",
                ),
                record(
                    "SubscriptionChange", EventKind.BOUNCED, "ChangedAt", SuppressSending=True,
                    SuppressionReason="HardBounce",
                ),
                record("SubscriptionChange", None, "ChangedAt", SuppressSending=False, SuppressionReason=None),
            ],
            unknown={"RecordType": "Inbound", "MessageID": ID},
        ),
    )  # fmt: skip

    async def test_the_key_can_be_searched_for(self) -> None:
        """It stands in the metadata, beside the author's own."""
        async with self.stage() as stage:
            request = await stage.sent("key-7", metadata={"order": "7"})
        assert request.at("json:Metadata") == {"order": "7", "novukit_key": "key-7"}
        assert request.at("json:MessageStream") == "outbound"

    @pytest.mark.parametrize("body", [{}, {"Messages": [{"MessageID": "x", "Metadata": {"novukit_key": "other"}}]}])
    async def test_a_search_that_was_not_understood_proves_nothing(self, body: dict[str, Any]) -> None:
        """Another message is not ours, and no list is not an empty one."""
        async with self.stage(Answer(200, body)) as stage:
            delivery = await look_up(stage.provider, "key-7")
        assert delivery is not None
        assert delivery.outcome is Outcome.UNKNOWN

    async def test_a_second_tag_is_refused(self) -> None:
        """Postmark has room for one, and none is dropped."""
        async with self.stage() as stage:
            delivery = await stage.deliver(tags=("one", "two"))
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    async def test_copies_that_were_not_sent_are_told(self) -> None:
        """The message is accepted; who is missing stands in the receipt."""
        said = f"{LEFT_OUT} bob@kit.example. {INACTIVE}"
        async with self.stage(Answer(200, {"ErrorCode": 0, "MessageID": ID, "Message": said})) as stage:
            delivery = await stage.deliver(cc=("bob@kit.example",))
        assert delivery.accepted
        assert "bob@kit.example" in delivery.detail
