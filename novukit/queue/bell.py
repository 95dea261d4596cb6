"""``Bell``: ring and hear. «Look at what is due now», and nothing else, travels through Taskiq."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import cast
from uuid import UUID

from taskiq import AckableMessage, AsyncBroker
from taskiq.message import TaskiqMessage

from .tasks import beside, end, root

log = logging.getLogger("novukit.queue")

NAME = "novukit.bell"
BUDGET = 0.05
"""Seconds for which anybody waits for a ring, and that only when the process ends. A row is durable already."""
PATIENCE = 1.0
"""Seconds after which a ring that is on its way is given up, and rung again."""
REST = 0.5
"""Seconds between two rings when the first one failed. What is rung meanwhile goes with the next one."""
OPENING = 3.0
"""Seconds that a broker may take to become ready."""
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
"""Seconds before a listener that failed begins anew: at first, and at most."""
WELL = 0.5
"""Seconds after which a listener counts as well again, so that its next trouble is the first one."""
TOLD = 60.0
"""Seconds between two words in the log about a broker that is away."""

Heard = Callable[[], asyncio.Event | None]
"""Called at each ring: None when it was taken; by one who has no room, the event that says when there will be."""


class Bell:
    """Both ends of the bell over one broker. Taskiq's own receiver is left out: a ring has nothing to run."""

    def __init__(self, broker: AsyncBroker) -> None:
        self._broker, self._ready = broker, False
        self._making_ready = asyncio.Lock()
        self._ring = broker.formatter.dumps(TaskiqMessage(task_id=NAME, task_name=NAME, labels={}, args=[], kwargs={}))
        self._rung = False
        self._failed: Callable[[], None] | None = None
        self._ringer: asyncio.Task[None] | None = None
        self._hearers: list[Heard] = []
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the broker ready. A broker that is away is only slower: the workers find the work by themselves."""
        try:
            await self._make_ready()
        except Exception as err:
            log.warning("the broker does not answer (%s); due work is found by sweeping", root(err))

    async def _make_ready(self) -> None:
        async with asyncio.timeout(OPENING), self._making_ready:
            if not self._ready:
                await self._broker.startup()
                self._ready = True

    async def close(self) -> None:
        """Stop listening, let the last ring out and let the broker go, in bounded time."""
        await self._hush()
        if self._ringer is not None:
            await asyncio.wait({self._ringer}, timeout=BUDGET)
            await end(self._ringer)
        await self._let_go()

    async def _let_go(self) -> None:
        self._ready = False
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await self._broker.shutdown()

    async def ring(self, environment_id: UUID | None = None) -> None:
        """Ring. Never raises, and waits for nothing: what is rung while a ring is on its way goes with the next one.

        Which environment it is for is not told: whoever hears it looks at all that is due.
        """
        self._rung = True
        if self._ringer is None or self._ringer.done():
            self._ringer = beside(self._ring_out())

    async def _ring_out(self) -> None:
        failed = False
        while self._rung:
            self._rung = False
            try:
                if not self._ready:
                    await self._make_ready()
                async with asyncio.timeout(PATIENCE):
                    await self._broker.kick(self._ring)
                failed = False
            except Exception as err:
                self._rung = True
                if self._failed is not None:
                    self._failed()
                if not failed:
                    log.info("a ring is late (%s)", root(err))
                failed = True
                await asyncio.sleep(REST)

    def on_failed(self, told: Callable[[], None]) -> None:
        """Tell ``told`` of each attempt to ring that the broker did not take."""
        self._failed = told

    def listen(self, heard: Heard) -> None:
        """Call ``heard`` at each ring, from now on, whatever happens to the broker in between.

        Of several processes that listen one hears a ring; if all who listen here have no room it goes on to the others.
        """
        self._hearers.append(heard)
        if self._listener is None:
            self._listener = beside(self._listen_always())

    async def unlisten(self, heard: Heard) -> None:
        """Call ``heard`` no more. When nobody here hears, the rings are left to other processes."""
        self._hearers.remove(heard)
        if not self._hearers:
            await self._hush()

    async def _hush(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            await end(listener)
            await self.ring()  # it may have taken one along

    async def _listen_always(self) -> None:
        """Begin anew whatever a lost connection, a flushed stream or a foreign key has ended."""
        delay, told, loop = FIRST_DELAY, -TOLD, asyncio.get_running_loop()
        while True:
            well = float("inf")
            try:
                await self._make_ready()
                well = loop.time() + WELL
                self._tell()  # something may have been rung while nobody listened
                async for message in self._broker.listen():
                    await self._hear(message)
                said = "it ended the stream"
            except (Exception, BaseExceptionGroup) as err:
                said = root(cast("BaseException", err))
            if loop.time() > well:
                delay = FIRST_DELAY
            if loop.time() > told + TOLD:
                told = loop.time()
                log.warning("the broker is away (%s); until it is back due work is found by sweeping", said)
            await self._let_go()
            await asyncio.sleep(delay * (0.5 + random.random()))  # noqa: S311 - jitter
            delay = min(delay * 2, LONGEST_DELAY)

    async def _hear(self, message: bytes | AckableMessage) -> None:
        data = message if isinstance(message, bytes) else message.data
        ours = NAME.encode() in data
        waiting = self._tell() if ours else []
        if isinstance(message, AckableMessage):
            acknowledged = message.ack()
            if acknowledged is not None:
                await acknowledged
        if waiting:
            await self.ring()
            await _first(waiting)

    def _tell(self) -> list[asyncio.Event]:
        """Tell those who listen here. If none of them has room: what they wait for."""
        answers = [heard() for heard in self._hearers]
        return [] if None in answers else [one for one in answers if one is not None]


async def _first(events: list[asyncio.Event]) -> None:
    """Wait until one of ``events`` is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
