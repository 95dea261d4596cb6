"""Redis is only a doorbell: whatever becomes of it, the work is done within a sweep, once, and the worker lives on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from statistics import median
from typing import Any

import pytest

from novukit import Context, workflow
from novukit.queue import bell as bell_module

from .conftest import Ledger, Open, Site, until
from .redises import Own, Wire, own_redis, wire

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

SWEEP = 1.0
SLACK = 1.0
"""Seconds that what is done at once may take, more often than not; a busy machine is no failure."""


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@pytest.fixture
def own() -> Iterator[Own]:
    """A Redis server of the test's own."""
    with own_redis() as server:
        yield server


class Pair:
    """A site that only rings and one that only works, over one database and one Redis; and what became of both."""

    def __init__(self, rings: Site, works: Site, own: Own) -> None:
        self.rings, self.works, self.own = rings, works, own
        self.task, self.shift = works.task, ""
        self.triggered = 0
        self.delays: list[float] = []
        self.ring_times: list[float] = []
        self.heard = 0
        works.app._bell.listen(self._heard)
        ring = rings.app._bell.ring

        async def timed(environment_id: Any = None) -> None:
            began = time.monotonic()
            await ring(environment_id)
            self.ring_times.append(time.monotonic() - began)

        object.__setattr__(rings.app.runtime, "ring", timed)

    def _heard(self) -> None:
        self.heard += 1

    async def workers(self) -> list[str]:
        rows = await self.works.scope.database.fetch("select id from novukit_worker")
        return [str(row["id"]) for row in rows]

    async def send(self) -> None:
        """Trigger, wait for the delivery, and note how long it took."""
        self.triggered += 1
        who, began = f"s{self.triggered}", time.monotonic()
        await self.rings.trigger("mail", who)
        await until(lambda: who in self.works.ledger.subjects, 30, f"the mail to {who}")
        self.delays.append(time.monotonic() - began)

    async def is_rung(self) -> None:
        """Until a ring is heard again."""
        heard = self.heard

        async def again() -> bool:
            await self.rings.app._bell.ring()
            return self.heard > heard

        await until(again, 20, "a ring that is heard")

    async def judge(self) -> None:
        """Nothing lost, nothing twice, and the same worker in the same shift as in the beginning."""
        await until(self.works.ended, 30)
        assert {"completed": self.triggered} == dict(await self.works.statuses())
        assert [1] * self.triggered == list(self.works.ledger.keys.values())
        assert median(self.delays) < SWEEP + SLACK
        assert max(self.ring_times) < bell_module.BUDGET
        assert self.task is self.works.task
        assert self.task is not None
        assert not self.task.done()
        assert [self.shift] == await self.workers(), "it never lost its lease"


@asynccontextmanager
async def opened(open_site: Open, database_url: str, own: Own, port: int | None = None) -> AsyncIterator[Pair]:
    ledger, url = Ledger(), f"redis://127.0.0.1:{port or own.port}/0"
    rings = await open_site(database_url, broker=url, ledger=ledger, working=False)
    works = await open_site(database_url, broker=url, ledger=ledger, sweep=SWEEP)
    pair = Pair(rings, works, own)
    await own.listening()
    (pair.shift,) = await until(pair.workers)
    await pair.send()
    yield pair
    await pair.judge()


Fault = Callable[[Own], Awaitable[Callable[[], Awaitable[None]] | None]]


async def flushed(own: Own) -> None:
    await own.ask("flushall")


async def group_gone(own: Own) -> None:
    await own.ask("xgroup destroy", "novukit", "novukit")


async def foreign_entries(own: Own) -> None:
    for entry in (
        ("nonsense", "1"),
        ("data", b"\xff\x00 not json"),
        ("data", b'{"task_name": "other"}'),
        ("data", b""),
    ):
        await own.ask("xadd", "novukit", "*", *entry)


async def garbage(own: Own) -> None:
    for _ in range(5):
        await own.ask("xadd", "novukit", "*", "data", b"\x80" * 1_000_000)
        await own.ask("xadd", "novukit", "*", b"\x00" * 1_000_000, "x")


async def wrong_type(own: Own) -> Callable[[], Awaitable[None]]:
    await own.ask("set", "novukit", "somebody else's")
    return lambda: own.ask("del", "novukit")


async def killed(own: Own) -> Callable[[], Awaitable[None]]:
    own.kill()

    async def start() -> None:
        own.start()

    return start


async def paused(own: Own) -> Callable[[], Awaitable[None]]:
    await own.ask("client", "pause", 600_000, "all")

    async def go_on() -> None:
        own.kill()  # a paused server takes no command, not even that it shall go on
        own.start()

    return go_on


async def paused_for_a_while(own: Own) -> None:
    await own.ask("client", "pause", 1500, "all")


async def read_only(own: Own) -> Callable[[], Awaitable[None]]:
    await own.ask("replicaof", "127.0.0.1", "1")
    return lambda: own.ask("replicaof", "no", "one")


async def other_password(own: Own) -> Callable[[], Awaitable[None]]:
    good = own.url
    await own.ask("config set", "requirepass", "changed")
    with suppress(Exception):
        await own.ask("client kill", "type", "normal", "skipme", "no")
    own.url = good.replace("//", "//:changed@")

    async def back() -> None:
        await own.ask("config set", "requirepass", "")
        own.url = good

    return back


async def memory_full(own: Own) -> Callable[[], Awaitable[None]]:
    await own.ask("config set", "maxmemory", "1")
    return lambda: own.ask("config set", "maxmemory", "0")


async def evicted(own: Own) -> Callable[[], Awaitable[None]]:
    await own.ask("config set", "maxmemory-policy", "allkeys-lru")
    return await memory_full(own)


FAULTS: dict[str, Fault] = {
    "E2 flushall": flushed, "E2 nogroup": group_gone, "E5 kill -9": killed, "E8 foreign entries": foreign_entries,
    "E8 megabytes of garbage": garbage, "wrong type": wrong_type, "client pause": paused,
    "client pause, a while": paused_for_a_while, "read-only": read_only, "wrong password": other_password,
    "memory full": memory_full, "evicted": evicted,
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_work_goes_on(
    database_url: str, own: Own, open_site: Open, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Three times: the fault strikes, what is triggered then is delivered within a sweep; afterwards rings count."""
    with caplog.at_level(logging.WARNING):
        async with opened(open_site, database_url, own) as pair:
            for _ in range(3 if "pause" not in fault else 1):
                heal = await FAULTS[fault](own)
                for _ in range(2):
                    await pair.send()
                if heal:
                    await heal()
                await pair.is_rung()
                await pair.send()

            async def all_was_heard() -> bool:
                return await own.ask("xlen", "novukit") <= 1

            await until(all_was_heard)
    assert len([one for one in caplog.records if one.name.startswith("novukit")]) <= 3, caplog.text


async def test_a_wire_that_goes_silent(database_url: str, own: Own, open_site: Open) -> None:
    """A black hole takes connections and bytes and never answers; when it talks again, rings are heard again."""
    async with wire(own.port) as way, opened(open_site, database_url, own, way.port) as pair:
        way.silence()
        for _ in range(3):
            await pair.send()
        await _forgets(own, way, pair)
        way.talk()
        await pair.is_rung()
        await pair.send()


async def _forgets(own: Own, way: Wire, pair: Pair) -> None:
    """Longer than any look at the stream takes, so that every connection has been given up once."""
    from novukit.queue import redis

    began = time.monotonic()
    while time.monotonic() - began < redis.BLOCK + redis.LATE + 0.5:
        await pair.send()
        await asyncio.sleep(0.5)


async def test_a_process_that_starts_in_a_black_hole(database_url: str, own: Own, open_site: Open) -> None:
    """Nothing answers when it opens: it opens all the same, works by sweeping, and stops in time."""
    async with wire(own.port) as way:
        way.silence()
        began = time.monotonic()
        site = await open_site(database_url, broker=f"redis://127.0.0.1:{way.port}/0", sweep=0.2)
        assert time.monotonic() - began < bell_module.OPENING + 3
        began = time.monotonic()
        await site.trigger("mail", "ann")
        assert time.monotonic() - began < 0.5, "a trigger does not wait for a bell"
        await until(site.completed, 12)
        began = time.monotonic()
        await site.stop()
        assert time.monotonic() - began < 4


async def test_e1_what_was_rung_before_the_first_worker_started(database_url: str, own: Own, open_site: Open) -> None:
    """E1: five triggers, then the first worker ever: all at once, although it sweeps every 30 seconds only."""
    ledger = Ledger()
    rings = await open_site(database_url, broker=own.url, ledger=ledger, working=False)
    for n in range(5):
        await rings.trigger("mail", f"s{n}")
    began = time.monotonic()
    works = await open_site(database_url, broker=own.url, ledger=ledger, sweep=30.0)
    await until(works.ended, 12)
    assert time.monotonic() - began < 10
    assert 5 == len(ledger.calls)


async def test_e4_a_burst_is_worked_off_by_the_rings_that_are_left(
    database_url: str, own: Own, open_site: Open
) -> None:
    """E4: 300 triggers to one slow worker that sweeps every 30 seconds: no ring that got lost costs anything."""
    ledger = Ledger(pause=0.005)
    rings = await open_site(database_url, broker=own.url, ledger=ledger, working=False)
    works = await open_site(database_url, broker=own.url, ledger=ledger, sweep=30.0, concurrency=3)
    await own.listening()
    for n in range(300):
        await rings.trigger("mail", f"s{n}")
    await until(works.ended, 20)
    assert [1] * 300 == list(ledger.keys.values())


async def test_e5_a_call_under_way_is_not_cut(database_url: str, own: Own, open_site: Open) -> None:
    """E5: Redis is killed while a provider is being called: the call ends as it would have, and is not made again."""
    async with opened(open_site, database_url, own) as pair:
        pair.works.ledger.hang = asyncio.Event()
        pair.triggered += 1
        await pair.rings.trigger("mail", "slow")
        await until(lambda: "slow" in pair.works.ledger.subjects)
        own.kill()
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > SWEEP)
        own.start()
        pair.works.ledger.hang.set()


async def test_twenty_flushes_and_twenty_restarts(
    database_url: str, own: Own, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """One after the other, a trigger in the middle of each: the same process, task and shift, and no task too many."""
    with caplog.at_level(logging.WARNING):
        async with opened(open_site, database_url, own) as pair:
            tasks = len(asyncio.all_tasks())
            for _ in range(20):
                await own.ask("flushall")
                await pair.send()
            for _ in range(20):
                own.kill()
                own.start()
                await pair.send()
            await pair.is_rung()
            await until(lambda: len(asyncio.all_tasks()) <= tasks + 1)
    assert len(caplog.records) <= 3, caplog.text
