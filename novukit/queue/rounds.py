"""``Rounds``: what a worker looks after beside its executions: its lease, the next timer, what others left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from ..engine import Runtime, Shift, sweep
from ..store.workers import Found

log = logging.getLogger("novukit.worker")

GAP = 0.05
"""Seconds between two looks, at least. They grow while the looks promise due work and none can be claimed."""
A_LITTLE = 0.001
"""Seconds that a timer rings late, so that no clock can make it ring early."""


class Rounds:
    """One shift's rounds. A look is one statement, made when something has happened, and else once a sweep.

    ``wake`` is called when there is, or may be, due work; ``lapsed`` when the lease is lost.
    """

    def __init__(self, rt: Runtime, shift: Shift, wake: Callable[[], None], lapsed: Callable[[], None]) -> None:
        self._rt, self._shift, self._wake, self._lapsed = rt, shift, wake, lapsed
        self._sweep, self._lease = rt.settings.worker.sweep, rt.settings.worker.lease
        self._asked, self._gap, self._looked = False, GAP, 0.0
        self._changed = asyncio.Event()
        self._alarms: list[asyncio.TimerHandle] = []

    def ask(self, *, vain: bool = False) -> None:
        """Look again soon: what is due may have changed. ``vain`` says that nothing came of the last look."""
        self._hurry(asked=True, gap=min(self._gap * 2, self._sweep) if vain else GAP)

    def news(self) -> None:
        """Something was heard: do not hesitate with the next look."""
        self._hurry(asked=self._asked, gap=GAP)

    def _hurry(self, *, asked: bool, gap: float) -> None:
        sooner = asked and (not self._asked or gap < self._gap)
        self._asked, self._gap = asked, gap
        if sooner:
            self._changed.set()

    async def walk(self) -> None:
        """Look, and sweep where that finds something to do, until the lease is lost."""
        loop = asyncio.get_running_loop()
        while True:
            self._asked, self._looked = False, loop.time()
            try:
                found = await self._shift.look()
                if found is None:
                    self._lapsed()
                    return
                self._set_alarms(found)
                if (found.lapsed or found.expanding or found.told or self._over(found)) and await sweep(self._rt):
                    self._wake()
                    self.ask()
            except Exception as err:
                log.warning("the sweep failed (%s: %s)", type(err).__name__, err)
                await asyncio.sleep(min(self._sweep, 1.0))
            await self._until_asked(loop)

    async def _until_asked(self, loop: asyncio.AbstractEventLoop) -> None:
        while (left := self._looked + (min(self._gap, self._sweep) if self._asked else self._sweep) - loop.time()) > 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    async def beat(self) -> None:
        """Keep the lease; return when it is lost."""
        while True:
            await asyncio.sleep(self._lease / 4)
            try:
                held = await self._shift.keep()
            except Exception as err:
                log.warning("the lease could not be extended (%s: %s)", type(err).__name__, err)
                continue
            if not held:
                self._lapsed()
                return

    def stop(self) -> None:
        """Let no timer ring any more."""
        while self._alarms:
            self._alarms.pop().cancel()

    def _over(self, found: Found) -> bool:
        """Whether a snooze is."""
        return found.returning is not None and found.returning <= self._rt.clock.now()

    def _set_alarms(self, found: Found) -> None:
        self.stop()
        if found.due is not None:
            self._set_alarm(found.due, self._wake)
        if found.returning is not None and not self._over(found):
            self._set_alarm(found.returning, self.ask)

    def _set_alarm(self, at: datetime, ring: Callable[[], None]) -> None:
        seconds = (at - self._rt.clock.now()).total_seconds()
        if seconds <= 0:
            ring()
        elif seconds <= self._sweep:
            self._alarms.append(asyncio.get_running_loop().call_later(seconds + A_LITTLE, ring))
