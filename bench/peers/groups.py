"""A hand-written asyncpg program that writes the rows of novukit's ``messages`` workflow in groups, by UNNEST."""

from __future__ import annotations

import sys

import asyncpg

from ..process import running
from ..project import Project
from ..session import Session
from ..store import Cost, Meter

PROGRAM = "bench.peers.groups_program"
WARM = 1000


class Groups:
    """The program, over a database with novukit's tables and indexes; its pattern is what novukit has written."""

    def __init__(self, session: Session, ours: Project, theirs: Project) -> None:
        self._session, self._ours, self._theirs = session, ours, theirs

    @classmethod
    async def make(cls, session: Session, ours: Project) -> Groups:
        return cls(session, ours, await session.project("groups"))

    async def measure(self, n: int) -> Cost:
        """Write ``n`` executions. The rows are made beforehand: only their way into the database is timed."""
        words = [sys.executable, "-m", PROGRAM, self._ours.database, self._theirs.database]
        async with running("groups", words, folder=self._theirs.folder) as program:
            connection = await asyncpg.connect(self._theirs.database)
            try:
                await program.ask(do="make", n=WARM)
                await program.ask(do="write")
                await program.ask(do="make", n=n)
                await self._session.servers.settle()
                meter = Meter(n, connection, {"program": program.pid, "postgres": self._session.servers.postmaster})
                await meter.start()
                await program.ask(do="write")
                cost = await meter.stop()
            finally:
                await connection.close()
        self._session.tell(f"asyncpg in groups: {cost.rate:,.0f}/s, {cost.milliseconds:.3f} ms ({cost.parts()})")
        return cost
