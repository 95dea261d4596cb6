"""``Bell``: ring and hear. «Look at this environment's due work now», and nothing else, travels through Taskiq."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from taskiq import AcknowledgeType, AsyncBroker, AsyncTaskiqDecoratedTask
from taskiq.receiver import Receiver

log = logging.getLogger("novukit.queue")
logging.getLogger("taskiq").setLevel(logging.WARNING)  # one INFO line a ring is too much

BUDGET = 0.05
"""Seconds that a ring may take. A row is durable already; nobody waits for its bell."""


class Bell:
    """Both ends of the bell over one broker."""

    def __init__(self, broker: AsyncBroker) -> None:
        self._broker = broker
        self._heard: Callable[[], None] = lambda: None

        async def bell(environments: list[str]) -> None:
            self._heard()

        self._task: AsyncTaskiqDecoratedTask[[list[str]], Any] = broker.register_task(
            bell, task_name="novukit.bell", ack_type="when_received"
        )
        self._stop = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._failed = False

    async def open(self) -> None:
        """Make the broker ready. A broker that is away is only slower: the workers find the work by themselves."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(6):
                try:
                    await self._broker.startup()
                except Exception as err:
                    self._failed = True
                    log.warning("the broker does not answer (%s); due work is found by sweeping", _root(err))

    async def close(self) -> None:
        """Stop listening and let the broker go, in bounded time."""
        self._stop.set()
        if self._listener is not None:
            done, _ = await asyncio.wait({self._listener}, timeout=5)
            if not done:
                self._listener.cancel()
                await asyncio.wait({self._listener}, timeout=2)
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
        self._heard = heard
        self._listener = asyncio.get_running_loop().create_task(self._supervise())

    async def _supervise(self) -> None:
        """Keep a Taskiq receiver going: what a lost connection or a flushed stream ends is begun anew."""
        delay = 0.2
        while not self._stop.is_set():
            try:
                await self._declare()
                receiver = Receiver(
                    self._broker, max_async_tasks=10, run_startup=False, wait_tasks_timeout=2,
                    ack_type=AcknowledgeType.WHEN_RECEIVED,
                )  # fmt: skip
                self._heard()  # something may have been rung while nobody listened
                delay = 0.2
                await receiver.listen(self._stop)
            except asyncio.CancelledError:
                raise
            except BaseException as err:
                log.warning("the broker is away (%s); trying again in %.1f s", _root(err), delay)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay * (0.5 + random.random())):  # noqa: S311 - jitter
                        await self._stop.wait()
                delay = min(delay * 2, 15.0)

    async def _declare(self) -> None:
        """Make Redis' consumer group again: after FLUSHALL it is gone, and Taskiq would spin on NOGROUP."""
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
