"""The one clock, the one source of ids: tests and simulations wind the first and seed the second."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Wall time for what is stored, monotonic time for what is measured."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump or go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass on this clock."""
        ...


class SystemClock:
    """The machine's clock, moved by ``offset`` so that it agrees with the database's."""

    def __init__(self) -> None:
        self.offset: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


NewId = Callable[[], UUID]


def uuid7_source(clock: Clock, rng: random.Random) -> NewId:
    """A source of UUIDv7 (RFC 9562 §5.7): they sort by the clock's millisecond, then by order of making.

    The order within a millisecond comes from a counter in ``rand_a`` (RFC 9562 §6.2, method 1).
    """
    last = [0, 0]

    def new() -> UUID:
        ms = int(clock.now().timestamp() * 1000)
        if ms > last[0]:
            last[0], last[1] = ms, 0
        else:
            last[1] += 1
            if last[1] > 0xFFF:
                last[0], last[1] = last[0] + 1, 0
        value = last[0] << 80 | 0x7 << 76 | last[1] << 64 | 0b10 << 62 | rng.getrandbits(62)
        return UUID(int=value)

    return new
