"""``null-…``: providers that accept everything and do nothing, for load tests and for channels to be switched off."""

from __future__ import annotations

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    NoCredentials,
    PushContent,
    PushProvider,
    Receipt,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    hookimpl,
)  # fmt: skip

from .features import EVERY


class NullEmail(EmailProvider[EmailCredentials]):
    """Accepts every e-mail."""

    id = "null-email"
    supports = EVERY["email"]
    idempotency = "native"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Do nothing."""
        return Receipt(provider_message_id=f"null-{key}")


class NullSms(SmsProvider[SmsCredentials]):
    """Accepts every SMS."""

    id = "null-sms"
    supports = EVERY["sms"]
    idempotency = "native"

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Do nothing."""
        return Receipt(provider_message_id=f"null-{key}")


class NullPush(PushProvider[NoCredentials]):
    """Accepts every push message."""

    id = "null-push"
    supports = EVERY["push"]
    any_address = True
    idempotency = "native"

    async def send(self, content: PushContent, key: str) -> Receipt:
        """Do nothing."""
        return Receipt(provider_message_id=f"null-{key}")


class NullChat(ChatProvider[NoCredentials]):
    """Accepts every chat message."""

    id = "null-chat"
    supports = EVERY["chat"]
    any_address = True
    idempotency = "native"

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Do nothing."""
        return Receipt(provider_message_id=f"null-{key}")


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin."""
    return [NullEmail, NullSms, NullPush, NullChat]
