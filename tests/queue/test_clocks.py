"""Wall clocks that are wrong, or set while workers run: no timer is early, and no lease is stolen."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novukit import Context, app, workflow
from novukit.clock import SystemClock

from .conftest import Ledger, Open, Site, until

pytestmark = pytest.mark.anyio
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
HOUR = timedelta(hours=1)


class Wall:
    """A wall clock that is off, by as much as a test says."""

    def __init__(self, off: timedelta = timedelta()) -> None:
        self.off = off
        self.clock = SystemClock(lambda: datetime.now(UTC) + self.off)


@workflow("later")
async def later(ctx: Context[None]) -> None:
    """An e-mail in half an hour."""
    await ctx.step.delay("wait", timedelta(minutes=30))
    await ctx.step.email("mail", subject="later", body="-")


@workflow("soon")
async def soon(ctx: Context[None]) -> None:
    """An e-mail in two seconds."""
    await ctx.step.delay("wait", timedelta(seconds=2))
    await ctx.step.email("mail", subject="soon", body="-")


@workflow("now")
async def now(ctx: Context[None]) -> None:
    """An e-mail."""
    await ctx.step.email("mail", subject="now", body="-")


async def rows(site: Site, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await site.scope.database.fetch(sql)]


async def passed(seconds: float) -> None:
    """Let real time pass: what must not happen has its chance."""
    await asyncio.sleep(seconds)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_wall_clock_that_is_set_under_running_workers(
    database_url: str, open_site: Open, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is in the middle of a call, another sweeps; both clocks are set. Each keeps its work, each timer its time."""
    monkeypatch.setattr(app, "SET_CLOCK", 0.05)
    ledger, walls = Ledger(hang=asyncio.Event()), [Wall(), Wall()]
    busy = await open_site(database_url, ledger=ledger, clock=walls[0].clock, lease=1.0)
    await busy.trigger("now", "ann")
    await until(lambda: ledger.calls)
    other = await open_site(database_url, ledger=ledger, clock=walls[1].clock, lease=1.0)
    await other.trigger("later", "bob")
    began = time.monotonic()
    await other.trigger("soon", "cy")
    await until(lambda: _waiting(other, 2))
    for wall in walls:
        wall.off += jump
    await until(lambda: "soon" in ledger.subjects, 20)
    assert time.monotonic() - began >= 1.95
    await passed(0.5)
    assert {"running": 2, "waiting": 1} == dict(await busy.statuses())
    assert [] == await rows(busy, "select 1 from novukit_activity where kind = 'execution.taken_over'")
    assert ledger.hang is not None
    ledger.hang.set()
    await until(lambda: _completed(busy, 2))
    assert ["now", "soon"] == sorted(ledger.subjects)


@ONLY_POSTGRES
async def test_two_workers_whose_clocks_are_an_hour_apart(database_url: str, open_site: Open) -> None:
    """Both go by the database's: neither takes the other's work, and whoever wakes a timer does so in time."""
    ledger = Ledger(hang=asyncio.Event())
    slow = await open_site(database_url, ledger=ledger, clock=Wall(-HOUR).clock, lease=1.0)
    await slow.trigger("now", "ann")
    await until(lambda: ledger.calls)
    fast = await open_site(database_url, ledger=ledger, clock=Wall(HOUR).clock, lease=1.0)
    apart = abs(slow.app.runtime.clock.now() - fast.app.runtime.clock.now())
    assert apart < timedelta(seconds=1)
    await passed(2.5)
    assert 2 == len(await rows(slow, "select 1 from novukit_worker"))
    assert [] == await rows(slow, "select 1 from novukit_activity where kind = 'execution.taken_over'")
    assert ledger.hang is not None
    ledger.hang.set()
    for site in (slow, fast):
        began = time.monotonic()
        await site.trigger("soon", "bob")
        before = len(ledger.calls)
        await until(lambda before=before: len(ledger.calls) > before)
        assert 1.95 <= time.monotonic() - began <= 20
    await until(lambda: _completed(slow, 3))
    assert {1} == set(ledger.keys.values())


async def _waiting(site: Site, n: int) -> bool:
    return (await site.statuses())["waiting"] == n


async def _completed(site: Site, n: int) -> bool:
    return await site.completed() == n
