"""Rings over Redis: one stream, from which an entry is gone as soon as it was heard; plain, Sentinel or Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.cluster import ClusterNode
from redis.exceptions import ResponseError
from taskiq import AsyncBroker, BrokerMessage
from taskiq_redis import RedisStreamBroker, RedisStreamClusterBroker, RedisStreamSentinelBroker

from ..errors import SettingsInvalid
from .broker import QUEUE

if TYPE_CHECKING:
    _Base = AsyncBroker
else:
    _Base = object

GROUP = QUEUE
"""The stream's group and its one consumer: nothing is kept for each of those that listen."""
WAITING = 100
"""Rings that are kept while nobody hears. One that waits says as much as a thousand."""
AT_ONCE = 16
BLOCK = 2.0
"""Seconds that a look into the stream waits. A server that has not answered :data:`LATE` seconds after that is gone."""
LATE = 2.0
OFTEN, PAUSE = 0.005, 0.01
"""Rings that come faster than this are heard together, after a pause: each look costs more than what it tells."""

CONNECTION: dict[str, Any] = {
    # redis-py's own default cuts a look that waits, and on Python 3.11 it may swallow a cancel.
    "socket_timeout": None,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "client_name": QUEUE,
}


class _Rings(_Base):
    """What the three have in common, in place of Taskiq's own reading and acknowledging.

    A ring is heard once, by whoever has waited longest, and needs no acknowledgement: what it stands for is in the
    database. So nothing is pending, nothing is claimed again, and no consumer is left behind.
    """

    @property
    def client(self) -> Any:
        """Redis, as redis-py has it. The driver's methods are about half typed."""
        raise NotImplementedError

    async def _declare_consumer_group(self) -> None:
        """Make the group, from the first entry on: what was rung before anybody listened is heard, too."""
        try:
            await self.client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as err:
            if not str(err).startswith("BUSYGROUP"):
                raise

    async def kick(self, message: BrokerMessage) -> None:
        await self.client.xadd(self._key, {b"data": message.message}, maxlen=WAITING, approximate=False)

    async def listen(self) -> AsyncGenerator[Any, None]:
        loop = asyncio.get_running_loop()
        heard, left = loop.time() - OFTEN, b""
        while True:
            async with asyncio.timeout(BLOCK + LATE):
                found: Any = await self.client.xreadgroup(
                    GROUP, GROUP, {self._key: ">"}, count=AT_ONCE, block=int(BLOCK * 1000), noack=True
                )
            streams: Any = found.items() if hasattr(found, "items") else found or ()
            for _stream, entries in streams:
                for _id, fields in entries:
                    yield fields.get(b"data", b"")  # an entry without it is not ours
                    left = _id
            calm = loop.time() >= heard + OFTEN
            if left and calm:  # while rings come often they are trimmed with a later one
                async with asyncio.timeout(LATE):
                    await self.client.xtrim(self._key, minid=_after(left), approximate=False)
                left = b""
            elif left:
                await asyncio.sleep(PAUSE)
            heard = loop.time()

    @property
    def _key(self) -> str:
        return str(getattr(self, "queue_name"))  # noqa: B009 - each of the three says it by itself


def _after(entry: bytes) -> str:
    """The id that follows ``entry``: the group has heard all before it, whoever may have been killed meanwhile."""
    milliseconds, _, number = entry.decode().partition("-")
    return f"{milliseconds}-{int(number) + 1}"


class Stream(_Rings, RedisStreamBroker):
    """``redis://`` and ``rediss://``: one server."""

    @cached_property
    def client(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        from redis.asyncio import Redis

        return Redis(connection_pool=self.connection_pool)


class SentinelStream(_Rings, RedisStreamSentinelBroker):
    """``redis+sentinel://``: whichever server the sentinels name as the primary."""

    @cached_property
    def client(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        sentinel: Any = self.sentinel
        return sentinel.master_for(self.master_name)

    async def shutdown(self) -> None:
        await super().shutdown()
        sentinel: Any = self.sentinel
        for one in (self.client, *sentinel.sentinels):
            await one.aclose()
            await one.connection_pool.disconnect()


class ClusterStream(_Rings, RedisStreamClusterBroker):
    """``redis+cluster://``: the node that has the stream's slot."""

    @cached_property
    def client(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.redis


def make(url: str) -> AsyncBroker:
    """The broker of a Redis URL. Raises :class:`SettingsInvalid`."""
    url, queue = split_queue(url)
    parts = urlsplit(url)
    transport, _, kind = parts.scheme.partition("+")
    options: dict[str, Any] = {**CONNECTION, "queue_name": queue}
    hosts = _hosts(parts, 26379 if kind == "sentinel" else 6379)
    plain = parts._replace(scheme=transport)
    try:
        if kind == "sentinel":
            return _sentinel(parts, hosts, options, tls=transport == "rediss")
        if kind == "cluster":
            first = plain._replace(netloc="".join(parts.netloc.rpartition("@")[:2]) + _address(*hosts[0]))
            nodes = [ClusterNode(host, port) for host, port in hosts]
            return ClusterStream(first.geturl(), startup_nodes=nodes, max_connection_pool_size=50, **options)
        if len(hosts) > 1:
            raise _wrong("names several hosts", "redis+cluster://host:6379,host2:6379")
        broker = Stream(plain.geturl(), **options)
        pool: Any = broker.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # an option that is not known shows only here
    except (TypeError, ValueError) as err:
        raise _wrong(f"has an option that Redis' driver refuses ({err})", "redis://host:6379/0?queue=name") from None
    return broker


def split_queue(url: str) -> tuple[str, str]:
    """A Redis URL without ``?queue=name``, and that name. Raises :class:`SettingsInvalid` when it is empty."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    queue = options.pop("queue", QUEUE)
    if not queue:
        raise _wrong("names an empty queue", "redis://host:6379/0?queue=name")
    return parts._replace(query=urlencode(options)).geturl(), queue


def _sentinel(parts: SplitResult, hosts: list[tuple[str, int]], options: dict[str, Any], *, tls: bool) -> AsyncBroker:
    name, _, database = parts.path.strip("/").partition("/")
    if not name or not (database or "0").isdigit():
        example = "redis+sentinel://host:26379,host2:26379/mymaster/0"
        raise _wrong("does not say which service the sentinels watch, and which database", example)
    login = {"username": unquote(parts.username or "") or None, "password": unquote(parts.password or "") or None}
    more: dict[str, Any] = {**dict(parse_qsl(parts.query)), **({"ssl": True} if tls else {})}
    # A sentinel answers at once or not at all.
    options["sentinel_kwargs"] = {**CONNECTION, **more, "socket_timeout": 1, "socket_connect_timeout": 1}
    options |= {"db": int(database or 0), **login, **more}
    broker = SentinelStream(hosts, name, **options)
    pool: Any = broker.client.connection_pool
    pool.connection_class(**pool.connection_kwargs)
    return broker


def _hosts(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    """The hosts of ``host:port,host:port``. Raises :class:`SettingsInvalid`."""
    found: list[tuple[str, int]] = []
    for one in parts.netloc.rpartition("@")[2].split(","):
        try:
            each = urlsplit(f"//{one}")
            found.append((each.hostname or "", each.port or port))
        except ValueError:
            found.append(("", 0))
    if not all(host for host, _ in found):
        raise _wrong("does not name its hosts well", "redis+cluster://host:6379,host2:6379")
    return found


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _wrong(what: str, example: str) -> SettingsInvalid:
    return SettingsInvalid(f"The broker's URL {what}.", hint=f"Write it like {example}.")
