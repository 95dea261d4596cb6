"""``brevo``: e-mail by the Brevo API (once Sendinblue), with idempotency keys for minutes and delivery events."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

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
    Limits,
    Reason,
    Receipt,
    Rejected,
    Unknown,
    as_object,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    verify_basic_auth,
    verify_secret,
)

KEY = "novukit_key"
"""The name among the metadata under which our key stands."""

CUSTOM = "X-Mailin-custom"
"""The header whose text Brevo gives back in its callbacks; the metadata is in it, as JSON."""

OWN_HEADERS = frozenset({CUSTOM.lower(), "idempotencykey", "idempotency-key"})
"""What this provider writes itself."""

KINDS = {
    "request": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "opened": EventKind.OPENED,
    "unique_opened": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "hard_bounce": EventKind.BOUNCED,
    "soft_bounce": EventKind.BOUNCED,
    "invalid_email": EventKind.BOUNCED,
    "spam": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "blocked": EventKind.FAILED,
    "error": EventKind.FAILED,
}
"""``proxy_open`` is none: a mail program has loaded the pictures, perhaps unseen."""

DUPLICATE = frozenset({"duplicate_request", "Request already processed"})
"""Codes that tell of a second request. Brevo lists them, and does not say with which the key is answered."""

PERMANENT = frozenset({"hard_bounce", "invalid_email"})


class BrevoCredentials(EmailCredentials):
    """The API key, and the secret with which Brevo calls back."""

    api_key: SecretStr = Field(description="API key, xkeysib-….")
    webhook_user: str = Field(default="novukit", description="User in the URL of the webhook.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Password in the URL of the webhook, or its bearer token, if Brevo reports events."
    )


class Brevo(EmailProvider[BrevoCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "brevo"
    novu_id = "sendinblue"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "tags", "metadata"})
    idempotency = "native"
    # One page says 30 minutes, another 15.
    idempotency_window = timedelta(minutes=15)
    limits = Limits(recipients=99)
    events = frozenset(KINDS.values())
    base_url = "https://api.brevo.com"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over; Brevo ignores a second one with the same key."""
        for name in content.headers:
            if name.lower() in OWN_HEADERS:
                raise Rejected(f"headers: {name!r} is set by this provider.", reason=Reason.CONTENT_INVALID)
        if any(one.content_id for one in content.attachments):
            raise Rejected("attachments: Brevo shows no files within the HTML.", reason=Reason.UNSUPPORTED_FEATURE)
        response = await self.http.post(
            f"{self.base_url}/v3/smtp/email", headers=self.headers(), json=content.overrides | body(content, key)
        )
        answer = read_json(response)
        said = " ".join(str(answer[name]) for name in ("code", "message") if answer.get(name))
        match response.status_code, answer.get("code"):
            case _, code if code in DUPLICATE:
                # The key is known: the first try is under way, or has gone out.
                raise Unknown(said)
            case 400, "unauthorized":
                raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
            case 403, _:
                # The key is good; the account, or its plan, may not do this.
                raise Rejected(said or response.text)
            case _:
                raise_for_outcome(response, detail=said or None)
        return Receipt(bare(answer.get("messageId")))

    async def check(self) -> None:
        """Read the account that the key is for."""
        raise_for_outcome(await self.http.get(f"{self.base_url}/v3/account", headers=self.headers()))

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One event or a list of them, by password or bearer token: Brevo signs nothing."""
        secret = self.credentials.webhook_secret
        if secret is None:
            raise CallbackRefused("The integration has no webhook_secret.")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            verify_secret(secret, token.strip())
        else:
            verify_basic_auth(request, self.credentials.webhook_user, secret)
        return [event for told in objects(request.json()) if (event := read(told)) is not None]

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"api-key": self.credentials.api_key.get_secret_value(), "Accept": "application/json"}


def body(content: EmailContent, key: str) -> dict[str, Any]:
    """The e-mail as Brevo's API has it; what is not used is left out."""
    once = str(uuid5(NAMESPACE_URL, key))
    # Two pages of Brevo's spell the name in two ways.
    headers = content.headers | {"idempotencyKey": once, "Idempotency-Key": once}
    fields: dict[str, Any] = {
        "sender": used({"email": content.sender, "name": content.sender_name}),
        "to": [{"email": content.to}],
        "cc": [{"email": copy} for copy in content.cc],
        "bcc": [{"email": copy} for copy in content.bcc],
        "replyTo": used({"email": content.reply_to}),
        "subject": content.subject,
        "textContent": content.text,
        "htmlContent": content.html,
        "attachment": [
            {"name": one.name, "content": base64.b64encode(one.content).decode()} for one in content.attachments
        ],
        "tags": list(content.tags),
        "headers": headers | {CUSTOM: json.dumps(content.metadata | {KEY: key})},
    }
    return used(fields)


def used(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``fields`` that say something."""
    return {name: value for name, value in fields.items() if value}


def bare(message_id: object) -> str | None:
    """A Message-ID without its brackets."""
    return str(message_id).strip("<>") if message_id else None


def read(told: Mapping[str, Any]) -> DeliveryEvent | None:
    """The event that ``told`` is, if it is one of a message."""
    name = str(told.get("event"))
    kind = KINDS.get(name)
    if kind is None:
        return None
    key, millis = custom(told.get(CUSTOM)).get(KEY), told.get("ts_epoch")
    return DeliveryEvent(
        kind,
        provider_message_id=bare(told.get("message-id")),
        # ``date`` and ``ts`` are in the account's zone; ``ts_epoch`` is UTC, in milliseconds.
        at=moment(millis / 1000) if isinstance(millis, int | float) else moment(told.get("ts_event")),
        recipient=str(told.get("email", "")) or None,
        permanent=name in PERMANENT,
        detail=str(told.get("reason", "")),
        key=str(key) if key else None,
    )


def custom(text: object) -> dict[str, Any]:
    """The metadata that a callback gives back."""
    try:
        return as_object(json.loads(text)) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Brevo]
