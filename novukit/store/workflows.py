"""Workflows as an environment knows them: what sync stored, every version of it, and whether each is active."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ..model import StoredWorkflow, WorkflowSpec
from .database import Database, Row, Scope, decode, encode, in_list

TOUCH_EVERY = timedelta(minutes=1)
"""How exact ``last_triggered_at`` is: a busy workflow is not written at every trigger."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """What one version of a workflow declared, and when it was first stored."""

    version: str
    spec: WorkflowSpec
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InFlight:
    """How many executions of a workflow have not ended, and in which steps they wait (by step id)."""

    executions: int
    waiting: dict[str, int]


async def all(scope: Scope) -> list[StoredWorkflow]:  # noqa: A001 (`workflows.all`)
    """Every workflow, by id."""
    rows = await scope.database.fetch(f"{_SELECT} where environment_id = $1", scope.environment_id)
    return sorted((_workflow(row) for row in rows), key=lambda w: w.spec.id)


async def of_code(scope: Scope) -> list[StoredWorkflow]:
    """Those that this code runs, by id: the ones behind a bridge are left out."""
    return [one for one in await all(scope) if not one.remote]


async def get(scope: Scope, workflow_id: str) -> StoredWorkflow | None:
    """One workflow."""
    rows = await scope.database.fetch(
        f"{_SELECT} where environment_id = $1 and workflow_id = $2", scope.environment_id, workflow_id
    )
    return _workflow(rows[0]) if rows else None


Known = dict[tuple[UUID, str], StoredWorkflow]
"""Workflows by environment and id."""


async def get_many(database: Database, wanted: Collection[tuple[UUID, str]], known: Known) -> Known:
    """Several workflows. What has not changed since it came to be ``known`` is not read again; the rest is added."""
    rows = await database.fetch_hot(
        "select environment_id, workflow_id, version, active, updated_at, last_triggered_at from novukit_workflow "
        "where environment_id = any($1::uuid[]) and workflow_id = any($2::text[])",
        sorted({environment_id for environment_id, _ in wanted}), sorted({name for _, name in wanted}),
    )  # fmt: skip
    found: Known = {}
    for row in rows:
        key = row["environment_id"], row["workflow_id"]
        if key not in wanted:
            continue
        one = known.get(key)
        if one is None or (one.version, one.updated_at) != (row["version"], row["updated_at"]):
            one = await get(database.scope(key[0]), key[1])
        if one is not None:
            known[key] = one
            update = {"active": bool(row["active"]), "last_triggered_at": row["last_triggered_at"]}
            found[key] = one.model_copy(update=update)
    return found


def is_stale(workflow: StoredWorkflow, now: datetime) -> bool:
    """Whether ``last_triggered_at`` is to be written."""
    return workflow.last_triggered_at is None or workflow.last_triggered_at <= now - TOUCH_EVERY


async def ids(scope: Scope) -> list[str]:
    """The ids alone, in order: what «did you mean» chooses from."""
    rows = await scope.database.fetch(
        "select workflow_id from novukit_workflow where environment_id = $1", scope.environment_id
    )
    return sorted(row["workflow_id"] for row in rows)


async def versions(scope: Scope, workflow_id: str) -> list[WorkflowVersion]:
    """Every version that was ever stored, newest first."""
    rows = await scope.database.fetch(
        "select version, spec, created_at from novukit_workflow_version "
        "where environment_id = $1 and workflow_id = $2 order by created_at desc, version",
        scope.environment_id, workflow_id,
    )  # fmt: skip
    return [WorkflowVersion(row["version"], _spec(row), row["created_at"]) for row in rows]


async def state(scope: Scope) -> str:
    """A hash of what is stored: two environments with the same workflows in the same versions agree.

    Those behind a bridge do not count: they have a sync of their own.
    """
    rows = await scope.database.fetch(
        "select workflow_id, version from novukit_workflow where environment_id = $1 and not remote",
        scope.environment_id,
    )
    return state_of({row["workflow_id"]: row["version"] for row in rows})


def state_of(versions: dict[str, str]) -> str:
    """The hash for given versions, by workflow id."""
    text = "\n".join(f"{workflow_id}\t{version}" for workflow_id, version in sorted(versions.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def in_flight(scope: Scope) -> dict[str, InFlight]:
    """What has not ended, by workflow id; a workflow without any is not in the answer."""
    found: dict[str, InFlight] = {}
    for row in await scope.database.fetch(
        f"select workflow_id, count(*) as n from ({_OPEN}) as x group by workflow_id", scope.environment_id
    ):
        found[row["workflow_id"]] = InFlight(row["n"], {})
    for row in await scope.database.fetch(
        f"select x.workflow_id, c.step_id, count(distinct x.id) as n from ({_OPEN}) as x "
        "join novukit_checkpoint c on c.environment_id = $1 and c.execution_id = x.id "
        "where c.status in ('waiting', 'calling', 'retrying') group by x.workflow_id, c.step_id",
        scope.environment_id,
    ):
        found[row["workflow_id"]].waiting[row["step_id"]] = row["n"]
    return found


async def lock(scope: Scope) -> None:
    """Let no other sync change this environment until the caller's transaction ends."""
    await scope.database.lock(f"workflows {scope.environment_id}")


async def apply(
    scope: Scope,
    *,
    create: Sequence[WorkflowSpec] = (),
    change: Sequence[WorkflowSpec] = (),
    delete: Sequence[str] = (),
) -> None:
    """Store what a plan says, all or nothing. Every version is kept, that of a deleted workflow too."""
    now, database = scope.now(), scope.database
    specs = {spec.id: (spec.version, encode(spec.model_dump(mode="json"))) for spec in (*create, *change)}
    async with database.transaction():
        await lock(scope)
        await database.execute_many(
            "insert into novukit_workflow_version (environment_id, workflow_id, version, spec, created_at) "
            "values ($1, $2, $3, $4, $5) on conflict (environment_id, workflow_id, version) do nothing",
            [(scope.environment_id, name, version, text, now) for name, (version, text) in specs.items()],
        )
        await database.execute_many(
            "insert into novukit_workflow (id, environment_id, workflow_id, version, spec, created_at, updated_at) "
            "values ($1, $2, $3, $4, $5, $6, $6)",
            [(scope.new_id(), scope.environment_id, spec.id, *specs[spec.id], now) for spec in create],
        )
        await database.execute_many(
            "update novukit_workflow set version = $3, spec = $4, updated_at = $5 "
            "where environment_id = $1 and workflow_id = $2",
            [(scope.environment_id, spec.id, *specs[spec.id], now) for spec in change],
        )
        for first in range(0, len(delete), _CHUNK):
            some = delete[first : first + _CHUNK]
            await database.fetch(
                f"delete from novukit_workflow where environment_id = $1 and workflow_id in {in_list(some, 2)}",
                scope.environment_id, *some,
            )  # fmt: skip


async def set_active(scope: Scope, workflow_id: str, active: bool) -> StoredWorkflow | None:
    """Switch a workflow on or off; triggers of one that is off are answered and begin nothing."""
    rows = await scope.database.fetch(
        "update novukit_workflow set active = $3, updated_at = $4 where environment_id = $1 and workflow_id = $2 "
        f"returning {_COLUMNS}",
        scope.environment_id, workflow_id, active, scope.now(),
    )  # fmt: skip
    return _workflow(rows[0]) if rows else None


async def touch_triggered(scope: Scope, workflow_id: str) -> None:
    """Note that the workflow was triggered now; at most once a minute, in between it is only looked at."""
    now = scope.now()
    stale = "environment_id = $1 and workflow_id = $2 and (last_triggered_at is null or last_triggered_at <= $3)"
    args = (scope.environment_id, workflow_id, now - TOUCH_EVERY)
    if await scope.database.fetch(f"select 1 from novukit_workflow where {stale}", *args):
        await scope.database.fetch(f"update novukit_workflow set last_triggered_at = $4 where {stale}", *args, now)


_COLUMNS = "id, environment_id, version, spec, active, created_at, updated_at, last_triggered_at, remote"
_SELECT = f"select {_COLUMNS} from novukit_workflow"
# Two halves, each on the partial index that holds only what has not ended.
_OPEN = (
    "select id, workflow_id from novukit_execution where environment_id = $1 and status in ('pending', 'waiting') "
    "union all select id, workflow_id from novukit_execution "
    "where environment_id = $1 and status = 'running' and worker_id is not null"
)


def _workflow(row: Row) -> StoredWorkflow:
    return StoredWorkflow(
        id=row["id"], environment_id=row["environment_id"], spec=_spec(row), version=row["version"],
        active=row["active"], created_at=row["created_at"], updated_at=row["updated_at"],
        last_triggered_at=row["last_triggered_at"], remote=bool(row["remote"]),
    )  # fmt: skip


def _spec(row: Row) -> WorkflowSpec:
    return WorkflowSpec.model_validate(decode(row["spec"]))
