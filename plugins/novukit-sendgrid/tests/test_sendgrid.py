"""SendGrid keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from novukit_sendgrid import SendGrid, SendGridCredentials

from novukit.providers import DeliveryEvent, EventKind, HttpClient, Outcome, Reason, check
from novukit.testing.conformance import Answer, Callbacks, Documented, EmailConformance, Sample, Signed, Vendor

SEND = "Twilio's OpenAPI file: Twilio SendGrid Mail API 1.0.0"
EVENTS = "sendgrid.com/docs: Event Webhook Reference"
SEEN = "discourse/discourse: the callback in the commit fbe5a9c"
OWN, OTHER = (ec.derive_private_key(secret, ec.SECP256R1()) for secret in (20261127, 20261128))
PUBLIC = base64.b64encode(OWN.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
ID = "14c5d75ce93.dfd.64b469"


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """ECDSA with SHA-256 over the timestamp and the body («Event Webhook Security Features»)."""
    seconds = str(int(at.timestamp()))
    signature = (OTHER if forged else OWN).sign(seconds.encode() + body, ec.ECDSA(SHA256()))
    return Signed(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": seconds,
        },
    )


def told(event: str, **more: Any) -> dict[str, Any]:
    """One event as the page shows it."""
    return {
        "email": "example@test.com",
        "timestamp": 1513299569,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": event,
        "category": "cat facts",
        "sg_event_id": f"{event}-{more.get('reason', '')}",
        "sg_message_id": f"{ID}.filter0001.16648.5515E0B88.0",
        "novukit_key": "key-7",
        **more,
    }


def meant(kind: EventKind, permanent: bool = False, message_id: str = ID) -> DeliveryEvent:
    """What it stands for."""
    at = datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)
    return DeliveryEvent(
        kind, provider_message_id=message_id, at=at, recipient="example@test.com", permanent=permanent, key="key-7"
    )


def error(
    status: int, said: str, field: str | None = "null", outcome: Outcome = Outcome.REJECTED,
    reason: Reason | None = None, confirmed: bool = True,
) -> Documented:  # fmt: skip
    """An error in the form that all have."""
    body = {"errors": [{"message": said, "field": field}]}
    return Documented(
        name=f"{status} {said}", status=status, body=body, outcome=outcome, reason=reason, source=SEND,
        confirmed=confirmed,
    )  # fmt: skip


class TestSendGrid(EmailConformance):
    """The kit, on SendGrid."""

    provider = SendGrid
    vendor = Vendor(
        credentials={"api_key": "SG.kit-key-0001", "webhook_key": PUBLIC, "ip_pool_name": "kit-pool"},
        accepted=Answer(202, b"", {"X-Message-Id": ID}),
        message_id=ID,
        fields={
            "to": "json:personalizations[0].to[0].email",
            "sender": "json:from.email",
            "sender_name": "json:from.name",
            "subject": "json:subject",
            "text": lambda request: {one["type"]: one["value"] for one in request.json["content"]}["text/plain"],
            "html": lambda request: {one["type"]: one["value"] for one in request.json["content"]}["text/html"],
            "reply_to": "json:reply_to.email",
            "cc": lambda request: [one["email"] for one in request.json["personalizations"][0].get("cc", [])],
            "bcc": lambda request: [one["email"] for one in request.json["personalizations"][0].get("bcc", [])],
            "headers": "json:headers",
            "tags": "json:categories",
            "metadata": "json:personalizations[0].custom_args",
            "attachments.name": "json:attachments[0].filename",
            "attachments.content": "json:attachments[0].content",
            "attachments.mime": "json:attachments[0].type",
            "attachments.content_id": "json:attachments[0].content_id",
        },
        overrides={"send_at": (1617260400, "json:send_at")},
        check=Answer(200, {"scopes": ["mail.batch.create", "mail.send"]}),
        errors=[
            error(400, "invalid request"),
            error(401, "authorization required", reason=Reason.CREDENTIALS_INVALID),
            error(403, "access forbidden", reason=Reason.CREDENTIALS_INVALID),
            error(
                403, "The from address does not match a verified Sender Identity.", "from",
                reason=Reason.PROVIDER_REJECTED, confirmed=False,
            ),
            error(404, "not found"),
            error(405, "method not allowed"),
            error(413, "content too large"),
            error(429, "too many requests", None, Outcome.THROTTLED, confirmed=False),
            error(500, "internal server error", outcome=Outcome.UNKNOWN),
        ],
        callbacks=Callbacks(
            sign=sign,
            samples=[
                Sample(
                    name="one of each",
                    body=[
                        told("processed"),
                        told("deferred", response="400 try again later", attempt="5"),
                        told("delivered", response="250 OK"),
                        told("open"),
                        told("click", url="http://www.sendgrid.com/"),
                        told("bounce", reason="500 unknown recipient", status="5.0.0", type="bounce"),
                        told("spamreport"),
                        told("unsubscribe"),
                        told("group_unsubscribe", asm_group_id=10),
                        told("group_resubscribe", asm_group_id=10),
                    ],
                    events=[
                        meant(EventKind.ACCEPTED),
                        meant(EventKind.DELIVERED),
                        meant(EventKind.OPENED),
                        meant(EventKind.CLICKED),
                        meant(EventKind.BOUNCED, permanent=True),
                        meant(EventKind.COMPLAINED),
                        meant(EventKind.UNSUBSCRIBED),
                    ],
                    source=EVENTS,
                ),
                Sample(
                    name="dropped after the 202",
                    body=[
                        told("dropped", reason="Bounced Address", status="5.0.0"),
                        told("dropped", reason="Spam Reporting Address"),
                        told("dropped", reason="Recipient List over Package Quota"),
                    ],
                    events=[
                        meant(EventKind.BOUNCED, permanent=True),
                        meant(EventKind.FAILED),
                        meant(EventKind.FAILED),
                    ],
                    source=EVENTS,
                ),
                Sample(
                    name="blocked, with a new message's id",
                    body=[
                        told(
                            "bounce", type="blocked",
                            sg_message_id="euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
                        )
                    ],
                    events=[meant(EventKind.BOUNCED, message_id="euo2iKxdSayPF4YE4--I7A")],
                    source=SEEN,
                    confirmed=False,
                ),
            ],
            unknown=[told("account_status_change")],
        ),
    )  # fmt: skip

    async def test_headers_of_sendgrids_own_are_refused(self) -> None:
        """In any case, and nothing is sent."""
        async with self.stage() as stage:
            for name in ("X-SG-ID", "x-sg-eid"):
                delivery = await stage.deliver(headers={name: "1"})
                assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    async def test_an_eleventh_tag_is_refused(self) -> None:
        """SendGrid takes ten, and none is dropped."""
        async with self.stage() as stage:
            assert (await stage.sent(tags=tuple(f"tag-{number}" for number in range(10)))).json["categories"]
            delivery = await stage.deliver(tags=tuple(f"tag-{number}" for number in range(11)))
        assert delivery.reason is Reason.CONTENT_INVALID

    async def test_our_key_and_the_pool_travel_along(self) -> None:
        """The key is given back in every event."""
        async with self.stage() as stage:
            request = await stage.sent("key-7", metadata={"order": "7"})
        assert request.at("json:personalizations[0].custom_args") == {"order": "7", "novukit_key": "key-7"}
        assert request.at("json:ip_pool_name") == "kit-pool"

    async def test_a_key_that_may_not_send_does_not_pass_the_check(self) -> None:
        """It is a good key, and of no use here."""
        async with self.stage(Answer(200, {"scopes": ["stats.read"]})) as stage:
            delivery = await check(stage.provider)
        assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)

    def test_a_region_has_its_own_host(self) -> None:
        """EU subusers are not known at the global one."""
        eu = SendGridCredentials.model_validate({"apiKey": "SG.kit-key-0001", "region": "eu"})
        assert SendGrid(eu, HttpClient()).base_url == "https://api.eu.sendgrid.com"
