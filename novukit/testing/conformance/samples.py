"""The kit's sample messages, and for every field two values that differ, so that one can be told from the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ...model import Channel
from ...providers import Attachment, ChatContent, Content, EmailContent, PushContent, SmsContent

SAMPLES: dict[str, Content] = {
    "email": EmailContent(
        to="ada@kit.example", sender="hello@shop.example", sender_name="Shop Kit", subject="Subject of the kit",
        text="Text of the kit", html="<p>Html of the kit</p>",
    ),
    "sms": SmsContent(to="+4915112345678", sender="+4915187654321", body="Body of the kit"),
    "push": PushContent(tokens=("kit-device-token-1",), subject="Subject of the kit", body="Body of the kit"),
    "chat": ChatContent(webhook_url="https://chat.example/hook", channel="C0KIT", body="Body of the kit"),
}  # fmt: skip

FILE = Attachment(name="kit-a.pdf", content=b"%PDF kit \x00\xff a", mime="application/pdf")
OTHER = Attachment(name="kit-b.png", content=b"\x89PNG kit \xfe b", mime="image/png", content_id="kit-logo")

PAIRS: dict[str, tuple[Any, Any]] = {
    "to": ("ada@kit.example", "bob@kit.example"),
    "sender": ("hello@shop.example", "other@shop.example"),
    "sender_name": ("Shop Kit", "Another Kit"),
    "subject": ("Subject of the kit", "Another subject"),
    "text": ("Text of the kit", "Another text"),
    "html": ("<p>Html of the kit</p>", "<p>Another html</p>"),
    "body": ("Body of the kit", "Another body"),
    "reply_to": ("reply-a@kit.example", "reply-b@kit.example"),
    "cc": (("cc-a@kit.example", "cc-b@kit.example"), ("cc-c@kit.example",)),
    "bcc": (("bcc-a@kit.example", "bcc-b@kit.example"), ("bcc-c@kit.example",)),
    "headers": ({"X-Kit-One": "header-one", "X-Kit-Two": "header-two"}, {"X-Kit-One": "header-three"}),
    "tags": (("kit-tag-a",), ("kit-tag-b",)),
    "metadata": ({"kit_order": "order-1", "kit_shop": "shop-1"}, {"kit_order": "order-2"}),
    "tokens": (("kit-device-token-1",), ("kit-device-token-2",)),
    "data": ({"kit_a": "data-1", "kit_b": "data-2"}, {"kit_a": "data-3"}),
    "image": ("https://kit.example/a.png", "https://kit.example/b.png"),
    "badge": (0, 7),
    "sound": ("kit-chime.caf", "default"),
    "url": ("https://kit.example/open/a", "https://kit.example/open/b"),
    "collapse_key": ("kit-key-a", "kit-key-b"),
    "ttl": (0, 3600),
    "priority": ("high", "normal"),
    "webhook_url": ("https://chat.example/hook", "https://chat.example/hook-2"),
    "channel": ("C0KIT", "C1KIT"),
    "thread": ("kit-thread-1", "kit-thread-2"),
}
"""Both values of a field; an SMS has numbers of its own."""

SMS_PAIRS = {"to": ("+4915112345678", "+4915112345679"), "sender": ("+4915187654321", "+4915187654322")}

ATTACHMENT_PARTS = ("name", "content", "mime", "content_id")

TEXTS = {
    "umlauts": "Zürich, naïve façade, Łódź, Đà Nẵng",
    "emoji": "👩🏽‍🚀 family 👨‍👩‍👧‍👦 flag 🏳️‍🌈",
    "right to left": "שלום עולם، مرحبا بالعالم",
    "wide": "你好，世界。こんにちは世界 안녕하세요",
    "quotes": "quotes \" ' ` backslash \\ percent %s %0A braces {{x}} {0} dollar ${x}",
}
LONG = "long words of the kit, 0123456789. "

BROKEN = {
    "CRLF": "kit\r\nBcc: evil@kit.example",
    "LF": "kit\nX-Evil: 1",
    "NUL": "kit\x00evil",
    "NEL": "kit\x85X-Evil: 1",
    "line separator": "kit\u2028X-Evil: 1",
}
"""What would end a line for some reader."""

LINES: dict[str, tuple[str, ...]] = {
    "email": ("to", "sender", "sender_name", "subject", "reply_to", "cc", "bcc", "headers", "tags", "metadata"),
    "sms": ("to", "sender"),
    "push": ("tokens", "sound", "url", "collapse_key"),
    "chat": ("webhook_url", "channel", "thread"),
}
"""The fields that must stay on one line."""

BODIES: dict[str, tuple[str, ...]] = {
    "email": ("text", "html", "subject"), "sms": ("body",), "push": ("subject", "body"), "chat": ("body",),
}  # fmt: skip
"""The fields that hold people's words."""


def sample(channel: Channel, given: Mapping[str, Any], /, **values: Any) -> Content:
    """The sample of ``channel``, with what the vendor asks for and then ``values`` in its fields."""
    made = SAMPLES[channel].model_copy(update=dict(given) | values)
    if isinstance(made, PushContent) and "tokens" not in values:
        # One message is one request, also where two devices are given to choose from.
        made = made.model_copy(update={"tokens": made.tokens[:1]})
    return made


def pair(channel: Channel, field: str, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """Two values of ``field`` that differ."""
    if channel == "sms" and field in SMS_PAIRS:
        first, second = SMS_PAIRS[field]
    else:
        first, second = PAIRS[field]
    if field == "tokens" and len(given.get(field, ())) > 1:
        return given[field][:1], given[field][1:2]
    return given.get(field, first), second


def broken(channel: Channel, field: str, evil: str) -> Any:
    """A value of ``field`` with ``evil`` in it."""
    kind = type(SAMPLES[channel]).model_fields[field].annotation
    if field in ("headers", "metadata"):
        return {"X-Kit": evil}
    return (evil,) if tuple in get_args(kind) or getattr(kind, "__origin__", None) is tuple else evil


def optional(channel: Channel) -> Iterator[str]:
    """The optional fields of the channel's content."""
    kind = type(SAMPLES[channel])
    yield from (name for name in kind.model_fields if name not in kind.plain and name != "overrides")
