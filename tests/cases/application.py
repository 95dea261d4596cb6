"""An application behind a bridge: a small HTTP server in this process that answers as it is told, and counts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from novukit import Subscriber
from novukit.engine import remote
from novukit.testing import Harness

Says = Callable[[dict[str, Any]], dict[str, Any]]
ADA = Subscriber(subscriber_id="ada", email="ada@example.com", first_name="Ada")
EMPTY = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class Application:
    """Workflows by id, each a list of steps: their id, their type, and what they say to a call's body."""

    def __init__(self) -> None:
        self.url = ""
        self.workflows: dict[str, list[tuple[str, str, Says]]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.bodies: dict[str, dict[str, Any]] = {}
        """The last body for each step."""
        self.headers: dict[str, str] = {}
        self.faults: list[tuple[int, bytes, dict[str, str]] | None] = []
        """What the next calls are answered with instead; None is never answered."""

    def has(self, workflow: str, *steps: tuple[str, str, Says], payload: dict[str, Any] | None = None) -> None:
        """Declare a workflow."""
        self.workflows[workflow], self.schemas[workflow] = list(steps), payload or EMPTY

    def breaks(self, status: int, body: bytes | None = None, **headers: str) -> None:
        """Answer the next call for a step with this."""
        said = json.dumps({"message": "Not now.", "code": "BridgeError"}).encode() if body is None else body
        self.faults.append((status, said, {name.replace("_", "-"): value for name, value in headers.items()}))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection."""
        try:
            line = (await reader.readline()).decode()
            self.headers = {}
            while (header := (await reader.readline()).decode().strip()) != "":
                name, _, value = header.partition(":")
                self.headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(self.headers.get("content-length", 0)))
            query = {k: v[0] for k, v in parse_qs(urlsplit(line.split()[1]).query).items()}
            said = self._said(query, json.loads(body or b"{}"))
            if said is None:
                await asyncio.sleep(30)
                return
            status, content, headers = said
            more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"HTTP/1.1 {status} Told\r\ncontent-length: {len(content)}\r\nconnection: close\r\n{more}\r\n"
            writer.write(head.encode() + content)
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _said(self, query: dict[str, str], body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]] | None:
        action = query.get("action")
        if action == "execute":
            self.asked[query["stepId"]] += 1
            self.bodies[query["stepId"]] = body
            if self.faults:
                return self.faults.pop(0)
            steps = {name: says for name, _, says in self.workflows[query["workflowId"]]}
            said = steps[query["stepId"]](body)
            whole = {"outputs": said, "providers": {}, "options": {"skip": False}, "metadata": {"status": "success"}}
            found: dict[str, Any] = said.pop("answer", whole)
        elif action == "discover":
            found = {"workflows": [self._declared(name) for name in self.workflows], "agents": []}
        else:
            found = {"status": "ok"}
        return 200, json.dumps(found).encode(), {"content-type": "application/json"}

    def _declared(self, name: str) -> dict[str, Any]:
        return {
            "workflowId": name, "name": name.title(), "description": "", "tags": ["remote"], "severity": "none",
            "preferences": {}, "payload": {"schema": self.schemas[name], "unknownSchema": self.schemas[name]},
            "steps": [{"stepId": step, "type": kind} for step, kind, _ in self.workflows[name]],
        }  # fmt: skip


@asynccontextmanager
async def application() -> AsyncGenerator[Application]:
    """An application that listens until the block ends."""
    found = Application()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/novu"
    try:
        yield found
    finally:
        server.close()


@pytest.fixture
async def app(anyio_backend: str) -> AsyncIterator[Application]:
    """An application that has nothing yet."""
    async with application() as found:
        yield found


async def synced(novukit: Harness, app: Application) -> None:
    """Bring what the application declares to Development."""
    await remote.sync(novukit.app.runtime, novukit.scope, app.url)


def says(**outputs: Any) -> Says:
    """A step that always says the same."""
    return lambda _: dict(outputs)


def skips(_: dict[str, Any]) -> dict[str, Any]:
    """A step whose skip function says yes."""
    return {"answer": {"outputs": {}, "providers": {}, "options": {"skip": True}}}
