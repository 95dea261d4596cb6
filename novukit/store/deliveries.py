"""Deliveries: what vendors told of messages, each thing once, and what follows from it for the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ..model import MessageStatus
from .database import Database, Row, Scope, decode, encode

FIRST_LOOK = timedelta(seconds=5)
"""After which time the message of an event that came before it is looked for again; then each time twice as long."""
LAST_LOOK = timedelta(days=3)
"""How old an event is when its message is no longer looked for: most likely it was not ours."""

FACTS = {
    "delivered": "delivered_at",
    "opened": "opened_at",
    "clicked": "clicked_at",
    "bounced": "bounced_at",
    "complained": "complained_at",
    "unsubscribed": "unsubscribed_at",
    "failed": "undelivered_at",
}
"""The kinds of events that leave a time on their message."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a vendor told, ready to be kept; ``event_id`` is the vendor's, ``key`` our idempotency key."""

    id: UUID
    environment_id: UUID
    integration_id: UUID
    event_id: str
    kind: str
    provider_message_id: str | None
    key: str | None
    recipient: str | None
    permanent: bool
    tokens: tuple[str, ...]
    detail: str
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """The message that an event is about, as far as it matters here."""

    id: UUID
    execution_id: UUID
    event_id: UUID
    subscriber_uuid: UUID
    step: str
    channel: str
    status: MessageStatus
    to: str | None
    provider_id: str | None
    provider_message_id: str | None
    doubtful_key: str | None
    facts: frozenset[str]
    """The kinds of events that it has a time of."""


_TOLD = (
    "id, environment_id, integration_id, event_id, kind, provider_message_id, key, recipient, permanent, tokens, "
    "detail, at, received_at"
)


async def keep(scope: Scope, told: Sequence[Told]) -> list[Told]:
    """Put ``told`` on record, and give back what had not been told before. The caller's transaction.

    Who is told the same at the same time waits here until this transaction ends, and then finds it kept.
    """
    in_order = sorted(told, key=lambda one: one.event_id)  # so that two never wait for each other in a ring
    return [
        one
        for one in in_order
        if await scope.database.fetch(
            f"insert into novukit_delivery_event ({_TOLD}, look_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "on conflict (environment_id, integration_id, event_id) do nothing returning id",
            one.id, scope.environment_id, one.integration_id, one.event_id, one.kind, one.provider_message_id, one.key,
            one.recipient, one.permanent, encode(list(one.tokens)), one.detail, one.at, one.received_at,
            one.received_at + FIRST_LOOK,
        )
    ]  # fmt: skip


async def due(database: Database, limit: int) -> list[Told]:
    """Events whose message is to be looked for again now; nobody else gets them until the transaction ends."""
    rows = await database.fetch_hot(
        f"select {_TOLD} from novukit_delivery_event where look_at <= $1 order by look_at limit $2 "
        "for update skip locked",
        database.clock.now(), limit,
    )  # fmt: skip
    return [_told(row) for row in rows]


async def targets(scope: Scope, integration_id: UUID, told: Sequence[Told]) -> list[Target]:
    """The messages that ``told`` are about: those with these vendor's ids, and doubtful ones with these keys."""
    ids = sorted({one.provider_message_id for one in told if one.provider_message_id})
    keys = sorted({one.key for one in told if one.key})
    rows: list[Row] = []
    if ids:
        rows += await scope.database.fetch_hot(
            f"select {_TARGET} from novukit_message m where m.environment_id = $1 and m.integration_id = $2 "
            "and m.callback_id = any($3::text[]) order by m.id",
            scope.environment_id, integration_id, ids,
        )  # fmt: skip
    if keys:
        rows += await scope.database.fetch_hot(
            f"select {_TARGET} from novukit_message m where m.environment_id = $1 and m.integration_id = $2 "
            "and m.doubtful_key = any($3::text[]) order by m.id",
            scope.environment_id, integration_id, keys,
        )  # fmt: skip
    return [_target(row) for row in {row["id"]: row for row in rows}.values()]


async def note(scope: Scope, message_id: UUID, kind: str, at: datetime, provider_message_id: str | None) -> None:
    """Leave the time of an event on its message, if none earlier is there; and the vendor's id, if there is none."""
    column = FACTS.get(kind)
    moved = f"{column} = case when {column} < $3 then {column} else $3 end, " if column else ""
    await scope.database.fetch(
        f"update novukit_message set {moved}updated_at = $4::timestamptz, "
        "provider_message_id = coalesce(provider_message_id, $5::text), "
        "callback_id = coalesce(callback_id, $5::text) "
        "where environment_id = $1 and id = $2 and $3::timestamptz is not null",
        scope.environment_id, message_id, at, scope.now(), provider_message_id,
    )  # fmt: skip


async def was_sent(scope: Scope, message_id: UUID) -> None:
    """The vendor has a message whose outcome was unknown, and whose execution has gone on without it."""
    await scope.database.fetch(
        "update novukit_message set status = 'sent', error = null, sent_at = coalesce(sent_at, $3), updated_at = $3 "
        "where environment_id = $1 and id = $2 and status = 'unknown'",
        scope.environment_id, message_id, scope.now(),
    )  # fmt: skip


async def settle(scope: Scope, event: Told, message_id: UUID) -> None:
    """The event has done what it had to do, with this message."""
    await scope.database.fetch(
        "update novukit_delivery_event set message_id = $3, look_at = null where environment_id = $1 and id = $2",
        scope.environment_id, event.id, message_id,
    )  # fmt: skip


async def postpone(scope: Scope, event: Told) -> None:
    """Look for its message again when the event is twice as old, or no more."""
    now = scope.now()
    age = max(now - event.received_at, FIRST_LOOK)
    await scope.database.fetch(
        "update novukit_delivery_event set look_at = $3 where environment_id = $1 and id = $2",
        scope.environment_id, event.id, now + age if age < LAST_LOOK else None,
    )  # fmt: skip


_TARGET = (
    "m.id, m.execution_id, m.event_id, m.subscriber_uuid, m.step_id, m.step_key, m.channel, m.status, m.content, "
    f"m.provider_id, m.provider_message_id, m.doubtful_key, {', '.join(f'm.{column}' for column in FACTS.values())}"
)


def _target(row: Row) -> Target:
    to: Any = decode(row["content"]).get("to")
    return Target(
        id=row["id"], execution_id=row["execution_id"], event_id=row["event_id"],
        subscriber_uuid=row["subscriber_uuid"],
        step=f"{row['step_id']}[{row['step_key']}]" if row["step_key"] else row["step_id"], channel=row["channel"],
        status=MessageStatus(row["status"]), to=to if isinstance(to, str) else None, provider_id=row["provider_id"],
        provider_message_id=row["provider_message_id"], doubtful_key=row["doubtful_key"],
        facts=frozenset(kind for kind, column in FACTS.items() if row[column] is not None),
    )  # fmt: skip


def _told(row: Row) -> Told:
    fields = {name: row[name] for name in _TOLD.split(", ")}
    return Told(**(fields | {"tokens": tuple(decode(row["tokens"])), "permanent": bool(row["permanent"])}))
