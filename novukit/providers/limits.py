"""What a provider says it can take at most, and the refusal of content that is more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from ..model import Attachment, Content, EmailContent, PushContent, Reason
from .outcome import Rejected

NO_LENGTHS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor documents as its most; None where it documents nothing.

    ``rate``
        Messages a second that one integration may send.
    ``size``
        Bytes of a message: its texts in UTF-8, and its attachments in base64, as they travel.
    ``recipients``
        Addresses (``to``, ``cc`` and ``bcc`` together) or device tokens of one message.
    ``lengths``
        Characters (Unicode code points) of single fields, by their names: ``{"body": 2000}``.
    """

    rate: float | None = None
    size: int | None = None
    recipients: int | None = None
    lengths: Mapping[str, int] = field(default_factory=lambda: NO_LENGTHS)


NO_LIMITS = Limits()


def refuse_excess(content: Content, limits: Limits) -> None:
    """Raise Rejected (``content_invalid``) with both numbers if ``content`` is more than ``limits`` allow."""
    for name, most in limits.lengths.items():
        value = getattr(content, name, None)
        if isinstance(value, str) and len(value) > most:
            raise too_much(f"{name} has {len(value)} characters, the limit is {most}.")
    if limits.recipients is not None and (count := recipients_of(content)) > limits.recipients:
        raise too_much(f"It has {count} recipients, the limit is {limits.recipients}.")
    if limits.size is not None and (size := size_of(content)) > limits.size:
        raise too_much(f"The content has {size} bytes, the limit is {limits.size}.")


def recipients_of(content: Content) -> int:
    """How many addresses or device tokens ``content`` goes to."""
    if isinstance(content, EmailContent):
        return 1 + len(content.cc) + len(content.bcc)
    return len(content.tokens) if isinstance(content, PushContent) else 1


def size_of(value: object) -> int:
    """The bytes of ``value``: texts in UTF-8, files in base64, and nothing for what holds them together.

    A device's token is an address; it is not counted.
    """
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Attachment):
        return size_of(value.name) + (len(value.content) + 2) // 3 * 4
    if isinstance(value, Content):
        return sum(size_of(getattr(value, name)) for name in type(value).model_fields if name != "tokens")
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return sum(size_of(key) + size_of(item) for key, item in items)
    if isinstance(value, list | tuple):
        return sum(size_of(item) for item in cast("list[Any]", value))
    return 0


def too_much(said: str) -> Rejected:
    """The refusal."""
    return Rejected(said, reason=Reason.CONTENT_INVALID)
