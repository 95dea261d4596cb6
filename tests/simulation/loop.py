"""``SimLoop``: an asyncio loop on virtual time, without sockets or threads; what is ready runs in a drawn order."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import random
from asyncio import base_events
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, Protocol

HOT = 200_000
"""So many callbacks without any time passing are a loop that never waits."""


class Owner(Protocol):
    """A simulated process: what runs in its context runs only while it does."""

    alive: bool
    paused: bool
    parked: list[asyncio.Handle]


OWNER: ContextVar[Owner | None] = ContextVar("simulated_process", default=None)
"""The process whose code runs now; None in the world around them."""


class Deadlock(Exception):
    """Everybody waits, and nothing is left that could wake anybody."""


class HotLoop(Exception):
    """Something runs again and again without waiting."""


_serial = itertools.count(1)


class _SimTask(asyncio.Task[Any]):
    """A task with a number for its hash: sets of tasks are walked in the same order in every run."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.number = next(_serial)
        super().__init__(*args, **more)

    def __hash__(self) -> int:
        return self.number


class _SimFuture(asyncio.Future[Any]):
    """As the tasks."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.number = next(_serial)
        super().__init__(*args, **more)

    def __hash__(self) -> int:
        return self.number


class SimLoop(base_events.BaseEventLoop):
    """Time stands still while anything is ready, and then jumps to the next timer.

    A task belongs to the process that started it, also when it was given a context of its own. What belongs to a
    process that is paused waits until it goes on; what belongs to a dead one is dropped: no ``finally`` runs, as after
    ``kill -9``. ``shuffle=False`` keeps asyncio's own order.
    """

    def __init__(self, rng: random.Random, *, shuffle: bool = True) -> None:
        global _serial  # the numbers begin anew with each world
        _serial = itertools.count(1)
        super().__init__()
        self._rng, self._shuffle = rng, shuffle
        self.elapsed = 0.0
        """Virtual seconds since the world began."""
        self.ticks = 0
        self._since_time_passed = 0
        self.troubles: list[str] = []
        self.tasks: list[asyncio.Task[Any]] = []
        """All that were ever begun: nobody is to collect those of a dead process, for that would run them."""

    def time(self) -> float:
        return self.elapsed

    def create_future(self) -> asyncio.Future[Any]:
        return _SimFuture(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:  # type: ignore[override]
        owner = OWNER.get()
        if context is None:
            context = contextvars.copy_context()
        elif owner is not None:
            context.run(OWNER.set, owner)
        task = _SimTask(coro, loop=self, name=name or "sim", context=context)
        self.tasks.append(task)
        return task

    def outside(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call ``callback`` at ``when`` in the world's own context, whatever becomes of the process that asked."""
        return self.call_at(when, callback, context=contextvars.Context())

    def go_on(self, handles: list[asyncio.Handle]) -> None:
        """What had been parked is ready again."""
        self._ready.extend(handles)  # type: ignore[attr-defined]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.troubles.append(f"{context.get('message')}: {type(error).__name__}: {error}")

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready:
            if not scheduled:
                raise Deadlock("everybody waits, and nothing is scheduled")
            if scheduled[0]._when > self.elapsed:
                self.elapsed = scheduled[0]._when
                self._since_time_passed = 0
        while scheduled and scheduled[0]._when <= self.elapsed:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        now = list(ready)
        ready.clear()
        if self._shuffle and len(now) > 1:
            self._rng.shuffle(now)
        self.ticks += len(now)
        self._since_time_passed += len(now)
        if self._since_time_passed > HOT:
            raise HotLoop(f"{HOT} callbacks at {self.elapsed:.3f} s, the last one {now[-1]!r}"[:500])
        for handle in now:
            if handle._cancelled:
                continue
            owner = handle._context.get(OWNER)  # type: ignore[attr-defined]
            if owner is None or (owner.alive and not owner.paused):
                handle._run()
            elif owner.alive:
                owner.parked.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers leave the heap when their time comes."""

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """An asynchronous generator that nobody holds any more is not run to its end: its process is dead."""

    def _write_to_self(self) -> None:
        raise AssertionError("no thread may speak to a simulated loop")

    def _process_events(self, event_list: Any) -> None:
        """There are none."""
