"""The journal: who is to stop hears of it with each commit, and nobody else does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from novukit.model import Checkpoint, StepKind, StepStatus
from novukit.store import Database, Scope, executions, history, workers
from novukit.store.entries import SaveCheckpoint
from novukit.store.journal import CancelRequested, Journal, Run

from ..rows import Rows

pytestmark = pytest.mark.anyio

LEASE = timedelta(minutes=1)


async def _worker(database: Database) -> tuple[UUID, Journal]:
    worker_id = database.new_id()
    await workers.enlist(database, worker_id, host="", pid=0, lease_until=database.clock.now() + LEASE)
    return worker_id, Journal(database, worker_id, LEASE)


async def _running(rows: Rows, worker_id: UUID) -> Run:
    return Run(rows.scope.environment_id, await rows.execution(status="running", worker_id=worker_id), 1)


def _step(run: Run, id: str) -> SaveCheckpoint:
    checkpoint = Checkpoint(step_id=id, key="", kind=StepKind.CUSTOM, status=StepStatus.COMPLETED)
    return SaveCheckpoint(run.environment_id, run.execution_id, checkpoint, None)


async def _ask_to_stop(scope: Scope, run: Run) -> None:
    async with scope.database.transaction():
        await executions.ask_to_cancel(scope, ids=[run.execution_id])


async def _steps(scope: Scope, run: Run) -> set[str]:
    found = await history.steps(scope, run.execution_id)
    return {step.step_id for step in found}


async def test_of_two_in_one_commit_only_the_cancelled_one_is_refused(database: Database) -> None:
    rows = await Rows.environment(database)
    worker_id, journal = await _worker(database)
    stopped, other = await _running(rows, worker_id), await _running(rows, worker_id)
    await _ask_to_stop(rows.scope, stopped)

    refused = journal.put(_step(stopped, "call"), run=stopped, unless_cancelled=True)
    written = journal.put(_step(other, "call"), run=other, unless_cancelled=True)

    with pytest.raises(CancelRequested):
        await refused
    assert not await written, "nobody has asked this one to stop"
    assert await _steps(rows.scope, stopped) == set()
    assert await _steps(rows.scope, other) == {"call"}


async def test_what_has_happened_is_written_and_the_cancel_heard(database: Database) -> None:
    rows = await Rows.environment(database)
    worker_id, journal = await _worker(database)
    stopped, other = await _running(rows, worker_id), await _running(rows, worker_id)
    await _ask_to_stop(rows.scope, stopped)

    told, untold = journal.put(_step(stopped, "a"), run=stopped), journal.put(_step(other, "a"), run=other)

    assert (await told, await untold) == (True, False)
    assert await _steps(rows.scope, stopped) == await _steps(rows.scope, other) == {"a"}


async def test_who_stops_elsewhere_hinders_nobody_here(database: Database) -> None:
    rows = await Rows.environment(database)
    elsewhere, _ = await _worker(database)
    worker_id, journal = await _worker(database)
    stopped, ours = await _running(rows, elsewhere), await _running(rows, worker_id)
    await _ask_to_stop(rows.scope, stopped)

    assert not await journal.put(_step(ours, "call"), run=ours, unless_cancelled=True)
    assert await _steps(rows.scope, ours) == {"call"}
