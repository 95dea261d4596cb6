"""``webhook-email``, ``-sms``, ``-push`` and ``-chat``: messages to an endpoint of your own, as Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, Field, SecretStr

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Content,
    Credentials,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    PushContent,
    PushProvider,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    as_list,
    hookimpl,
    raise_for_outcome,
    read_json,
    sign_hmac,
)

WINDOW = timedelta(hours=24)
"""For how long a receiver must know the ids that it has seen, by this plugin's README."""
SECRET_BYTES = range(24, 65)
"""How long a secret may be. Source: Standard Webhooks specification 1.0.0, «Signature scheme» (192 to 512 bits)."""


def key_of(secret: SecretStr) -> bytes:
    """The bytes of ``whsec_…`` or of base64 alone; empty where it is not base64."""
    try:
        return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def long_enough(secret: SecretStr) -> SecretStr:
    """``secret``, if receivers can take it as one of Standard Webhooks."""
    if len(key_of(secret)) not in SECRET_BYTES:
        raise ValueError("must be base64 of 24 to 64 random bytes; make one with: openssl rand -base64 32")
    return secret


Secret = Annotated[SecretStr, AfterValidator(long_enough)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]


class Signing(Credentials):
    """What the requests are signed with."""

    secret_key: Secret = Field(description="What requests are signed with: whsec_…, or base64 of 24 to 64 bytes.")
    previous_secret_key: Secret | None = Field(
        default=None, description="The secret before it, as long as receivers may still know only that one."
    )


class Endpoint(Signing):
    """One endpoint for all messages."""

    webhook_url: Url = Field(description="Where messages are posted to.")


class EmailEndpoint(EmailCredentials, Endpoint):
    """An endpoint for e-mail, and the default sender."""


class SmsEndpoint(SmsCredentials, Endpoint):
    """An endpoint for SMS, and the default sender."""


class ChatEndpoint(Signing):
    """Subscribers may have a URL of their own; this one is for those who have only a channel."""

    webhook_url: Url | None = Field(default=None, description="For subscribers with a channel and no URL.")


async def post(
    http: HttpClient, url: str, signing: Signing, content: Content, *, kind: str, key: str, now: datetime
) -> httpx.Response:
    """Post ``content`` to ``url``, signed. The same key makes the same body and ``webhook-id``.

    Raises Rejected where the content cannot be written as JSON.
    """
    try:
        # Its own URL is no news to the receiver, and may hold a secret.
        data = content.model_dump(mode="json", exclude={"webhook_url"})
        body = json.dumps({"type": f"message.{kind}", "data": data}, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as err:
        raise Rejected(f"The message cannot be written as JSON: {err}", reason=Reason.CONTENT_INVALID) from None
    at = str(int(now.timestamp()))
    secrets = [secret for secret in (signing.secret_key, signing.previous_secret_key) if secret is not None]
    signatures = [sign_hmac(key_of(secret), f"{key}.{at}.".encode() + body, encoding="base64") for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
    return await http.post(url, content=body, headers=headers)


def receipt(answer: dict[str, Any]) -> Receipt:
    """What a receiver that has taken the message on may say of it: its id."""
    return Receipt(provider_message_id=answer["id"] if isinstance(answer.get("id"), str) else None)


def every(kind: type[Content]) -> frozenset[str]:
    """All optional fields: the receiver is given the whole message."""
    return frozenset(set(kind.model_fields) - kind.plain - {"overrides"})


class WebhookEmail(EmailProvider[EmailEndpoint]):
    """Posts e-mail to an endpoint, attachments in base64."""

    id = "webhook-email"
    novu_id = "email-webhook"
    supports = every(EmailContent)
    idempotency = "native"
    idempotency_window = WINDOW

    def __init__(self, credentials: EmailEndpoint, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.webhook_url

    async def send(self, content: EmailContent, key: str) -> Receipt:
        response = await post(
            self.http, self.base_url, self.credentials, content, kind="email", key=key, now=self.now()
        )
        return receipt(read_json(raise_for_outcome(response)))


class WebhookSms(SmsProvider[SmsEndpoint]):
    """Posts SMS to an endpoint."""

    id = "webhook-sms"
    novu_id = "generic-sms"
    supports = every(SmsContent)
    idempotency = "native"
    idempotency_window = WINDOW

    def __init__(self, credentials: SmsEndpoint, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.webhook_url

    async def send(self, content: SmsContent, key: str) -> Receipt:
        content = content.model_copy(update={"sender": content.sender or self.sender})
        response = await post(self.http, self.base_url, self.credentials, content, kind="sms", key=key, now=self.now())
        return receipt(read_json(raise_for_outcome(response)))


class WebhookPush(PushProvider[Endpoint]):
    """Posts a push message with all its device tokens to an endpoint, which may answer which of them are gone."""

    id = "webhook-push"
    novu_id = "push-webhook"
    supports = every(PushContent)
    idempotency = "native"
    idempotency_window = WINDOW

    def __init__(self, credentials: Endpoint, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.webhook_url

    async def send(self, content: PushContent, key: str) -> Receipt:
        """Post. Only tokens of this very message can be told gone."""
        response = await post(self.http, self.base_url, self.credentials, content, kind="push", key=key, now=self.now())
        answer = read_json(raise_for_outcome(response))
        told = as_list(answer.get("gone_tokens"))
        gone = tuple(token for token in content.tokens if token in told)
        if gone and len(gone) == len(content.tokens):
            raise RecipientGone("The receiver says that the tokens are gone.", tokens=gone)
        return Receipt(receipt(answer).provider_message_id, gone_tokens=gone)


class WebhookChat(ChatProvider[ChatEndpoint]):
    """Posts chat messages to the subscriber's own URL, or to the endpoint of the integration."""

    id = "webhook-chat"
    novu_id = "chat-webhook"
    supports = every(ChatContent)
    idempotency = "native"
    idempotency_window = WINDOW

    def __init__(self, credentials: ChatEndpoint, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.webhook_url or ""

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post. A subscriber's URL is an address like any other: a 410 says that nobody is there any more."""
        url = content.webhook_url or self.base_url
        if not url:
            said = "Neither the subscriber nor the integration has a webhook URL."
            raise Rejected(said, reason=Reason.CONTENT_INVALID)
        response = await post(self.http, url, self.credentials, content, kind="chat", key=key, now=self.now())
        if response.status_code == 410 and content.webhook_url:
            raise RecipientGone(response.text or "answered 410")
        return receipt(read_json(raise_for_outcome(response)))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin, one for each channel."""
    return [WebhookEmail, WebhookSms, WebhookPush, WebhookChat]
