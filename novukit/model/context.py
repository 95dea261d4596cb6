"""A context: what an event happens in, such as a tenant or an app; and the keys by which an inbox shows what is its."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import StringConstraints

from .base import Model

ContextKeys: TypeAlias = str
"""The keys of a context as one text, sorted and joined: ``app:shop,tenant:acme``; ``""`` where there is none.

Two contexts are the same if and only if their texts are equal.
"""

MOST_CONTEXTS = 10
"""How many types of context one event may have."""

# No `:` and no `,`: they stand between the parts of a key, and between keys.
ContextPart = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,127}$")]
"""The type of a context, or its id."""


class GivenContext(Model):
    """What the caller of a trigger says of one context. ``data`` is kept when this is the first that is heard of it."""

    id: ContextPart
    data: dict[str, Any] | None = None


class EventContext(Model):
    """One context of an event, as it was known when the event was accepted."""

    id: str
    data: dict[str, Any]


class StoredContext(Model):
    """A context that is known. ``context_id`` is the caller's id of it, ``id`` novukit's own."""

    id: UUID
    type: str
    context_id: str
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime


def keys_of(context: Mapping[str, str | GivenContext | EventContext | Mapping[str, Any]]) -> ContextKeys:
    """The keys of a context ``{type: id}`` or ``{type: {id, data}}``, which must be well-formed already."""
    return joined(f"{kind}:{_id(value)}" for kind, value in context.items())


def joined(keys: Iterable[str]) -> ContextKeys:
    """Single keys (``type:id``) as one text; in any order, and each once however often it is named."""
    return ",".join(sorted({*keys}))


def listed(keys: ContextKeys) -> list[str]:
    """The single keys of such a text, sorted."""
    return keys.split(",") if keys else []


def _id(value: str | GivenContext | EventContext | Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return value["id"] if isinstance(value, Mapping) else value.id
