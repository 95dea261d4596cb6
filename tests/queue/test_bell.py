"""The bell: a ring is heard at once, by one of those who have room, and waits for nobody; Redis keeps nothing of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from taskiq import AsyncBroker, BrokerMessage

from novukit import Context, workflow
from novukit.queue import Bell, make_broker
from novukit.queue import bell as bell_module
from novukit.queue.broker import QueueBroker

from .. import servers
from .conftest import Ledger, Open, until
from .redises import Own, own_redis

pytestmark = pytest.mark.anyio
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@pytest.fixture
def own() -> Iterator[Own]:
    """A Redis server of the test's own."""
    with own_redis() as server:
        yield server


@pytest.fixture
async def bells(own: Own, anyio_backend: str) -> AsyncIterator[list[Bell]]:
    """Three bells over it, as of three processes."""
    three = [Bell(make_broker(own.url)) for _ in range(3)]
    for one in three:
        await one.open()
    yield three
    for one in three:
        await one.close()


class Ear:
    """Hears, and counts. Without ``room`` it lets the ring go on to others."""

    def __init__(self, *, room: bool = True) -> None:
        self.heard = 0
        self.room = asyncio.Event()
        if room:
            self.room.set()

    def __call__(self) -> asyncio.Event | None:
        if not self.room.is_set():
            return self.room
        self.heard += 1
        return None


@ONLY_SQLITE
async def test_another_process_hears_the_ring(database_url: str, own: Own, open_site: Open) -> None:
    """With a sweep every 30 seconds, over Redis: delivered at once."""
    ledger = Ledger()
    rings = await open_site(database_url, broker=own.url, ledger=ledger, working=False)
    works = await open_site(database_url, broker=own.url, ledger=ledger, sweep=30.0)
    await own.listening()
    for who in ("ann", "bob", "cyd"):
        began = time.monotonic()
        await rings.trigger("mail", who)
        await until(lambda who=who: who in ledger.subjects, 8)
        assert time.monotonic() - began < 2
    await until(works.ended, 8)


async def test_one_of_those_who_listen_hears_a_ring_each_in_turn(own: Own, bells: list[Bell]) -> None:
    """Twenty rings, two listeners: ten each, so that a ring costs one claim however many workers there are."""
    rings, *listen = bells
    ears = [Ear() for _ in listen]
    for one, ear in zip(listen, ears, strict=True):
        one.listen(ear)
    await own.listening(2)
    before = [ear.heard for ear in ears]
    for n in range(1, 21):
        await rings.ring()
        await until(lambda n=n: sum(ear.heard for ear in ears) - sum(before) >= n, 8)
        await own.listening(2)
    assert [10, 10] == [ear.heard - then for ear, then in zip(ears, before, strict=True)]


async def test_who_has_no_room_lets_the_ring_go_on(own: Own, bells: list[Bell]) -> None:
    """A full worker's ring reaches the other one; when nobody has room it waits for the first who has."""
    rings, full, free = bells
    deaf, ear = Ear(room=False), Ear()
    full.listen(deaf)
    free.listen(ear)
    await own.listening(2)
    for n in range(1, 5):
        await rings.ring()
        await until(lambda n=n: ear.heard >= n + 1, 8)
    ear.room.clear()
    heard = ear.heard
    await rings.ring()
    await own.listening(0)
    assert 1 <= await own.ask("xlen", "novukit") <= 4, "it waits there"
    deaf.room.set()
    await until(lambda: deaf.heard, 8)
    assert heard == ear.heard


async def test_rings_that_come_together_are_one(own: Own, bells: list[Bell]) -> None:
    """What is rung while a ring is on its way goes with the next one; and to ring is to wait for nothing."""
    rings, listens, _ = bells
    ear = Ear()
    listens.listen(ear)
    await own.listening()
    before, began = ear.heard, time.monotonic()
    for n in range(1000):
        await rings.ring()
        if n % 100 == 0:
            await asyncio.sleep(0)
    assert (time.monotonic() - began) / 1000 < bell_module.BUDGET / 10
    await until(lambda: ear.heard > before, 8)
    await until(lambda: rings._ringer is None or rings._ringer.done(), 8)
    assert ear.heard - before <= 20


async def test_e7_redis_keeps_nothing_of_what_was_heard(own: Own, bells: list[Bell]) -> None:
    """E7: 300 rings later the stream is empty, nothing is pending; and listeners leave no consumer behind.

    Rings that come fast are cleared away together, once it is calm.
    """
    rings = bells[0]

    async def empty() -> bool:
        return await own.ask("xlen", "novukit") == 0

    for _ in range(3):
        listens, ear = Bell(make_broker(own.url)), Ear()
        listens.listen(ear)
        await own.listening()
        for n in range(1, 101):
            await rings.ring()
            await until(lambda n=n, ear=ear: ear.heard >= n, 8)
        await until(empty, 8)
        await listens.unlisten(ear)
        await listens.close()
    await rings.ring()
    one = ("group", "novukit", "novukit", "noack", "streams", "novukit", ">")
    await until(lambda: own.ask("xreadgroup", *one), 8)  # read by someone who is killed before the entry is gone
    assert 1 <= await own.ask("xlen", "novukit") <= 3
    bells[1].listen(Ear())
    await own.listening()
    await rings.ring()
    await until(empty, 8)
    (group,) = await own.ask("xinfo groups", "novukit")
    assert (1, 0) == (group["consumers"], group["pending"])


async def test_e4_rings_that_nobody_hears_do_not_pile_up(own: Own, bells: list[Bell]) -> None:
    """E4: a thousand rings without a listener are a hundred; the next listener hears, and they are gone."""
    for _ in range(1000):
        await bells[0]._broker.kick(bells[0]._ring)
    assert 100 == await own.ask("xlen", "novukit")
    ear = Ear()
    bells[1].listen(ear)

    async def empty() -> bool:
        return await own.ask("xlen", "novukit") == 0

    await until(empty, 8)
    assert ear.heard


async def test_the_last_ring_goes_out_before_the_process_ends(own: Own, bells: list[Bell]) -> None:
    """A script that triggers and ends: closing waits for its ring, at most as long as the budget says."""
    rings, listens, _ = bells
    ear = Ear()
    listens.listen(ear)
    await own.listening()
    before = ear.heard
    await rings.ring()
    await rings.close()
    await until(lambda: ear.heard > before, 8)


async def test_a_broker_that_fails_at_random_is_begun_anew(anyio_backend: str) -> None:
    """Any Taskiq broker: what its ``listen`` raises, or that it ends, costs a moment; a ring it refuses comes later."""

    class Moody(QueueBroker):
        kicks = listens = starts = 0

        async def startup(self) -> None:
            type(self).starts += 1
            if self.starts % 3 == 2:
                raise OSError("not now")
            await super().startup()

        async def kick(self, message: BrokerMessage) -> None:
            type(self).kicks += 1
            if self.kicks % 2:
                raise ExceptionGroup("several", [RuntimeError("no")])
            await super().kick(message)

        async def listen(self) -> Any:
            type(self).listens += 1
            async for message in super().listen():
                yield message
                if self.listens % 2:
                    raise ConnectionResetError
                return

    one, ear = Bell(Moody()), Ear()
    await one.open()
    one.listen(ear)
    for n in range(2, 7):
        await one.ring()
        await until(lambda n=n: ear.heard >= n, 20)
    await one.unlisten(ear)
    await one.close()


async def test_a_broker_that_hangs_is_left_in_time(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers nothing, not even that it ends: to open, to ring and to close takes bounded time."""
    monkeypatch.setattr(bell_module, "OPENING", 0.2)

    class Hangs(AsyncBroker):
        async def startup(self) -> None:
            await asyncio.Event().wait()

        async def shutdown(self) -> None:
            await asyncio.Event().wait()

        async def kick(self, message: BrokerMessage) -> None:
            await asyncio.Event().wait()

        async def listen(self) -> Any:
            await asyncio.Event().wait()
            yield b""

    one, ear, began = Bell(Hangs()), Ear(), time.monotonic()
    await one.open()
    one.listen(ear)
    rung = time.monotonic()
    await one.ring()
    assert time.monotonic() - rung < bell_module.BUDGET
    await one.unlisten(ear)
    await one.close()
    assert time.monotonic() - began < 6


@ONLY_SQLITE
async def test_an_app_that_is_alone_says_so_once(
    database_url: str, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody listens at the broker's address: the app opens with a warning, does its work, and fills no log."""
    with caplog.at_level(logging.WARNING):
        site = await open_site(database_url, broker=f"redis://127.0.0.1:{servers.free_port()}/0", sweep=0.2)
        assert "the broker does not answer" in caplog.text
        await site.trigger("mail", "ann")
        await until(site.completed, 12)
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > 1.5)
    assert 1 <= len(caplog.records) <= 3


@ONLY_SQLITE
async def test_two_workers_of_one_app_both_hear(database_url: str, open_site: Open) -> None:
    """One bell in the process wakes every worker that listens to it, and goes on when one of them stops."""
    site = await open_site(database_url, sweep=30.0)
    other = site.app.worker()
    task = asyncio.create_task(other.run())
    await until(lambda: len(site.app._bell._hearers) == 2)
    await site.stop()
    await site.trigger("mail", "ann")
    await until(site.completed, 8)
    other.stop()
    await task
    assert [] == site.app._bell._hearers
