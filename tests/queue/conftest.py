"""Whole novukits on real servers and the real clock, and a provider that writes down each call."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from novukit.app import App
from novukit.authoring import Registry, Workflow
from novukit.clock import Clock
from novukit.engine import sync, trigger
from novukit.model import ExecutionStatus, Subscriber, Trigger, Triggered
from novukit.providers import EmailCredentials, EmailProvider, PluginHost, Receipt, hookimpl
from novukit.queue import Worker
from novukit.settings import IntegrationSettings, Settings, WorkerSettings
from novukit.store import Scope
from novukit.store.secrets import KeyRing, generate_master_key

MAIL = IntegrationSettings(
    identifier="mail", provider="ledger-email", channel="email", primary=True, credentials={"from": "a@example.com"}
)
SECRETS = KeyRing([generate_master_key()])
FINAL = {status.value for status in ExecutionStatus if status.is_final}


async def until(check: Callable[[], Any], seconds: float = 40.0, what: str = "it") -> Any:
    """Wait until ``check`` gives something true, and give that; fail when it has not after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about within {seconds:g} s")
        await asyncio.sleep(0.01)


@dataclass
class Ledger:
    """What the provider was asked: key, subject and when, from the moment that its call began."""

    calls: list[tuple[str, str, float]] = field(default_factory=list)
    pause: float = 0.0
    hang: asyncio.Event | None = None
    """Calls end when it is set, if their subject begins with ``hangs``."""
    hangs: str = ""

    @property
    def keys(self) -> Counter[str]:
        return Counter(key for key, _, _ in self.calls)

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject, _ in self.calls]

    @hookimpl
    def novukit_providers(self) -> list[Any]:
        ledger = self

        class LedgerEmail(EmailProvider[EmailCredentials]):
            id = "ledger-email"
            idempotency = "none"
            timeout = 30.0

            async def send(self, content: Any, key: str) -> Receipt:
                ledger.calls.append((key, content.subject, time.monotonic()))
                if ledger.hang is not None and content.subject.startswith(ledger.hangs):
                    await ledger.hang.wait()
                await asyncio.sleep(ledger.pause)
                return Receipt(provider_message_id=f"ledger-{key}")

        return [LedgerEmail]


@dataclass
class Site:
    """One process, as it were: an app over the shared database, with its environment and, it may be, a worker."""

    app: App
    scope: Scope
    ledger: Ledger
    worker: Worker | None = None
    task: asyncio.Task[None] | None = None

    async def trigger(
        self, workflow: str, *people: str, payload: dict[str, Any] | None = None, transaction_id: str | None = None
    ) -> Triggered:
        """Trigger ``workflow`` to ``people``, who have an e-mail address."""
        to = tuple(Subscriber(subscriber_id=who, email=f"{who}@example.com") for who in people)
        ask = Trigger(workflow=workflow, to=to, payload=payload or {}, transaction_id=transaction_id)
        return await trigger(self.app.runtime, self.scope, ask)

    async def statuses(self) -> Counter[str]:
        """How many executions stand where."""
        rows = await self.scope.database.fetch("select status, count(*) as n from novukit_execution group by status")
        return Counter({row["status"]: row["n"] for row in rows})

    async def completed(self) -> int:
        return (await self.statuses())["completed"]

    async def ended(self) -> bool:
        """Whether no execution is under way."""
        return set(await self.statuses()) <= FINAL

    async def stop(self) -> None:
        """Let the worker end as a signal would."""
        if self.worker is not None and self.task is not None:
            self.worker.stop()
            await self.task
            self.task = None


Open = Callable[..., Awaitable[Site]]


@asynccontextmanager
async def opened(
    url: str, folder: Path, registry: Sequence[Workflow[Any]], ledger: Ledger, *, broker: str, working: bool,
    clock: Clock | None = None, mail: IntegrationSettings = MAIL, **worker: Any,
) -> AsyncIterator[Site]:  # fmt: skip
    settings = Settings(
        root=folder, database=url, broker=broker, integrations=(mail,),
        worker=WorkerSettings(**{"sweep": 0.1, "grace": 5.0, **worker}),
    )  # fmt: skip
    app = App(
        settings, host=PluginHost([ledger], installed=False), registry=Registry(registry), secrets=SECRETS,
        synchronous="OFF", clock=clock,
    )  # fmt: skip
    async with app:
        scope = app.runtime.scope(await app.bootstrap())
        await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
        site = Site(app, scope, ledger)
        if working:
            site.worker = app.worker()
            site.task = asyncio.create_task(site.worker.run())
        try:
            yield site
        finally:
            await site.stop()


@pytest.fixture
async def open_site(
    request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    """Opens apps with the workflows of the test's module; they are closed with the test, the last one first."""
    ours = [value for value in vars(request.module).values() if isinstance(value, Workflow)]
    async with AsyncExitStack() as stack:

        async def open_one(
            url: str, *, ledger: Ledger | None = None, broker: str = "memory://", working: bool = True, **worker: Any
        ) -> Site:
            site = opened(url, tmp_path, ours, ledger or Ledger(), broker=broker, working=working, **worker)
            return await stack.enter_async_context(site)

        yield open_one
