"""``Notices``: «look into this inbox», from whoever committed a change to every process that holds its sockets.

Through Redis' pub/sub where the broker is Redis, within the process otherwise. They are hints: one that is lost is no
loss, for what it tells of is in the database.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from ..engine import Notice
from .broker import REDIS, make_broker
from .tasks import beside, end, root

log = logging.getLogger("novukit.queue")

AT_ONCE = 500
"""Notices in one message."""
WAITING = 10_000
"""Notices that wait while Redis is slow. Of more, all who listen are told that some were lost."""
PATIENCE = 2.0
"""Seconds after which a message that is on its way is given up."""
BLOCK = 10.0
"""Seconds of silence after which a listener asks whether its connection still lives; as many more, and it does not."""
OPENING = 3.0
"""Seconds that Redis may take to answer at first."""
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
"""Seconds before what failed is tried again: at first, and at most."""
TOLD = 60.0
"""Seconds between two words in the log about a Redis that is away."""


class Hearer(Protocol):
    """Whoever holds sockets. Its methods are called in the loop's own turn: they must not wait, nor raise."""

    def heard(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        """Something changed in these inboxes."""
        ...

    def missed(self) -> None:
        """Notices may have been lost: anything may have changed."""
        ...


class Notices:
    """Both ends, of one process. Who listens here hears what is published here at once, Redis or not."""

    def __init__(self, url: str) -> None:
        """``url`` is the broker's. One that is neither memory nor Redis carries no notices to other processes."""
        self._name = uuid4().hex  # so that nobody hears its own words twice
        self._hearers: list[Hearer] = []
        self._waiting: deque[tuple[UUID, UUID, UUID | None]] = deque(maxlen=WAITING)
        self._lost = False
        self._open = False
        self._told = -TOLD
        self._publisher: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._broker: Any = None
        """Only for its client, which knows the ways of plain Redis, Sentinel and Cluster."""
        if urlsplit(url).scheme in REDIS:
            self._broker = make_broker(url)
            self._channel = f"{self._broker.queue_name}.notices"

    def open(self) -> None:
        """Begin to listen, if anybody here does."""
        self._open = True
        self._listen()

    async def close(self) -> None:
        """Stop, in bounded time. What is still to be published is not."""
        self._open = False
        for task in filter(None, (self._listener, self._publisher)):
            await end(task)
        self._listener = None
        if self._broker is not None:
            await _bounded(self._broker.shutdown())

    def listen(self, hearer: Hearer) -> None:
        """Tell ``hearer`` of all that is published, from now on, whatever happens to Redis in between."""
        self._hearers.append(hearer)
        self._listen()

    async def publish(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        """Tell all who listen, here and elsewhere. Never raises, and waits for nothing."""
        self._hand_out(environment_id, notices)
        if self._broker is None or not self._open:
            return
        self._lost = self._lost or len(self._waiting) + len(notices) > WAITING
        self._waiting.extend((environment_id, who, message) for who, message in notices)
        if self._publisher is None or self._publisher.done():
            self._publisher = beside(self._publish_waiting())

    async def _publish_waiting(self) -> None:
        """What gathers while one message is on its way goes with the next one."""
        delay = FIRST_DELAY
        while self._waiting or self._lost:
            told = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            lost, self._lost = self._lost, False
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._broker.client.publish(self._channel, _written(self._name, lost, told))
                delay = FIRST_DELAY
            except Exception as err:
                self._lost = True
                self._tell_trouble(err)
                await asyncio.sleep(_jittered(delay))
                delay = min(delay * 2, LONGEST_DELAY)

    def _listen(self) -> None:
        if self._open and self._broker is not None and self._hearers and self._listener is None:
            self._listener = beside(self._listen_always())

    async def _listen_always(self) -> None:
        delay = FIRST_DELAY
        while True:
            began = asyncio.get_running_loop().time()
            subscription: Any = self._broker.client.pubsub()
            try:
                async with asyncio.timeout(OPENING):
                    await self._broker.client.initialize()  # a cluster's client asks where its slots are
                    await subscription.subscribe(self._channel)
                await self._listen_to(subscription)
            except Exception as err:
                self._tell_trouble(err)
            finally:
                await _bounded(subscription.aclose())
            if asyncio.get_running_loop().time() > began + LONGEST_DELAY:
                delay = FIRST_DELAY
            await asyncio.sleep(_jittered(delay))
            delay = min(delay * 2, LONGEST_DELAY)

    async def _listen_to(self, subscription: Any) -> None:
        asked = False
        while True:
            message = await subscription.get_message(timeout=BLOCK)
            if message is None and asked:
                raise TimeoutError
            asked = message is None
            if message is None:
                async with asyncio.timeout(OPENING):
                    await subscription.ping()
            elif message["type"] == "subscribe":
                self._tell_missed()  # something may have been published while nobody listened
            elif message["type"] == "message":
                self._read(message["data"])

    def _read(self, data: bytes) -> None:
        """What comes through Redis may come from anyone who can write there: all it can do is to make us look."""
        try:
            told = json.loads(data)
            notices = [(UUID(e), UUID(who), UUID(m) if m else None) for e, who, m in told["notices"]]
            by, lost = told["by"], told["lost"]
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("what came through %s is no notice", self._channel)
            return
        if by == self._name:
            return
        if lost:
            self._tell_missed()
        for environment_id, group in groupby(notices, key=lambda each: each[0]):
            self._hand_out(environment_id, [(who, message) for _, who, message in group])

    def _hand_out(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        for hearer in self._hearers:
            hearer.heard(environment_id, notices)

    def _tell_missed(self) -> None:
        for hearer in self._hearers:
            hearer.missed()

    def _tell_trouble(self, err: BaseException) -> None:
        now = asyncio.get_running_loop().time()
        if now > self._told + TOLD:
            self._told = now
            log.warning("the broker is away (%s); sockets of other processes hear nothing until it is back", root(err))


def _written(by: str, lost: bool, notices: Sequence[tuple[UUID, UUID, UUID | None]]) -> str:
    told = [[e.hex, who.hex, message.hex if message else None] for e, who, message in notices]
    return json.dumps({"by": by, "lost": lost, "notices": told}, separators=(",", ":"))


def _jittered(delay: float) -> float:
    return delay * (0.5 + random.random())  # noqa: S311


async def _bounded(closing: Any) -> None:
    """Let a connection go, whatever state it is in."""
    try:
        async with asyncio.timeout(2):
            await closing
    except Exception as err:
        log.debug("a connection was left (%s)", root(err))
