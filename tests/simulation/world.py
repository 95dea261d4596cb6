"""``World``: one seed: machines, clients, weather; faults for a while, then none, and then all must have ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import logging
import random
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from novukit.engine import fanout, runtime
from novukit.store import journal
from novukit.testing.clock import START

from . import liveness
from .clients import CLIENTS, Client, Sent
from .disk import Change, Disk
from .ground import Ground, folder, ground, settings_for
from .judge import Judge
from .loop import Deadlock, HotLoop, SimLoop
from .mutants import Mutant
from .post import Ledger
from .rates import Rates, draw
from .site import Site

FAULTS_UNTIL = 30.0
"""Virtual seconds after which nothing fails any more."""
AT_REST_BY = 90.0
"""Virtual seconds after that in which everything must have ended: leases, sweeps, retries and timers included."""


@dataclass
class Outcome:
    """What became of a seed."""

    seed: int
    rates: Rates
    trace: str
    """A hash of all that happened, in order."""
    broken: list[str] = field(default_factory=list[str])
    commits: int = 0
    ticks: int = 0
    statements: int = 0
    elapsed: float = 0.0
    seen: Counter[str] = field(default_factory=Counter[str])
    """What happened, and how often."""

    def __str__(self) -> str:
        said = "\n".join(f"  {line}" for line in self.broken)
        return (
            f"seed {self.seed}: {self.rates}\n{said}\nReplay it: python -m tests.simulation --seed {self.seed} --trace"
        )


class World:
    """One seed while it lasts."""

    def __init__(
        self,
        seed: int,
        file: Path,
        base: Ground,
        tell: Callable[[str], None] | None = None,
        *,
        deaf: bool = False,
        rewrite: tuple[str, str] | None = None,
    ) -> None:
        self.seed, self.rng, self.tell = seed, random.Random(seed), tell
        self.rates = self.drawn = draw(self.rng)
        self.loop = SimLoop(random.Random(self.rng.getrandbits(32)), shuffle=self.rates.shuffle)
        self.settings = settings_for(
            file, concurrency=self.rates.concurrency, lease=self.rates.lease, sweep=3600.0 if deaf else self.rates.sweep
        )
        self.base, self.disk, self.file = base, Disk(), file
        self.judge, self.ledger = Judge(self), Ledger(self)
        self.sent: list[Sent] = []
        self.problems: list[str] = []
        self._hash = hashlib.blake2b(digest_size=12)
        self._names: dict[str, str] = {}
        self.healed = self.over = False
        self.statements, self.rewrite = 0, rewrite
        self.workers = [Site(self, f"worker{n}", works=True) for n in range(self.rates.workers)]
        self.apis = [Site(self, f"api{n}", works=False) for n in range(2)]

    @property
    def sites(self) -> list[Site]:
        return [*self.workers, *self.apis]

    @property
    def reliable(self) -> bool:
        """Whether no worker of this seed may lose an answer that it has heard."""
        r = self.drawn
        kept = not (r.commit_refused or r.commit_lost or r.commit_dropped or r.statement_fails)
        return kept and not (r.pause or r.pause_at_intent) and r.chaos > 1e6

    def now(self) -> datetime:
        """The true time, which is the database's."""
        return START + timedelta(seconds=self.loop.elapsed)

    def short(self, id: Any) -> str:
        """A small name for an id, the same in every run."""
        return self._names.setdefault(str(id), f"x{len(self._names)}")

    def said(self, what: str, site: Site | None) -> None:
        """One line of the trace."""
        if self.over:
            return
        line = f"{self.loop.elapsed:10.4f} {site or 'world'} {what}"
        self._hash.update(line.encode())
        if self.tell is not None:
            self.tell(line)

    def happens(self, what: str, site: Site, more: str = "") -> None:
        """A blow of the weather, or what comes of one: told, and counted."""
        self.said(what + more, site)
        if not self.over:
            self.judge.seen[what] += 1

    def broken(self, promise: str, said: str) -> None:
        """A promise does not hold: the world ends."""
        if self.over:
            return
        self.said(f"BROKEN {promise}: {said}", None)
        self.problems.append(f"{promise} at {self.loop.elapsed:.3f} s: {said}")
        self.loop.stop()

    def committed(self, site: Site, changes: Sequence[Change]) -> None:
        """Something is durable."""
        self.said("; ".join(map(self._told, changes)), site)
        site.about_to_call = any(table == "checkpoint" and row[5] == "calling" for table, _, row in changes)
        self.judge.committed(site, changes)

    def _told(self, change: Change) -> str:
        table, op, row = change
        match table:
            case "execution":
                return f"{op} {self.short(row[0])} {row[6]} runs={row[10]} wake={row[7] and row[7][14:23]}"
            case "checkpoint":
                return f"{op} {self.short(row[1])}.{row[2]} {row[5]} {row[7] or ''} n={row[8]}"
            case "message":
                return f"{op} message {self.short(row[2])}.{row[4]} {row[7]}"
            case "event":
                return f"{op} event {row[2]} {row[4]}"
            case _:
                return f"{op} {table} {self.short(row[0])}"

    def ring(self, site: Site) -> None:
        """A bell rings at every worker, perhaps."""
        rng, rates = self.rng, self.rates
        for worker in self.workers:
            times = 0 if rng.random() < rates.ring_lost else 2 if rng.random() < rates.ring_doubled else 1
            for _ in range(times):
                delay = rng.random() * rates.ring_late + 0.001
                self.loop.outside(self.loop.time() + delay, lambda bell=worker.bell: [h() for h in bell.hearers])

    def died(self, site: Site) -> None:
        """A process has ended; there will be another one."""
        if self.over:
            return
        delay = self.rng.random() * (0.5 if self.healed else 8.0)
        self.loop.outside(self.loop.time() + delay, lambda: None if site.alive else site.boot())

    async def _live(self) -> None:
        for site in self.sites:
            self.loop.outside(self.loop.time() + self.rng.random() * 0.5, site.boot)
        clients = [Client(self, f"client{n}") for n in range(CLIENTS)]
        await asyncio.sleep(0.6)
        living = [self.loop.create_task(client.live(self.rates.rush)) for client in clients]
        chaos = self.loop.create_task(self._chaos())
        await asyncio.sleep(FAULTS_UNTIL)
        chaos.cancel()
        self._heal()
        waited = 0.0
        while liveness.under_way(self, living):
            await asyncio.sleep(1.0)
            waited += 1.0
            if waited > AT_REST_BY:
                for line in liveness.under_way(self, living):
                    self.broken("L1", line)
                return
        await liveness.check(self)

    def _heal(self) -> None:
        self.said("all is well from here on", None)
        self.healed = True
        calm = {name: 0.0 for name, value in vars(self.rates).items() if isinstance(value, float)}
        kept = ("lease", "sweep", "skew", "ring_lost")
        self.rates = replace(
            self.rates, **{**calm, **{name: getattr(self.rates, name) for name in kept}, "latency": 0.002}
        )

    async def _chaos(self) -> None:
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / self.rates.chaos) + 0.1)
            site = self.rng.choice(self.sites)
            match self.rng.choice(("kill", "freeze", "stop", "wind")):
                case "kill":
                    site.kill()
                case "freeze":
                    site.freeze(self.rng.choice((0.5, 1.5, 3.0)) * self.rates.lease)
                case "stop":
                    site.stop()
                case _:
                    site.watch.wrong_by = timedelta(seconds=(self.rng.random() - 0.5) * self.rates.skew)

    def run(self) -> Outcome:
        """Live through the seed."""
        main = self.loop.create_task(self._live())
        try:
            self.loop.run_until_complete(main)
        except (Deadlock, HotLoop) as err:
            self.problems.append(f"L5: {type(err).__name__}: {err}")
        except RuntimeError as err:
            if not self.problems:
                self.problems.append(f"{type(err).__name__}: {err}\n{traceback.format_exc()}")
        except Exception as err:
            self.problems.append(f"{type(err).__name__}: {err}\n{traceback.format_exc()}")
        self.problems += self.loop.troubles
        self._end(main)
        return Outcome(
            self.seed, self.drawn, self._hash.hexdigest(), self.problems, self.judge.commits, self.loop.ticks,
            self.statements, self.loop.elapsed, self.judge.seen,
        )  # fmt: skip

    def _end(self, main: asyncio.Task[None]) -> None:
        """Bury the dead: nothing of them may run when the garbage collector finds them."""
        self.over = True
        for site in self.sites:
            site.kill()
        for task in [main, *self.loop.tasks]:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        self.loop.close()
        runtime._started.clear()


def run(seed: int, *, bug: Mutant | None = None, tell: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed on a database of its own, it may be with a planted bug; ``tell`` is given each line of the trace."""
    with bug.planted() if bug else nullcontext():
        return _run(seed, bug, tell)


def _run(seed: int, bug: Mutant | None, tell: Callable[[str], None] | None) -> Outcome:
    base = ground(bug.without if bug else "")
    logs = logging.getLogger("novukit")
    level, propagate = logs.level, logs.propagate
    page, group = fanout.PAGE, journal.MAX_GROUP
    collecting = gc.isenabled()
    gc.disable()
    try:
        with folder() as place:
            file = place / "novukit.db"
            file.write_bytes(base.image)
            world = World(
                seed, file, base, tell, deaf=bug is not None and bug.deaf, rewrite=bug.rewrite if bug else None
            )
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute("update novukit_integration set concurrency = ?", (world.rates.places,))
                connection.commit()
            fanout.PAGE, journal.MAX_GROUP = world.rates.page, world.rates.group
            handler = _Listener(world)
            logs.addHandler(handler)
            logs.propagate = False
            logs.setLevel(logging.WARNING if tell else logging.ERROR)
            try:
                return world.run()
            finally:
                logs.removeHandler(handler)
    finally:
        fanout.PAGE, journal.MAX_GROUP = page, group
        logs.setLevel(level)
        logs.propagate = propagate
        if collecting:
            gc.enable()


class _Listener(logging.Handler):
    """Whatever novukit calls an error is one: no fault of this world may lead to that."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            error = record.exc_info[1] if record.exc_info else None
            self._world.broken("log", f"{record.getMessage()} ({type(error).__name__}: {error})")
        elif self._world.tell:
            self._world.tell(f"{self._world.loop.elapsed:10.4f} says: {record.getMessage()}")
