"""The clock: it reads the wall once, follows the database's clock, and never goes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from novukit.clock import SystemClock

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Machine:
    """A machine whose wall clock anybody can set."""

    def __init__(self, wall: datetime = NOON) -> None:
        self.set, self.uptime = wall, 1000.0
        self.clock = SystemClock(lambda: self.set, lambda: self.uptime)

    def tick(self, seconds: float) -> None:
        self.uptime += seconds
        self.set += timedelta(seconds=seconds)


def reference(machine: Machine, ahead: timedelta, *delays: tuple[float, float]) -> Callable[[], Awaitable[datetime]]:
    """A clock elsewhere that is ``ahead``; each question takes so long on its way there, and back."""
    left = list(delays)

    async def ask() -> datetime:
        there, back = left.pop(0)
        machine.tick(there)
        theirs = NOON + timedelta(seconds=machine.uptime - 1000) + ahead
        machine.tick(back)
        return theirs

    return ask


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_wall_clock_that_is_set_moves_nothing(jump: timedelta) -> None:
    """Time goes on by what has passed, and the offset tells of it."""
    machine = Machine()
    machine.tick(5)
    machine.set += jump
    assert NOON + timedelta(seconds=5) == machine.clock.now()
    assert -jump == machine.clock.offset
    machine.tick(0.25)
    assert NOON + timedelta(seconds=5.25) == machine.clock.now()


async def test_it_follows_a_reference() -> None:
    """To within half of the quickest answer's time."""
    machine = Machine()
    hour = timedelta(hours=1)
    behind = await machine.clock.follow(reference(machine, hour, (0.4, 0.1), (0.010, 0.006), (1.0, 0.2)))
    assert abs(behind - hour) <= timedelta(milliseconds=8)
    assert abs(machine.clock.offset - hour) <= timedelta(milliseconds=8)


async def test_a_difference_within_its_error_is_none() -> None:
    """Answers that take long do not make the clock jitter."""
    machine = Machine()
    assert timedelta() == await machine.clock.follow(reference(machine, timedelta(), *[(0.3, 0.1)] * 3))
    assert timedelta() == machine.clock.offset


async def test_it_never_goes_back() -> None:
    """Told that it is ahead, it stands until the reference has caught up, and then goes on with it."""
    machine = Machine()
    before = machine.clock.now()
    await machine.clock.follow(reference(machine, timedelta(seconds=-10), *[(0.0, 0.0)] * 3))
    assert before == machine.clock.now()
    machine.tick(9)
    assert before == machine.clock.now()
    machine.tick(2)
    assert before + timedelta(seconds=1) == machine.clock.now()


def test_the_machines_own_clock_agrees_with_the_wall() -> None:
    """Where nobody sets anything."""
    assert abs(SystemClock().offset) < timedelta(seconds=1)
