"""Executions: claimed in batches, cancelled, resumed. What a running one writes goes through the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ..model import Checkpoint, ContextKeys, ExecutionStatus, Reason, StepKind, StepStatus, StoredSubscriber, Way
from . import subscribers
from .batch import Batch, together
from .database import Database, Row, Scope, decode, in_list, moment
from .each import each
from .preferences import Chosen
from .workers import Blocked, blocked_of


@dataclass(slots=True)
class Claimed:
    """An execution that this worker now owns, with all that is needed to run it."""

    id: UUID
    environment_id: UUID
    event_id: UUID
    transaction_id: str
    workflow_id: str
    version: str | None
    subscriber_uuid: UUID
    subscriber_id: str
    runs: int
    takeovers: int
    """How many workers in a row have died while they ran it."""
    cancel_requested: bool
    triggered_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    actor: dict[str, Any] | None = None
    tenant: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    context_keys: ContextKeys = ""
    subscriber: StoredSubscriber | None = None
    checkpoints: dict[tuple[str, str], Checkpoint] = field(default_factory=dict)
    trace: str | None = None
    """The traceparent of the request that triggered, if it was traced."""
    chosen: Chosen | None = None
    """What the subscriber chose, as it was when this was claimed; None when nobody has looked."""


async def claim(
    database: Database, worker_id: UUID, workflows: list[str], limit: int, blocked: Blocked = frozenset()
) -> list[Claimed]:
    """Take up to ``limit`` due executions of ``workflows`` for a worker whose lease holds.

    Each environment that has due work gets an equal share, so that one with a long queue does not hold up the others;
    within an environment the longest due come first. Rows that another worker is taking are skipped, and so is what is
    ``blocked``.
    """
    if not workflows or limit < 1:
        return []
    now, claimed = database.clock.now(), list[Claimed]()
    without, names = blocked_of(blocked, 4)
    due = await database.fetch_hot(_DUE.replace("{but}", without), now, workflows, limit, *names)
    left, waiting = limit, sorted((row for row in due if row["n"]), key=lambda row: row["n"])
    for n, row in enumerate(waiting):
        share = min(row["n"], -(-left // (len(waiting) - n)))
        if share > 0:
            those = [each for each in workflows if (row["id"], each) not in blocked] if blocked else workflows
            taken = await database.fetch_hot(_TAKE, worker_id, now, row["id"], those, share)
            left -= len(taken)
            claimed += [_claimed(each) for each in taken]
    if claimed:
        claimed.sort(key=lambda e: e.id)
        await _load(database, claimed)
    return claimed


_DUE = (
    "select e.id, (select count(*) from (select 1 from novukit_execution x where x.environment_id = e.id "
    "and x.status in ('pending', 'waiting') and x.wake_at <= $1 and x.workflow_id = any($2::text[]){but} limit $3) "
    "as part) "
    "as n from novukit_environment e"
)
_TAKE = (
    # Materialized: with `id in (select … limit … skip locked)` Postgres may run the select again for each row that it
    # meets, and take many times the limit. The environment comes from there, too: see ``each``.
    "with due as materialized (select environment_id as due_in, id as due_id from novukit_execution "
    "where environment_id = $3 "
    "and status in ('pending', 'waiting') and wake_at <= $2 and workflow_id = any($4::text[]) "
    "order by wake_at, id limit $5 for update skip locked) "
    "update novukit_execution set status = 'running', worker_id = $1, runs = runs + 1, wake_at = null, "
    "started_at = coalesce(started_at, $2) from due where environment_id = due.due_in and id = due.due_id "
    "and exists (select 1 from novukit_worker where id = $1) "
    "returning id, environment_id, event_id, workflow_id, workflow_version, subscriber_uuid, subscriber_id, runs, "
    "takeovers, cancel_requested_at, created_at"
)


_RELEASE = Batch(
    "released",
    # By run: what is let go twice, for the first answer was lost, may be in its next run by then.
    "update novukit_execution as x set status = 'pending', wake_at = u.at, worker_id = null "
    "from {rows} where x.id = u.id and x.runs = u.runs and x.worker_id = u.worker_id",
    columns="id uuid, runs integer, worker_id uuid, at timestamptz",
)


async def release(database: Database, worker_id: UUID, runs: Mapping[UUID, int]) -> None:
    """Let go of executions that a worker owns but could not settle, each in the run that it was in."""
    now = database.clock.now()
    await together(database, [(_RELEASE, [(each, run, worker_id, now) for each, run in runs.items()])])


async def release_all_but(database: Database, worker_id: UUID, held: Collection[tuple[UUID, int]]) -> None:
    """Let go of what a worker owns on record without knowing: the answer to a claim was lost. By execution and run."""
    rows = await database.fetch("select id, runs from novukit_execution where worker_id = $1", worker_id)
    if lost := {row["id"]: row["runs"] for row in rows if (row["id"], row["runs"]) not in held}:
        await release(database, worker_id, lost)


async def next_due(database: Database, workflows: Sequence[str]) -> datetime | None:
    """When the next execution of ``workflows`` comes due, if any waits."""
    if not workflows:
        return None
    rows = await database.fetch_hot(
        "select (select x.wake_at from novukit_execution x where x.environment_id = e.id and x.status in ('pending', "
        "'waiting') and x.workflow_id = any($1::text[]) order by x.wake_at limit 1) as wake_at "
        "from novukit_environment e",
        list(workflows),
    )
    return min((moment(row["wake_at"]) for row in rows if row["wake_at"]), default=None)


def _claimed(row: Row) -> Claimed:
    return Claimed(
        id=row["id"], environment_id=row["environment_id"], event_id=row["event_id"], transaction_id="",
        workflow_id=row["workflow_id"], version=row["workflow_version"], subscriber_uuid=row["subscriber_uuid"],
        subscriber_id=row["subscriber_id"], runs=row["runs"], takeovers=row["takeovers"],
        cancel_requested=row["cancel_requested_at"] is not None, triggered_at=row["created_at"],
    )  # fmt: skip


async def _load(database: Database, claimed: list[Claimed]) -> None:
    """Give a batch its events, its subscribers and, to those that ran before, their checkpoints."""
    events = {
        row["id"]: row
        for row in await database.fetch_hot(
            "select id, transaction_id, payload, overrides, actor, tenant, context, context_keys, trace, created_at "
            "from novukit_event where id = any($1::uuid[])",
            list({e.event_id for e in claimed}),
        )
    }
    people: dict[UUID, StoredSubscriber] = {}
    for environment_id in {e.environment_id for e in claimed}:  # first in each of the keys
        scope, those = database.scope(environment_id), [e for e in claimed if e.environment_id == environment_id]
        people |= await subscribers.by_uuids(scope, {e.subscriber_uuid for e in those})
        if again := {e.id: e for e in those if e.runs > 1}:
            for row in await database.fetch_hot(_CHECKPOINTS, environment_id, list(again)):
                again[row["execution_id"]].checkpoints[row["step_id"], row["step_key"]] = _checkpoint(row)
    for e in claimed:
        event = events[e.event_id]
        e.transaction_id, e.triggered_at = event["transaction_id"], event["created_at"]
        e.payload, e.overrides = decode(event["payload"]), decode(event["overrides"])
        e.actor, e.tenant = decode(event["actor"]), decode(event["tenant"])
        e.context, e.context_keys, e.trace = decode(event["context"]), event["context_keys"], event["trace"]
        e.subscriber = people.get(e.subscriber_uuid)


_CHECKPOINTS = (
    "select execution_id, step_id, step_key, kind, status, result, reason, detail, attempts, args_hash, position, "
    f"message_id, wake_at, started_at, finished_at, way from {each('uuid')} join novukit_checkpoint c "
    "on c.environment_id = each.environment_id and c.execution_id = each.key"
)


def _checkpoint(row: Row) -> Checkpoint:
    return Checkpoint(
        step_id=row["step_id"], key=row["step_key"], kind=StepKind(row["kind"]), status=StepStatus(row["status"]),
        result=decode(row["result"]), reason=Reason(row["reason"]) if row["reason"] else None, detail=row["detail"],
        attempts=row["attempts"], args_hash=row["args_hash"], position=row["position"],
        message_id=row["message_id"], wake_at=row["wake_at"],
        started_at=row["started_at"], finished_at=row["finished_at"], way=_way(row["way"]),
    )  # fmt: skip


def _way(kept: str | None) -> Way | None:
    if kept is None:
        return None
    found = decode(kept)
    slot = datetime.fromisoformat(found["slot"]) if found["slot"] else None
    return Way(tuple((UUID(one), attempts) for one, attempts in found["left"]), slot)


@dataclass(frozen=True, slots=True)
class Touched:
    """An execution that a cancel or a resume has changed."""

    id: UUID
    event_id: UUID


async def hold_still(scope: Scope, *, event_id: UUID | None = None, ids: Sequence[UUID] = ()) -> None:
    """Let none of those that have not ended change its state until the caller's transaction ends.

    Without this one that passes from one state to another between two statements would escape both.
    """
    where, args = _which(event_id, ids, 2)
    await scope.database.fetch(
        f"select id from novukit_execution where environment_id = $1 and {where} "
        "and status in ('pending', 'waiting', 'running') order by id for no key update",
        scope.environment_id, *args,
    )  # fmt: skip


async def cancel_idle(scope: Scope, *, event_id: UUID | None = None, ids: Sequence[UUID] = ()) -> list[Touched]:
    """Cancel those that no worker is running, in the caller's transaction: nothing of theirs begins any more."""
    now = scope.now()
    where, args = _which(event_id, ids, 3)
    rows = await scope.database.fetch(
        "update novukit_execution set status = 'cancelled', reason = 'cancelled', wake_at = null, finished_at = $2 "
        f"where environment_id = $1 and {where} and status in ('pending', 'waiting') returning id, event_id",
        scope.environment_id, now, *args,
    )  # fmt: skip
    return [Touched(row["id"], row["event_id"]) for row in rows]


async def end_steps(scope: Scope, ids: Sequence[UUID]) -> None:
    """What cancelled executions waited for will not come: their sleeping steps are skipped, their messages have failed.

    A message whose outcome is unknown stays so, and a call that nobody has told the end of has one. The caller's
    transaction.
    """
    if not ids:
        return
    among, now = in_list(ids, 3), scope.now()
    await scope.database.fetch(
        "update novukit_checkpoint set status = case when status = 'calling' then 'unknown' else 'skipped' end, "
        "reason = case when status = 'calling' then 'outcome_unknown' else 'cancelled' end, "
        "wake_at = null, finished_at = case when status = 'calling' then null else $2::timestamptz end "
        f"where environment_id = $1 and execution_id in {among} and status in ('waiting', 'retrying', 'calling')",
        scope.environment_id, now, *ids,
    )  # fmt: skip
    await scope.database.fetch(
        "update novukit_message set status = case when status = 'calling' then 'unknown' else 'failed' end, "
        "error = case when status = 'calling' then error else 'cancelled' end, updated_at = $2 "
        f"where environment_id = $1 and execution_id in {among} and status in ('retrying', 'calling')",
        scope.environment_id, now, *ids,
    )  # fmt: skip


async def ask_to_cancel(scope: Scope, *, event_id: UUID | None = None, ids: Sequence[UUID] = ()) -> list[Touched]:
    """Mark those that a worker is running: they stop before their next effect."""
    where, args = _which(event_id, ids, 3)
    rows = await scope.database.fetch(
        "update novukit_execution set cancel_requested_at = coalesce(cancel_requested_at, $2) "
        f"where environment_id = $1 and {where} and status = 'running' returning id, event_id",
        scope.environment_id, scope.now(), *args,
    )  # fmt: skip
    return [Touched(row["id"], row["event_id"]) for row in rows]


def _which(event_id: UUID | None, ids: Sequence[UUID], start: int) -> tuple[str, Sequence[Any]]:
    return (f"event_id = ${start}", [event_id]) if event_id else (f"id in {in_list(ids, start)}", ids)


async def resume(scope: Scope, ids: Sequence[UUID]) -> list[Touched]:
    """Make failed and parked executions due again, their failed step forgotten; the caller's transaction.

    What is complete stays complete. A step whose failure the author caught stays failed: only the step at which the
    execution ended is tried again.
    """
    if not ids:
        return []
    rows = await scope.database.fetch(
        "update novukit_execution set status = 'pending', wake_at = $2, finished_at = null, "
        "cancel_requested_at = null, takeovers = 0 "
        f"where environment_id = $1 and id in {in_list(ids, 3)} and status in ('failed', 'parked') "
        "returning id, event_id, step",
        scope.environment_id, scope.now(), *ids,
    )  # fmt: skip
    await scope.database.execute_many(
        "update novukit_checkpoint set status = 'retrying', wake_at = $4, finished_at = null, way = null, "
        "attempts = case when status = 'failed' and reason <> 'outcome_unknown' then 0 else 1 end, "
        "reason = case when status = 'failed' and reason <> 'outcome_unknown' then null else 'outcome_unknown' end "
        "where environment_id = $1 and execution_id = $2 and "
        "case when step_key = '' then step_id else step_id || '[' || step_key || ']' end = $3 "
        "and status in ('failed', 'unknown', 'calling')",
        [(scope.environment_id, row["id"], row["step"], scope.now()) for row in rows if row["step"]],
    )
    return [Touched(row["id"], row["event_id"]) for row in rows]


async def statuses(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, ExecutionStatus]:
    """Where each of ``ids`` stands; an id of another environment is not in the answer."""
    if not ids:
        return {}
    rows = await scope.database.fetch(
        f"select id, status from novukit_execution where environment_id = $1 and id in {in_list(ids, 2)}",
        scope.environment_id, *ids,
    )  # fmt: skip
    return {row["id"]: ExecutionStatus(row["status"]) for row in rows}
