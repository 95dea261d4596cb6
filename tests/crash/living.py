"""The life of a process that is to die: it triggers, cancels and works as its job says, until its crash point comes.

Runs in a child of Python's own fork server, which has been through it all once before (``tests.crash.nursery``).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

from novukit import crash
from novukit.app import App
from novukit.authoring import Registry
from novukit.clock import SystemClock, wall
from novukit.engine import cancel, fanout, trigger
from novukit.model import Trigger
from novukit.providers import HttpClient, PluginHost
from novukit.settings import Settings, WorkerSettings
from novukit.store import Scope
from novukit.store.database import in_list
from novukit.store.outage import outage
from novukit.store.secrets import KeyRing

from ..proof import plugin
from ..proof.judge import FINAL
from .letters import clone
from .mutants import MUTANTS

LEASE, SWEEP, PAGE = 1.0, 0.2, 3


@dataclass(frozen=True)
class World:
    """Where jobs are done: one environment of one database."""

    database: str
    environment: UUID
    master_key: str
    folder: Path


@dataclass(frozen=True)
class Job:
    """What one process does: ask, cancel, then work until ``until`` (transactions) have ended."""

    workflows: Sequence[tuple[str, str]] = ()
    """Scenario and id of each workflow that it knows."""
    asks: Sequence[Trigger] = ()
    cancels: Sequence[str] = ()
    until: Sequence[str] = ()
    crash_at: str = ""
    mutant: str = ""
    ahead: float = 0.0
    """Seconds that this process' wall clock is ahead."""
    lease: float = LEASE
    reaps: bool = True
    """Whether it takes over from others whose lease has lapsed."""
    patience: float = 60.0
    """Seconds after which it works no longer, whatever has not ended. The judge will say what that is."""


def live(world: World, job: Job, said: Connection) -> None:
    """What the process does from its birth. It tells what it was answered: («ok», operation, facts)."""
    crash.arm(job.crash_at)
    fanout.PAGE = PAGE
    if not job.reaps:
        MUTANTS["no_reaper"]()
    if job.mutant:
        MUTANTS[job.mutant]()
    asyncio.run(_live(world, job, said))


async def _live(world: World, job: Job, said: Connection) -> None:
    settings = Settings(
        root=world.folder, database=world.database, worker=WorkerSettings(lease=job.lease, sweep=SWEEP, grace=5.0)
    )
    app = App(
        settings,
        clock=SystemClock(lambda: wall() + timedelta(seconds=job.ahead)),
        host=PluginHost([plugin], installed=False, http=HttpClient(allow_private=True)),
        registry=Registry(clone(scenario, name) for scenario, name in job.workflows),
        secrets=KeyRing([world.master_key]),
        synchronous="NORMAL",
    )
    async with app:
        scope = app.runtime.scope(world.environment)
        for ask in job.asks:
            assert ask.transaction_id is not None
            if job.mutant == "answer_before_commit":
                said.send(("ok", ask.transaction_id, {}))
            done = await trigger(app.runtime, scope, ask)
            said.send(("ok", ask.transaction_id, {"event_id": str(done.event_id), "executions": done.executions}))
            crash.crash_point("answered")
        for transaction_id in job.cancels:
            found = await cancel(app.runtime, scope, transaction_id)
            facts = {"cancelled": found.cancelled, "cancelling": found.cancelling}
            said.send(("ok", f"cancel {transaction_id}", facts))
        if job.until:
            worker = app.worker()
            working = asyncio.create_task(worker.run())
            deadline = time.monotonic() + job.patience
            while await under_way(scope, job.until) and time.monotonic() < deadline:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.02)
            worker.stop()
            await working
    said.send(("end", "", {"pid": os.getpid()}))


async def under_way(scope: Scope, transactions: Sequence[str]) -> bool:
    """Whether any event of ``transactions`` has members to come, or an execution that has not ended."""
    try:
        rows: Any = await scope.database.fetch(
            f"select e.status as event, x.status as execution from novukit_event e left join novukit_execution x "
            f"on x.event_id = e.id where e.environment_id = $1 and e.transaction_id in {in_list(transactions, 2)}",
            scope.environment_id, *transactions,
        )  # fmt: skip
    except Exception as err:
        if outage(err) is None:
            raise
        return True
    return any(row["event"] == "expanding" or row["execution"] not in {*FINAL, None} for row in rows)
