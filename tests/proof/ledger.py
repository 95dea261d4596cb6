"""A provider in a process of its own that writes down every request it gets: the only truth about what was sent.

Start one with ``with ledger(folder) as book``. It listens on loopback at ``book.url`` and appends a JSON line for each
request to ``book.file`` (O_APPEND, one write, before it behaves) ::

    {"n": 1, "at": 1767225600.0, "key": "…", "to": "a@example.com", "hash": "…", "subject": "…", "kind": "native",
     "did": "ok", "accepted": true, "delivered": true, "pid": 4711}

``kind`` is the provider's idempotency class (the path: ``/send/native``), ``pid`` the caller's. ``accepted``: the
provider took the message on. ``delivered``: a person got it; a ``native`` provider delivers a key once. ``at`` is wall
time in seconds. ``GET /message/<key>`` is the look-up: 200 where the key was accepted, else 404.

How it behaves is told with ``book.behave(prefix, *what)`` for all recipients that begin with ``prefix`` ("" for all;
the longest prefix wins): the first request of a recipient gets the first of ``what``, and so on; the last one stays.
``book.mix(prefix, {"ok": 90, "500": 10})`` draws by weight instead. What there is (BEHAVIOURS) ::

    ok, ok:0.05           accept; answer after that many seconds
    429:2  503:2          refuse, with Retry-After: 2        (``429`` alone: without it)
    400                   refuse for good
    500                   an error that may or may not have sent: here it has not
    timeout-after         accept, and never answer           timeout-before   neither accept nor answer
    reset-after           accept, then reset the connection  reset-before     reset it without accepting
    cut                   accept, answer 200, close in the middle of the body
    garbage               accept, answer something that is not HTTP

``tests.proof.plugin`` has the novukit providers that post here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

ACCEPTING = {"ok", "timeout-after", "reset-after", "cut", "garbage"}
REFUSING = {"429", "503", "400"}
"""The caller knows that nothing was sent, and may call again (but for 400)."""
BEHAVIOURS = ACCEPTING | REFUSING | {"500", "timeout-before", "reset-before"}


@dataclass(frozen=True)
class Call:
    """One request, as it is written down."""

    n: int
    at: float
    key: str
    to: str
    hash: str
    subject: str
    kind: str
    did: str
    accepted: bool
    delivered: bool
    pid: int


def read_calls(file: Path) -> list[Call]:
    """Everything that a ledger has written down, in order of arrival."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [Call(**json.loads(line)) for line in lines]


@dataclass(frozen=True)
class Book:
    """A running ledger."""

    url: str
    file: Path
    pid: int

    def behave(self, prefix: str, *what: str) -> None:
        """Do ``what`` to recipients that begin with ``prefix``: one for each request, the last one for ever."""
        self._tell({"prefix": prefix, "do": list(what)})

    def mix(self, prefix: str, weights: Mapping[str, float], seed: int = 1) -> None:
        """From now on, draw what to do by weight."""
        self._tell({"prefix": prefix, "mix": dict(weights), "seed": seed})

    def calls(self, to: str = "") -> list[Call]:
        """The requests so far, of recipients that begin with ``to``."""
        return [call for call in read_calls(self.file) if call.to.startswith(to)]

    def _tell(self, rule: dict[str, Any]) -> None:
        for one in [*rule.get("do", ()), *rule.get("mix", ())]:
            if one.partition(":")[0] not in BEHAVIOURS:
                raise ValueError(f"The ledger does not know {one!r}.")
        request = urllib.request.Request(f"{self.url}/behave", json.dumps(rule).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def ledger(folder: Path, *, port: int = 0) -> Generator[Book]:
    """Run a ledger that writes to ``folder/ledger.jsonl`` until the block ends; a file that is there is continued."""
    file = folder / "ledger.jsonl"
    command = [sys.executable, __file__, str(file), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise RuntimeError("The ledger did not start.")
        yield Book(f"http://127.0.0.1:{int(said)}", file, process.pid)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class _Rule:
    prefix: str = ""
    do: list[str] = field(default_factory=lambda: ["ok"])
    mix: dict[str, float] = field(default_factory=dict[str, float])
    seed: int = 0
    met: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def next(self, to: str) -> str:
        if self.mix:
            return self.chance.choices(list(self.mix), list(self.mix.values()))[0]
        self.met[to] += 1
        return self.do[min(self.met[to], len(self.do)) - 1]


class _Ledger:
    """The server behind it all."""

    def __init__(self, file: Path) -> None:
        self.accepted = {call.key for call in read_calls(file) if call.accepted}
        self.n = len(read_calls(file))
        self.out = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        self.rules: dict[str, _Rule] = {"": _Rule()}

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self.talk, "127.0.0.1", port, backlog=1024)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length") or 0))
                if not await self.answer(method, path, headers, body, reader, writer):
                    break
        writer.close()

    async def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        """Answer one request; whether the connection stays."""
        if path == "/behave":
            rule = _Rule(**json.loads(body))
            self.rules[rule.prefix] = rule
            return await _say(writer, 200)
        if method == "GET":
            key = path.rpartition("/")[2]
            return await _say(writer, 200 if key in self.accepted else 404, {"id": key})
        did = self.take(path.rpartition("/")[2], headers, body)
        name, _, value = did.partition(":")
        match name:
            case "ok":
                if value:
                    await asyncio.sleep(float(value))
                return await _say(writer, 200, {"id": headers.get("idempotency-key", "")})
            case "timeout-after" | "timeout-before":
                await reader.read()  # until the caller gives up
            case "reset-after" | "reset-before":
                socket = writer.get_extra_info("socket")
                socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))  # close() sends RST
            case "cut":
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"id": "')
                await writer.drain()
            case "garbage":
                writer.write(b"\x00\xff not HTTP at all\r\n\r\n")
                await writer.drain()
            case _:
                return await _say(writer, int(name), {}, f"Retry-After: {value}\r\n" if value else "")
        return False

    def take(self, kind: str, headers: Mapping[str, str], body: bytes) -> str:
        """Write a request down, and say what is done to it."""
        asked, key = json.loads(body), headers.get("idempotency-key", "")
        rules = [rule for prefix, rule in self.rules.items() if asked["to"].startswith(prefix)]
        did = max(rules, key=lambda rule: len(rule.prefix)).next(asked["to"])
        accepted = did.partition(":")[0] in ACCEPTING
        delivered = accepted and not (kind == "native" and key in self.accepted)
        if accepted:
            self.accepted.add(key)
        self.n += 1
        line = Call(
            self.n, time.time(), key, asked["to"], hashlib.blake2b(body, digest_size=8).hexdigest(), asked["subject"],
            kind, did, accepted, delivered, int(headers.get("x-pid", 0)),
        )  # fmt: skip
        os.write(self.out, json.dumps(line.__dict__, ensure_ascii=False).encode() + b"\n")
        return did


async def _say(
    writer: asyncio.StreamWriter, status: int, answer: Mapping[str, Any] | None = None, more: str = ""
) -> bool:
    body = json.dumps(answer or {}).encode()
    writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{more}Content-Length: ".encode())
    writer.write(f"{len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return True


if __name__ == "__main__":
    asyncio.run(_Ledger(Path(sys.argv[1])).serve(int(sys.argv[2])))
