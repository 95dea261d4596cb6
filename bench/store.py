"""Looking at a store from outside, as cheaply as can be: when all has ended, what was written, what it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import mean
from typing import Any
from uuid import UUID

import asyncpg

from . import process
from .machine import Servers, pace

EVERY = 0.02
"""Seconds between two looks at the oldest execution that has not ended, and between two at the machine's pace."""

BY_KEY = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set jit = off"
"""Else the planner may read a whole table to find one row, and what is measured pays for that."""
HERE = "select id from novukit_environment where slug = 'development'"
NEWEST = "select id from novukit_execution where environment_id = $1 order by environment_id desc, id desc limit 1"
LEFT = (
    "select id from novukit_execution where environment_id = $1 and id > $2 and finished_at is null "
    "order by environment_id, id limit 1"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one measurement took."""

    n: int
    seconds: float
    cpu: dict[str, float]
    """Seconds of CPU of each process."""
    wal: int
    """Bytes of write-ahead log."""
    pace: float
    """What :func:`bench.machine.pace` took meanwhile, on average."""

    @property
    def rate(self) -> float:
        return self.n / self.seconds

    @property
    def milliseconds(self) -> float:
        """CPU of one execution, all processes together."""
        return 1000 * sum(self.cpu.values()) / self.n

    def parts(self) -> str:
        """``trigger 0.10 + worker 0.20 + postgres 0.10``, in ms of CPU of one execution."""
        return " + ".join(f"{name} {1000 * used / self.n:.3f}" for name, used in self.cpu.items())

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.n, "seconds": self.seconds, "rate": self.rate, "cpu_ms": self.milliseconds,
            "cpu_parts_ms": {name: 1000 * used / self.n for name, used in self.cpu.items()},
            "wal_bytes": self.wal / self.n, "pace_ms": self.pace,
        }  # fmt: skip


class Meter:
    """Reads CPU and write-ahead log before and after."""

    def __init__(self, n: int, connection: asyncpg.Connection, pids: dict[str, int]) -> None:
        self._n, self._connection, self._pids = n, connection, pids

    async def start(self) -> None:
        self._paces, self._walking = list[float](), asyncio.create_task(self._walk())
        self._lsn = await self._connection.fetchval("select pg_current_wal_insert_lsn()")
        self._cpu = {name: process.used([pid]) for name, pid in self._pids.items()}
        self._began = time.monotonic()

    async def stop(self) -> Cost:
        seconds = time.monotonic() - self._began
        cpu = {name: process.used([pid]) - self._cpu[name] for name, pid in self._pids.items()}
        wal: Any = await self._connection.fetchval(
            "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::bigint", self._lsn
        )
        self._walking.cancel()
        return Cost(self._n, seconds, cpu, wal, mean(self._paces))

    async def _walk(self) -> None:
        while True:
            self._paces.append(pace())
            await asyncio.sleep(EVERY)


async def until(look: Callable[[], Awaitable[Any]], every: float) -> None:
    """Wait until ``look`` gives something true, looking every so many seconds: nobody would tell us."""
    while not await look():  # noqa: ASYNC110
        await asyncio.sleep(every)


class Drain:
    """Tells when every execution that was begun since has ended; it walks the primary key once, and never back."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def mark(self) -> None:
        """Count from now: what is there already is not looked at again."""
        await self._connection.execute(BY_KEY)
        self._here: Any = await self._connection.fetchval(HERE)
        self._last: Any = await self._connection.fetchval(NEWEST, self._here) or UUID(int=0)

    async def empty(self) -> None:
        """Wait until all have ended."""
        await until(self._is_empty, EVERY)

    async def _is_empty(self) -> bool:
        oldest: Any = await self._connection.fetchval(LEFT, self._here, self._last)
        if oldest is not None:
            self._last = UUID(int=oldest.int - 1)
        return oldest is None


async def judge(connection: asyncpg.Connection, executions: int, checkpoints: int) -> None:
    """Hold what is on record to what was asked for: a fast answer that is wrong is no answer."""
    done = await connection.fetchval("select count(*) from novukit_execution where status = 'completed'")
    steps = await connection.fetchval("select count(*) from novukit_checkpoint where status = 'completed'")
    assert (executions, checkpoints) == (done, steps), f"{done} executions completed, {steps} steps"


def server_pids(servers: Servers) -> dict[str, int]:
    """The servers that a measurement includes."""
    return {"postgres": servers.postmaster, "redis": servers.redis_pid}
