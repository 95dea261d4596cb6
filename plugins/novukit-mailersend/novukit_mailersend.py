"""``mailersend``: e-mail by the MailerSend API, with signed delivery events in both of its forms."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
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
    as_list,
    as_object,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_hmac,
)

KINDS = {
    "sent": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "opened": EventKind.OPENED,
    "opened_unique": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "clicked_unique": EventKind.CLICKED,
    "soft_bounced": EventKind.BOUNCED,
    "hard_bounced": EventKind.BOUNCED,
    "spam_complaint": EventKind.COMPLAINED,
    "spam_complaints": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "suppressed": EventKind.FAILED,
}

MOST_COPIES = 10
REASONS = ("bounce_reason", "reject_reason", "suppression_reason", "unsubscribe_reason", "readable_reason", "reason")


class MailerSendCredentials(EmailCredentials):
    """The API token, and the secret that signs MailerSend's callbacks."""

    api_key: SecretStr = Field(description="API token, mlsn.…; permission to send is enough.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signing secret of the webhook, if MailerSend reports events."
    )


class MailerSend(EmailProvider[MailerSendCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "mailersend"
    name = "MailerSend"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags"})
    limits = Limits(recipients=1 + 2 * MOST_COPIES)
    events = frozenset(KINDS.values())
    base_url = "https://api.mailersend.com"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over. Whom MailerSend has suppressed it names in its answer."""
        for field, copies in (("cc", content.cc), ("bcc", content.bcc)):
            if len(copies) > MOST_COPIES:
                raise Rejected(f"{field}: MailerSend takes {MOST_COPIES} at most.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            f"{self.base_url}/v1/email",
            headers={"Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}"},
            json=content.overrides | body(content),
        )
        answer = read_json(response)
        said = words(answer)
        match response.status_code:
            case 408:
                raise Unknown(said or "There is an error on MailerSend's side (408).")
            case 421:
                raise Unavailable(said or "MailerSend is under maintenance (421).")
            case _:
                raise_for_outcome(response, detail=said or None)
        left_out = suppressed(answer)
        if content.to.lower() in left_out:
            raise RecipientGone(f"MailerSend has suppressed {content.to}: {left_out[content.to.lower()]}.")
        remark = "; ".join(f"{address} is suppressed: {why}" for address, why in left_out.items())
        return Receipt(response.headers.get("X-Message-Id"), detail=remark)

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event a request, with a signature over the body and no time."""
        if self.credentials.webhook_secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        verify_hmac(self.credentials.webhook_secret, request.body, request.headers.get("Signature"))
        return [event for told in objects(request.json()) if (event := read(told)) is not None]


def body(content: EmailContent) -> dict[str, Any]:
    """The e-mail as MailerSend's API has it; what is not used is left out."""
    fields: dict[str, Any] = {
        "from": used({"email": content.sender, "name": content.sender_name}),
        "to": [{"email": content.to}],
        "cc": [{"email": copy} for copy in content.cc],
        "bcc": [{"email": copy} for copy in content.bcc],
        "reply_to": used({"email": content.reply_to}),
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "attachments": [attachment(one) for one in content.attachments],
        "tags": list(content.tags),
        "headers": [{"name": name, "value": value} for name, value in content.headers.items()],
    }
    return used(fields)


def used(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``fields`` that say something."""
    return {name: value for name, value in fields.items() if value}


def attachment(one: Attachment) -> dict[str, str]:
    """A file in base64; one with a content id is shown within the HTML."""
    made = {
        "filename": one.name,
        "content": base64.b64encode(one.content).decode(),
        "disposition": "inline" if one.content_id else "attachment",
        "id": one.content_id,
    }
    return used(made)


def suppressed(answer: Mapping[str, Any]) -> dict[str, str]:
    """The recipients that MailerSend does not write to any more, each with the reasons."""
    warned = [one for warning in objects(as_list(answer.get("warnings"))) for one in as_list(warning.get("recipients"))]
    return {
        str(one.get("email", "")).lower(): ", ".join(str(reason) for reason in as_list(one.get("reasons")))
        for one in objects(warned)
    }


def words(answer: Mapping[str, Any]) -> str:
    """MailerSend's own words for what is wrong, with those of each field."""
    fields = as_object(answer.get("errors")).values()
    return " ".join(
        [str(answer.get("message", "")), *(str(said) for field in fields for said in as_list(field))]
    ).strip()


def read(told: Mapping[str, Any]) -> DeliveryEvent | None:
    """The event that ``told`` is, if it is one of a message, in the first or in the second form."""
    data = as_object(told.get("data"))
    name = str(data.get("type"))
    kind = KINDS.get(name)
    if kind is None or not str(told.get("type")).startswith("activity."):
        return None
    email, said = as_object(data.get("email")), as_object(data.get("meta")) | as_object(data.get("morph"))
    message_id = as_object(email.get("message")).get("id") or data.get("message_id")
    recipient = as_object(email.get("recipient")).get("email") or data.get("recipient")
    return DeliveryEvent(
        kind,
        provider_message_id=str(message_id) if message_id else None,
        at=moment(data.get("created_at") or told.get("created_at")),
        id=str(data.get("id", "")),
        recipient=str(recipient) if recipient else None,
        permanent=name == "hard_bounced",
        detail=next((str(said[reason]) for reason in REASONS if said.get(reason)), ""),
    )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [MailerSend]
