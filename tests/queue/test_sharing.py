"""A ring wakes as many workers as the work needs, a full one is no dead end, and no environment waits for another."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from novukit import Context, workflow
from novukit.engine import sync, trigger
from novukit.model import Subscriber, Trigger
from novukit.store import environments, organizations

from .conftest import Ledger, Open, Site, until
from .redises import Own, own_redis

pytestmark = pytest.mark.anyio
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
NEVER = 300.0
"""A sweep that does not come within a test: what is done is done by the bell."""


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@workflow("mails")
async def mails(ctx: Context[None]) -> None:
    """Three e-mails."""
    for n in range(3):
        await ctx.step.email("mail", key=str(n), subject=f"{n} {ctx.subscriber.subscriber_id}", body="-")


WAITING: list[str] = []
GO_ON = asyncio.Event()


async def wait_here(who: str) -> str:
    """Wait until the test goes on."""
    WAITING.append(who)
    await GO_ON.wait()
    return who


@workflow("blocks")
async def blocks(ctx: Context[None]) -> None:
    """A step that takes long, and no provider."""
    await ctx.step.custom("wait", wait_here, ctx.subscriber.subscriber_id)


@workflow("nap")
async def nap(ctx: Context[None]) -> None:
    """A nap, then an e-mail."""
    await ctx.step.delay("wait", timedelta(milliseconds=700))
    await ctx.step.email("mail", subject=f"nap {ctx.subscriber.subscriber_id}", body="-")


@pytest.fixture
def own() -> Iterator[Own]:
    """A Redis server of the test's own."""
    with own_redis() as server:
        yield server


def people(n: int) -> list[str]:
    return [f"s{i}" for i in range(n)]


@ONLY_POSTGRES
async def test_one_ring_wakes_as_many_workers_as_it_takes(database_url: str, own: Own, open_site: Open) -> None:
    """Thirty executions by one trigger, each with a step that does not end: three workers with ten places have all."""
    rings = await open_site(database_url, broker=own.url, working=False)
    sites = [await open_site(database_url, broker=own.url, sweep=NEVER, concurrency=10) for _ in range(3)]
    await own.listening(3)
    GO_ON.clear()
    await rings.trigger("blocks", *people(30))
    await until(lambda: len(WAITING) == 30, 20)
    assert [10, 10, 10] == [site.worker.busy for site in sites if site.worker]
    GO_ON.set()
    await until(rings.ended, 20)


@ONLY_POSTGRES
async def test_a_full_worker_is_no_dead_end(database_url: str, own: Own, open_site: Open) -> None:
    """One worker is full for good; each of twenty triggers is done by the other one, whoever heard its ring."""
    ledger = Ledger(hang=asyncio.Event())
    full = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER, concurrency=1)
    await own.listening(1)
    await full.trigger("mail", "blocks")
    await until(lambda: ledger.calls)
    ledger.hang, hang = None, ledger.hang
    free = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER)
    for n in range(20):
        await free.trigger("mail", f"s{n}")
        await until(lambda n=n: f"s{n}" in ledger.subjects, 10, f"trigger {n}")
    assert hang is not None
    hang.set()
    await until(free.ended, 20)


@ONLY_POSTGRES
async def test_where_all_are_full_a_ring_rests(database_url: str, own: Own, open_site: Open) -> None:
    """Two full workers do not ring each other on for ever; the first one who has room again takes the work at once."""
    ledger = Ledger(hang=asyncio.Event())
    sites = [await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER, concurrency=1) for _ in range(2)]
    await own.listening(2)
    for n in range(2):
        await sites[0].trigger("mail", f"blocks{n}")
        await until(lambda n=n: len(ledger.calls) == n + 1, 10)
    for n in range(3):
        await sites[0].trigger("mail", f"s{n}")
    await own.listening(0)

    async def rests() -> bool:
        """Nobody rings for half a second: a listener that takes breath between two rings is none for a moment."""
        began, rung = time.monotonic(), await own.ask("xinfo stream", "novukit")
        await until(lambda: time.monotonic() - began > 0.5)
        return rung["last-generated-id"] == (await own.ask("xinfo stream", "novukit"))["last-generated-id"]

    await until(rests, 10, "rest")
    assert ledger.hang is not None
    ledger.hang.set()
    await until(sites[0].ended, 10)
    assert 5 == len(ledger.calls)


@ONLY_POSTGRES
async def test_a_timer_that_comes_due_while_its_worker_is_full(database_url: str, own: Own, open_site: Open) -> None:
    """Only the worker that set it knows of it, and has no room then: it rings for the other one."""
    ledger = Ledger()
    sets = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER, concurrency=1)
    await own.listening(1)
    await sets.trigger("nap", "ann")

    async def asleep() -> bool:
        return (await sets.statuses())["waiting"] == 1

    await until(asleep)
    ledger.hang = asyncio.Event()
    await sets.trigger("mail", "blocks")
    await until(lambda: ledger.calls)
    ledger.hang, hang = None, ledger.hang
    await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER)
    await until(lambda: "nap ann" in ledger.subjects, 10)
    hang.set()
    await until(sets.ended, 20)


@ONLY_POSTGRES
async def test_e6_what_a_stop_hands_over_is_rung_for(database_url: str, own: Own, open_site: Open) -> None:
    """E6: a stop that is not patient enough. What it leaves goes on at once elsewhere, without a sweep."""
    ledger = Ledger(hang=asyncio.Event())
    stops = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER, grace=0.1)
    await own.listening(1)
    await stops.trigger("mail", *people(5))
    await until(lambda: len(ledger.calls) == 5)
    ledger.hang = None
    await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER)
    await own.listening(2)
    await stops.stop()
    await until(stops.ended, 10)
    assert {"completed": 5} == dict(await stops.statuses())
    assert {2} == set(ledger.keys.values())


@ONLY_POSTGRES
async def test_a_call_that_is_shorter_than_the_grace_is_never_cut(database_url: str, own: Own, open_site: Open) -> None:
    """Three calls in a row take longer than the grace, each one less: the stop lets one end, another worker goes on."""
    ledger = Ledger(pause=1.0)
    stops = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER, grace=2.0)
    await own.listening(1)
    await stops.trigger("mails", *people(5))
    await until(lambda: len(ledger.calls) == 5)
    goes_on = await open_site(database_url, broker=own.url, ledger=ledger, sweep=NEVER)
    await own.listening(2)
    began = time.monotonic()
    await stops.stop()
    assert time.monotonic() - began < 2.0, "no second call began"
    await until(goes_on.ended, 20)
    assert {"completed": 5} == dict(await goes_on.statuses())
    assert [1] * 15 == list(ledger.keys.values()), "nothing was called twice"
    rows = await goes_on.scope.database.fetch("select distinct status, possible_duplicate from novukit_message")
    assert [("sent", False)] == [(row["status"], bool(row["possible_duplicate"])) for row in rows]


async def test_a_long_queue_of_one_environment_does_not_hold_up_another(database_url: str, open_site: Open) -> None:
    """2000 executions of one environment are due when another one's come, one after the other: they do not stand in
    line, and many of the 2000 are still to be done when the last one of the ten is.
    """
    ledger = Ledger(pause=0.02)
    site = await open_site(database_url, ledger=ledger, concurrency=20, working=False)
    quiet = await other_environment(site)
    for start in range(0, 2000, 100):
        await site.trigger("mail", *[f"n{n}" for n in range(start, start + 100)])
    site.worker = site.app.worker()
    site.task = asyncio.create_task(site.worker.run())
    await until(lambda: len(ledger.calls) >= 20)
    waits: list[float] = []
    for n in range(10):
        ask = Trigger(workflow="mail", to=(Subscriber(subscriber_id=f"q{n}", email=f"q{n}@example.com"),))
        began = time.monotonic()
        await trigger(site.app.runtime, quiet, ask)
        await until(lambda n=n: f"q{n}" in ledger.subjects, 60)
        waits.append(time.monotonic() - began)
    done = Counter(subject[0] for subject in ledger.subjects)
    assert done["n"] < 1500, f"each of the ten waited, in seconds: {[round(one, 2) for one in waits]}"
    assert sorted(waits)[5] < 2.0
    await site.stop()


async def other_environment(site: Site) -> Any:
    """The rows of Production, where the same workflows are synced."""
    rt = site.app.runtime
    organization = await organizations.bootstrap(rt.database, rt.secrets)
    found = await environments.all(rt.database, organization.id)
    (other,) = [one.id for one in found if one.id != site.scope.environment_id]
    scope = rt.scope(other)
    await sync.apply(rt, scope, rt.registry.manifest())
    return scope
