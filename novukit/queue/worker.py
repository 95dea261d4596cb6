"""``Worker``: claims due executions in batches and runs them, as many at a time as it has room for."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

from ..engine import Runtime, Shift, claim, retain, run
from ..store.executions import Claimed
from ..store.outage import outage
from .bell import Bell
from .rounds import Rounds

log = logging.getLogger("novukit.worker")

BATCH = 100
"""Executions in one claim. A worker that got as many rings on, so that another one shares the rest."""
MOMENT = 0.05
"""Seconds that a full worker waits for a few places more: to claim for one costs as much as for many."""
GATHER, MANY = 0.01, 8
"""Seconds between two claims while so many executions run here: what is claimed together also commits together."""
RETAIN_EVERY = 3600.0
"""Seconds between two sweeps of what is older than the retention."""
LAST_CALL = 5.0
"""Seconds that a cancelled execution has to end. Author's code may refuse to; the lease is given up all the same."""


class Worker:
    """One worker: a claim loop, and beside it the rounds that keep its lease.

    It looks for work when it is rung, when a timer comes due, when places become free, and otherwise every ``sweep``
    seconds; so a bell that is lost costs at most that.
    """

    def __init__(self, rt: Runtime, bell: Bell) -> None:
        self._rt, self._bell, self._settings = rt, bell, rt.settings.worker
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._lapsed = asyncio.Event()
        self._room = asyncio.Event()
        """Whether rings are taken here. Those that come while there is no room are for others."""
        self._running: set[asyncio.Task[None]] = set()
        self._rounds: Rounds | None = None
        self._shift: Shift | None = None
        self._environment: UUID | None = None

    def stop(self) -> None:
        """Take no more work; let what runs end within the grace time, and hand the rest over."""
        self._stopping.set()
        self._room.clear()
        self._wake.set()

    @property
    def busy(self) -> int:
        """How many executions are running here now."""
        return len(self._running)

    @property
    def room(self) -> int:
        """How many more executions may run here. Those that stand in line for an integration take no place."""
        aside = self._shift.aside if self._shift is not None else 0
        return max(0, self._settings.concurrency - len(self._running) + aside)

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() or self._lapsed.is_set()

    async def run(self) -> None:
        """Work until :meth:`stop`. Survives an unreachable database and a lost lease."""
        self._bell.listen(self._heard)
        self._rt.routes.bulkheads.hearers.append(self._relieved)
        kept_for = self._rt.settings.kept_for
        retaining = self._start(self._retain(kept_for)) if kept_for is not None else None
        try:
            while not self._stopping.is_set():
                await self._work_a_shift()
        finally:
            if retaining is not None:
                retaining.cancel()
                await asyncio.wait({retaining})
            self._rt.routes.bulkheads.hearers.remove(self._relieved)
            await self._bell.unlisten(self._heard)

    def _relieved(self) -> None:
        """What was blocked is so no longer."""
        self._wake.set()
        if self._rounds is not None:
            self._rounds.news()

    def _place_free(self) -> None:
        if not self._room.is_set():
            self._wake.set()

    def _heard(self) -> asyncio.Event | None:
        if not self._room.is_set():
            return self._room
        self._wake.set()
        if self._rounds is not None:
            self._rounds.news()
        return None

    async def _work_a_shift(self) -> None:
        self._lapsed.clear()
        shift = self._shift = Shift(self._rt, timedelta(seconds=self._settings.lease))
        shift.stepped_aside = self._place_free
        try:
            await shift.begin()
        except Exception as err:
            await self._trouble("a worker could not sign on", err)
            return
        rounds = self._rounds = Rounds(self._rt, shift, self._wake.set, self._lapse)
        walking, beating = self._start(rounds.walk()), self._start(rounds.beat())
        try:
            await self._work(shift, rounds)
        finally:
            rounds.stop()
            walking.cancel()
            await self._leave(shift, beating)
            await asyncio.wait({walking, beating})

    def _lapse(self) -> None:
        """What runs here belongs to someone else now: drop it."""
        log.warning("the lease was lost; beginning a new shift")
        if self._rt.observer is not None:
            self._rt.observer.lease_lost()
        self._lapsed.set()
        self._wake.set()

    async def _work(self, shift: Shift, rounds: Rounds) -> None:
        while not self._over:
            if not self.room:
                await self._until_room()
                continue
            self._room.set()
            self._wake.clear()
            limit = min(self.room, BATCH)
            try:
                claimed = await claim(self._rt, shift, limit)
            except Exception as err:
                await self._trouble("due work could not be looked for", err)
                continue
            for execution in claimed:
                self._run(shift, execution)
                self._environment = execution.environment_id
            if len(claimed) == limit:
                await self._ring_on()  # there may be more than was taken here
            else:
                rounds.ask(vain=not claimed)
                await self._wake.wait()
                if len(self._running) >= MANY and not self._over:
                    await asyncio.sleep(GATHER)

    async def _until_room(self) -> None:
        """Wait until there is room again, for several if they come soon. What comes due meanwhile is for others."""
        self._room.clear()
        while not (self.room or self._over):
            await self._wake.wait()
            self._wake.clear()
            if not self.room:
                await self._ring_on()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOMENT):
                while self.room < self._settings.concurrency // 4 and not self._over:
                    await self._wake.wait()
                    self._wake.clear()

    async def _ring_on(self) -> None:
        if self._environment is not None:
            await self._rt.ring(self._environment)

    def _run(self, shift: Shift, execution: Claimed) -> None:
        task = self._start(run(self._rt, shift, execution))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._rounds is not None:
            self._rounds.ask()  # it may have set a timer
        self._place_free()

    async def _trouble(self, what: str, err: Exception) -> None:
        """Say so, and wait a little. No ring shortens this: whatever is wrong must not be tried in a hot loop."""
        log.warning("%s (%s: %s)", what, type(err).__name__, err, exc_info=err if outage(err) is None else None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(self._settings.sweep, 0.05), 1.0)):
                await self._stopping.wait()

    async def _retain(self, kept_for: timedelta) -> None:
        """Delete what ended too long ago, each worker at a time of its own."""
        while True:
            await asyncio.sleep(RETAIN_EVERY * (0.5 + self._rt.random.random()))
            try:
                if gone := await retain(self._rt, kept_for):
                    log.info("deleted what ended long ago: %s", ", ".join(f"{n} {what}" for what, n in gone.items()))
            except Exception as err:
                log.warning("the retention sweep failed (%s: %s)", type(err).__name__, err)

    async def _leave(self, shift: Shift, beating: asyncio.Task[None]) -> None:
        """End a shift: no call begins any more, those under way get their grace, what is left is given back.

        The heart beats meanwhile.
        """
        shift.close()
        try:
            if self._running and not self._lapsed.is_set():
                await asyncio.wait(set(self._running), timeout=self._settings.grace)
        finally:
            beating.cancel()
            for task in set(self._running):
                task.cancel()
        if self._running:
            _, stubborn = await asyncio.wait(set(self._running), timeout=LAST_CALL)
            self._running -= stubborn
            if stubborn:
                log.warning("%d executions do not let themselves be stopped; they are given up", len(stubborn))
        try:
            async with asyncio.timeout(5):
                if given_back := await shift.end():
                    log.info("%d executions given back", given_back)
        except Exception as err:
            log.warning("the worker could not sign off (%s: %s); its lease will lapse", type(err).__name__, err)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of its own, outside any transaction that may be open here."""
        return asyncio.get_running_loop().create_task(work, context=contextvars.Context())
