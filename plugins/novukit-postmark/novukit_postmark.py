"""``postmark``: e-mail by the Postmark API, found again by our key, with delivery events behind a password."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any

from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    Attachment,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    EventKind,
    Limits,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Unavailable,
    Unknown,
    as_object,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_basic_auth,
)

KEY = "novukit_key"
"""The name in the message's metadata under which our key stands."""

INACTIVE = re.compile(r"inactive addresses: (.+?)\.?(?:\s+Inactive|$)", re.DOTALL)


class Code(IntEnum):
    """Postmark's own codes (API overview, «API error codes»)."""

    MAINTENANCE = 100
    INACTIVE_RECIPIENT = 406


RECORDS = {
    "Delivery": (EventKind.DELIVERED, "DeliveredAt"),
    "Open": (EventKind.OPENED, "ReceivedAt"),
    "Click": (EventKind.CLICKED, "ReceivedAt"),
    "Bounce": (EventKind.BOUNCED, "BouncedAt"),
    "SpamComplaint": (EventKind.COMPLAINED, "BouncedAt"),
    "SubscriptionChange": (EventKind.UNSUBSCRIBED, "ChangedAt"),
}
"""What a record is, unless its type says more, and where its time stands."""

BOUNCES = {
    "Transient": None,
    "DnsError": None,
    "Subscribe": None,
    "AutoResponder": None,
    "AddressChange": None,
    "OpenRelayTest": None,
    "ChallengeVerification": None,
    "Unsubscribe": EventKind.UNSUBSCRIBED,
    "SpamComplaint": EventKind.COMPLAINED,
    "ManuallyDeactivated": EventKind.FAILED,
    "Unconfirmed": EventKind.FAILED,
    "SMTPApiError": EventKind.FAILED,
    "TemplateRenderingFailed": EventKind.FAILED,
}
"""The types of bounce that are none: delays and answers are no event, and some have a kind of their own."""

SUPPRESSIONS = {
    "HardBounce": EventKind.BOUNCED,
    "SpamComplaint": EventKind.COMPLAINED,
    "ManualSuppression": EventKind.UNSUBSCRIBED,
}


class PostmarkCredentials(EmailCredentials):
    """The server's token, its message stream, and the password with which Postmark calls back."""

    api_key: SecretStr = Field(description="API token of the server.")
    message_stream: str = Field(default="outbound", description="Id of the message stream to send through.")
    webhook_user: str = Field(default="novukit", description="User that the webhook authenticates as.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Password that the webhook authenticates with, if Postmark reports events."
    )


class Postmark(EmailProvider[PostmarkCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "postmark"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags", "metadata"})
    idempotency = "lookup"
    idempotency_window = timedelta(days=7)
    limits = Limits(size=10_000_000, recipients=50)
    events = frozenset(
        {
            EventKind.DELIVERED,
            EventKind.OPENED,
            EventKind.CLICKED,
            EventKind.BOUNCED,
            EventKind.COMPLAINED,
            EventKind.UNSUBSCRIBED,
            EventKind.FAILED,
        }
    )
    base_url = "https://api.postmarkapp.com"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over, with our key in its metadata."""
        if len(content.tags) > 1:
            raise Rejected("tags: Postmark takes one tag.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            f"{self.base_url}/email",
            headers=self.headers(),
            json=content.overrides | body(content, key, self.credentials.message_stream),
        )
        answer = read_json(response)
        said = str(answer.get("Message", ""))
        match response.status_code, answer.get("ErrorCode"):
            case _, Code.INACTIVE_RECIPIENT if not response.is_success:
                raise RecipientGone(said)
            case 403, None:
                # Not Postmark but what stands before it, they say («403 that doesn't look like a Postmark error»).
                raise Rejected("A firewall before Postmark refused the request.")
            case _, Code.MAINTENANCE if not response.is_success:
                raise Unavailable(said)
            case _:
                raise_for_outcome(response, detail=said or None)
        if content.to.lower() in inactive(said):
            raise RecipientGone(f"Only the copies were sent. {said}")
        return Receipt(answer.get("MessageID"), detail="" if said == "OK" else said)

    async def lookup(self, key: str) -> Receipt | None:
        """Search the stream's messages of the last days (Postmark keeps 7 at least) for the one with our key."""
        response = await self.http.get(
            f"{self.base_url}/messages/outbound",
            params={
                "count": 1,
                "offset": 0,
                "messagestream": self.credentials.message_stream,
                f"metadata_{KEY}": key,
            },
            headers=self.headers(),
        )
        answer = read_json(raise_for_outcome(response))
        found = objects(answer.get("Messages"))
        for message in found:
            if as_object(message.get("Metadata")).get(KEY) == key:
                return Receipt(message.get("MessageID"))
        if found or "Messages" not in answer:
            raise Unknown("The answer to the search has other messages than were asked for.")
        return None

    async def check(self) -> None:
        """Read the server that the token is for."""
        raise_for_outcome(await self.http.get(f"{self.base_url}/server", headers=self.headers()))

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event a request, by basic authentication: Postmark signs nothing."""
        if self.credentials.webhook_secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        verify_basic_auth(request, self.credentials.webhook_user, self.credentials.webhook_secret)
        return [event for told in objects(request.json()) if (event := read(told)) is not None]

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"X-Postmark-Server-Token": self.credentials.api_key.get_secret_value(), "Accept": "application/json"}


def body(content: EmailContent, key: str, stream: str) -> dict[str, Any]:
    """The e-mail as Postmark's API has it; what is not used is left out."""
    fields: dict[str, Any] = {
        "From": mailbox(content),
        "To": content.to,
        "Cc": ", ".join(content.cc),
        "Bcc": ", ".join(content.bcc),
        "ReplyTo": content.reply_to,
        "Subject": content.subject,
        "TextBody": content.text,
        "HtmlBody": content.html,
        "Tag": "".join(content.tags),
        "Metadata": content.metadata | {KEY: key},
        "Headers": [{"Name": name, "Value": value} for name, value in content.headers.items()],
        "Attachments": [attachment(one) for one in content.attachments],
    }
    kept = {name: value for name, value in fields.items() if value}
    return kept if "MessageStream" in content.overrides else kept | {"MessageStream": stream}


def mailbox(content: EmailContent) -> str:
    """The sender, with the name beside it in quotes: it may have a comma or a bracket in it."""
    if not content.sender_name:
        return content.sender
    name = content.sender_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{content.sender}>'


def attachment(one: Attachment) -> dict[str, str]:
    """A file in base64; one with a content id is shown within the HTML."""
    made = {"Name": one.name, "Content": base64.b64encode(one.content).decode(), "ContentType": one.mime}
    return made | ({"ContentID": f"cid:{one.content_id}"} if one.content_id else {})


def inactive(said: str) -> list[str]:
    """The addresses that Postmark does not write to any more. It names them only in its words."""
    named = INACTIVE.search(said)
    return [address.strip().lower() for address in named[1].split(",")] if named else []


def read(told: Mapping[str, Any]) -> DeliveryEvent | None:
    """The event that a record is, if it is one."""
    record = str(told.get("RecordType"))
    if record not in RECORDS:
        return None
    kind, time = RECORDS[record]
    of = str(told.get("Type"))
    match record:
        case "Bounce":
            kind = BOUNCES.get(of, EventKind.BOUNCED)
        case "SubscriptionChange":
            of = str(told.get("SuppressionReason"))
            kind = SUPPRESSIONS.get(of) if told.get("SuppressSending") is True else None
        case _:
            pass
    if kind is None:
        return None
    message_id, number = told.get("MessageID"), told.get("ID")
    key = as_object(told.get("Metadata")).get(KEY)
    return DeliveryEvent(
        kind,
        provider_message_id=str(message_id) if message_id else None,
        at=moment(told.get(time)),
        id=f"{record}-{number}" if number else "",
        recipient=str(told.get("Email") or told.get("Recipient") or "") or None,
        permanent=kind is EventKind.BOUNCED
        and (of in ("HardBounce", "BadEmailAddress") or told.get("Inactive") is True),
        detail=str(told.get("Details") or told.get("Description") or ""),
        key=str(key) if key else None,
    )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Postmark]
