"""``sendgrid``: e-mail by the Twilio SendGrid API, with delivery events that are signed with a private key."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

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
    HttpClient,
    Limits,
    Reason,
    Receipt,
    Rejected,
    as_list,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_ecdsa,
    verify_timestamp,
)

KEY = "novukit_key"
"""The name among the message's custom arguments under which our key stands."""

KINDS = {
    "processed": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.FAILED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
}

DEAD_ADDRESSES = frozenset({"Bounced Address", "Invalid"})
"""Reasons to drop a message that are about the address, and hold for every later one."""

FORBIDDEN_HEADERS = frozenset({"x-sg-id", "x-sg-eid"})
"""What SendGrid forbids beyond the headers that no author may set."""

MOST_TAGS = 10
ROUTE = re.compile(r"\.(?:filter|recvd-).*", re.DOTALL)
"""What stands behind the message's id in an event: the way it took within SendGrid."""


class SendGridCredentials(EmailCredentials):
    """The API key, where the account is, and the key that proves SendGrid's callbacks."""

    api_key: SecretStr = Field(description="API key, SG.…; permission to send is enough.")
    region: Literal["global", "eu"] = Field(default="global", description="eu for a subuser of the EU region.")
    ip_pool_name: str | None = Field(default=None, description="Pool of IP addresses to send from.")
    webhook_key: str | None = Field(
        default=None, description="Verification key (a public key) of the signed event webhook, if SendGrid reports."
    )


class SendGrid(EmailProvider[SendGridCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "sendgrid"
    name = "SendGrid"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags", "metadata"})
    limits = Limits(size=30_000_000, recipients=1000)
    events = frozenset(KINDS.values())
    base_url = "https://api.sendgrid.com"

    def __init__(self, credentials: SendGridCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        if credentials.region == "eu":
            self.base_url = "https://api.eu.sendgrid.com"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over. SendGrid answers before it has looked; what it then drops is told by an event."""
        for name in content.headers:
            if name.lower() in FORBIDDEN_HEADERS:
                raise Rejected(f"headers: SendGrid forbids {name!r}.", reason=Reason.CONTENT_INVALID)
        if len(content.tags) > MOST_TAGS:
            raise Rejected(f"tags: SendGrid takes {MOST_TAGS} at most.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            f"{self.base_url}/v3/mail/send",
            headers=self.headers(),
            json=content.overrides | body(content, key, self.credentials.ip_pool_name),
        )
        errors = objects(as_list(read_json(response).get("errors")))
        if response.status_code == 403 and any(error.get("field") not in (None, "null") for error in errors):
            # The key is good; a field is not: a sender that is not verified, say.
            raise Rejected(words(errors))
        raise_for_outcome(response, detail=words(errors) or None)
        return Receipt(response.headers.get("X-Message-Id"))

    async def check(self) -> None:
        """Ask what the key may do; it must be allowed to send."""
        response = raise_for_outcome(await self.http.get(f"{self.base_url}/v3/scopes", headers=self.headers()))
        if "mail.send" not in as_list(read_json(response).get("scopes")):
            raise Rejected("The key may not send mail.", reason=Reason.CREDENTIALS_INVALID)

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """A list of events, with a signature over the time and the body."""
        if self.credentials.webhook_key is None:
            raise CallbackRefused("The integration has no webhook_key.")
        at = request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
        verify_timestamp(at, request.now)
        signature = request.headers.get("X-Twilio-Email-Event-Webhook-Signature")
        verify_ecdsa(self.credentials.webhook_key, at.encode() + request.body, signature)
        return [event for told in objects(request.json()) if (event := read(told)) is not None]

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}"}


def body(content: EmailContent, key: str, pool: str | None) -> dict[str, Any]:
    """The e-mail as SendGrid's API has it; what is not used is left out."""
    envelope: dict[str, Any] = {
        "to": [{"email": content.to}],
        "cc": [{"email": copy} for copy in content.cc],
        "bcc": [{"email": copy} for copy in content.bcc],
        "custom_args": content.metadata | {KEY: key},
    }
    texts = {"text/plain": content.text, "text/html": content.html}
    fields: dict[str, Any] = {
        "personalizations": [used(envelope)],
        "from": used({"email": content.sender, "name": content.sender_name}),
        "reply_to": used({"email": content.reply_to}),
        "subject": content.subject,
        "content": [{"type": mime, "value": text} for mime, text in texts.items() if text],
        "attachments": [attachment(one) for one in content.attachments],
        "headers": content.headers,
        "categories": list(content.tags),
        "ip_pool_name": pool,
    }
    return used(fields)


def used(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``fields`` that say something."""
    return {name: value for name, value in fields.items() if value}


def attachment(one: Attachment) -> dict[str, str]:
    """A file in base64; one with a content id is shown within the HTML."""
    made = {
        "content": base64.b64encode(one.content).decode(),
        "type": one.mime,
        "filename": one.name,
        "disposition": "inline" if one.content_id else "attachment",
        "content_id": one.content_id,
    }
    return used(made)


def words(errors: Sequence[Mapping[str, Any]]) -> str:
    """SendGrid's own words for what is wrong."""
    return " ".join(str(error["message"]) for error in errors if error.get("message"))


def read(told: Mapping[str, Any]) -> DeliveryEvent | None:
    """The event that ``told`` is, if it is one of a message."""
    kind = KINDS.get(str(told.get("event")))
    if kind is None:
        return None
    reason, key = str(told.get("reason", "")), told.get(KEY)
    permanent = kind is EventKind.BOUNCED and told.get("type", "bounce") == "bounce"
    if kind is EventKind.FAILED and reason in DEAD_ADDRESSES:
        kind, permanent = EventKind.BOUNCED, True
    return DeliveryEvent(
        kind,
        provider_message_id=ROUTE.sub("", str(told.get("sg_message_id", ""))) or None,
        at=moment(told.get("timestamp")),
        id=str(told.get("sg_event_id", "")),
        recipient=str(told.get("email", "")) or None,
        permanent=permanent,
        detail=reason or str(told.get("response", "")),
        key=str(key) if key else None,
    )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [SendGrid]
