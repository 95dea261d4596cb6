"""A real web server on loopback whose answers a test chooses, byte by byte if it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WebServer:
    """Answers every request with ``answer`` and keeps what it was asked."""

    answer: Answer = b""
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole HTTP answer. Underscores in the names of headers become hyphens."""
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def web_server(answer: Answer = b"") -> AsyncIterator[WebServer]:
    """A server on a free port of 127.0.0.1."""
    web = WebServer(answer or reply())
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        web.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(ln[15:]) for ln in head.lower().split(b"\r\n") if ln.startswith(b"content-length:")), 0)
            web.requests.append(head + await reader.readexactly(length))
            if callable(web.answer):
                await web.answer(writer)
            else:
                writer.write(web.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
