"""A wire to a server that loses what it is told to lose: a statement on its way, or the answer to it.

``with wire(host, port) as w`` listens at ``w.port``. ``w.lose(b"…", answer=True)``: the next bytes from a client that
hold the marker arrive, their answer does not, and the connection breaks; with ``answer=False`` they do not arrive.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

READY = b"Z\x00\x00\x00\x05"
"""Postgres' «ready for query», with which it ends each answer (PostgreSQL, «Message Formats»)."""


class Wire:
    """A proxy in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._marker: bytes | None = None
        self._answer = False
        self.port = 0
        self.lost = 0
        """How often it has lost something."""

    def lose(self, marker: bytes, *, answer: bool) -> None:
        """Lose what holds ``marker``, or its answer, once."""
        self._answer, self._marker = answer, marker

    async def talk(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(*self._upstream)
        losing = asyncio.Event()

        async def up() -> None:
            while data := await client.read(1 << 20):
                if self._marker is not None and self._marker in data:
                    self._marker = None
                    losing.set()
                    if not self._answer:
                        break
                to_server.write(data)
                await to_server.drain()

        async def down() -> None:
            while data := await server.read(1 << 20):
                if losing.is_set():
                    if READY in data:
                        break
                    continue
                to_client.write(data)
                await to_client.drain()

        with suppress(OSError):
            await asyncio.wait({asyncio.create_task(up()), asyncio.create_task(down())}, return_when="FIRST_COMPLETED")
        self.lost += losing.is_set()
        for writer in (to_client, to_server):
            writer.transport.abort()

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()


@contextmanager
def wire(host: str, port: int) -> Generator[Wire]:
    """A wire to ``host`` and ``port`` until the block ends."""
    it, ready, loop, stop = Wire(host, port), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    def serve() -> None:
        loop.run_until_complete(it.serve(ready, stop))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield it
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
