"""Parcel, a fictional e-mail vendor, and the reference provider for it: all that an e-mail provider can have."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from novukit.providers import (
    CallbackRequest,
    DeliveryEvent,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    EventKind,
    Limits,
    Outcome,
    Reason,
    Receipt,
    Rejected,
    as_list,
    as_object,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_hmac,
    verify_timestamp,
)
from novukit.testing.conformance import Answer, Callbacks, Documented, Sample, Signed, Spelled, Vendor

PAGE = "Parcel, «Send», 2026-01-02 (fictional)"
SECRET = "parcel-webhook-secret-01"


class ParcelCredentials(EmailCredentials):
    """What Parcel asks for."""

    api_key: SecretStr
    webhook_secret: SecretStr


class Parcel(EmailProvider[ParcelCredentials]):
    """Sends by Parcel."""

    id = "parcel"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags", "metadata"})
    idempotency = "native"
    limits = Limits(size=100_000, recipients=50, lengths={"subject": 200})
    events = frozenset({EventKind.DELIVERED, EventKind.BOUNCED})
    base_url = "https://api.parcel.example"

    def body(self, content: EmailContent) -> dict[str, Any]:
        """The message as Parcel has it."""
        return content.overrides | {
            "from": {"email": content.sender, "name": content.sender_name},
            "to": content.to,
            "subject": content.subject,
            "text": content.text,
            "html": content.html,
            "replyTo": content.reply_to,
            "cc": content.cc,
            "bcc": content.bcc,
            "headers": content.headers,
            "labels": content.tags,
            "custom": content.metadata,
            "files": [
                {
                    "name": file.name,
                    "data": base64.b64encode(file.content).decode(),
                    "type": file.mime,
                    "cid": file.content_id,
                }
                for file in content.attachments
            ],
        }

    def headers(self, key: str) -> Mapping[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}", "Idempotency-Key": key}

    async def send(self, content: EmailContent, key: str) -> Receipt:
        response = await self.http.post(f"{self.base_url}/send", json=self.body(content), headers=self.headers(key))
        answer = read_json(response)
        raise_for_outcome(response)
        if error := answer.get("error"):
            raise Rejected(str(error))
        return Receipt(answer.get("id"))

    async def check(self) -> None:
        raise_for_outcome(await self.http.get(f"{self.base_url}/account", headers=self.headers("")))

    def verify(self, request: CallbackRequest, body: bytes) -> None:
        """The signature covers the time, a dot and the raw body."""
        at = request.headers.get("Parcel-Time", "")
        verify_timestamp(at, request.now)
        verify_hmac(self.credentials.webhook_secret, f"{at}.".encode() + body, request.headers.get("Parcel-Signature"))

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        self.verify(request, request.body)
        kinds = {"delivered": EventKind.DELIVERED, "bounced": EventKind.BOUNCED}
        return [
            DeliveryEvent(
                kinds[one["event"]],
                provider_message_id=one.get("message"),
                at=moment(one.get("at")),
                id=str(one.get("id", "")),
                recipient=one.get("to"),
                permanent=as_object(one.get("bounce")).get("hard") is True,
            )
            for one in objects(as_list(as_object(request.json()).get("events")))
            if one.get("event") in kinds
        ]


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """As Parcel's page says."""
    seconds = str(int(at.timestamp()))
    key = b"somebody-else's" if forged else SECRET.encode()
    mac = hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return Signed(body, {"Parcel-Time": seconds, "Parcel-Signature": mac})


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

VENDOR = Vendor(
    credentials={"api_key": "parcel-key-canary-01", "webhook_secret": SECRET},
    accepted=Answer(202, {"id": "parcel-1"}),
    message_id="parcel-1",
    key="header:Idempotency-Key",
    fields={
        "to": "json:to",
        "sender": "json:from.email",
        "sender_name": "json:from.name",
        "subject": "json:subject",
        "text": "json:text",
        "html": "json:html",
        "reply_to": "json:replyTo",
        "cc": "json:cc",
        "bcc": "json:bcc",
        "headers": "json:headers",
        "tags": Spelled("json:labels", list),
        "metadata": "json:custom",
        "attachments.name": "json:files[0].name",
        "attachments.content": "json:files[0].data",
        "attachments.mime": "json:files[0].type",
        "attachments.content_id": "json:files[0].cid",
    },
    overrides={"pool": ("kit-pool", "json:pool")},
    check=Answer(200, {}),
    errors=[
        Documented(
            name="bad key", status=401, body={"error": "no"}, reason=Reason.CREDENTIALS_INVALID, source=PAGE
        ),
        Documented(name="error in a 200", status=200, body={"error": "the address is blocked"}, source=PAGE),
        Documented(
            name="too fast", status=429, headers={"Retry-After": "3"}, outcome=Outcome.THROTTLED, retry_after=3.0,
            body={"error": "slow down"}, source=PAGE,
        ),
    ],
    callbacks=Callbacks(
        sign=sign,
        samples=[
            Sample(
                name="delivered and bounced",
                body={
                    "events": [
                        {"id": "e1", "event": "delivered", "message": "parcel-1", "at": AT.isoformat(), "to": "ä@b.c"},
                        {"id": "e2", "event": "bounced", "message": "parcel-2", "bounce": {"hard": True}},
                    ]
                },
                events=[
                    DeliveryEvent(EventKind.DELIVERED, "parcel-1", at=AT, recipient="ä@b.c"),
                    DeliveryEvent(EventKind.BOUNCED, "parcel-2", permanent=True),
                ],
                source=PAGE,
            )
        ],
        unknown={"events": [{"id": "e3", "event": "printed", "message": "parcel-1"}]},
    ),
)  # fmt: skip
