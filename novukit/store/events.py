"""Events: accepted once per transaction id, with the executions of those recipients that are known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from ..model import ContextKeys, EventContext, EventStatus
from . import idempotency
from .batch import Batch, together
from .database import Database, Scope, decode, encode
from .idempotency import Receipt


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be accepted. ``named`` recipients have executions at once; topics and broadcasts follow."""

    id: UUID
    transaction_id: str
    workflow_id: str
    workflow_version: str
    payload: dict[str, Any]
    overrides: dict[str, Any]
    actor: dict[str, Any] | None
    tenant: dict[str, Any] | None
    sources: list[dict[str, Any]]
    named: int
    fingerprint: str
    trace: str | None = None
    context: Mapping[str, EventContext] | None = None
    context_keys: ContextKeys = ""


@dataclass(frozen=True, slots=True)
class Expanding:
    """An event whose members are being turned into executions; ``cursor`` is the last member of the first source."""

    id: UUID
    environment_id: UUID
    workflow_id: str
    workflow_version: str
    sources: list[dict[str, Any]]
    cursor: UUID | None
    created_at: datetime
    context_keys: ContextKeys = ""


Person = tuple[UUID, str]
"""A subscriber by uuid and by the caller's id."""

_EVENTS = Batch(
    "accepted",
    "insert into novukit_event (id, environment_id, transaction_id, workflow_id, workflow_version, payload, overrides, "
    "actor, tenant, recipients, fingerprint, status, executions, trace, context, context_keys, created_at) "
    "select u.id, u.environment_id, u.transaction_id, u.workflow_id, u.workflow_version, u.payload, u.overrides, "
    "u.actor, u.tenant, u.recipients, u.fingerprint, u.status, u.executions, u.trace, u.context, "
    "u.context_keys, u.at from {rows} where true "
    "on conflict (environment_id, transaction_id) do nothing returning id",
    columns="id uuid, environment_id uuid, transaction_id text, workflow_id text, workflow_version text, "
    "payload jsonb, overrides jsonb, actor jsonb, tenant jsonb, recipients jsonb, fingerprint text, status text, "
    "executions integer, trace text, context jsonb, context_keys text, at timestamptz",
    steady="environment_id workflow_id workflow_version overrides actor tenant recipients executions trace context "
    "context_keys at",
    here="novukit_event", returns=True,
)  # fmt: skip
_ACCEPTED = "u.event_id in (select id from {accepted})"
_TOPICS = Batch(
    "named",
    "insert into novukit_event_topic (event_id, environment_id, topic_id, topic_key) "
    f"select u.event_id, u.environment_id, u.topic_id, u.topic_key from {{rows}} where {_ACCEPTED} "
    "on conflict (environment_id, event_id, topic_id) do nothing",
    columns="event_id uuid, environment_id uuid, topic_id uuid, topic_key text",
    steady="environment_id",
)


@cache
def _executions(condition: str) -> Batch:
    return Batch(
        "opened",
        "insert into novukit_execution (id, environment_id, event_id, workflow_id, workflow_version, subscriber_uuid, "
        "subscriber_id, status, wake_at, created_at) select u.id, u.environment_id, u.event_id, u.workflow_id, "
        "u.workflow_version, u.subscriber_uuid, u.subscriber_id, 'pending', u.at, u.at "
        f"from {{rows}} where {condition} on conflict (environment_id, event_id, subscriber_uuid) do nothing "
        "returning id",
        columns="id uuid, environment_id uuid, event_id uuid, workflow_id text, workflow_version text, "
        "subscriber_uuid uuid, subscriber_id text, at timestamptz",
        steady="environment_id workflow_id workflow_version at",
        returns=condition == "true",
    )


async def insert(
    database: Database, new: Sequence[tuple[Scope, NewEvent]], people: Mapping[UUID, Sequence[Person]],
    receipts: Sequence[Receipt] = (),
) -> set[UUID]:  # fmt: skip
    """Keep events with the executions of their ``people``, all or nothing; returns which of them are new.

    One whose transaction id is taken begins nothing, and its receipt is not kept.
    """
    now, rows = database.clock.now(), list[Any]()
    for scope, e in new:
        status = (EventStatus.EXPANDING if e.sources else EventStatus.EXPANDED).value
        rows.append((
            e.id, scope.environment_id, e.transaction_id, e.workflow_id, e.workflow_version, encode(e.payload),
            encode(e.overrides), encode(e.actor) if e.actor else None, encode(e.tenant) if e.tenant else None,
            encode(e.sources), e.fingerprint, status, e.named, e.trace,
            _context(e.context) if e.context else None, e.context_keys, now,
        ))  # fmt: skip
    executions = _execution_rows(database, new, people)
    topics = [
        (e.id, scope.environment_id, UUID(source["topic"]), source["key"])
        for scope, e in new
        for source in e.sources
        if "topic" in source
    ]
    parts = [(_EVENTS, rows), (_executions(_ACCEPTED), executions), (_TOPICS, topics)]
    if receipts:
        parts.append(idempotency.writing(database, receipts))
    return set((await together(database, parts))["accepted"])


def _context(context: Mapping[str, EventContext]) -> str:
    return encode({kind: {"id": one.id, "data": one.data} for kind, one in context.items()})


async def open_executions(
    database: Database, new: Sequence[tuple[Scope, NewEvent | Expanding]], people: Mapping[UUID, Sequence[Person]]
) -> int:
    """One pending execution for each of an event's ``people`` who has none yet; the caller's transaction. How many."""
    rows = _execution_rows(database, new, people)
    return len((await together(database, [(_executions("true"), rows)]))["opened"]) if rows else 0


def _execution_rows(
    database: Database, new: Sequence[tuple[Scope, NewEvent | Expanding]], people: Mapping[UUID, Sequence[Person]]
) -> list[tuple[Any, ...]]:
    now, new_id = database.clock.now(), database.new_id
    return [
        (new_id(), scope.environment_id, e.id, e.workflow_id, e.workflow_version, *who, now)
        for scope, e in new
        for who in people.get(e.id, ())
    ]


async def seen(scope: Scope, transaction_id: str) -> tuple[UUID, str, int] | None:
    """The id, fingerprint and number of executions of the event that has this transaction id."""
    rows = await scope.database.fetch(
        "select id, fingerprint, executions from novukit_event where environment_id = $1 and transaction_id = $2",
        scope.environment_id, transaction_id,
    )  # fmt: skip
    return (rows[0]["id"], rows[0]["fingerprint"], rows[0]["executions"]) if rows else None


async def next_expanding(database: Database) -> Expanding | None:
    """The oldest event with members still to come, locked until the caller's transaction ends."""
    rows = await database.fetch(
        "select id, environment_id, workflow_id, workflow_version, recipients, cursor, created_at, context_keys "
        "from novukit_event "
        "where status = 'expanding' order by id limit 1 for update skip locked"
    )
    if not rows:
        return None
    row = rows[0]
    return Expanding(
        row["id"], row["environment_id"], row["workflow_id"], row["workflow_version"], decode(row["recipients"]),
        row["cursor"], row["created_at"], row["context_keys"],
    )  # fmt: skip


async def facts(scope: Scope, event_id: UUID) -> dict[str, Any]:
    """What a condition may ask of an event: its ``payload`` and its ``context``."""
    rows = await scope.database.fetch(
        "select payload, context from novukit_event where environment_id = $1 and id = $2",
        scope.environment_id, event_id,
    )  # fmt: skip
    return {"payload": decode(rows[0]["payload"]), "context": decode(rows[0]["context"]) or {}}


async def advance(
    scope: Scope, event_id: UUID, sources: list[dict[str, Any]], cursor: UUID | None, opened: int
) -> None:
    """Remember how far an event has come, with ``opened`` more executions; without sources it is expanded."""
    status = EventStatus.EXPANDING if sources else EventStatus.EXPANDED
    await scope.database.fetch(
        "update novukit_event set recipients = $3, cursor = $4, status = $5, executions = executions + $6 "
        "where environment_id = $1 and id = $2 and status = 'expanding'",
        scope.environment_id, event_id, encode(sources), cursor, status.value, opened,
    )  # fmt: skip


async def stop_expanding(scope: Scope, event_id: UUID) -> None:
    """No further member becomes an execution."""
    await scope.database.fetch(
        "update novukit_event set status = 'cancelled' where environment_id = $1 and id = $2 and status = 'expanding'",
        scope.environment_id, event_id,
    )  # fmt: skip
