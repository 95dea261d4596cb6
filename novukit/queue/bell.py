"""``Bell``: ring and hear. «Look at this environment's due work now», and nothing else, travels through Taskiq."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import random
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from taskiq import AcknowledgeType, AsyncBroker, AsyncTaskiqDecoratedTask
from taskiq.receiver import Receiver

log = logging.getLogger("novukit.queue")
logging.getLogger("taskiq").setLevel(logging.WARNING)  # one INFO line a ring is too much
logging.getLogger("taskiq.receiver").setLevel(logging.CRITICAL)  # a lost connection is told here, in one line

BUDGET = 0.05
"""Seconds that a ring may take. A row is durable already; nobody waits for its bell."""
OPENING = 6.0
"""Seconds that a broker may take to become ready."""
FIRST_DELAY = 0.2
STEADY = 5.0
"""Seconds after which a listener counts as well again, so that its next trouble is the first one."""


class Bell:
    """Both ends of the bell over one broker."""

    def __init__(self, broker: AsyncBroker) -> None:
        self._broker = broker
        self._hearers: list[Callable[[], None]] = []

        async def bell(environments: list[str]) -> None:
            self._heard()

        self._task: AsyncTaskiqDecoratedTask[[list[str]], Any] = broker.register_task(
            bell, task_name="novukit.bell", ack_type="when_received"
        )
        self._stop = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._started = False

    async def open(self) -> None:
        """Make the broker ready. A broker that is away is only slower: the workers find the work by themselves."""
        try:
            await self._start()
        except Exception as err:
            log.warning("the broker does not answer (%s); due work is found by sweeping", _root(err))

    async def _start(self) -> None:
        async with asyncio.timeout(OPENING):
            await self._broker.startup()
        self._started = True

    async def close(self) -> None:
        """Stop listening and let the broker go, in bounded time."""
        await self._hush()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(3):
                await self._broker.shutdown()

    async def ring(self, environment_id: UUID) -> None:
        """Ring once for an environment. Never raises, never takes longer than its budget."""
        try:
            async with asyncio.timeout(BUDGET):
                await self._task.kiq([str(environment_id)])
        except Exception as err:
            log.debug("a ring was lost (%s)", _root(err))

    def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` at each ring, from now on, whatever happens to the broker in between."""
        self._hearers.append(heard)
        if self._listener is None:
            self._stop = asyncio.Event()
            self._listener = asyncio.get_running_loop().create_task(self._supervise(), context=contextvars.Context())

    async def unlisten(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` no more. When nobody here hears, the rings are left to other processes."""
        self._hearers.remove(heard)
        if not self._hearers:
            await self._hush()

    async def _hush(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self._stop.set()
        done, _ = await asyncio.wait({listener}, timeout=5)
        if not done:
            listener.cancel()
            await asyncio.wait({listener}, timeout=2)

    def _heard(self) -> None:
        for heard in self._hearers:
            heard()

    async def _supervise(self) -> None:
        """Keep a Taskiq receiver going: what a lost connection or a flushed stream ends is begun anew."""
        delay, loop = FIRST_DELAY, asyncio.get_running_loop()
        while not self._stop.is_set():
            began = loop.time()
            try:
                await self._declare()
                receiver = Receiver(
                    self._broker, max_async_tasks=10, run_startup=False, wait_tasks_timeout=2,
                    ack_type=AcknowledgeType.WHEN_RECEIVED,
                )  # fmt: skip
                self._heard()  # something may have been rung while nobody listened
                await receiver.listen(self._stop)
                said = "it ended the stream"
            except (Exception, BaseExceptionGroup) as err:
                said = _root(cast("BaseException", err))
            if self._stop.is_set():
                return
            if loop.time() - began > STEADY:
                delay = FIRST_DELAY
            log.warning("the broker is away (%s); trying again in %.1f s", said, delay)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay * (0.5 + random.random())):  # noqa: S311 - jitter
                    await self._stop.wait()
            delay = min(delay * 2, 15.0)

    async def _declare(self) -> None:
        """Make Redis' consumer group again: after FLUSHALL it is gone, and Taskiq would spin on NOGROUP."""
        if not self._started:
            await self._start()
        if declare := getattr(self._broker, "_declare_consumer_group", None):
            await declare()


def _root(err: BaseException) -> str:
    """The innermost error in one word: transports wrap it in groups and causes."""
    while True:
        if isinstance(err, BaseExceptionGroup):
            err = cast("BaseExceptionGroup[BaseException]", err).exceptions[0]
        elif err.__cause__ is not None:
            err = err.__cause__
        else:
            return f"{type(err).__name__}: {err}"[:200]
