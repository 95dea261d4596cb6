"""Several workers over one database: the work is shared, and whatever becomes of one of them, nothing is done twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.engine import Shift, cancel
from novukit.errors import LeaseLost
from novukit.model import MessageStatus
from novukit.store import executions, history, workers
from novukit.store.history import ExecutionFilter
from novukit.store.workers import Found

from .conftest import Ledger, Open, Site, until

pytestmark = pytest.mark.anyio
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

NOTES: list[str] = []
BLOCK: dict[str, asyncio.Event] = {}


async def note(text: str) -> str:
    """Leave a trace; wait where the test says so."""
    NOTES.append(text)
    if held := BLOCK.get(text):
        await held.wait()
    return text


@pytest.fixture(autouse=True)
def _clean() -> None:
    NOTES.clear()
    BLOCK.clear()


class Number(BaseModel):
    """An event that can be told from the others."""

    n: int


@workflow("trace")
async def trace(ctx: Context[None]) -> None:
    """Three steps, the middle one an e-mail."""
    who = ctx.subscriber.subscriber_id
    await ctx.step.custom("begin", note, f"begin {who}")
    await ctx.step.email("mail", subject=f"mail {who}", body="-")
    await ctx.step.custom("end", note, f"end {who}")


@workflow("mails")
async def mails(ctx: Context[None]) -> None:
    """Three e-mails with a short sleep between them."""
    who = ctx.subscriber.subscriber_id
    await ctx.step.email("first", subject=who, body="-")
    await ctx.step.delay("wait", timedelta(milliseconds=30))
    await ctx.step.email("second", subject=who, body="-")
    await ctx.step.email("third", subject=who, body="-")


@workflow("gather")
async def gather(ctx: Context[Number]) -> None:
    """A digest with a short window."""
    digest = await ctx.step.digest("digest", window=timedelta(seconds=1))
    numbers = ",".join(str(event.payload.n) for event in digest.events)
    await ctx.step.email("mail", subject=numbers, body="-")


@workflow("slow")
async def slow(ctx: Context[None]) -> None:
    """An e-mail after a long sleep."""
    await ctx.step.email("first", subject="first", body="-")
    await ctx.step.delay("wait", timedelta(days=1))
    await ctx.step.email("second", subject="second", body="-")


async def three(open_site: Open, url: str, ledger: Ledger, **worker: Any) -> list[Site]:
    return [await open_site(url, ledger=ledger, **worker) for _ in range(3)]


@ONLY_POSTGRES
async def test_three_workers_share_the_work(database_url: str, open_site: Open) -> None:
    """300 executions: each provider key called once, each function once, all complete, and nobody did it all."""
    ledger = Ledger(pause=0.01)
    sites = await three(open_site, database_url, ledger, concurrency=10)
    for start in range(0, 300, 50):
        await sites[start // 50 % 3].trigger("trace", *[f"s{n}" for n in range(start, start + 50)])
    busy = [0, 0, 0]

    async def ended() -> bool:
        for n, site in enumerate(sites):
            busy[n] = max(busy[n], site.worker.busy if site.worker else 0)
        return await sites[0].ended()

    await until(ended, 160)
    assert {"completed": 300} == dict(await sites[0].statuses())
    assert 300 == len(ledger.keys)
    assert {1} == set(ledger.keys.values())
    assert {f"{what} s{n}": 1 for n in range(300) for what in ("begin", "end")} == dict(Counter(NOTES))
    assert all(busy), "each of them worked"
    owned = await sites[0].scope.database.fetch("select 1 from novukit_execution where worker_id is not null")
    assert [] == list(owned)


async def test_work_of_a_worker_whose_heart_stops_is_taken_over(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reaped; what it writes then is refused; no finished step runs again; in a new shift it works again."""
    ledger = Ledger()
    zombie = await open_site(database_url, ledger=ledger, lease=1.0)
    BLOCK["end ann"] = asyncio.Event()
    await zombie.trigger("trace", "ann")
    await until(lambda: "end ann" in NOTES)
    assert zombie.worker is not None
    dead = (await zombie.scope.database.fetch("select id from novukit_worker"))[0]["id"]
    keep, look = Shift.keep, Shift.look

    async def no_beat(shift: Shift) -> bool:
        return True if shift.worker_id == dead else await keep(shift)

    async def no_extension(shift: Shift) -> Any:
        return Found(False, False, None) if shift.worker_id == dead else await look(shift)

    monkeypatch.setattr(Shift, "keep", no_beat)
    monkeypatch.setattr(Shift, "look", no_extension)
    other = await open_site(database_url, ledger=ledger, lease=1.0)
    await until(lambda: NOTES.count("end ann") == 2, 24, "the take-over")
    BLOCK.pop("end ann").set()  # both go on now
    await until(other.ended)
    assert {"completed": 1} == dict(await other.statuses())
    assert {"begin ann": 1, "end ann": 2} == dict(Counter(NOTES)), "what had no result ran again, and nothing else"
    assert [1] == list(ledger.keys.values())
    journal_of_the_dead = Shift(zombie.app.runtime, timedelta(seconds=1))
    journal_of_the_dead.journal._worker_id = dead
    with pytest.raises(LeaseLost):
        await journal_of_the_dead.journal.put()
    monkeypatch.setattr(Shift, "keep", keep)
    monkeypatch.setattr(Shift, "look", look)
    await until(lambda: _workers(other, 2), 24, "a new shift")
    await other.stop()
    await zombie.trigger("trace", "bob")
    await until(zombie.ended)
    assert 1 == NOTES.count("end bob")


async def _workers(site: Site, n: int) -> bool:
    return await workers.alive(site.scope.database) == n


@ONLY_POSTGRES
async def test_nothing_is_sent_after_a_cancel_was_acknowledged(database_url: str, open_site: Open) -> None:
    """150 cancels at random moments against three workers. «cancelled» is silent at once; «cancelling» ends soon."""
    rng, ledger = random.Random(5), Ledger(pause=0.005)
    sites = await three(open_site, database_url, ledger, concurrency=20)
    acknowledged: dict[str, float] = {}
    answers: Counter[str] = Counter()

    async def one(n: int) -> None:
        site, who = sites[n % 3], f"s{n}"
        accepted = await site.trigger("mails", who)
        await asyncio.sleep(rng.random() * 0.3)
        answer = await cancel(site.app.runtime, site.scope, accepted.transaction_id or "")
        answers.update(cancelled=answer.cancelled, cancelling=answer.cancelling)
        if answer.cancelled:
            acknowledged[who] = time.monotonic()
        elif not answer.cancelling:
            assert 3 == ledger.subjects.count(who), "neither cancelled nor cancelling: it had ended"

    await asyncio.gather(*[one(n) for n in range(150)])
    await until(sites[0].ended, 120)
    assert set(await sites[0].statuses()) <= {"cancelled", "completed"}
    late = [who for _, who, at in ledger.calls if at > acknowledged.get(who, at)]
    assert [] == late
    assert answers["cancelled"] > 10
    assert answers["cancelling"] > 10


async def test_a_cancel_while_a_call_is_under_way_does_not_wait_for_the_next_timer(
    database_url: str, open_site: Open
) -> None:
    """The step after the call would sleep for a day: the execution is cancelled when the call ends."""
    ledger = Ledger(hang=asyncio.Event())
    site = await open_site(database_url, ledger=ledger)
    accepted = await site.trigger("slow", "ann")
    await until(lambda: ledger.calls)
    answer = await cancel(site.app.runtime, site.scope, accepted.transaction_id or "")
    assert (0, 1) == (answer.cancelled, answer.cancelling)
    assert ledger.hang is not None
    ledger.hang.set()
    await until(site.ended, 20)
    assert {"cancelled": 1} == dict(await site.statuses())
    (one,) = await history.matching_ids(site.scope, ExecutionFilter())
    (message,) = await history.messages_of(site.scope, one)
    assert message.status is MessageStatus.SENT


@ONLY_POSTGRES
async def test_a_cancel_misses_nothing_that_moves(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution that goes from running to waiting while it is being cancelled is still found."""
    ledger = Ledger(hang=asyncio.Event())
    site = await open_site(database_url, ledger=ledger)
    accepted = await site.trigger("slow", "ann")
    await until(lambda: ledger.calls)
    cancel_idle = executions.cancel_idle

    async def with_a_pause(*args: Any, **more: Any) -> Any:
        touched = await cancel_idle(*args, **more)
        assert ledger.hang is not None
        ledger.hang.set()
        until_then = time.monotonic() + 0.5
        await until(lambda: time.monotonic() > until_then)
        return touched

    monkeypatch.setattr(executions, "cancel_idle", with_a_pause)
    answer = await cancel(site.app.runtime, site.scope, accepted.transaction_id or "")
    assert 1 == answer.cancelled + answer.cancelling
    await until(site.ended, 20)
    assert {"cancelled": 1} == dict(await site.statuses())


@ONLY_POSTGRES
async def test_each_event_is_in_exactly_one_digest(database_url: str, open_site: Open) -> None:
    """200 events of one key by eight writers, while windows of a second close, on three workers."""
    ledger = Ledger()
    sites = await three(open_site, database_url, ledger, concurrency=20)
    numbers = iter(range(200))

    async def writer(rng: random.Random) -> None:
        for n in numbers:
            await sites[n % 3].trigger("gather", "ann", payload={"n": n})
            await asyncio.sleep(rng.random() * 0.25)

    await asyncio.gather(*[writer(random.Random(n)) for n in range(8)])
    await until(sites[0].ended, 120)
    digested = Counter(int(n) for subject in ledger.subjects for n in subject.split(","))
    assert dict.fromkeys(range(200), 1) == dict(digested)
    assert {1} == set(ledger.keys.values())
    assert len(ledger.calls) >= 2
    assert {"completed", "merged"} == set(await sites[0].statuses())
    still_open = await sites[0].scope.database.fetch("select 1 from novukit_digest_window where status = 'open'")
    assert [] == list(still_open)
