"""The one clock, the one source of ids: tests and simulations wind the first and seed the second."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID, SafeUUID

LOOKS = 3
"""How often the reference is asked in one setting; the quickest answer tells its time best."""


class Clock(Protocol):
    """Wall time for what is stored, monotonic time for what is measured."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        ...

    def timestamp(self) -> float:
        """The same as POSIX seconds, for less."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump or go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass on this clock."""
        ...


def wall() -> datetime:
    """What the machine's clock shows. Somebody may set it at any moment, by any amount."""
    return datetime.now(UTC)


_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

steady: Callable[[], float] = time.monotonic if _SINCE_BOOT is None else partial(time.clock_gettime, _SINCE_BOOT)
"""Seconds that nobody can set, and that go on while the machine sleeps.

A machine that slept past its lease must know that it did. Python's own monotonic clock stands still meanwhile on Linux
and macOS.
"""


class SystemClock:
    """Reads the wall once, and goes on by monotonic time: a machine whose clock is set jumps no timer and no lease.

    :meth:`follow` sets it by a reference that several machines share, which is the database's clock. It never shows an
    earlier time than it has shown: told that it is ahead, it stands until the reference has caught up.
    """

    def __init__(self, wall: Callable[[], datetime] = wall, steady: Callable[[], float] = steady) -> None:
        self._wall, self._steady = wall, steady
        self._zero = min(_zeros(wall, steady))[1]
        """The time that it was when ``steady`` was 0. A POSIX timestamp, as what was shown last: this is asked at every
        turn of the work, and a sum or comparison of datetimes costs twice as much.
        """
        self._shown = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        now = self._zero + self._steady()
        if now < self._shown:
            return self._shown
        self._shown = now
        return now

    def monotonic(self) -> float:
        return self._steady()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @property
    def offset(self) -> timedelta:
        """How far ahead of the machine's wall clock this one is."""
        return self.now() - self._wall()

    def move(self, by: timedelta) -> None:
        """Go on from another time; backwards this means to stand for as long."""
        self._zero += by.total_seconds()

    async def follow(self, reference: Callable[[], Awaitable[datetime]]) -> timedelta:
        """Agree with ``reference``; returns by how much this clock was behind (negative: ahead) of it.

        Half of the time that an answer took is taken for its way back, so that is the most it can be wrong by; of
        several answers the quickest counts, and a difference within its error is none.
        """
        looks: list[tuple[float, float]] = []
        for _ in range(LOOKS):
            asked = self._steady()
            theirs = (await reference()).timestamp()
            error = (self._steady() - asked) / 2
            looks.append((error, theirs - asked - error - self._zero))
        error, seconds = min(looks)
        if abs(seconds) <= error:
            return timedelta()
        behind = timedelta(seconds=seconds)
        self.move(behind)
        return behind


def _zeros(wall: Callable[[], datetime], steady: Callable[[], float]) -> Iterator[tuple[float, float]]:
    """The timestamp at which ``steady`` was 0, read a few times, each with the seconds that the reading took.

    Whoever loses the processor between the two clocks would be late by as much for ever.
    """
    for _ in range(5):
        before, now, after = steady(), wall(), steady()
        yield after - before, now.timestamp() - (before + after) / 2


NewId = Callable[[], UUID]


_set_int, _set_safe, _UNKNOWN = vars(UUID)["int"].__set__, vars(UUID)["is_safe"].__set__, SafeUUID.unknown


def uuid_of(number: int) -> UUID:
    """The UUID of a 128-bit number, which is not checked: past its constructor, which takes three times as long.

    ``int`` and ``is_safe`` are all that a UUID holds.
    """
    made = object.__new__(UUID)
    _set_int(made, number)
    _set_safe(made, _UNKNOWN)
    return made


def uuid7_source(clock: Clock, rng: random.Random, make: Callable[[int], UUID] = uuid_of) -> NewId:
    """A source of UUIDv7 (RFC 9562 §5.7): they sort by the clock's millisecond, then by order of making.

    ``make`` makes one of its number. The order within a millisecond comes from a counter in ``rand_a`` (RFC 9562 §6.2,
    method 1).
    """
    last = [0, 0]

    def new() -> UUID:
        ms = int(clock.timestamp() * 1000)
        if ms > last[0]:
            last[0], last[1] = ms, 0
        else:
            last[1] += 1
            if last[1] > 0xFFF:
                last[0], last[1] = last[0] + 1, 0
        return make(last[0] << 80 | 0x7 << 76 | last[1] << 64 | 0b10 << 62 | rng.getrandbits(62))

    return new
