"""Events: accepted once per transaction id, with the executions of those recipients that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ..model import EventStatus
from .database import Database, Scope, decode, encode


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be accepted. ``sources`` are the topics and broadcasts still to be turned into executions."""

    id: UUID
    transaction_id: str
    workflow_id: str
    workflow_version: str
    payload: dict[str, Any]
    overrides: dict[str, Any]
    actor: dict[str, Any] | None
    tenant: dict[str, Any] | None
    sources: list[dict[str, Any]]
    fingerprint: str


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


async def insert(scope: Scope, event: NewEvent) -> bool:
    """Keep an event, in the caller's transaction. False when its transaction id is taken."""
    rows = await scope.database.fetch(
        "insert into novukit_event (id, environment_id, transaction_id, workflow_id, workflow_version, payload, "
        "overrides, actor, tenant, recipients, fingerprint, status, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
        "on conflict (environment_id, transaction_id) do nothing returning id",
        event.id, scope.environment_id, event.transaction_id, event.workflow_id, event.workflow_version,
        encode(event.payload), encode(event.overrides), encode(event.actor) if event.actor else None,
        encode(event.tenant) if event.tenant else None, encode(event.sources), event.fingerprint,
        (EventStatus.EXPANDING if event.sources else EventStatus.EXPANDED).value, scope.now(),
    )  # fmt: skip
    return bool(rows)


async def seen(scope: Scope, transaction_id: str) -> tuple[UUID, str, int] | None:
    """The id, fingerprint and number of executions of the event that has this transaction id."""
    rows = await scope.database.fetch(
        "select id, fingerprint, executions from novukit_event where environment_id = $1 and transaction_id = $2",
        scope.environment_id, transaction_id,
    )  # fmt: skip
    return (rows[0]["id"], rows[0]["fingerprint"], rows[0]["executions"]) if rows else None


async def open_executions(
    scope: Scope, event_id: UUID, workflow_id: str, version: str, people: Sequence[tuple[UUID, str]]
) -> None:
    """One pending execution for each of ``people`` (uuid, subscriber id) who has none yet; the caller's transaction."""
    now = scope.now()
    await scope.database.execute_many(
        "insert into novukit_execution (id, environment_id, event_id, workflow_id, workflow_version, subscriber_uuid, "
        "subscriber_id, status, wake_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $8) "
        "on conflict (environment_id, event_id, subscriber_uuid) do nothing",
        [(scope.new_id(), scope.environment_id, event_id, workflow_id, version, *who, now) for who in people],
    )
    await scope.database.fetch(
        "update novukit_event set executions = "
        "(select count(*) from novukit_execution where environment_id = $1 and event_id = $2) "
        "where environment_id = $1 and id = $2",
        scope.environment_id, event_id,
    )  # fmt: skip


async def next_expanding(database: Database) -> Expanding | None:
    """The oldest event with members still to come, locked until the caller's transaction ends."""
    rows = await database.fetch(
        "select id, environment_id, workflow_id, workflow_version, recipients, cursor, created_at from novukit_event "
        "where status = 'expanding' order by id limit 1 for update skip locked"
    )
    if not rows:
        return None
    row = rows[0]
    return Expanding(
        row["id"], row["environment_id"], row["workflow_id"], row["workflow_version"], decode(row["recipients"]),
        row["cursor"], row["created_at"],
    )  # fmt: skip


async def advance(database: Database, event_id: UUID, sources: list[dict[str, Any]], cursor: UUID | None) -> None:
    """Remember how far an event has come; without sources left it is expanded."""
    status = EventStatus.EXPANDING if sources else EventStatus.EXPANDED
    await database.fetch(
        "update novukit_event set recipients = $2, cursor = $3, status = $4 where id = $1 and status = 'expanding'",
        event_id, encode(sources), cursor, status.value,
    )  # fmt: skip


async def stop_expanding(scope: Scope, event_id: UUID) -> None:
    """No further member becomes an execution."""
    await scope.database.fetch(
        "update novukit_event set status = 'cancelled' where environment_id = $1 and id = $2 and status = 'expanding'",
        scope.environment_id, event_id,
    )  # fmt: skip
