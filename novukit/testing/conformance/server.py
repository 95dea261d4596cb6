"""The vendor's side: a local HTTP server that notes what it is asked, and answers or misbehaves as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ...providers import Headers
from .vendor import Answer, Reply
from .wire import Request

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""
    writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answer, until the other side gives up."""
    await reader.read()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer that goes on for as long as somebody reads it."""
    writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


def half(answer: Answer) -> Behaviour:
    """Break off in the middle of the answer's body."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whole = answer.bytes()
        head = whole.index(b"\r\n\r\n") + 4
        writer.write(whole[: head + max(1, (len(whole) - head) // 2)])
        await writer.drain()
        writer.close()

    return behave


@dataclass
class Server:
    """What it answers to a message (``answer``), and what it was asked: ``sent`` are the messages, ``asked`` the rest.

    ``before`` behaves before the request is read, ``after`` once it was; both stand in for the answer.
    """

    answer: Reply
    routes: Mapping[str, Reply] = field(default_factory=dict[str, Reply])
    before: Behaviour | None = None
    after: Behaviour | None = None
    port: int = 0
    connections: int = 0
    sent: list[Request] = field(default_factory=list[Request])
    asked: list[Request] = field(default_factory=list[Request])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests on one connection, one after the other."""
        self.connections += 1
        while not writer.is_closing():
            if self.before is not None:
                await self.before(reader, writer)
                return
            request = await read(reader)
            answer = self.answered(request)
            if self.after is not None and request.path not in self.routes:
                await self.after(reader, writer)
                return
            writer.write(answer.bytes())
            await writer.drain()

    def answered(self, request: Request) -> Answer:
        """Note ``request``, and give the answer to it."""
        route = self.routes.get(request.path)
        (self.sent if route is None else self.asked).append(request)
        reply = self.answer if route is None else route
        return reply(request) if callable(reply) else reply


async def read(reader: asyncio.StreamReader) -> Request:
    """The next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    pairs = [line.partition(":")[::2] for line in head[1:] if line]
    headers = Headers([(name, value.strip()) for name, value in pairs])
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


@asynccontextmanager
async def serving(answer: Reply, routes: Mapping[str, Reply]) -> AsyncGenerator[Server, None]:
    """A server on a free port of 127.0.0.1."""
    server = Server(answer, routes)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server.serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
