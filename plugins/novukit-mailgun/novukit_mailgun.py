"""``mailgun``: e-mail by the Mailgun API, as a message ready to travel, with signed delivery events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    EventKind,
    HttpClient,
    Limits,
    Reason,
    Receipt,
    Rejected,
    as_bytes,
    as_object,
    hookimpl,
    mime_message,
    moment,
    raise_for_outcome,
    read_json,
    recipients,
    verify_hmac,
    verify_timestamp,
)

KEY = "novukit_key"
"""The name among the message's variables under which our key stands."""

KINDS = {
    "accepted": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "failed": EventKind.FAILED,
    "rejected": EventKind.FAILED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
}

BOUNCES = frozenset({"bounce", "suppress-bounce"})
"""Reasons to fail that are about the address, and hold for every later message."""

MOST_TAGS = 10


class MailgunCredentials(EmailCredentials):
    """The API key, the domain to send from, where it is, and the key that signs Mailgun's callbacks."""

    api_key: SecretStr = Field(description="API key; the sending key of the domain is enough.")
    domain: str = Field(pattern=r"^[A-Za-z0-9.-]+$", description="The sending domain, as Mailgun lists it.")
    user: str = Field(default="api", description="User of the API, which is always api.")
    region: Literal["us", "eu"] = Field(default="us", description="Where the domain was created.")
    base_url: str | None = Field(default=None, description="URL of the API, instead of the region's.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="HTTP webhook signing key, if Mailgun reports events."
    )


class Mailgun(EmailProvider[MailgunCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes among the fields of the form: ``o:deliverytime``, …"""

    id = "mailgun"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags", "metadata"})
    limits = Limits(size=25_000_000, recipients=1000)
    events = frozenset({*KINDS.values(), EventKind.BOUNCED})
    base_url = "https://api.mailgun.net"

    def __init__(self, credentials: MailgunCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        if credentials.region == "eu":
            self.base_url = "https://api.eu.mailgun.net"
        if credentials.base_url:
            self.base_url = credentials.base_url.rstrip("/").removesuffix("/v3")

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand over the whole message. Its Message-ID is made of the key, so that a second one can be told."""
        if len(content.tags) > MOST_TAGS:
            raise Rejected(f"tags: Mailgun takes {MOST_TAGS} at most.", reason=Reason.CONTENT_INVALID)
        message = as_bytes(mime_message(content, key, date=self.now()))
        response = await self.http.post(
            f"{self.base_url}/v3/{self.credentials.domain}/messages.mime",
            data=content.overrides | form(content, key),
            files={"message": ("message.eml", message, "message/rfc822")},
            auth=(self.credentials.user, self.credentials.api_key.get_secret_value()),
        )
        answer = read_json(response)
        said = str(answer.get("message", ""))
        if response.status_code == 403:
            # «Valid credentials but access denied»: a domain that is not verified, say.
            raise Rejected(said or response.text)
        raise_for_outcome(response, detail=said or None)
        return Receipt(bare(answer.get("id")))

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event a request. Mailgun signs a time and a token, and not the event."""
        secret = self.credentials.webhook_secret
        if secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        told = as_object(request.json())
        signature = {name: str(value) for name, value in as_object(told.get("signature")).items()}
        at, token = signature.get("timestamp", ""), signature.get("token", "")
        verify_timestamp(at, request.now)
        # An event of a subaccount has the signature of the account above it as well; either is proof.
        given = [signature.get(name) for name in ("signature", "parent-signature")]
        for one in given:
            try:
                verify_hmac(secret, f"{at}{token}".encode(), one)
            except CallbackRefused:
                continue
            event = read(as_object(told.get("event-data")), token)
            return [event] if event else []
        raise CallbackRefused("The signature is wrong.")


def form(content: EmailContent, key: str) -> dict[str, Any]:
    """What travels beside the message: whom it goes to, and what Mailgun keeps with it."""
    fields: dict[str, Any] = {"to": recipients(content), "o:tag": list(content.tags)}
    fields |= {f"v:{name}": value for name, value in content.metadata.items()}
    return fields | {f"v:{KEY}": key}


def bare(message_id: object) -> str | None:
    """A Message-ID without its brackets: answers have them, events have not."""
    return str(message_id).strip("<>") if message_id else None


def read(data: Mapping[str, Any], token: str) -> DeliveryEvent | None:
    """The event that ``data`` is, if it is one of a message. ``token`` is what was signed, and its id.

    The signature does not cover the event. With the token as its id, a token that was seen proves nothing any more:
    another event with it is taken for a repetition.
    """
    kind = KINDS.get(str(data.get("event")))
    if kind is None or data.get("severity") == "temporary":
        return None
    status, reason = as_object(data.get("delivery-status")), str(data.get("reason", ""))
    permanent = data.get("event") == "failed" and reason in BOUNCES
    headers, key = (
        as_object(as_object(data.get("message")).get("headers")),
        as_object(data.get("user-variables")).get(KEY),
    )
    said = [status.get("message"), status.get("description"), as_object(data.get("reject")).get("reason"), reason]
    return DeliveryEvent(
        EventKind.BOUNCED if permanent else kind,
        provider_message_id=bare(headers.get("message-id")),
        at=moment(data.get("timestamp")),
        id=token,
        recipient=str(data.get("recipient", "")) or None,
        permanent=permanent,
        detail=next((str(one) for one in said if one), ""),
        key=str(key) if key else None,
    )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Mailgun]
