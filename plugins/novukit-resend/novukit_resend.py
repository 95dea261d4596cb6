"""``resend``: e-mail by the Resend API, with idempotency keys for 24 hours and signed delivery events."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
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
    Rejected,
    Unknown,
    as_list,
    as_object,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_standard_webhook,
)

KINDS = {
    "email.sent": EventKind.ACCEPTED,
    "email.delivered": EventKind.DELIVERED,
    "email.opened": EventKind.OPENED,
    "email.clicked": EventKind.CLICKED,
    "email.bounced": EventKind.BOUNCED,
    "email.complained": EventKind.COMPLAINED,
    "email.failed": EventKind.FAILED,
}


class ResendCredentials(EmailCredentials):
    """The API key, and the secret of the webhook that reports events."""

    api_key: SecretStr = Field(description="API key, re_…; permission to send is enough.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signing secret of the webhook, whsec_…, if Resend reports events."
    )


class Resend(EmailProvider[ResendCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "resend"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "metadata"})
    idempotency = "native"
    idempotency_window = timedelta(hours=24)
    limits = Limits(rate=2, size=40_000_000, recipients=50)
    events = frozenset(KINDS.values())
    callback_setup = (
        "At resend.com, «Webhooks», «Add webhook»: enter the URL and tick email.sent, email.delivered, email.opened, "
        "email.clicked, email.bounced, email.complained and email.failed. Its signing secret, whsec_…, is the "
        "credential webhookSecret."
    )
    base_url = "https://api.resend.com"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over; the same key within 24 hours gets the first answer again, and sends nothing."""
        response = await self.http.post(
            f"{self.base_url}/emails",
            headers=self.headers() | {"Idempotency-Key": key},
            json=content.overrides | body(content),
        )
        answer = read_json(response)
        match response.status_code, answer.get("name"):
            case 409, _:
                # The key is known: the first try is under way, or has gone out.
                raise Unknown(words(answer))
            case 403, name if name != "invalid_api_key":
                raise Rejected(words(answer))
            case _:
                raise_for_outcome(response, detail=words(answer) or None)
        return Receipt(provider_message_id=answer.get("id"))

    async def check(self) -> None:
        """List the domains. A key that may only send is refused by name, and is a good one."""
        response = await self.http.get(f"{self.base_url}/domains", headers=self.headers())
        answer = read_json(response)
        if answer.get("name") == "restricted_api_key":
            return
        if answer.get("name") == "validation_error" and response.status_code == 400:
            raise Rejected(words(answer), reason=Reason.CREDENTIALS_INVALID)
        raise_for_outcome(response, detail=words(answer) or None)

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event a request, signed as Svix does."""
        if self.credentials.webhook_secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        event_id = verify_standard_webhook(request, self.credentials.webhook_secret, prefix="svix")
        return [event for one in objects(request.json()) for event in self.read(one, event_id)]

    def read(self, told: dict[str, Any], event_id: str) -> Sequence[DeliveryEvent]:
        """The event that ``told`` is, if it is one of a message."""
        kind = KINDS.get(str(told.get("type")))
        data = as_object(told.get("data"))
        if kind is None or "email_id" not in data:
            return []
        bounce, to = as_object(data.get("bounce")), as_list(data.get("to"))
        return [
            DeliveryEvent(
                kind=kind,
                provider_message_id=str(data["email_id"]),
                at=moment(told.get("created_at")),
                id=event_id,
                recipient=str(to[0]) if to else None,
                permanent=kind is EventKind.BOUNCED and bounce.get("type", "Permanent") == "Permanent",
                detail=str(bounce.get("message", "")),
            )
        ]

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}"}


def body(content: EmailContent) -> dict[str, Any]:
    """The e-mail as Resend's API has it; what is not used is left out."""
    fields: dict[str, Any] = {
        "from": mailbox(content),
        "to": [content.to],
        "subject": content.subject,
        "html": content.html,
        "text": content.text,
        "reply_to": [content.reply_to] if content.reply_to else [],
        "cc": list(content.cc),
        "bcc": list(content.bcc),
        "headers": content.headers,
        "attachments": [attachment(one) for one in content.attachments],
        "tags": [{"name": name, "value": value} for name, value in content.metadata.items()],
    }
    return {name: value for name, value in fields.items() if value}


def mailbox(content: EmailContent) -> str:
    """The sender, with the name beside it in quotes: it may have a comma or a bracket in it."""
    if not content.sender_name:
        return content.sender
    name = content.sender_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{content.sender}>'


def attachment(one: Attachment) -> dict[str, str]:
    """A file in base64."""
    made = {
        "filename": one.name,
        "content": base64.b64encode(one.content).decode(),
        "content_type": one.mime,
        "content_id": one.content_id or "",
    }
    return {name: value for name, value in made.items() if value}


def words(answer: dict[str, Any]) -> str:
    """Resend's own words for what is wrong."""
    return ": ".join(str(answer[name]) for name in ("name", "message") if answer.get(name))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Resend]
