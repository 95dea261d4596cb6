"""DBOS at the best configuration found: synchronous steps, 16 threads, a queue that is polled every 0.1 s."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from typing import Any

import asyncpg

from novukit.cli.processes import usual

from ..process import running, used
from ..session import Session
from ..store import Cost, Meter, until

PROGRAM = "bench.peers.dbos_program"
WARM = 100
LEFT = "select 1 from dbos.workflow_status where status in ('ENQUEUED', 'PENDING') limit 1"


class Dbos:
    """DBOS over one Postgres database: worker processes and a client process, as on novukit's side."""

    def __init__(self, session: Session, url: str) -> None:
        self._session, self._url = session, url
        self._done = 0

    @classmethod
    async def make(cls, session: Session) -> Dbos:
        return cls(session, await session.servers.create("bench_dbos"))

    @property
    def sizes(self) -> list[int]:
        """How many worker processes it is tried with: one, and as many as ``novukit worker`` has."""
        return sorted({1, usual(self._url)})

    async def measure(self, n: int, processes: int) -> Cost:
        """Enqueue ``n`` workflows to idle workers; the clock stops when all have ended."""
        session, python, folder = self._session, self._session.peers, self._session.folder
        worker_words = [python, "-m", PROGRAM, "worker", self._url]
        client_words = [python, "-m", PROGRAM, "client", self._url]
        async with AsyncExitStack() as stack:
            workers = [
                await stack.enter_async_context(running(f"dbos {n}", [*worker_words, f"worker-{n}"], folder=folder))
                for n in range(processes)
            ]
            async with running("dbos client", client_words, folder=folder) as client:
                connection = await asyncpg.connect(self._url)
                try:
                    await client.ask(n=WARM)
                    await _drained(connection)
                    await session.servers.settle()
                    pids = {"trigger": client.pid, **{f"worker {n}": each.pid for n, each in enumerate(workers, 1)}}
                    pids["postgres"] = session.servers.postmaster
                    meter = Meter(n, connection, pids)
                    await meter.start()
                    await client.ask(n=n)
                    await _drained(connection)
                    cost = await meter.stop()
                    self._done += WARM + n
                    done = await connection.fetchval(
                        "select count(*) from dbos.workflow_status where status = 'SUCCESS'"
                    )
                    assert done == self._done, f"{done} of {self._done} succeeded"
                finally:
                    await connection.close()
        session.tell(f"DBOS ({processes} worker): {cost.rate:,.0f}/s, {cost.milliseconds:.2f} ms ({cost.parts()})")
        return cost


async def _drained(connection: asyncpg.Connection) -> None:
    async def none_left() -> bool:
        return not await connection.fetchval(LEFT)

    await until(none_left, 0.05)


async def on_sqlite(session: Session, number: int, n: int, *, wal: bool = False) -> dict[str, Any]:
    """DBOS over a SQLite file, client and worker in one process.

    DBOS leaves SQLite's rollback journal as it is. ``wal`` sets the file to a write-ahead log first, which DBOS does
    not undo.
    """
    file = session.folder / f"dbos-{number}-{'wal' if wal else 'journal'}.sqlite"
    if wal:
        made = sqlite3.connect(file)
        made.execute("pragma journal_mode = wal")
        made.close()
    words = [session.peers, "-m", PROGRAM, "embedded", f"sqlite:///{file}"]
    async with running("dbos embedded", words, folder=session.folder) as program:
        await program.ask(n=WARM // 5)
        before = used([program.pid])
        answer = await program.ask(n=n)
        cpu = used([program.pid]) - before
    figures = {"n": n, "rate": n / answer["seconds"], "cpu_ms": 1000 * cpu / n}
    session.tell(f"DBOS, SQLite{' with WAL set' if wal else ''}: {figures['rate']:,.0f}/s, {figures['cpu_ms']:.2f} ms")
    return figures
