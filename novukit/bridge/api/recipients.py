"""Recipients as the wire writes them: a subscriber id, a subscriber with profile and addresses, a topic; or a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pydantic import Field

from ...errors import Issue
from ...model import (
    ChannelAddress,
    Email,
    Locale,
    Phone,
    Recipient,
    Subscriber,
    SubscriberData,
    SubscriberId,
    TimeZone,
    TopicKey,
    TopicRecipient,
)
from ..issues import kind_of
from ..wire import Wire, read_at
from .credentials import Credentials

MOST_RECIPIENTS = 100


class ChannelIn(Wire):
    """An address that comes with a recipient."""

    provider_id: str = Field(min_length=1, max_length=100)
    integration_identifier: str | None = Field(default=None, max_length=100)
    credentials: Credentials

    def address(self) -> ChannelAddress:
        """The address as the store keeps it."""
        return ChannelAddress(
            provider_id=self.provider_id,
            integration_identifier=self.integration_identifier,
            device_tokens=tuple(self.credentials.device_tokens or ()),
            webhook_url=self.credentials.webhook_url,
            channel=self.credentials.channel,
        )


class SubscriberIn(Wire):
    """A recipient, or an actor, with what is told of them."""

    type: Literal["Subscriber"] | None = None
    subscriber_id: SubscriberId
    first_name: str | None = Field(default=None, max_length=255)
    last_name: str | None = Field(default=None, max_length=255)
    email: Email | None = None
    phone: Phone | None = None
    avatar: str | None = Field(default=None, max_length=2048)
    locale: Locale | None = None
    timezone: TimeZone | None = None
    data: SubscriberData | None = None
    channels: tuple[ChannelIn, ...] | None = None

    def subscriber(self) -> Subscriber:
        """The subscriber without the addresses."""
        told = self.__dict__
        return Subscriber(**{name: told[name] for name in _TOLD if told[name] is not None})


_TOLD = tuple(Subscriber.model_fields)


class TopicIn(Wire):
    """Every member of a topic but those in ``exclude``."""

    type: Literal["Topic"] = "Topic"
    topic_key: TopicKey
    exclude: tuple[SubscriberId, ...] | None = None


@dataclass
class Named:
    """What the recipients of a trigger come to.

    ``addresses`` are by subscriber id, ``topics`` (keys) and ``providers`` (ids) by the pointer of where they stand.
    """

    to: list[Recipient] = field(default_factory=list[Recipient])
    topics: dict[str, str] = field(default_factory=dict[str, str])
    providers: dict[str, str] = field(default_factory=dict[str, str])
    addresses: dict[str, list[ChannelAddress]] = field(default_factory=dict[str, list[ChannelAddress]])

    def read(self, value: Any, issues: list[Issue]) -> None:
        """Take the recipients of a ``to``; what is wrong with them goes to ``issues``."""
        if not isinstance(value, list):
            self._read_one(value, "/to", issues)
            return
        several = cast("list[Any]", value)
        if not 1 <= len(several) <= MOST_RECIPIENTS:
            message = f"must name 1 to {MOST_RECIPIENTS} recipients, not {len(several)}"
            hint = "Use a topic, or several events." if several else None
            issues.append(Issue("/to", "too_long" if several else "empty", message, hint))
            return
        for number, one in enumerate(several):
            self._read_one(one, f"/to/{number}", issues)

    def _read_one(self, value: Any, path: str, issues: list[Issue]) -> None:
        if isinstance(value, dict) and ("topicKey" in value or cast("dict[str, Any]", value).get("type") == "Topic"):
            if topic := read_at(TopicIn, value, path, issues):
                self.topics[f"{path}/topicKey"] = topic.topic_key
                self.to.append(TopicRecipient(topic_key=topic.topic_key, exclude=topic.exclude or ()))
        elif subscriber := read_subscriber(value, path, issues):
            self.to.append(subscriber.subscriber())
            for number, channel in enumerate(subscriber.channels or ()):
                self.providers[f"{path}/channels/{number}/providerId"] = channel.provider_id
                self.addresses.setdefault(subscriber.subscriber_id, []).append(channel.address())


def read_subscriber(value: Any, path: str, issues: list[Issue]) -> SubscriberIn | None:
    """A subscriber id, or an object with one."""
    if isinstance(value, str):
        found = read_at(SubscriberIn, {"subscriberId": value}, "", plain := list[Issue]())
        issues += [Issue(path, issue.code, issue.message, issue.hint) for issue in plain]
        return found
    if not isinstance(value, dict):
        issues.append(Issue(path, "wrong_type", f"expected a subscriber id or an object, got {kind_of(value)}"))
        return None
    return read_at(SubscriberIn, value, path, issues)
