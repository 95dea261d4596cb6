"""The outbox: providers that send nothing and fail when told to, and what a test reads of what went out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, cast

from ..model import Channel, Message
from ..providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Content,
    Credentials,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    PushContent,
    PushProvider,
    Receipt,
    RecipientGone,
    Rejected,
    SmsContent,
    SmsProvider,
    Throttled,
    Unavailable,
    Unknown,
    hookimpl,
)  # fmt: skip

OUTCOMES = {
    "rejected": lambda: Rejected("The test said so."),
    "throttled": lambda: Throttled("The test said so."),
    "unavailable": lambda: Unavailable("The test said so."),
    "recipient_gone": lambda: RecipientGone("The test said so."),
    "unknown": lambda: Unknown("The test said so."),
}
"""What :meth:`Harness.fail_next` can make a provider answer."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that went out, as a test wants to look at it."""

    channel: Channel
    to: str
    subject: str
    body: str
    html: str
    subscriber_id: str
    workflow_id: str
    step_id: str
    transaction_id: str
    at: datetime
    attempts: int
    message: Message

    @property
    def text(self) -> str:
        """The plain text: an e-mail's text part, any other channel's body."""
        return self.body

    @property
    def content(self) -> dict[str, Any]:
        """All that the provider was given."""
        return self.message.content

    @classmethod
    def of(cls, message: Message) -> SentMessage:
        content = message.content
        to = content.get("to") or ", ".join(content.get("tokens", ())) or content.get("webhook_url")
        return cls(
            channel=cast("Channel", message.channel), to=to or message.subscriber_id,
            subject=content.get("subject") or "", body=content.get("text") or content.get("body") or "",
            html=content.get("html") or "", subscriber_id=message.subscriber_id, workflow_id=message.workflow_id,
            step_id=message.step_id, transaction_id=message.transaction_id, at=message.sent_at or message.created_at,
            attempts=message.attempts, message=message,
        )  # fmt: skip


@dataclass(slots=True)
class Outbox:
    """Everything that went out, by channel, oldest first."""

    email: list[SentMessage] = field(default_factory=list[SentMessage])
    in_app: list[SentMessage] = field(default_factory=list[SentMessage])
    sms: list[SentMessage] = field(default_factory=list[SentMessage])
    push: list[SentMessage] = field(default_factory=list[SentMessage])
    chat: list[SentMessage] = field(default_factory=list[SentMessage])

    def add(self, sent: SentMessage) -> None:
        of_channel: list[SentMessage] = getattr(self, sent.channel)
        of_channel.append(sent)

    @property
    def all(self) -> list[SentMessage]:
        """Every channel's messages, oldest first."""
        everything = [*self.email, *self.in_app, *self.sms, *self.push, *self.chat]
        return sorted(everything, key=lambda sent: (sent.at, sent.message.id))

    def clear(self) -> None:
        """Forget what went out so far."""
        for channel in (self.email, self.in_app, self.sms, self.push, self.chat):
            channel.clear()


class _Trouble:
    """The failures that are still to come, by provider id and by channel."""

    def __init__(self) -> None:
        self.next: dict[str, list[str]] = defaultdict(list)
        self.calls: list[tuple[str, str]] = []

    def meet(self, provider: AnyProvider, content: Content, key: str) -> Receipt:
        self.calls.append((provider.id, key))
        for name in (provider.id, provider.channel):
            if self.next[name]:
                failure = OUTCOMES[self.next[name].pop(0)]
                raise failure()
        return Receipt(provider_message_id=f"outbox-{len(self.calls)}")


ALL_FEATURES = frozenset(
    field
    for kind in (EmailContent, SmsContent, PushContent, ChatContent)
    for field in set(kind.model_fields) - kind.plain - {"overrides"}
)


class OutboxPlugin:
    """A plugin like any other, one for each harness."""

    def __init__(self) -> None:
        self.trouble = trouble = _Trouble()

        class OutboxEmail(EmailProvider[EmailCredentials]):
            id = "outbox-email"
            supports = ALL_FEATURES

            async def send(self, content: Content, key: str) -> Receipt:
                return trouble.meet(self, content, key)

        class OutboxSms(SmsProvider[Credentials]):
            id = "outbox-sms"
            supports = ALL_FEATURES

            async def send(self, content: Content, key: str) -> Receipt:
                return trouble.meet(self, content, key)

        class OutboxPush(PushProvider[Credentials]):
            id = "outbox-push"
            supports = ALL_FEATURES
            any_address: ClassVar[bool] = True

            async def send(self, content: Content, key: str) -> Receipt:
                return trouble.meet(self, content, key)

        class OutboxChat(ChatProvider[Credentials]):
            id = "outbox-chat"
            supports = ALL_FEATURES
            any_address: ClassVar[bool] = True

            async def send(self, content: Content, key: str) -> Receipt:
                return trouble.meet(self, content, key)

        self._providers: list[type[AnyProvider]] = [OutboxEmail, OutboxSms, OutboxPush, OutboxChat]

    @hookimpl
    def novukit_providers(self) -> list[type[AnyProvider]]:
        return self._providers
