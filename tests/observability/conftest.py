"""A whole novukit with a worker, watched, on each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.app import App
from novukit.authoring import Registry
from novukit.engine import Runtime, sync, trigger
from novukit.model import Subscriber, Trigger
from novukit.providers import PluginHost, Receipt, Rejected, SmsCredentials, SmsProvider, Unknown, hookimpl
from novukit.queue import Worker
from novukit.settings import IntegrationSettings, Settings, WorkerSettings
from novukit.store import Scope
from novukit.store.secrets import KeyRing, generate_master_key

TEXT = IntegrationSettings(identifier="text", provider="fickle-sms", channel="sms", credentials={"from": "novukit"})


class FickleSms(SmsProvider[SmsCredentials]):
    """Does what the message says."""

    id = "fickle-sms"
    idempotency = "none"

    async def send(self, content: Any, key: str) -> Receipt:
        if "refuse" in content.body:
            raise Rejected("no such number")
        if "lose" in content.body:
            raise Unknown("the line was cut")
        return Receipt(provider_message_id=key)


class Plugin:
    @hookimpl
    def novukit_providers(self) -> list[Any]:
        return [FickleSms]


class Words(BaseModel):
    say: str


@workflow("hello")
async def hello(ctx: Context[Words]) -> None:
    await ctx.step.in_app("inbox", subject="Hello", body="Hello.")
    await ctx.step.sms("text", body=ctx.payload.say, on_unknown="park")


def subscriber(name: str) -> Subscriber:
    return Subscriber(subscriber_id=name, phone="+4915112345678", email=f"{name}@example.com")


class Site:
    """An app and what one does with it."""

    def __init__(self, app: App, scope: Scope, worker: Worker) -> None:
        self.app, self.scope, self.worker = app, scope, worker

    @property
    def runtime(self) -> Runtime:
        return self.app.runtime

    async def say(self, *words: str) -> None:
        """Trigger ``hello`` with each of ``words``."""
        for number, said in enumerate(words):
            ask = Trigger(workflow="hello", to=(subscriber(f"gretchen{number}"),), payload={"say": said})
            await trigger(self.runtime, self.scope, ask)

    async def ended(self) -> None:
        """Wait until nothing is under way."""
        async with asyncio.timeout(30):
            while await self._under_way():  # noqa: ASYNC110 - another process may end it
                await asyncio.sleep(0.01)

    async def _under_way(self) -> bool:
        return bool(
            await self.scope.database.fetch(
                "select 1 from novukit_execution where status in ('pending', 'running', 'waiting') limit 1"
            )
        )


@asynccontextmanager
async def watched(url: str, folder: Path, **more: Any) -> AsyncGenerator[Site]:
    """A site with a running worker; ``more`` is for :class:`App`."""
    settings = Settings(
        root=folder, database=url, integrations=(TEXT,), worker=WorkerSettings(sweep=0.1, grace=5.0, concurrency=7)
    )
    app = App(
        settings, host=PluginHost([Plugin()], installed=False), registry=Registry([hello]), synchronous="OFF",
        secrets=KeyRing([generate_master_key()]), **more,
    )  # fmt: skip
    async with app:
        scope = app.runtime.scope(await app.bootstrap())
        await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
        worker = app.worker()
        task = asyncio.create_task(worker.run())
        try:
            yield Site(app, scope, worker)
        finally:
            worker.stop()
            await task
