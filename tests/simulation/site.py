"""``Site``: a simulated machine with clocks of its own, and its process: a real App and, it may be, a real Worker."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import UUID

from piccolo.engine import base as piccolo_engine

from novukit.app import SET_CLOCK, App
from novukit.clock import SystemClock
from novukit.engine import Runtime
from novukit.queue import Worker
from novukit.store import sqlite
from novukit.testing.clock import START

from .disk import SimConnection, away
from .ground import HOST, REGISTRY, SECRETS
from .loop import OWNER

if TYPE_CHECKING:
    from .world import World


class Watch:
    """A machine's clocks: the wall may be wrong and may be set, the steady one began some other day."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: random.Random, skew: float) -> None:
        self._loop = loop
        self.wrong_by = timedelta(seconds=(rng.random() - 0.5) * skew)
        self._booted = rng.random() * 1e6

    def wall(self) -> datetime:
        return START + timedelta(seconds=self._loop.time()) + self.wrong_by

    def steady(self) -> float:
        return self._booted + self._loop.time()


class SimBell:
    """What a worker takes for its bell."""

    def __init__(self) -> None:
        self.hearers: list[Callable[[], None]] = []

    def listen(self, heard: Callable[[], None]) -> None:
        self.hearers.append(heard)

    async def unlisten(self, heard: Callable[[], None]) -> None:
        self.hearers.remove(heard)


@dataclass(eq=False)
class Life:
    """One process, from its start to its end. What runs in its context runs only while it does."""

    site: Site
    alive: bool = True
    ready: bool = False
    paused: bool = False
    parked: list[asyncio.Handle] = field(default_factory=list[asyncio.Handle])


class Site:
    """A machine. ``boot`` starts a process on it, ``kill`` ends that as ``kill -9`` does, ``stop`` as SIGTERM does."""

    def __init__(self, world: World, name: str, *, works: bool) -> None:
        self.world, self.name, self.works = world, name, works
        self.rng = random.Random(world.rng.getrandbits(32))
        self.watch = Watch(world.loop, self.rng, world.rates.skew)
        self.clock = SystemClock(self.watch.wall, self.watch.steady)
        self.life = Life(self, alive=False)
        self.connections: list[SimConnection] = []
        self.bell = SimBell()
        self.app: App | None = None
        self.worker: Worker | None = None
        self.lives = 0
        self.about_to_call = False
        """Whether an intent has just been committed here."""

    def __repr__(self) -> str:
        return f"{self.name}.{self.lives}"

    @property
    def alive(self) -> bool:
        return self.life.alive

    @property
    def ready(self) -> bool:
        """Whether its process is up and has begun to work."""
        return self.life.alive and self.life.ready

    @property
    def rt(self) -> Runtime:
        assert self.app is not None
        return self.app.runtime

    def boot(self) -> None:
        """Start a process, with a memory as empty as the first one's."""
        assert not self.alive
        self.life = Life(self)
        self.lives += 1
        self.connections, self.bell = [], SimBell()
        self.clock = SystemClock(self.watch.wall, self.watch.steady)
        with (
            mock.patch.object(sqlite, "Connection", lambda path, *_: SimConnection(self, path)),
            # Piccolo asks for the version of the server, in a thread with a loop of its own.
            mock.patch.object(piccolo_engine, "run_sync", lambda asked: asked.close()),
        ):
            self.app = App(
                self.world.settings, clock=self.clock, host=HOST, registry=REGISTRY, secrets=SECRETS,
                seed=self.rng.getrandbits(32), inline=True,
            )  # fmt: skip
        engine = self.app.database.engine
        for connection in self.connections:
            connection.reads_only = connection is not engine.writer
        object.__setattr__(self.app.runtime, "ring", self.ring)
        self.world.said("starts", self)
        self.run(self._start(self.app))

    async def _start(self, app: App) -> None:
        """As App does it over Postgres: go by the database's clock before anything else, and look at it again later."""
        try:
            await self.clock.follow(self._database_time)
        except Exception as err:
            self.kill(f"cannot start ({err})")
            return
        self.life.ready = True
        self.run(self._keep_time())
        if self.works:
            self.worker = Worker(app.runtime, self.bell)  # type: ignore[arg-type]
            await self._work(self.worker)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(SET_CLOCK)
            with contextlib.suppress(Exception):
                await self.clock.follow(self._database_time)

    async def _work(self, worker: Worker) -> None:
        try:
            await worker.run()
        except Exception as err:
            self.world.broken("P14", f"the worker of {self} ended: {type(err).__name__}: {err}")
        if worker is self.worker:
            self.kill("has stopped")

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` in this process."""
        token = OWNER.set(self.life)
        try:
            return self.world.loop.create_task(work)
        finally:
            OWNER.reset(token)

    def stop(self) -> None:
        """SIGTERM."""
        if self.alive and self.worker is not None:
            self.world.happens("is told to stop", self)
            self.worker.stop()

    def kill(self, how: str = "is killed") -> None:
        """The process is no more: nothing of it runs again, not even a ``finally``."""
        if not self.alive:
            return
        self.world.happens(how, self)
        self.life.alive = False
        for connection in self.connections:
            connection.die()
        self.worker = None
        self.world.died(self)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP for a while. Time goes on meanwhile."""
        life = self.life
        if life.alive and not life.paused:
            self.world.happens("stands still", self, f" for {seconds:.1f} s")
            life.paused = True
            self.world.loop.outside(self.world.loop.time() + seconds, lambda: self._thaw(life))

    def _thaw(self, life: Life) -> None:
        if life.alive:
            self.world.said("goes on", self)
            life.paused = False
            parked, life.parked = life.parked, []
            self.world.loop.go_on(parked)

    async def never(self) -> None:
        """Wait for what does not come."""
        await self.world.loop.create_future()

    async def on_the_way(self) -> None:
        """Where a statement, a call or a ring takes time, and where the process may be struck."""
        rates, rng = self.world.rates, self.rng
        pause, self.about_to_call = rates.pause + self.about_to_call * rates.pause_at_intent, False
        if rates.crash or pause:
            drawn = rng.random()
            if drawn < rates.crash:
                self.kill()
                await self.never()
            if drawn > 1 - pause:
                self.freeze(rates.lease * rates.pause_leases)
                await asyncio.sleep(0)
        if rates.latency:
            await asyncio.sleep(rng.random() * rates.latency)

    def fate_of_a_commit(self) -> str:
        """What becomes of the next commit."""
        rates = self.world.rates
        drawn = self.rng.random()
        for chance, fate in (
            (rates.commit_refused, "refused"), (rates.commit_dropped, "dropped"), (rates.commit_lost, "lost"),
            (rates.crash, "killed before"), (rates.crash, "killed after"),
        ):  # fmt: skip
            if drawn < chance:
                return fate
            drawn -= chance
        return ""

    def failing_statement(self) -> int:
        """Which of the next statements fails; -1 for none."""
        if self.rng.random() < self.world.rates.statement_fails:
            return self.rng.randint(1, 4)
        return -1

    async def _database_time(self) -> datetime:
        """What the database's own clock shows, which is never wrong here."""
        await self.on_the_way()
        if self.rng.random() < self.world.rates.statement_fails:
            raise away("simulated: a statement failed")
        shown = self.world.now()
        await self.on_the_way()
        return shown

    async def ring(self, environment_id: UUID) -> None:
        """The bell: heard by whoever listens anywhere, at once, late, twice or not at all."""
        self.world.ring(self)
