"""Redis is only a doorbell: whatever becomes of it, the work is done, and the worker lives."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from novukit import Context, workflow

from .. import servers
from .conftest import Ledger, Open, Site, until

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@contextmanager
def redis_at(port: int) -> Iterator[str]:
    """A Redis server of the test's own on ``port``, killed without a goodbye at the end."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or servers._redis_of_the_wheel()
    if binary is None:
        pytest.skip("there is no redis-server here")
    folder = Path(tempfile.mkdtemp(prefix="novukit-redis-"))
    options = ["--bind", servers.LOCAL, "--port", port, "--dir", folder, "--save", "", "--appendonly", "no"]
    with servers._process([binary, *options], folder, port, None, signal.SIGKILL):
        yield f"redis://{servers.LOCAL}:{port}/0"


@pytest.fixture
def own_redis() -> Iterator[str]:
    """A Redis server of the test's own."""
    with redis_at(servers.free_port()) as url:
        yield url


@pytest.fixture
async def client(own_redis: str, anyio_backend: str) -> AsyncIterator[Redis]:
    """A connection to it."""
    async with Redis.from_url(own_redis) as connection:
        yield connection


async def listening(client: Redis) -> None:
    """Until a worker waits for rings."""

    async def blocked() -> bool:
        return any(one["cmd"] == "xreadgroup" for one in await client.client_list())

    await until(blocked, what="a listener")


async def pair(open_site: Open, url: str, broker: str, **worker: float) -> tuple[Site, Site]:
    """A site that only rings, and one that only works, over one database and one broker."""
    ledger = Ledger()
    rings = await open_site(url, broker=broker, ledger=ledger, working=False)
    return rings, await open_site(url, broker=broker, ledger=ledger, **worker)


async def test_another_process_hears_the_ring(
    database_url: str, own_redis: str, client: Redis, open_site: Open
) -> None:
    """With a sweep every 30 seconds, over Redis: delivered at once, and nothing is left in the stream's books."""
    rings, works = await pair(open_site, database_url, own_redis, sweep=30.0)
    await listening(client)
    for who in ("ann", "bob", "cyd"):
        began = time.monotonic()
        await rings.trigger("mail", who)
        await until(lambda who=who: who in works.ledger.subjects, 8)
        assert time.monotonic() - began < 2
    await until(works.ended, 8)

    async def nothing_pending() -> bool:
        return (await client.xpending("novukit", "novukit"))["pending"] == 0

    await until(nothing_pending, 8)


async def test_a_flushed_redis_costs_a_sweep_at_most(
    database_url: str, own_redis: str, client: Redis, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """FLUSHALL under a listening worker takes the group away. The next trigger comes through, later ones at once."""
    with caplog.at_level(logging.WARNING):
        rings, works = await pair(open_site, database_url, own_redis, sweep=1.0)
        await listening(client)
        for n in range(5):
            await client.flushall()
            await rings.trigger("mail", f"ann{n}")
            await until(lambda n=n: f"ann{n}" in works.ledger.subjects, 12)
        await until(works.ended)
        await until(lambda: client.exists("novukit"), 12)
        await until(lambda: client.xinfo_groups("novukit"), 12, "the group, made anew,")
    assert len(caplog.records) <= 10, "a few words for each flush"
    assert [1] * 5 == list(works.ledger.keys.values())


async def test_a_redis_that_comes_back_is_heard_again(
    database_url: str, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis is killed and started anew: the worker lives, does not spin, works by sweeping and then hears again."""
    port = servers.free_port()
    up: AbstractContextManager[str] = redis_at(port)
    url = up.__enter__()
    try:
        rings, works = await pair(open_site, database_url, url, sweep=0.5)
        async with Redis.from_url(url) as client:
            await listening(client)
        with caplog.at_level(logging.WARNING):
            up.__exit__(None, None, None)
            await rings.trigger("mail", "ann")
            await until(lambda: "ann" in works.ledger.subjects, 20, "delivery without Redis")
            await until(lambda: caplog.records)
            up = redis_at(port)
            up.__enter__()
            async with Redis.from_url(url) as client:
                await listening(client)
        assert len(caplog.records) <= 10
        await rings.trigger("mail", "bob")
        await until(lambda: "bob" in works.ledger.subjects, 20)
        assert works.task is not None
        assert not works.task.done()
        await until(works.ended)
        await works.stop()
    finally:
        up.__exit__(None, None, None)


async def test_without_redis_work_is_found_by_sweeping(
    database_url: str, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody listens at the broker's address: the app opens with a warning and does its work."""
    with caplog.at_level(logging.WARNING):
        site = await open_site(database_url, broker=f"redis://127.0.0.1:{servers.free_port()}/0", sweep=0.2)
        assert "the broker does not answer" in caplog.text
        began = time.monotonic()
        await site.trigger("mail", "ann")
        assert time.monotonic() - began < 0.5, "a trigger does not wait for a bell"
        await until(site.completed, 12)
        await until(lambda: len(caplog.records) >= 3)
    assert len(caplog.records) <= 10


async def test_a_redis_that_never_answers_delays_nothing(database_url: str, open_site: Open) -> None:
    """A broker that takes connections and says nothing: rings give up within their budget, stopping is quick."""
    silent: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.append(writer)

    from novukit.queue import bell

    opening, bell.OPENING = bell.OPENING, 0.5
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        site = await open_site(database_url, broker=f"redis://127.0.0.1:{port}/0", sweep=0.2)
        began = time.monotonic()
        await site.trigger("mail", "ann")
        assert time.monotonic() - began < 0.5
        await until(site.completed, 12)
        began = time.monotonic()
        await site.stop()
        assert time.monotonic() - began < 6
    finally:
        bell.OPENING = opening
        for writer in silent:
            writer.close()
        server.close()


async def test_a_foreign_entry_does_not_end_the_listening(
    database_url: str, own_redis: str, client: Redis, open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Entries that no novukit wrote: without our field, and with something else in it."""
    with caplog.at_level(logging.WARNING):
        rings, works = await pair(open_site, database_url, own_redis, sweep=30.0)
        await listening(client)
        for entry in ({"nonsense": "1"}, {"data": b"\xff\x00 not json"}, {"data": b'{"task_name": "other"}'}):
            await client.xadd("novukit", entry)
            who = f"ann-{uuid4().hex[:6]}"
            await rings.trigger("mail", who)
            await until(lambda who=who: who in works.ledger.subjects, 12)
        await until(works.ended)
    assert len(caplog.records) <= 10


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
