"""kill -9 of a worker with default settings: what is done twice, and how long until another goes on: row 13."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg

from .. import process
from ..figures import Bar, Row, Spread, count
from ..project import Project
from ..session import Session
from ..store import Drain, until

EXECUTIONS = 40
PATIENCE = 60.0
OWNED = (
    "select w.pid, e.id, e.subscriber_id from novukit_execution e join novukit_worker w on w.id = e.worker_id "
    "where e.finished_at is null"
)
DURABLE = (
    "select c.step_id, e.subscriber_id from novukit_checkpoint c join novukit_execution e on e.id = c.execution_id "
    "where c.status = 'completed' and e.id = any($1::uuid[])"
)


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Two workers; the one that holds more is killed while its third steps run."""
    rounds: list[dict[str, Any]] = []
    for number in range(session.rounds or session.pick(1, 5)):
        made = await session.project(f"crash{number}")
        rounds.append(await _kill(made))
        session.tell(
            "killed: {held} executions held, {durable} steps durable, {again} of them run again; the first was resumed "
            "after {first:.1f} s, the last after {last:.1f} s".format(**rounds[-1])
        )
    again, durable = sum(r["again"] for r in rounds), sum(r["durable"] for r in rounds)
    first, last = Spread.of([r["first"] for r in rounds]), Spread.of([r["last"] for r in rounds])
    return [
        Row("13", "kill -9 of a worker, default settings: durable steps run again", Bar(0, 0, "steps", at_least=False),
            f"{again} of {count(durable)}", "—", Spread.of([r["again"] for r in rounds]), {"rounds": rounds}),
        Row("13", "The same: until another worker has resumed all its work", Bar(15, 5, "s", at_least=False),
            f"{last.text(' s')}, the first one {first.text(' s')}", "—", last),
    ]  # fmt: skip


async def _kill(made: Project) -> dict[str, Any]:
    ledger = made.folder / "ledger"
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(made.worker(f"worker {n}")) for n in (1, 2)]
        feeder = await stack.enter_async_context(made.program("feed"))
        connection = await asyncpg.connect(made.database)
        stack.push_async_callback(connection.close)
        drain = Drain(connection)
        await drain.mark()
        await feeder.ask(workflow="killed", n=EXECUTIONS, in_flight=1)
        await _noted(ledger, "c", EXECUTIONS)
        owned = await connection.fetch(OWNED)
        processes = {worker: {worker.pid, *process.children(worker.pid)} for worker in workers}
        victim = max(workers, key=lambda worker: sum(row["pid"] in processes[worker] for row in owned))
        dead = processes[victim]  # its other processes end with the first one
        theirs = [row for row in owned if row["pid"] in dead]
        victim.kill()
        killed = time.time()
        durable = await connection.fetch(DURABLE, [row["id"] for row in theirs])
        names = {row["subscriber_id"] for row in theirs}
        resumed: dict[str, float] = {}
        async with asyncio.timeout(PATIENCE):
            while len(resumed) < len(names):
                await asyncio.sleep(0.05)
                resumed = _after(ledger, killed, dead, names)
            await drain.empty()
        steps = {f"{row['step_id']} {row['subscriber_id']}" for row in durable}
        again = [name for at, pid, name in _lines(ledger) if pid not in dead and at > killed and name in steps]
        return {
            "held": len(theirs), "durable": len(steps), "again": len(again),
            "first": min(resumed.values()) - killed, "last": max(resumed.values()) - killed,
        }  # fmt: skip


async def _noted(ledger: Path, step: str, wanted: int) -> None:
    """Wait until so many executions are in ``step``."""

    async def noted() -> bool:
        return sum(name.startswith(f"{step} ") for _, _, name in _lines(ledger)) >= wanted

    async with asyncio.timeout(PATIENCE):
        await until(noted, 0.02)


def _after(ledger: Path, killed: float, dead: set[int], names: set[str]) -> dict[str, float]:
    """When somebody else first did something for each of ``names``."""
    found: dict[str, float] = {}
    for at, pid, name in _lines(ledger):
        who = name.partition(" ")[2]
        if pid not in dead and at > killed and who in names:
            found.setdefault(who, at)
    return found


def _lines(ledger: Path) -> list[tuple[float, int, str]]:
    """What the steps wrote down: when, which process, which step of whom."""
    if not ledger.exists():
        return []
    parts = (line.split(" ", 2) for line in ledger.read_text().splitlines())
    return [(float(at), int(pid), name) for at, pid, name in parts]
