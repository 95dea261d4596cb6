"""A worker keeps to the retention by itself, beside its work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from novukit.app import App
from novukit.authoring import Registry
from novukit.engine import retain
from novukit.queue import worker as workers
from novukit.settings import Settings
from novukit.store.secrets import KeyRing, generate_master_key
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def app_of(url: str, folder: Path, clock: VirtualClock | None = None, retention: str | None = "90d") -> App:
    return App(
        Settings(root=folder, database=url, retention=retention), clock=clock, registry=Registry(()),
        secrets=KeyRing([generate_master_key()]), synchronous="OFF",
    )  # fmt: skip


async def test_it_deletes_what_is_older(
    database_url: str, tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without being asked; a worker that was not told how long keeps everything."""
    monkeypatch.setattr(workers, "RETAIN_EVERY", 0.02)
    async with app_of(database_url, tmp_path, clock) as app:
        rows = Rows(app.runtime.scope(await app.bootstrap()), app.runtime.new_id())
        await rows.execution(finished_at=clock.now())
        waiting = await rows.execution(status="waiting", wake_at=clock.now() + 900 * DAY)
    # Its clock stands long after; the rows were made by one that did not.
    now = VirtualClock(clock.now() + 91 * DAY)
    for retention, left in ((None, 2), ("90d", 1)):
        async with app_of(database_url, tmp_path, now, retention) as app:
            worker = app.worker()
            task = asyncio.create_task(worker.run())
            async with asyncio.timeout(20):
                for _ in range(20 if retention is None else 2000):
                    await asyncio.sleep(0.01)
                    found = await app.database.fetch("select id from novukit_execution")
                    if retention is not None and len(found) == left:
                        break
            worker.stop()
            await task
        assert left == len(found)

    assert [waiting] == [row["id"] for row in found]


async def test_it_rests_in_between(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as long as each transaction took: a sweep of millions does not get in the way of the work."""
    clock = VirtualClock()
    monkeypatch.setattr("novukit.store.retention.sweep.__defaults__", (1,))
    async with app_of(database_url, tmp_path, clock) as app:
        rows = Rows(app.runtime.scope(await app.bootstrap()), app.runtime.new_id())
        for _ in range(3):
            await rows.execution(finished_at=clock.now())
        clock.advance(2 * DAY)
        slept: list[float] = []
        times = iter(range(1000))
        monkeypatch.setattr(clock, "monotonic", lambda: next(times))

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        monkeypatch.setattr(clock, "sleep", sleep)
        gone = await retain(app.runtime, DAY)

    assert {"executions": 3, "events": 3} == gone
    assert [4.0] * 6 == slept
