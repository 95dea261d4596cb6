"""A worker that has nothing to do costs next to nothing, and yet is there when a timer comes due."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.engine import trigger
from novukit.model import Subscriber, TopicRecipient, Trigger
from novukit.settings import WorkerSettings
from novukit.store import history, subscribers, subscriptions, workers
from novukit.store.history import ExecutionFilter
from novukit.store.postgres import PoolEngine

from .conftest import Ledger, Open, Site, until

pytestmark = pytest.mark.anyio
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Nap(BaseModel):
    """How long to sleep, in milliseconds."""

    ms: int


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@workflow("nap")
async def nap(ctx: Context[Nap]) -> None:
    """A short sleep, then an e-mail."""
    await ctx.step.delay("wait", timedelta(milliseconds=ctx.payload.ms))
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


def passed(seconds: float) -> Any:
    """Whether so much time has gone by."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def test_the_defaults() -> None:
    """What the figures of this module are about."""
    now = WorkerSettings()
    assert (200, 8.0, 5.0, 20.0) == (now.concurrency, now.lease, now.sweep, now.grace)


@ONLY_POSTGRES
async def test_an_idle_worker_asks_once_a_sweep(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement that reaches Postgres is counted, at a tenth of the default times: 0.2 a second by default, at
    most 0.4, and no transaction.
    """
    asked: list[str] = []
    for name in ("execute", "execute_hot"):
        execute = getattr(PoolEngine, name)

        async def counted(self: Any, sql: str, *args: Any, execute: Any = execute) -> Any:
            asked.append(sql)
            return await execute(self, sql, *args)

        monkeypatch.setattr(PoolEngine, name, counted)
    defaults = WorkerSettings()
    site = await open_site(database_url, lease=defaults.lease / 10, sweep=defaults.sweep / 10, working=False)
    monkeypatch.setattr(PoolEngine, "transaction", None)
    site.worker = site.app.worker()
    site.task = asyncio.create_task(site.worker.run())
    await until(lambda: len(asked) >= 3)
    asked.clear()
    await until(passed(4.0))
    monkeypatch.undo()
    assert 1 <= len(asked) <= 0.4 * 10 * 4, asked
    assert 1 == await workers.alive(site.scope.database), "and it kept its lease by that"


async def test_a_busy_worker_keeps_its_lease(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a call takes longer than the lease it beats; while commits extend the lease it need not."""
    extended: list[float] = []
    extend = workers.extend

    async def counted(*args: Any) -> bool:
        extended.append(time.monotonic())
        return await extend(*args)

    monkeypatch.setattr(workers, "extend", counted)
    ledger = Ledger(hang=asyncio.Event())
    site = await open_site(database_url, ledger=ledger, lease=2.0, sweep=30.0)
    await site.trigger("mail", "slow")
    await until(lambda: ledger.calls)
    await until(passed(3.0))
    assert 3 <= len(extended) <= 7, "every half second, but for the looks"
    assert 1 == await workers.alive(site.scope.database)
    assert ledger.hang is not None
    ledger.hang.set()
    await until(site.ended)
    extended.clear()
    over, n = passed(2.0), 0
    while not over():
        n += 1
        await site.trigger("mail", f"s{n}")
        await until(lambda n=n: len(ledger.calls) >= n)
    assert len(extended) <= 2
    await until(site.ended)
    assert {1} == set(ledger.keys.values())


async def test_timers_are_kept_without_a_sweep(database_url: str, open_site: Open) -> None:
    """Fifty naps of up to a second, and a sweep every 30 seconds: none is too early, and none waits for the sweep."""
    site = await open_site(database_url, sweep=30.0)
    for n in range(50):
        await site.trigger("nap", f"s{n}", payload={"ms": 20 * n})
    await until(site.ended, 25)
    assert {"completed": 50} == dict(await site.statuses())
    late = await _lateness(site)
    assert 50 == len(late)
    assert min(late) >= 0.0
    assert median(late) < 1.0


async def _lateness(site: Site) -> list[float]:
    """Seconds between the time that each nap was to end, and the time that it did."""
    rows = await site.scope.database.fetch(
        "select x.subscriber_id, c.started_at, c.finished_at from novukit_checkpoint c join novukit_execution x "
        "on x.id = c.execution_id where c.kind = 'delay'"
    )
    return [
        (row["finished_at"] - row["started_at"]).total_seconds() - 0.02 * int(row["subscriber_id"][1:]) for row in rows
    ]


@ONLY_SQLITE
async def test_a_topic_is_expanded_without_a_sweep(database_url: str, open_site: Open) -> None:
    """A trigger to a topic has no due execution yet: the ring makes a worker look for its members, too."""
    site = await open_site(database_url, sweep=30.0)
    await until(lambda: site.scope.database.fetch("select 1 from novukit_worker"))
    members = [f"s{n}" for n in range(20)]
    await subscribers.upsert_many(site.scope, [Subscriber(subscriber_id=who, email="a@example.com") for who in members])
    await subscriptions.subscribe(site.scope, "team", [(who, None, None) for who in members])
    for _ in range(3):
        await trigger(site.app.runtime, site.scope, Trigger(workflow="mail", to=(TopicRecipient(topic_key="team"),)))

    async def all_ended() -> bool:
        return len(await history.matching_ids(site.scope, ExecutionFilter())) == 60 and await site.ended()

    await until(all_ended, 12)
