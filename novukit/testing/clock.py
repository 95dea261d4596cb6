"""``VirtualClock``: time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock:
    """A clock that stands still until it is wound; it begins at 2026-01-01 00:00 UTC unless told otherwise."""

    def __init__(self, start: datetime = START) -> None:
        self._start = self._now = start
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The wound time, aware, in UTC."""
        return self._now

    def timestamp(self) -> float:
        """The wound time as POSIX seconds."""
        return self._now.timestamp()

    def monotonic(self) -> float:
        """Seconds wound so far."""
        return (self._now - self._start).total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let ``by`` pass and wake whoever slept no longer than that. They run at the next ``await``."""
        if by < timedelta():
            raise ValueError("Time does not go back: advance by a positive timedelta.")
        self._now += by
        due = sorted((s for s in self._sleepers if s[0] <= self._now), key=lambda s: s[0])
        self._sleepers = [s for s in self._sleepers if s[0] > self._now]
        for _, sleeper in due:
            if not sleeper.done():
                sleeper.set_result(None)

    @property
    def next_due(self) -> datetime | None:
        """When the first sleeper wants to wake; ``None`` when nobody sleeps."""
        return min((at for at, sleeper in self._sleepers if not sleeper.done()), default=None)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been wound ``seconds`` further; with 0 or less only let others run."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        entry = (self._now + timedelta(seconds=seconds), sleeper)
        self._sleepers.append(entry)
        try:
            await sleeper
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
