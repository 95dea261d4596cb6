"""``mailjet``: e-mail by the Mailjet Send API v3.1, found again by our key, with delivery events behind a password."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
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
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_basic_auth,
)

KINDS = {
    "sent": EventKind.DELIVERED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "bounce": EventKind.BOUNCED,
    "blocked": EventKind.FAILED,
    "spam": EventKind.COMPLAINED,
    "unsub": EventKind.UNSUBSCRIBED,
}
"""``sent`` is told when the recipient's server has accepted the message."""

FORBIDDEN_HEADERS = frozenset(
    {
        "authentication-results",
        "domainkey-status",
        "list-id",
        "received-spf",
        "user-agent",
        "x-csa-complaints",
        "x-feedback-id",
        "x-mailer",
    }
)
FORBIDDEN_PREFIXES = ("x-mj-", "x-mailjet-")


class MailjetCredentials(EmailCredentials):
    """Both API keys, and the password with which Mailjet calls back."""

    api_key: SecretStr = Field(description="The public API key.")
    secret_key: SecretStr = Field(description="The private API key.")
    webhook_user: str = Field(default="novukit", description="User in the URL of the webhook.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Password in the URL of the webhook, if Mailjet reports events."
    )


class Mailjet(EmailProvider[MailjetCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the message as it is."""

    id = "mailjet"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "metadata"})
    idempotency = "lookup"
    idempotency_window = timedelta(days=7)
    limits = Limits(size=15_000_000, recipients=50, lengths={"subject": 255})
    events = frozenset(KINDS.values())
    base_url = "https://api.mailjet.com"

    @property
    def auth(self) -> tuple[str, str]:
        """Both keys."""
        return self.credentials.api_key.get_secret_value(), self.credentials.secret_key.get_secret_value()

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over; our key is its ``CustomID``."""
        for name in content.headers:
            if name.lower() in FORBIDDEN_HEADERS or name.lower().startswith(FORBIDDEN_PREFIXES):
                raise Rejected(f"headers: Mailjet forbids {name!r}.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            f"{self.base_url}/v3.1/send",
            json={"Messages": [content.overrides | message(content, key)]},
            auth=self.auth,
        )
        answer = read_json(response)
        told = objects(as_list(answer.get("Messages")))
        errors = [error for one in told for error in objects(as_list(one.get("Errors")))]
        said = words([answer, *errors])
        if response.status_code == 403 and errors:
            # The keys are good; the sender's address is not validated, say.
            raise Rejected(said)
        raise_for_outcome(response, detail=said or None)
        if any(one.get("Status") == "error" for one in told):
            raise Rejected(said)
        sent = [to for one in told for to in objects(as_list(one.get("To")))]
        return Receipt(str(sent[0]["MessageID"]) if sent and "MessageID" in sent[0] else None)

    async def lookup(self, key: str) -> Receipt | None:
        """Ask for the message by its ``CustomID``."""
        response = await self.http.request(
            "GET", f"{self.base_url}/v3/REST/message", params={"CustomID": key}, auth=self.auth
        )
        answer = read_json(raise_for_outcome(response))
        found = [one for one in objects(answer.get("Data")) if one.get("CustomID", key) in (key, "")]
        if found and "ID" in found[0]:
            return Receipt(str(found[0]["ID"]))
        if answer.get("Data") != []:
            raise Unknown("The answer to the search has other messages than were asked for.")
        return None

    async def check(self) -> None:
        """List the senders."""
        raise_for_outcome(await self.http.request("GET", f"{self.base_url}/v3/REST/sender", auth=self.auth))

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event or a list of them, by basic authentication: Mailjet signs nothing."""
        if self.credentials.webhook_secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        verify_basic_auth(request, self.credentials.webhook_user, self.credentials.webhook_secret)
        return [event for told in objects(request.json()) if (event := read(told)) is not None]


def message(content: EmailContent, key: str) -> dict[str, Any]:
    """The e-mail as Mailjet's API has it; what is not used is left out."""
    fields: dict[str, Any] = {
        "From": used({"Email": content.sender, "Name": content.sender_name}),
        "To": [{"Email": content.to}],
        "Cc": [{"Email": copy} for copy in content.cc],
        "Bcc": [{"Email": copy} for copy in content.bcc],
        "ReplyTo": used({"Email": content.reply_to}),
        "Subject": content.subject,
        "TextPart": content.text,
        "HTMLPart": content.html,
        "Attachments": [attachment(one) for one in content.attachments if not one.content_id],
        "InlinedAttachments": [attachment(one) for one in content.attachments if one.content_id],
        "Headers": content.headers,
        "EventPayload": json.dumps(content.metadata, ensure_ascii=False) if content.metadata else "",
        "CustomID": key,
    }
    return used(fields)


def used(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``fields`` that say something."""
    return {name: value for name, value in fields.items() if value}


def attachment(one: Attachment) -> dict[str, str]:
    """A file in base64; one with a content id is shown within the HTML."""
    made = {
        "ContentType": one.mime,
        "Filename": one.name,
        "Base64Content": base64.b64encode(one.content).decode(),
        "ContentID": one.content_id,
    }
    return used(made)


def words(errors: Sequence[Mapping[str, Any]]) -> str:
    """Mailjet's own words for what is wrong, with its codes."""
    said = [f"{error.get('ErrorCode', '')} {error['ErrorMessage']}" for error in errors if error.get("ErrorMessage")]
    return " ".join(said).strip()


def read(told: Mapping[str, Any]) -> DeliveryEvent | None:
    """The event that ``told`` is, if it is one of a message."""
    kind = KINDS.get(str(told.get("event")))
    hard, error = told.get("hard_bounce") is True, str(told.get("error", ""))
    if kind is None or (kind is EventKind.BOUNCED and error == "greylisted" and not hard):
        return None  # Greylisted: «Delivery will be re-attempted».
    message_id, key = told.get("MessageID") or told.get("mj_message_id"), told.get("CustomID")
    return DeliveryEvent(
        kind,
        provider_message_id=str(message_id) if message_id else None,
        at=moment(told.get("time")),
        recipient=str(told.get("email", "")) or None,
        permanent=kind is EventKind.BOUNCED and hard,
        detail=error or str(told.get("smtp_reply", "")),
        key=str(key) if key else None,
    )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Mailjet]
