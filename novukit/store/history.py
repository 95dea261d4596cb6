"""What happened: events, executions and their steps, as they are read afterwards; ``timeline`` has their activity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..model import (
    ContextKeys,
    Event,
    EventStatus,
    Execution,
    ExecutionStatus,
    Message,
    Reason,
    StepKind,
    StepRecord,
    StepStatus,
    StoredSubscriber,
)
from . import messages, pages, subscribers
from .database import Row, Scope, decode, in_list
from .outcomes import STEP
from .pages import Listing, Page, PageQuery
from .where import Where


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions are meant; a field left out asks for nothing.

    ``search`` is part of a transaction or subscriber id. ``topic_key``: the trigger named that topic; ``subscription``
    (an identifier): it named the topic of that subscription, and the execution is for its subscriber. ``unknown``:
    they ended at a message of which nobody knows whether it went out.
    """

    status: Sequence[ExecutionStatus] = ()
    workflow_ids: Sequence[str] | None = None
    subscriber_ids: Sequence[str] = ()
    emails: Sequence[str] = ()
    transaction_id: str | None = None
    reason: Reason | None = None
    step: str | None = None
    search: str | None = None
    topic_key: str | None = None
    subscription: str | None = None
    context_keys: ContextKeys | None = None
    unknown: bool = False
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """One page of executions that is asked for by page number."""

    data: list[Execution]
    has_more: bool


async def executions(
    scope: Scope,
    *,
    status: Sequence[ExecutionStatus] = (),
    workflow_id: str | None = None,
    subscriber_id: str | None = None,
    transaction_id: str | None = None,
    reason: Reason | None = None,
    unknown: bool = False,
    query: PageQuery = PageQuery(),  # noqa: B008 (frozen)
) -> Page[Execution]:
    """A page of executions by cursor, newest first."""
    filters = ExecutionFilter(
        status=status, workflow_ids=[workflow_id] if workflow_id is not None else None,
        subscriber_ids=[subscriber_id] if subscriber_id is not None else [], transaction_id=transaction_id,
        reason=reason, unknown=unknown,
    )  # fmt: skip
    where = _where(scope, filters)
    listing = Listing("executions", _EXECUTION, _EXECUTIONS, "x.id", where)
    return (await pages.read(scope, listing, query)).map(_execution)


async def feed(scope: Scope, filters: ExecutionFilter, *, page: int = 0, limit: int = 10) -> Numbered:
    """A page of executions by number, newest first; ``page`` counts from 0."""
    where = _where(scope, filters)
    rows = await scope.database.fetch(
        f"select {_EXECUTION} from {_EXECUTIONS} where {where} order by x.id desc "
        f"limit {where.mark(limit + 1)} offset {where.mark(page * limit)}",
        *where.args,
    )
    return Numbered([_execution(row) for row in rows[:limit]], len(rows) > limit)


async def matching_ids(scope: Scope, filters: ExecutionFilter, *, limit: int | None = None) -> list[UUID]:
    """The ids of all executions that fit, oldest first: what a bulk resume works through."""
    where = _where(scope, filters)
    most = f" limit {where.mark(limit)}" if limit is not None else ""
    rows = await scope.database.fetch(f"select x.id from {_EXECUTIONS} where {where} order by x.id{most}", *where.args)
    return [row["id"] for row in rows]


async def execution(scope: Scope, id: UUID) -> Execution | None:
    """One execution."""
    rows = await scope.database.fetch(
        f"select {_EXECUTION} from {_EXECUTIONS} where x.environment_id = $1 and x.id = $2", scope.environment_id, id
    )
    return _execution(rows[0]) if rows else None


async def steps(scope: Scope, execution_id: UUID) -> list[StepRecord]:
    """The steps of an execution in the order in which they began."""
    return (await steps_of(scope, [execution_id]))[execution_id]


async def steps_of(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[StepRecord]]:
    """The steps of several executions."""
    found: dict[UUID, list[StepRecord]] = {each: [] for each in ids}
    for some in pages.parted(ids):
        for row in await scope.database.fetch(
            "select execution_id, step_id, step_key, kind, status, result, reason, detail, attempts, message_id, "
            "wake_at, started_at, finished_at from novukit_checkpoint "
            f"where environment_id = $1 and execution_id in {in_list(some, 2)} "
            "order by position, started_at, step_id, step_key",
            scope.environment_id, *some,
        ):  # fmt: skip
            found[row["execution_id"]].append(_step(row))
    return found


async def messages_of(scope: Scope, execution_id: UUID) -> list[Message]:
    """The messages of an execution, oldest first."""
    return await messages.of_executions(scope, [execution_id])


async def people_of(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, StoredSubscriber | None]]:
    """For whom several executions are: the subscriber's own id, and the subscriber unless deleted since."""
    uuids: dict[UUID, UUID] = {}
    for some in pages.parted(ids):
        for row in await scope.database.fetch(
            "select id, subscriber_uuid from novukit_execution "
            f"where environment_id = $1 and id in {in_list(some, 2)}",
            scope.environment_id, *some,
        ):  # fmt: skip
            uuids[row["id"]] = row["subscriber_uuid"]
    people = await subscribers.by_uuids(scope, list(uuids.values()))
    return {execution_id: (uuid, people.get(uuid)) for execution_id, uuid in uuids.items()}


async def messages_of_many(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Message]]:
    """The messages of several executions, oldest first."""
    found: dict[UUID, list[Message]] = {each: [] for each in ids}
    for some in pages.parted(ids):
        for message in await messages.of_executions(scope, some):
            found[message.execution_id].append(message)
    return found


async def event(scope: Scope, transaction_id: str) -> Event | None:
    """The event that has this transaction id."""
    rows = await scope.database.fetch(
        f"select {_EVENT} from novukit_event where environment_id = $1 and transaction_id = $2",
        scope.environment_id, transaction_id,
    )  # fmt: skip
    return _event(rows[0]) if rows else None


async def events_of(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, Event]:
    """Several events by their own ids."""
    found: dict[UUID, Event] = {}
    for some in pages.parted(list(dict.fromkeys(ids))):
        for row in await scope.database.fetch(
            f"select {_EVENT} from novukit_event where environment_id = $1 and id in {in_list(some, 2)}",
            scope.environment_id, *some,
        ):  # fmt: skip
            found[row["id"]] = _event(row)
    return found


async def topics_of(scope: Scope, event_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """The topics that several triggers named, each by its own id and its key; deleted ones as well."""
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for some in pages.parted(list(dict.fromkeys(event_ids))):
        for row in await scope.database.fetch(
            "select event_id, topic_id, topic_key from novukit_event_topic "
            f"where environment_id = $1 and event_id in {in_list(some, 2)} order by topic_key",
            scope.environment_id, *some,
        ):  # fmt: skip
            found.setdefault(row["event_id"], []).append((row["topic_id"], row["topic_key"]))
    return found


_EXECUTION = (
    "x.id, x.environment_id, x.event_id, e.transaction_id, x.workflow_id, x.workflow_version, x.subscriber_id, "
    "x.status, x.step, x.reason, x.detail, x.runs, x.wake_at, x.created_at, x.started_at, x.finished_at"
)
_EXECUTIONS = "novukit_execution x join novukit_event e on e.id = x.event_id and e.environment_id = x.environment_id"
_EVENT = (
    "id, environment_id, transaction_id, workflow_id, payload, overrides, actor, tenant, context, context_keys, "
    "status, executions, created_at"
)


def _where(scope: Scope, filters: ExecutionFilter) -> Where:
    where = Where("x.environment_id = ?", scope.environment_id)
    where.among("x.status", [status.value for status in filters.status])
    if filters.workflow_ids is not None:
        where.among("x.workflow_id", filters.workflow_ids)
        if not filters.workflow_ids:
            where.add("1 = 0")
    where.among("x.subscriber_id", filters.subscriber_ids)
    if filters.emails:
        where.add(
            "exists (select 1 from novukit_subscriber s where s.id = x.subscriber_uuid "
            f"and s.email in ({', '.join('?' * len(filters.emails))}))",
            *filters.emails,
        )
    for column, value in (
        ("e.transaction_id", filters.transaction_id),
        ("e.context_keys", filters.context_keys),
        ("x.reason", filters.reason.value if filters.reason else None),
        ("x.step", filters.step),
    ):
        if value is not None:
            where.add(f"{column} = ?", value)
    if filters.unknown:
        # The first is what the index of those that want attention holds.
        where.add("(x.status = 'parked' or x.reason = 'outcome_unknown') and x.status in ('failed', 'parked')")
        where.add(
            "exists (select 1 from novukit_checkpoint c where c.environment_id = x.environment_id "
            f"and c.execution_id = x.id and {STEP} = x.step and c.status in ('failed', 'unknown') "
            "and c.reason = 'outcome_unknown')"
        )
    if filters.search:
        where.add(
            f"({pages.contains('e.transaction_id')} or {pages.contains('x.subscriber_id')})",
            filters.search, filters.search,
        )  # fmt: skip
    if filters.topic_key is not None:
        where.add(
            "exists (select 1 from novukit_event_topic n where n.environment_id = x.environment_id "
            "and n.event_id = x.event_id and n.topic_key = ?)",
            filters.topic_key,
        )
    if filters.subscription is not None:
        where.add(
            "exists (select 1 from novukit_topic_subscription m join novukit_event_topic n "
            "on n.topic_id = m.topic_id and n.environment_id = m.environment_id where m.environment_id = "
            "x.environment_id and m.identifier = ? and m.subscriber_uuid = x.subscriber_uuid "
            "and n.event_id = x.event_id)",
            filters.subscription,
        )
    if filters.created_from:
        where.add("x.created_at >= ?", filters.created_from)
    if filters.created_to:
        where.add("x.created_at <= ?", filters.created_to)
    return where


def _execution(row: Row) -> Execution:
    return Execution(**{name: row[name] for name in Execution.model_fields})


def _step(row: Row) -> StepRecord:
    started, finished = row["started_at"], row["finished_at"]
    return StepRecord(
        step_id=row["step_id"], key=row["step_key"], kind=StepKind(row["kind"]), status=StepStatus(row["status"]),
        reason=_reason(row["reason"]), detail=row["detail"], attempts=row["attempts"], message_id=row["message_id"],
        wake_at=row["wake_at"], started_at=started, finished_at=finished,
        duration_ms=(finished - started).total_seconds() * 1000 if started and finished else None,
        result=decode(row["result"]),
    )  # fmt: skip


def _event(row: Row) -> Event:
    return Event(
        id=row["id"], environment_id=row["environment_id"], transaction_id=row["transaction_id"],
        workflow_id=row["workflow_id"], payload=decode(row["payload"]), overrides=decode(row["overrides"]),
        actor=decode(row["actor"]), tenant=decode(row["tenant"]), status=EventStatus(row["status"]),
        executions=row["executions"], created_at=row["created_at"], context=decode(row["context"]) or {},
        context_keys=row["context_keys"],
    )  # fmt: skip


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text else None
