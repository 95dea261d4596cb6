"""Redis servers of a test's own, and a wire to one that can go silent."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from .. import servers
from .conftest import until


@contextmanager
def redis_at(port: int, *options: object) -> Iterator[str]:
    """A Redis server of the test's own on ``port``, killed without a goodbye at the end."""
    with _server(port, ["--save", "", "--appendonly", "no", *options]):
        yield f"redis://{servers.LOCAL}:{port}/0"


@contextmanager
def sentinel_at(port: int, watched: int) -> Iterator[None]:
    """A sentinel on ``port`` that calls the server on port ``watched`` ``main``, and fails over within seconds."""
    folder = Path(tempfile.mkdtemp(prefix="novukit-sentinel-"))
    config = folder / "sentinel.conf"
    lines = (
        f"monitor main {servers.LOCAL} {watched} 1",
        "down-after-milliseconds main 600",
        "failover-timeout main 4000",
    )
    config.write_text("".join(f"sentinel {line}\n" for line in lines))
    try:
        with _server(port, [], config, "--sentinel"):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(port: int, options: Sequence[object], *first: object) -> Iterator[None]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or servers._redis_of_the_wheel()
    if binary is None:
        pytest.skip("there is no redis-server here")
    folder = Path(tempfile.mkdtemp(prefix="novukit-redis-"))
    command = [binary, *first, "--bind", servers.LOCAL, "--port", port, "--dir", folder, *options]
    with servers._process(command, folder, port, None, signal.SIGKILL):
        yield


class Own:
    """A Redis server that the test kills and starts as it likes, always on the same port."""

    def __init__(self) -> None:
        self.port = servers.free_port()
        self.url = f"redis://{servers.LOCAL}:{self.port}/0"
        self._up: Any = None

    def start(self) -> None:
        self._up = redis_at(self.port)
        self._up.__enter__()

    def kill(self) -> None:
        up, self._up = self._up, None
        if up is not None:
            up.__exit__(None, None, None)

    async def ask(self, *command: Any) -> Any:
        """What the server answers, over a connection that is used once."""
        async with Redis.from_url(self.url) as client:
            return await client.execute_command(*command)

    async def listening(self, clients: int = 1) -> None:
        """Until so many workers wait for rings."""

        async def blocked() -> bool:
            with suppress(Exception):
                async with Redis.from_url(self.url) as client:
                    return sum("b" in one["flags"] for one in await client.client_list()) == clients
            return False

        await until(blocked, 20, f"{clients} listeners")


@contextmanager
def own_redis() -> Iterator[Own]:
    """A Redis server of the test's own, up and running."""
    own = Own()
    own.start()
    try:
        yield own
    finally:
        own.kill()


class Wire:
    """A way to a server. While it is ``silent`` it takes connections and bytes, and gives nothing back."""

    def __init__(self, port: int) -> None:
        self._to, self._talking = port, asyncio.Event()
        self._talking.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def silence(self) -> None:
        self._talking.clear()

    def talk(self) -> None:
        self._talking.set()

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has connected."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = [writer]
        try:
            await self._talking.wait()
            from_there, to_there = await asyncio.open_connection(servers.LOCAL, self._to)
            ends.append(to_there)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, to_there))
                both.create_task(self._carry(from_there, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for end in ends:
                end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._talking.wait()
            target.write(data)
            await target.drain()
        raise ConnectionResetError

    async def cut(self) -> None:
        """Break every connection."""
        for task in (tasks := set(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """A :class:`Wire` to ``port``."""
    way = Wire(port)
    server = await asyncio.start_server(way.taken, servers.LOCAL, 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        for last in (False, True):
            for _ in range(9):  # asyncio leaves a connection open that is accepted while its server closes
                await way.cut()
                await asyncio.sleep(0)
            if not last:
                server.close()
