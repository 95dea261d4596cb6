"""``Worker``: claims due executions in batches and runs them, as many at a time as it has room for."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from ..engine import Runtime, Shift, claim, run, sweep
from ..store import executions
from ..store.executions import Claimed
from ..store.outage import outage
from .bell import Bell

log = logging.getLogger("novukit.worker")

LAST_CALL = 5.0
"""Seconds that a cancelled execution has to end. Author's code may refuse to; the lease is given up all the same."""


class Worker:
    """One worker: a claim loop, a heart that keeps the lease, and a sweeper.

    It looks for work when it is rung, when a timer comes due, when a place becomes free, and otherwise every ``sweep``
    seconds; so a bell that is lost costs at most that.
    """

    def __init__(self, rt: Runtime, bell: Bell) -> None:
        self._rt, self._bell, self._settings = rt, bell, rt.settings.worker
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._lapsed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Take no more work; let what runs end within the grace time, and hand the rest over."""
        self._stopping.set()
        self._wake.set()

    @property
    def busy(self) -> int:
        """How many executions are running here now."""
        return len(self._running)

    async def run(self) -> None:
        """Work until :meth:`stop`. Survives an unreachable database and a lost lease."""
        heard = self._wake.set
        self._bell.listen(heard)
        try:
            while not self._stopping.is_set():
                await self._work_a_shift()
        finally:
            await self._bell.unlisten(heard)

    async def _work_a_shift(self) -> None:
        self._lapsed.clear()
        shift = Shift(self._rt, timedelta(seconds=self._settings.lease))
        try:
            await shift.begin()
        except Exception as err:
            await self._trouble("a worker could not sign on", err)
            return
        beside = [self._start(self._beat(shift)), self._start(self._sweep())]
        try:
            await self._work(shift)
        finally:
            beside[1].cancel()
            await self._leave(shift, beating=beside[0])
            await asyncio.wait(beside)

    async def _work(self, shift: Shift) -> None:
        while not (self._stopping.is_set() or self._lapsed.is_set()):
            self._wake.clear()
            room = self._settings.concurrency - len(self._running)
            try:
                claimed = await claim(self._rt, shift, room)
            except Exception as err:
                await self._trouble("due work could not be looked for", err)
                continue
            for execution in claimed:
                self._run(shift, execution)
            if len(claimed) < room or not room:
                await self._pause(await self._until_due() if room else self._settings.sweep)

    def _run(self, shift: Shift, execution: Claimed) -> None:
        task = self._start(run(self._rt, shift, execution))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if len(self._running) == self._settings.concurrency - 1:
            self._wake.set()  # there was no room, and now there is

    async def _until_due(self) -> float:
        """Seconds until the next timer, at most a sweep interval."""
        with contextlib.suppress(Exception):
            due = await executions.next_due(self._rt.database, [w.id for w in self._rt.registry])
            if due is not None:
                return min(max((due - self._rt.clock.now()).total_seconds(), 0.005), self._settings.sweep)
        return self._settings.sweep

    async def _trouble(self, what: str, err: Exception) -> None:
        """Say so, and wait a little. No ring shortens this: whatever is wrong must not be tried in a hot loop."""
        log.warning("%s (%s: %s)", what, type(err).__name__, err, exc_info=err if outage(err) is None else None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(self._settings.sweep, 0.05), 1.0)):
                await self._stopping.wait()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _beat(self, shift: Shift) -> None:
        """Keep the lease; when it is lost, drop what runs here: it belongs to someone else now."""
        while True:
            await asyncio.sleep(self._settings.lease / 4)
            try:
                held = await shift.beat()
            except Exception as err:
                log.warning("the lease could not be extended (%s: %s)", type(err).__name__, err)
                continue
            if not held:
                log.warning("the lease was lost; beginning a new shift")
                self._lapsed.set()
                self._wake.set()
                return

    async def _sweep(self) -> None:
        while True:
            try:
                if await sweep(self._rt):
                    self._wake.set()
                    continue
            except Exception as err:
                log.warning("the sweep failed (%s: %s)", type(err).__name__, err)
            await asyncio.sleep(self._settings.sweep)

    async def _leave(self, shift: Shift, beating: asyncio.Task[None]) -> None:
        """End a shift: what runs gets its grace, the rest is cancelled and given back. The heart beats meanwhile."""
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
