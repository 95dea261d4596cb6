"""Rendered content, one type per channel: the only thing a provider sees of a message."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer

from .base import Model

Severity = Literal["high", "medium", "low", "none"]
Priority = Literal["high", "normal"]
RedirectTarget = Literal["_self", "_blank", "_parent", "_top", "_unfencedTop"]


def _from_text(value: object) -> object:
    """Bytes are a file's own; text is base64 (RFC 4648 §4), and nothing else."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("is not base64") from None


FileContent = Annotated[
    bytes,
    BeforeValidator(_from_text, json_schema_input_type=str),
    PlainSerializer(lambda data: base64.b64encode(data).decode(), return_type=str, when_used="json"),
]


class Attachment(Model):
    """A file that travels with an e-mail. ``content`` is the file's bytes; wherever it is JSON, their base64."""

    name: str = Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f]+$")
    content: FileContent
    mime: str = Field(default="application/octet-stream", pattern=r"^[\w.+-]+/[\w.+-]+$")
    content_id: str | None = None


class Redirect(Model):
    """Where a click leads: an http(s) URL or a path that begins with ``/``."""

    url: str = Field(pattern=r"^(https?://\S+|/([^/\s]\S*)?)$")
    target: RedirectTarget = "_self"


class Action(Model):
    """A button of an in-app message."""

    label: str = Field(min_length=1, max_length=200)
    redirect: Redirect | None = None


_UNUSED: tuple[object, ...] = (None, "", (), {})


class Content(Model):
    """What all channels share: which optional fields this content uses."""

    plain: ClassVar[frozenset[str]] = frozenset()
    """The fields that every provider of the channel must be able to express."""

    optional: ClassVar[tuple[str, ...]] = ()
    """The other fields but ``overrides``."""

    overrides: dict[str, Any] = Field(default_factory=dict[str, Any])

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.optional = tuple(f for f in cls.model_fields if f not in cls.plain and f != "overrides")

    def features(self) -> set[str]:
        """The optional fields in use; a provider that does not support one of them refuses the message.

        Zero is a value: a badge of 0 clears it, a time to live of 0 means now or never.
        """
        return {f for f in self.optional if getattr(self, f) not in _UNUSED}


class EmailContent(Content):
    """A rendered e-mail."""

    plain = frozenset({"to", "sender", "sender_name", "subject", "text", "html"})

    to: str
    sender: str
    sender_name: str | None = None
    subject: str
    text: str = ""
    html: str = ""
    reply_to: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    attachments: tuple[Attachment, ...] = ()
    tags: tuple[str, ...] = ()
    """Labels by which the vendor's reports sort messages."""
    metadata: dict[str, str] = Field(default_factory=dict[str, str])
    """Names and values that the vendor keeps with the message and gives back in its callbacks."""


class InAppContent(Content):
    """A rendered in-app message."""

    plain = frozenset(
        {"subject", "body", "avatar", "redirect", "primary_action", "secondary_action", "severity", "data", "tags"}
    )

    subject: str | None = None
    body: str = ""
    avatar: str | None = None
    redirect: Redirect | None = None
    primary_action: Action | None = None
    secondary_action: Action | None = None
    severity: Severity = "none"
    tags: tuple[str, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class SmsContent(Content):
    """A rendered SMS."""

    plain = frozenset({"to", "body", "sender"})

    to: str
    body: str
    sender: str | None = None


class PushContent(Content):
    """A rendered push message for all of a subscriber's device tokens at one provider."""

    plain = frozenset({"tokens", "subject", "body"})

    tokens: tuple[str, ...]
    subject: str
    body: str = ""
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    image: str | None = None
    """The https URL of a picture to show."""
    badge: int | None = Field(default=None, ge=0)
    """The number on the app's icon; 0 takes it away."""
    sound: str | None = None
    """The name of a sound that the app has, or ``default``."""
    url: str | None = None
    """Where a tap leads."""
    collapse_key: str | None = None
    """A later message with the same key takes the place of this one."""
    ttl: int | None = Field(default=None, ge=0)
    """Seconds for which the vendor keeps trying a device that is off; 0 is now or never."""
    priority: Priority | None = None
    """``high`` wakes the device, ``normal`` may wait for it."""


class ChatContent(Content):
    """A rendered chat message for one webhook or channel."""

    plain = frozenset({"webhook_url", "channel", "body"})

    webhook_url: str | None = None
    channel: str | None = None
    body: str
    thread: str | None = None
    """The vendor's id of the thread that the message joins."""


class Target(Model):
    """One of the places that a chat message goes to, by the identifier of its endpoint."""

    endpoint: str
    webhook_url: str | None = None
    channel: str | None = None
    connection_id: UUID | None = None
    """The connection whose access token reaches it; None: the integration's own credentials do."""


class ChatToEndpoints(ChatContent):
    """A rendered chat message for several places. A provider is given each as a ChatContent of its own."""

    plain = ChatContent.plain | {"targets"}

    targets: tuple[Target, ...]


AnyContent = EmailContent | InAppContent | SmsContent | PushContent | ChatContent
