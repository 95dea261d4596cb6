"""Redis in its other forms, and other Taskiq brokers: a ring gets through, and a failover costs a sweep at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from novukit import Context, workflow
from novukit.engine import Notice
from novukit.queue import Bell, Notices, make_broker

from .. import servers
from .conftest import Open, until
from .redises import Own, own_redis, redis_at, sentinel_at

pytestmark = pytest.mark.anyio


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


async def is_rung(rings: Bell, heard: list[float], seconds: float = 20) -> None:
    """Ring until it is heard once more."""
    before = len(heard)

    async def again() -> bool:
        await rings.ring()
        await asyncio.sleep(0.05)
        return len(heard) > before

    await until(again, seconds, "a ring that is heard")


async def rung(url: str, between: Callable[[], Any] = lambda: None) -> int:
    """Ring fifty times from one process to another, ``between`` after half of them; how often it was heard."""
    rings, listens, heard = Bell(make_broker(url)), Bell(make_broker(url)), list[float]()
    await rings.open()
    listens.listen(lambda: heard.append(time.monotonic()))
    await is_rung(rings, heard)
    between()
    for _ in range(25):
        await is_rung(rings, heard)
    await rings.close()
    await listens.close()
    return len(heard)


class _Ears:
    def __init__(self) -> None:
        self.told: list[Notice] = []

    def heard(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        self.told += notices

    def missed(self) -> None:
        """Nothing is to be done about it here."""


async def noticed(url: str) -> bool:
    """Publish from one process to another until it is heard."""
    one, two, ears, who = Notices(url), Notices(url), _Ears(), uuid4()
    one.open()
    two.open()
    two.listen(ears)

    async def again() -> bool:
        await one.publish(uuid4(), [(who, None)])
        await asyncio.sleep(0.05)
        return (who, None) in ears.told

    await until(again, 20, "a notice that is heard")
    await one.close()
    await two.close()
    return True


async def test_a_cluster(anyio_backend: str) -> None:
    """A cluster of one node that has every slot: the stream is read and trimmed there, and notices get through."""
    port = next(port for port in iter(servers.free_port, 0) if port < 55_000)  # its other port is 10,000 higher
    with redis_at(port, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"):
        async with Redis(port=port) as node:
            await node.execute_command("CLUSTER ADDSLOTS", *range(16384))

            async def ready() -> bool:
                return (await node.execute_command("CLUSTER INFO"))["cluster_state"] == "ok"

            await until(ready, 20)
            url = f"redis+cluster://127.0.0.1:{port},127.0.0.1:{servers.free_port()}?queue=bells"
            assert await rung(url)
            assert await noticed(url)

            async def empty() -> bool:
                return 1 >= await node.xlen("bells")

            await until(empty, 20)


async def test_sentinels(anyio_backend: str) -> None:
    """The primary is killed; rings and notices go by the one that the sentinel promotes."""
    primary, replica, sentinel = servers.free_port(), servers.free_port(), servers.free_port()
    with ExitStack() as stack, ExitStack() as first:
        first.enter_context(redis_at(primary))
        follows = ("--replicaof", f"{servers.LOCAL} {primary}", "--repl-diskless-sync-delay", 0)
        stack.enter_context(redis_at(replica, *follows))
        stack.enter_context(sentinel_at(sentinel, primary))
        async with Redis(port=sentinel) as watching:

            async def seen() -> bool:
                return len(await watching.execute_command("SENTINEL REPLICAS", "main")) == 1

            await until(seen, 30, "a sentinel that knows the replica")
            url = f"redis+sentinel://127.0.0.1:{sentinel}/main/0"
            assert await rung(url, first.close)
            assert await noticed(url)
            promoted = await watching.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "main")
            assert replica == int(promoted[1])


@pytest.mark.parametrize("kind", ["ListQueueBroker", "PubSubBroker", "RedisStreamBroker"])
async def test_taskiqs_own_brokers(anyio_backend: str, kind: str) -> None:
    """Named by its path, any broker of Taskiq's rings: with acknowledgement, without, and for all at once."""
    with own_redis() as own:
        assert await rung(f"taskiq_redis:{kind}?url=redis:%2F%2F127.0.0.1:{own.port}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_novukits_share_a_redis(database_url: str, open_site: Open) -> None:
    """Each has a queue of its own: neither hears the other one's rings."""
    with own_redis() as own:
        mine = await open_site(database_url, broker=f"{own.url}?queue=mine", sweep=30.0)
        heard: list[float] = []
        other = Bell(make_broker(f"{own.url}?queue=other"))
        other.listen(lambda: heard.append(0))
        await own.listening(2)
        before = len(heard)
        for n in range(5):
            await mine.trigger("mail", f"s{n}")
        await until(lambda: len(mine.ledger.calls) == 5, 8)
        assert before == len(heard)
        await other.close()


async def test_a_listener_alone_reads_what_it_rings(anyio_backend: str) -> None:
    """Server and worker in one process over Redis: it hears itself."""
    with own_redis() as own:
        both, heard = Bell(make_broker(own.url)), list[float]()
        await both.open()
        both.listen(lambda: heard.append(0))
        await own.listening()
        await is_rung(both, heard)
        await both.close()
        assert isinstance(own, Own)
