"""What a vendor tells of messages later: the request it makes, the events in it, and the answer it gets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from ..errors import NovukitError


class EventKind(StrEnum):
    """What may happen to a message after it was sent; the list is closed."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    FAILED = "failed"
    TOKEN_GONE = "token_gone"  # noqa: S105 - a name, no password


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One thing that a vendor says happened to one message.

    ``provider_message_id`` is the id that the receipt had; ``at`` when it happened, by the vendor's clock; ``id`` the
    vendor's own id of the event, the same when it is told twice (left out, one is made of the other fields).
    ``recipient`` is the address or number that it is about. ``permanent`` is true for a bounce that will be one every
    time: the address is not written to again. ``tokens`` are device tokens that are gone. ``detail`` is one sentence
    for a person, best in the vendor's own words. ``key`` is the ``key`` that ``send`` was given, where the vendor gives
    it back: by it the message is found when the answer to ``send``, and the vendor's id with it, was lost.
    """

    kind: EventKind
    provider_message_id: str | None = None
    at: datetime | None = None
    id: str = ""
    recipient: str | None = None
    permanent: bool = False
    tokens: tuple[str, ...] = ()
    detail: str = ""
    key: str | None = None

    def derived_id(self) -> str:
        """An id that the same event has each time it is told, for vendors that give it none."""
        said = [self.kind.value, self.provider_message_id, self.recipient, *self.tokens]
        said.append(_in_utc(self.at) if self.at else None)
        said += [self.key] if self.key else []
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def _in_utc(at: datetime) -> str:
    """``at`` in the one spelling that is the same whatever its zone; at the ends of the calendar there is none."""
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:
        return at.isoformat()


class Headers(Mapping[str, str]):
    """Headers by name, in whatever case; of a repeated one, the values joined by ``, `` (RFC 9110 §5.2)."""

    def __init__(self, pairs: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a vendor sent us, untouched.

    ``url`` is the exact public URL that it called, with scheme, port and query: some signatures cover it. ``body`` are
    the bytes as they came: check the signature on them, and only then read them. ``now`` is the time to check a
    timestamp by.
    """

    method: str
    url: str
    headers: Headers
    body: bytes
    now: datetime

    def json(self) -> Any:
        """The body as JSON; None where it is none. It never raises."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def form(self) -> dict[str, str]:
        """The body as a form (``a=1&b=2``), the last of each name; empty where it is none. It never raises."""
        return pairs(self.body.decode("utf-8", "replace"))

    @property
    def query(self) -> dict[str, str]:
        """The query of the URL, the last of each name."""
        return pairs(urlsplit(self.url).query)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What was understood, and what the vendor is told: 200 with an empty body, unless it wants to read something."""

    events: Sequence[DeliveryEvent] = ()
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    status: int = field(default=200)


class CallbackRefused(NovukitError):
    """The callback is not from the vendor, or too old: its signature or its timestamp is wrong."""

    code = "callback_refused"


def pairs(text: str) -> dict[str, str]:
    """``text`` as a form, the last of each name."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects in ``value``, be it one or a list of them; anything else in it is left out."""
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def as_object(value: object) -> dict[str, Any]:
    """``value`` if it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """``value`` if it is a JSON list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def moment(value: object) -> datetime | None:
    """A time as vendors write it: ISO 8601 text, or seconds since 1970; None where it is neither."""
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(cast("str | float", value)), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
