"""``Intake``: the triggers that a process takes at the same moment are accepted in one transaction.

There is no timer: while one group is being committed the next one gathers, so a trigger that comes alone waits for
nobody. One that is refused does not touch its neighbours.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..errors import NovukitError
from ..model import Trigger, Triggered
from ..store import Scope
from ..store.outage import outage
from ..store.workflows import Known
from .repeat import Keyed

MAX_GROUP = 200
"""Triggers in one transaction."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One trigger on its way in."""

    scope: Scope
    ask: Trigger
    trace: str | None = None
    keyed: Keyed | None = None


Accept = Callable[[Sequence[Asked]], Awaitable[list[Triggered | NovukitError]]]
"""Accepts all of a group or, by raising, none. What is refused by itself is answered with its error."""


class Intake:
    """Gathers triggers and accepts them group by group."""

    def __init__(self) -> None:
        self.known: Known = {}
        """The workflows as they were last read: to parse a spec costs more than all else about a trigger."""
        self._waiting: list[tuple[Asked, asyncio.Future[Triggered]]] = []
        self._flusher: asyncio.Task[None] | None = None

    def take(self, asked: Asked, accept: Accept) -> asyncio.Future[Triggered]:
        """Accept ``asked`` with the next group; when the future is done it is durable."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Triggered] = loop.create_future()
        self._waiting.append((asked, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._flush_all(accept), context=contextvars.Context())
        return done

    async def _flush_all(self, accept: Accept) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # let whoever is ready in this turn of the loop come along
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            await self._flush(group, accept)

    async def _flush(self, group: list[tuple[Asked, asyncio.Future[Triggered]]], accept: Accept) -> None:
        try:
            answers = await accept([asked for asked, _ in group])
        except Exception as err:
            if len(group) == 1 or outage(err) is not None:
                for _, done in group:
                    if not done.done():
                        done.set_exception(err)
                return
            half = len(group) // 2
            await self._flush(group[:half], accept)
            await self._flush(group[half:], accept)
            return
        for (_, done), answer in zip(group, answers, strict=True):
            if done.done():
                continue  # whoever asked has gone; it is accepted all the same
            if isinstance(answer, NovukitError):
                done.set_exception(answer)
            else:
                done.set_result(answer)
