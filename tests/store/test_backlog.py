"""What lies there, and what is stuck: counted over all environments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from novukit.store import Database, backlog, workers
from novukit.store.backlog import Backlog, Stuck
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

PATIENCE = timedelta(seconds=30)


async def test_nothing_is_there(database: Database) -> None:
    """Zeros, and no oldest."""
    assert Backlog(0, None, 0, 0, 0, 0, 0, 0) == await backlog.read(database)
    assert Stuck(0, 0, 0) == await backlog.stuck(database, PATIENCE)


async def test_each_is_counted_where_it_stands(database: Database, clock: VirtualClock) -> None:
    """Due, asleep, owned, parked, of unknown outcome, expanding; workers that hold a lease."""
    rows, now = await Rows.environment(database), clock.now()
    other = await Rows.environment(database, "staging")
    alive, dead = database.new_id(), database.new_id()
    await workers.enlist(database, alive, host="a", pid=1, lease_until=now + timedelta(minutes=5))
    await workers.enlist(database, dead, host="b", pid=2, lease_until=now + timedelta(seconds=1))
    await rows.execution(status="pending", wake_at=now)
    await other.execution(status="waiting", wake_at=now + timedelta(seconds=20))
    await rows.execution(status="waiting", wake_at=now + timedelta(days=1))
    for owner in (alive, dead, database.new_id()):
        await rows.execution(status="running", worker_id=owner)
    await rows.execution(status="parked", reason="outcome_unknown", finished_at=now)
    await other.execution(status="parked", reason="replay_diverged", finished_at=now)
    await rows.execution(status="failed", reason="outcome_unknown", finished_at=now)
    await rows.execution(status="failed", reason="provider_rejected", finished_at=now)
    await rows.execution(status="completed", finished_at=now)
    await rows.event(status="expanding")
    clock.advance(timedelta(seconds=40))

    assert Backlog(2, now, 1, 3, 2, 2, 1, 1) == await backlog.read(database)
    assert Stuck(overdue=1, orphaned=2, unexpanded=1) == await backlog.stuck(database, PATIENCE)
    assert Stuck(overdue=0, orphaned=1, unexpanded=0) == await backlog.stuck(database, timedelta(minutes=1))


async def test_counts_are_capped(database: Database, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks every few seconds must not read a million rows."""
    rows = await Rows.environment(database)
    for _ in range(3):
        await rows.execution(status="pending", wake_at=clock.now())
    monkeypatch.setattr(backlog, "CAP", 2)

    assert 2 == (await backlog.read(database)).due
