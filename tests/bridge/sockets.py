"""Servers with real sockets, each over an app of its own, and the two kinds of clients that Novu's inbox has."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import socketio
import websockets
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.app import App
from novukit.authoring import Registry
from novukit.cli.serving import Server, server
from novukit.engine import sync
from novukit.model import Environment
from novukit.settings import InboxSettings, Settings, WorkerSettings
from novukit.store import Scope, environments, keys, organizations
from novukit.store.secrets import KeyRing, generate_master_key

from ..queue.conftest import until
from ..rows import Rows

SECRETS = KeyRing([generate_master_key()])
EVENTS = ("notification_received", "unread_count_changed", "unseen_count_changed")


class Note(BaseModel):
    of: str


@workflow("note")
async def note(ctx: Context[Note]) -> None:
    """A notification that says whose it is."""
    await ctx.step.in_app("inbox", subject=ctx.payload.of, body=ctx.subscriber.subscriber_id)


@dataclass
class Site:
    """A running server."""

    app: App
    environment: Environment
    secret: str
    url: str
    http: httpx.AsyncClient
    serving: Server
    task: asyncio.Task[None]

    @property
    def scope(self) -> Scope:
        """The walls of Development."""
        return self.app.runtime.scope(self.environment.id)

    @property
    def rows(self) -> Rows:
        """Rows of Development."""
        return Rows(self.scope, self.environment.organization_id)

    async def token(self, subscriber_id: str = "ada", environment: Environment | None = None, **more: Any) -> str:
        """The token of a session."""
        asked = {"applicationIdentifier": (environment or self.environment).identifier, "subscriberId": subscriber_id}
        answer = await self.http.post("/v1/inbox/session", json={**asked, **more})
        assert 201 == answer.status_code, answer.text
        return answer.json()["data"]["token"]

    async def api(self, method: str, path: str, secret: str = "", **more: Any) -> httpx.Response:
        """A call of the API."""
        headers = {"Authorization": f"ApiKey {secret or self.secret}"}
        answer = await self.http.request(method, path, headers=headers, **more)
        assert answer.is_success, answer.text
        return answer

    async def publish(self, *messages: UUID, to: UUID) -> None:
        """Say that these notifications have come; that counters may have changed, when there are none."""
        notices = [(to, message) for message in messages] or [(to, None)]
        await self.app.runtime.publish(self.environment.id, notices)

    async def stop(self) -> None:
        """As a signal would."""
        self.serving.should_exit = True
        await self.task


@asynccontextmanager
async def site(
    database_url: str, folder: Path, *, broker: str = "memory://", working: bool = False, port: int = 0,
    inbox: InboxSettings | None = None, environment: str = "development", metrics: bool = False,
) -> AsyncGenerator[Site]:  # fmt: skip
    """A server that is up, as ``novukit server`` makes it; with a worker when it is ``working``."""
    settings = Settings(
        root=folder, database=database_url, broker=broker, environment=environment, inbox=inbox or InboxSettings(),
        worker=WorkerSettings(sweep=0.2),
    )  # fmt: skip
    app = App(settings, registry=Registry([note]), secrets=SECRETS, synchronous="OFF", metrics=metrics)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app)
        await app.bootstrap()
        found = await environment_of(app, "development")
        for slug in ("development", "production"):
            scope = app.runtime.scope((await environment_of(app, slug)).id)
            await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
        if working:
            worker = app.worker()
            works = asyncio.create_task(worker.run())
            stack.push_async_callback(asyncio.wait, {works})
            stack.callback(worker.stop)
        listening = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving = server(app)
        task = asyncio.create_task(serving.serve(sockets=[listening]))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=20))
        one = Site(app, found, await secret_of(app, found), url, http, serving, task)
        await until(lambda: serving.started, 10, "a server")
        try:
            yield one
        finally:
            await http.aclose()
            await one.stop()


async def environment_of(app: App, slug: str) -> Environment:
    """An environment by its slug."""
    owner = await organizations.first(app.database)
    assert owner is not None
    return await environments.by_slug(app.database, owner.id, slug)


async def secret_of(app: App, environment: Environment) -> str:
    """Its secret key."""
    return (await keys.reveal(app.runtime.scope(environment.id), app.runtime.secrets))[0][1]


@dataclass
class Client:
    """What a client has heard, through either door."""

    events: list[tuple[str, Any]] = field(default_factory=list)
    ended: list[Any] = field(default_factory=list)
    """Why it was closed."""

    def told(self, event: str) -> list[Any]:
        """The data of all events of this name."""
        return [data for name, data in self.events if name == event]

    @property
    def received(self) -> list[str]:
        """The ids of the notifications, as they came."""
        return [data["message"]["_id"] for data in self.told("notification_received")]

    @property
    def unread(self) -> int | None:
        """The last unread counter."""
        return next((data["counts"]["total"] for data in reversed(self.told("unread_count_changed"))), None)

    @property
    def unseen(self) -> int | None:
        """The last unseen counter."""
        return next((data["unseenCount"] for data in reversed(self.told("unseen_count_changed"))), None)

    async def counters(self, unread: int, unseen: int, seconds: float = 20.0) -> None:
        """Wait until these are the counters."""
        what = f"counters of {unread} and {unseen}"
        await until(lambda: (self.unread, self.unseen) == (unread, unseen), seconds, what)


@asynccontextmanager
async def plain(url: str, token: str, *, origin: str | None = None, path: str = "/v1/inbox/ws") -> AsyncGenerator[Any]:
    """A plain WebSocket that listens."""
    client = Client()
    where = f"{url.replace('http', 'ws', 1)}{path}?token={token}"
    async with websockets.connect(where, origin=origin, close_timeout=1) as connection:  # type: ignore[arg-type]

        async def listen() -> None:
            with suppress(websockets.ConnectionClosed):
                async for frame in connection:
                    told = json.loads(frame)
                    client.events.append((told["event"], told["data"]))
            client.ended.append((connection.close_code, connection.close_reason))

        listening = asyncio.create_task(listen())
        try:
            yield client
        finally:
            listening.cancel()


@asynccontextmanager
async def socket_io(
    url: str, token: str, *, origin: str | None = None, path: str = "socket.io", again: bool = False,
    namespace: str = "/",
) -> AsyncGenerator[Any]:  # fmt: skip
    """A socket.io client that listens."""
    client = Client()
    io: Any = socketio.AsyncClient(reconnection=again, reconnection_delay=0.1, reconnection_delay_max=0.2)
    for name in EVENTS:
        io.on(name, lambda data, name=name: client.events.append((name, data)), namespace=namespace)
    io.on("disconnect", client.ended.append, namespace=namespace)
    headers = {"Origin": origin} if origin else {}
    await io.connect(
        f"{url}?token={token}", headers=headers, transports=["websocket"], socketio_path=path, namespaces=[namespace]
    )
    try:
        yield client
    finally:
        await io.disconnect()
        await io.shutdown()


DOORS: dict[str, Callable[..., Any]] = {"plain": plain, "socket.io": socket_io}
