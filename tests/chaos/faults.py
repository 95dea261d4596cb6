"""Fault drivers, and the seeded schedule of a run. A driver hurts only what it has proved to be ours (``machines``)."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from redis.exceptions import RedisError

from .machines import Kept, NotOursError, Postgres, Redis

FREEZE = "SIGSTOP, SIGCONT of a worker"
EARLY = 0.15
"""The share of faults that also hurt a process which is just starting."""


@dataclass(frozen=True)
class Fault:
    """One fault: when (seconds from the beginning), what, and how much of it."""

    at: float
    what: str
    dose: float

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.what}  {self.dose:.3f}"


@dataclass
class Hurt:
    """A fault that was done: wall times of its beginning and end."""

    fault: Fault
    began: float
    ended: float = 0.0
    pid: int = 0


@dataclass
class Site:
    """What can be hurt."""

    postgres: Postgres
    redis: Redis
    server: Kept
    workers: Sequence[Kept]
    database: str
    done: list[Hurt] = field(default_factory=list[Hurt])

    def __post_init__(self) -> None:
        names = ["postgres", "redis", self.server.name, *[worker.name for worker in self.workers]]
        self.turns = {name: asyncio.Lock() for name in names}
        """One fault at a time for each of them, so that each heals before it is hurt again."""


Drive = Callable[[Site, float], Awaitable[int | None]]


def schedule(rng: random.Random, seconds: float, every: float, what: Sequence[str]) -> list[Fault]:
    """Faults at random moments, ``every`` seconds on average. Each kind comes before any comes again."""
    found: list[Fault] = []
    deck: list[str] = []
    at = rng.uniform(0.5, 1.5) * every
    while what and at < seconds:
        deck = deck or rng.sample(what, len(what))
        found.append(Fault(at, deck.pop(), rng.random()))
        at += every * rng.uniform(0.4, 1.6)
    return found


async def inflict(site: Site, faults: Sequence[Fault], began: float) -> None:
    """Do all of them at their times; ends when the last one is healed."""
    async with asyncio.TaskGroup() as all_of_them:
        for fault in faults:
            all_of_them.create_task(_at_its_time(site, fault, began))


async def _at_its_time(site: Site, fault: Fault, began: float) -> None:
    await asyncio.sleep(max(began + fault.at - time.time(), 0))
    target, drive = FAULTS[fault.what]
    async with site.turns[_one_of(site.workers, fault.dose).name if target == "worker" else target]:
        hurt = Hurt(fault, time.time())
        with suppress(NotOursError):  # it is between two lives: nothing to hurt
            hurt.pid = await drive(site, fault.dose) or 0
            hurt.ended = time.time()
            site.done.append(hurt)


def _one_of(workers: Sequence[Kept], dose: float) -> Kept:
    return workers[int(dose * 1000) % len(workers)]


def _living(program: Kept, dose: float) -> Kept:
    """Most of the time a process is given the time to be up before it is hurt again: else it would never work."""
    if not program.is_up and dose > EARLY:
        raise NotOursError(f"{program.name} is not up.")
    return program


async def _kill_server(site: Site, dose: float) -> int:
    _living(site.server, dose)
    pid = site.server.machine.pid
    site.server.kill()
    return pid


async def _roll_server(site: Site, dose: float) -> int:
    _living(site.server, dose)
    pid = site.server.machine.pid
    await site.server.roll()
    return pid


async def _kill_worker(site: Site, dose: float) -> int:
    worker = _living(_one_of(site.workers, dose), dose)
    pid = worker.machine.pid
    worker.kill()
    return pid


async def _roll_worker(site: Site, dose: float) -> int:
    worker = _living(_one_of(site.workers, dose), dose)
    pid = worker.machine.pid
    await worker.roll()
    return pid


async def _freeze_worker(site: Site, dose: float) -> int:
    """SIGSTOP for longer than a lease, then SIGCONT."""
    worker = _living(_one_of(site.workers, dose), dose)
    worker.machine.signal(signal.SIGSTOP)
    pid = worker.machine.pid
    try:
        await asyncio.sleep(2.5 + 2.5 * dose)
    finally:
        worker.machine.signal(signal.SIGCONT)
    return pid


async def _restart_redis(site: Site, dose: float) -> None:
    site.redis.signal(signal.SIGKILL)
    await site.redis.gone(10)
    await asyncio.sleep(2 * dose)
    await site.redis.up()


async def _flush_redis(site: Site, dose: float) -> None:
    with suppress(RedisError):
        await site.redis.tell("FLUSHALL")


async def _pause_redis(site: Site, dose: float) -> None:
    """It accepts connections and commands, and answers nothing."""
    with suppress(RedisError):
        await site.redis.tell("CLIENT", "PAUSE", int(500 + 2500 * dose), "ALL")
    await asyncio.sleep(0.5 + 2.5 * dose)


async def _restart_postgres(site: Site, dose: float) -> None:
    await site.postgres.stop_at_once()
    await asyncio.sleep(3 * dose)
    await site.postgres.up()


async def _cut_connections(site: Site, dose: float) -> None:
    """``pg_terminate_backend`` of every connection but ours."""
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        connection: Any = await site.postgres.connect(site.database)
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()


FAULTS: dict[str, tuple[str, Drive]] = {
    "kill -9 of the server": ("server", _kill_server),
    "SIGTERM to the server": ("server", _roll_server),
    "kill -9 of a worker": ("worker", _kill_worker),
    "SIGTERM to a worker": ("worker", _roll_worker),
    FREEZE: ("worker", _freeze_worker),
    "kill -9 of Redis": ("redis", _restart_redis),
    "FLUSHALL": ("redis", _flush_redis),
    "CLIENT PAUSE": ("redis", _pause_redis),
    "immediate stop of Postgres": ("postgres", _restart_postgres),
    "pg_terminate_backend": ("postgres", _cut_connections),
}
"""What can be done, and to whom: the server, a worker, Redis or Postgres."""
MILD = ("kill -9 of Redis", "FLUSHALL", "CLIENT PAUSE", "immediate stop of Postgres", "pg_terminate_backend")
"""Those that leave novukit's own processes alive, so that one can see what grows in them."""
