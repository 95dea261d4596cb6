"""The HTTP client: keeps a number of connections busy with requests that it has made beforehand.

Hand-written over asyncio's protocols, for on two cores a client library would cost more than the server it asks.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

from bench.wire import coming, say

PEOPLE = 1000


def event(n: int) -> str:
    """One event as an application would send it."""
    who = f"s{n % PEOPLE}"
    to = {"subscriberId": who, "email": f"{who}@example.com", "firstName": "Ada"}
    return json.dumps({"name": "custom", "to": to, "payload": {}})


def request(path: str, key: str, body: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ApiKey {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


class Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as the last one was answered."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None], slow: list[float]) -> None:
        self._requests, self._done, self._slow = requests, done, slow
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")) or b'"status":"error"' in body:
            self._end(RuntimeError(f"{head.decode()}\n{body[:500].decode()}"))
            return
        self._slow.append(time.perf_counter() - self._sent)
        self._got = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or RuntimeError("the server closed the connection"))

    def _next(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._end(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(following)

    def _end(self, err: Exception | None) -> None:
        if not self._done.done():
            if err:
                self._done.set_exception(err)
            else:
                self._done.set_result(None)


async def load(port: int, requests: list[bytes], connections: int) -> list[float]:
    """Send all requests over so many connections; gives how long each took, in seconds."""
    loop = asyncio.get_running_loop()
    left, slow, ends = iter(requests), list[float](), []
    for _ in range(connections):
        done = loop.create_future()
        await loop.create_connection(lambda done=done: Connection(left, done, slow), "127.0.0.1", port)
        ends.append(done)
    await asyncio.gather(*ends)
    return slow


async def main(key: str) -> None:
    requests: list[bytes] = []
    say(ready=True)
    async for ask in coming():
        if ask["do"] == "make":
            size = ask["bulk"]
            if size == 1:
                requests = [request("/v1/events/trigger", key, event(n)) for n in range(ask["n"])]
            else:
                bodies = [",".join(event(n * size + m) for m in range(size)) for n in range(ask["n"])]
                requests = [request("/v1/events/trigger/bulk", key, f'{{"events":[{body}]}}') for body in bodies]
            say(made=len(requests))
        else:
            began = time.monotonic()
            slow = sorted(await load(ask["port"], requests, ask["connections"]))
            say(seconds=time.monotonic() - began, p50=slow[len(slow) // 2], p99=slow[int(0.99 * len(slow))])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
