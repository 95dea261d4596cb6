"""What waiting costs: the idle stack with 100 000 executions asleep, none of them due: row 12."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from .. import fill, process
from ..figures import Bar, Row, Spread, count, number
from ..process import used
from ..project import Project
from ..session import Session
from ..store import server_pids, until

STATEMENT = re.compile(r"duration: [\d.]+ ms  (?:execute [^:]*|statement): (.*)")
ENDS = ("begin", "commit", "rollback")
SLEEPING = "select count(*) from novukit_execution where status = 'waiting'"


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Let a server and a worker idle over the sleepers, and read what Postgres heard and the kernel charged."""
    size, seconds = 100_000, session.pick(15.0, 60.0)
    made = await session.project("sleepers")
    await _fall_asleep(session, made, size)
    windows: list[tuple[int, int, dict[str, float]]] = []
    heard: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(made.worker())
        server = await stack.enter_async_context(made.server())
        await asyncio.sleep(session.pick(5, 15))  # until they have come to rest
        log = await session.servers.log_statements(True)
        pids = {"worker": worker.pid, "server": server.pid, **server_pids(session.servers)}
        for _round in range(session.rounds or session.pick(1, 3)):
            await asyncio.sleep(1)
            began, before = log.stat().st_size, {name: used([pid]) for name, pid in pids.items()}
            await asyncio.sleep(seconds)
            spent = {name: used([pid]) - before[name] for name, pid in pids.items()}
            statements = _statements(log, began)
            heard.update(statements)
            windows.append((sum(s not in ENDS for s in statements), len(statements), spent))
        await session.servers.log_statements(False)
    queries = Spread.of([n / seconds for n, _, _ in windows])
    every = Spread.of([n / seconds for _, n, _ in windows])
    cpu = Spread.of([100 * sum(spent.values()) / seconds for _, _, spent in windows])
    shares = {name: 100 * sum(spent[name] for _, _, spent in windows) / len(windows) / seconds for name in pids}
    session.tell(f"asleep: {queries.median:.2f} queries/s, {cpu.median:.2f} % of a core")
    figures = {"statements": heard.most_common(30), "seconds": seconds, "cpu_percent": shares}
    parts = " + ".join(f"{name} {number(share)}" for name, share in shares.items())
    title = f"{count(size)} asleep, none due"
    return [
        Row("12", f"{title}: queries/s", Bar(1, 0.2, "/s", at_least=False), f"{queries.text('/s')}",
            f"with begin and commit: {every.text('/s')}", queries, figures),
        Row("12", f"{title}: CPU of the idle stack", Bar(1, 0.3, "%", at_least=False), parts, "—", cpu),
    ]  # fmt: skip


async def _fall_asleep(session: Session, made: Project, size: int) -> None:
    """One real execution falls asleep; the others are copies of it."""
    connection = await asyncpg.connect(made.database)
    async with made.worker(), made.program("feed") as feeder:
        await feeder.ask(workflow="asleep", n=1)
        async with asyncio.timeout(30):
            await until(lambda: connection.fetchval(SLEEPING), 0.05)
    await fill.asleep(made.database, "asleep", size)
    assert size + 1 == await connection.fetchval(SLEEPING)
    # What the fill left behind: autovacuum would clear it away within a minute, in the midst of the idle time.
    await connection.execute("vacuum (analyze)")
    await connection.close()
    await session.servers.settle()


def _statements(log: Path, start: int) -> list[str]:
    """What Postgres has executed since its log was ``start`` bytes long."""
    text = process.tail(log, start)
    return [found[1].strip().rstrip(";").lower()[:200] for found in STATEMENT.finditer(text)]
