"""A whole novukit on SQLite, built once for a module: what is refused changes nothing, so rows may share it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from novukit import Context, workflow
from novukit.app import App
from novukit.authoring import Registry
from novukit.engine import sync
from novukit.providers import PluginHost
from novukit.settings import Settings
from novukit.store import Scope, environments, keys, organizations
from novukit.store.secrets import KeyRing, generate_master_key
from novukit.testing.clock import VirtualClock

from .conftest import checksum_of, client


class Item(BaseModel):
    """A line of an order."""

    name: str
    price: float


class Order(BaseModel):
    """A payload with something of everything."""

    model_config = ConfigDict(extra="forbid")

    order_id: str = Field(alias="orderId", min_length=2, pattern=r"^[A-Z0-9]+$")
    items: list[Item] = Field(default=[], max_length=5)
    at: datetime | None = None
    count: int = Field(default=1, ge=1, le=10)
    size: Literal["s", "m", "l"] = "m"
    note: str | None = None
    price: Item | float | None = None


@workflow("order")
async def order(ctx: Context[Order]) -> None:
    await ctx.step.email("mail", subject="Ordered", body="Thanks.")
    await ctx.step.in_app("inbox", body="Thanks.")


@workflow("welcome")
async def welcome(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="Welcome", body="Hello.")
    await ctx.step.in_app("inbox", body="Hello.")


@workflow("security", critical=True)
async def security(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="Sign-in", body="Was it you?")


@workflow("fresh")
async def fresh(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="New", body="Not synced yet.")


@dataclass(frozen=True)
class Whole:
    """``api`` and ``other`` are the API as the keys of Development and Production open it."""

    app: App
    scope: Scope
    api: httpx.AsyncClient
    other: httpx.AsyncClient
    public_id: str
    """The public identifier of Development."""

    async def checksum(self) -> str:
        """Of all rows."""
        return await checksum_of(self.app.database)

    async def seed(self, path: str, body: object) -> None:
        """Put something there through the API."""
        answer = await self.api.post(path, json=body)
        assert 201 == answer.status_code, answer.text


@asynccontextmanager
async def whole(folder: Path, database: str | None = None) -> AsyncIterator[Whole]:
    """``order``, ``welcome`` and ``security`` are synced to Development, ``fresh`` not. There are ada and a topic."""
    settings = Settings(root=folder, database=database or f"sqlite:///{folder / 'novukit.db'}", broker="memory://")
    app = App(
        settings, clock=VirtualClock(), host=PluginHost(installed=False), seed=7, synchronous="OFF", inline=True,
        registry=Registry([order, welcome, security, fresh]), secrets=KeyRing([generate_master_key()]),
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app)
        scope = app.runtime.scope(await app.bootstrap())
        await sync.apply(app.runtime, scope, Registry([order, welcome, security]).manifest())
        owner = await organizations.first(app.database)
        assert owner is not None
        clients: list[httpx.AsyncClient] = []
        asgi = app.asgi()
        for slug in ("development", "production"):
            of = await environments.by_slug(app.database, owner.id, slug)
            (_, key), *_ = await keys.reveal(app.runtime.scope(of.id), app.runtime.secrets)
            clients.append(await stack.enter_async_context(client(asgi, f"ApiKey {key}")))
        here = await environments.by_slug(app.database, owner.id, "development")
        built = Whole(app, scope, clients[0], clients[1], here.identifier)
        await built.seed("/v2/subscribers", {"subscriberId": "ada", "email": "ada@example.org"})
        await built.seed("/v2/topics", {"key": "news"})
        await built.seed("/v1/events/trigger", {"name": "welcome", "to": "ada", "transactionId": "taken"})
        yield built
