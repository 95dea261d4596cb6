"""``Pace``: how fast an integration's messages may go out, counted in the database for all workers together.

Whoever wants to send takes a *slot*, a moment of its own. Slots are evenly apart and given out once, first come first
served; those who ask while a statement is under way share the next one, and a fast integration's worker takes a slice
of the near future at a time. So the cost is one statement for many messages, and none where there is no rate.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from datetime import UTC, datetime
from uuid import UUID

from ..store import Database, paces

SLICE = 0.1
"""Seconds of slots that are taken ahead, for messages that are still to come. Too old to use, they are let go."""
LATE = 1.0
"""Seconds after its moment for which a slot still counts: who was held up longer takes a new one."""
PATIENCE = 0.5
"""Seconds that a message waits for its slot in memory. For a later one the execution sleeps on record."""


class Pace:
    """The slots of one integration, as this process takes them. ``rate`` is in messages a second."""

    def __init__(self, database: Database, environment_id: UUID, integration_id: UUID, rate: float) -> None:
        self.rate = rate
        self._scope, self._integration_id = database.scope(environment_id), integration_id
        self._spare: deque[float] = deque()
        self._asking: list[asyncio.Future[float]] = []
        self._taker: asyncio.Task[None] | None = None

    async def take(self) -> datetime:
        """A slot: the moment at which one message may go out."""
        now = self._scope.now().timestamp()
        while self._spare:
            if (slot := self._spare.popleft()) >= now - SLICE:
                return _moment(slot)
        mine: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._asking.append(mine)
        if self._taker is None or self._taker.done():
            self._taker = asyncio.get_running_loop().create_task(self._take_all())
        return _moment(await mine)

    async def _take_all(self) -> None:
        while self._asking:
            await asyncio.sleep(0)  # let whoever is ready in this turn of the loop come along
            group, self._asking = self._asking, []
            number = max(len(group), math.ceil(self.rate * SLICE))
            try:
                begin = await paces.take(self._scope, self._integration_id, number / self.rate)
            except BaseException as err:
                _fail([*group, *self._asking], err)
                self._asking = []
                if isinstance(err, Exception):
                    return
                raise
            slots = [begin + n / self.rate for n in range(number)]
            for one, slot in zip(group, slots, strict=False):
                if not one.done():
                    one.set_result(slot)
            self._spare.extend(slots[len(group) :])


class Paces:
    """All paces of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[UUID, Pace] = {}
        self.patience = PATIENCE

    def of(self, environment_id: UUID, integration_id: UUID, rate: float | None) -> Pace | None:
        """The pace of an integration; a new one when its rate was changed, None where there is no rate."""
        if rate is None:
            self._kept.pop(integration_id, None)
            return None
        kept = self._kept.get(integration_id)
        if kept is None or kept.rate != rate:
            kept = self._kept[integration_id] = Pace(self._database, environment_id, integration_id, rate)
        return kept


def _fail(those: list[asyncio.Future[float]], err: BaseException) -> None:
    for one in those:
        if not one.done():
            if isinstance(err, Exception):
                one.set_exception(err)
                one.exception()  # whoever asked may be gone
            else:
                one.cancel()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
