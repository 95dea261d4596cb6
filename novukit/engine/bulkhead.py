"""``Bulkhead``: how many messages of one integration a worker sends at a time, so that one that hangs sinks no other.

Who finds no place stands in line, in memory and without one of the worker's own places. When a line is long, the worker
takes on no more of the workflows that stand in it, until it is shorter: their executions stay due in the database.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from ..model import Integration
from ..store.workers import Blocked

if TYPE_CHECKING:
    from .frame import Frame

LONG, SHORT = 2, 1
"""A line is long when so many stand in it for each place, and short again when so many do."""


class Bulkhead:
    """The places of one integration in this process."""

    def __init__(self, limit: int, relieved: Callable[[], None]) -> None:
        self.limit = limit
        self.crowded = False
        self.line: Counter[tuple[UUID, str]] = Counter()
        """Who stands in line, by environment and workflow."""
        self._in_line = 0
        self._relieved = relieved
        self._places = asyncio.Semaphore(limit)

    @property
    def free(self) -> bool:
        """Whether there is a place at once."""
        return not self._places.locked()

    async def take(self, who: tuple[UUID, str]) -> None:
        """Take a place; stand in line for it if need be."""
        if self.free:
            await self._places.acquire()
            return
        self.line[who] += 1
        self._in_line += 1
        self.crowded = self.crowded or self._in_line >= LONG * self.limit
        try:
            await self._places.acquire()
        finally:
            self.line[who] -= 1
            self._in_line -= 1
            if self.crowded and self._in_line <= SHORT * self.limit:
                self.crowded = False
                self._relieved()

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()


class Bulkheads:
    """All bulkheads of this process, whose workers have ``places`` each.

    An integration that says nothing gets three quarters of them: whatever hangs, the rest is left to the others.
    """

    def __init__(self, places: int) -> None:
        self._default = max(1, places * 3 // 4)
        self._kept: dict[UUID, Bulkhead] = {}
        self.hearers: list[Callable[[], None]] = []
        """Called when a line has become short again."""

    def of(self, integration: Integration) -> Bulkhead:
        """The bulkhead of an integration; a new one when its limit was changed."""
        return self._named(integration.id, integration.concurrency or self._default)

    def of_bridge(self, environment_id: UUID) -> Bulkhead:
        """The bulkhead of the application behind an environment's bridge."""
        return self._named(environment_id, self._default)

    def _named(self, id: UUID, limit: int) -> Bulkhead:
        kept = self._kept.get(id)
        if kept is None or kept.limit != limit:
            kept = self._kept[id] = Bulkhead(limit, self._tell)
        return kept

    def blocked(self) -> Blocked:
        """What stands in a line that is too long."""
        return {who for one in self._kept.values() if one.crowded for who, number in one.line.items() if number}

    def _tell(self) -> None:
        for hearer in self.hearers:
            hearer()


class Place:
    """Hold a place while a message is put on record, sent and answered.

    The place comes first: who only waits has no intent on record, which a crash would make an unknown outcome.
    """

    __slots__ = ("_bulkhead", "_frame")

    def __init__(self, frame: Frame, bulkhead: Bulkhead) -> None:
        self._frame, self._bulkhead = frame, bulkhead

    async def __aenter__(self) -> None:
        execution = self._frame.execution
        who = (execution.environment_id, execution.workflow_id)
        if self._bulkhead.free:
            await self._bulkhead.take(who)
        else:
            with self._frame.shift.standing_aside():
                await self._bulkhead.take(who)

    async def __aexit__(self, *_: object) -> None:
        self._bulkhead.leave()
