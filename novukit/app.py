"""``App``: the composition root, the only place that constructs anything."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from .authoring import Registry
from .clock import Clock, SystemClock, uuid7_source
from .engine import Runtime
from .engine.remote import Remotes
from .engine.route import Routes
from .errors import SchemaOutdated, SecretMissing
from .observability import Scrape
from .providers import HttpClient, PluginHost
from .queue import Bell, Notices, Worker, make_broker
from .rendering import Renderer
from .settings import Settings
from .store import Database, backlog, environments, integrations, migrations, organizations
from .store.secrets import KeyRing
from .store.sqlite import Synchronous
from .store.uuids import uuid_of

if TYPE_CHECKING:
    from .observability.metrics import Metrics

log = logging.getLogger("novukit.app")

SET_CLOCK = 60.0
"""Seconds between two looks at the database's clock. Two machines' clocks part by a few milliseconds in that time."""
SKEW = timedelta(seconds=2)
"""A difference between two clocks that somebody should know of."""


class App:
    """A whole novukit over one database: the runtime, the bridge as an ASGI app, and workers.

    Use it as an async context manager: entering opens the database and holds its schema to this novukit. An empty
    SQLite file is brought up to date by itself (``embedded``); anything else asks for ``novukit db upgrade``.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        host: PluginHost | None = None,
        registry: Registry | None = None,
        secrets: KeyRing | None = None,
        seed: int | None = None,
        synchronous: Synchronous = "FULL",
        inline: bool = False,
        development: bool = False,
        metrics: bool = False,
        tracing: bool = False,
    ) -> None:
        self.settings = settings
        self.missing_secrets: list[SecretMissing] = []
        """What the file's integrations lack, known after :meth:`bootstrap`; those stay as they were."""
        clock = clock or SystemClock()
        rng = random.Random(seed)  # noqa: S311 - ids and jitter, no secrets
        new_id = uuid7_source(clock, rng, uuid_of)
        self.database = Database(settings.database, clock=clock, new_id=new_id, synchronous=synchronous, inline=inline)
        self._bell, self._notices = Bell(make_broker(settings.broker)), Notices(settings.broker)
        self._metrics, self.scrape = self._watched(clock) if metrics else (None, None)
        self._timekeeper: asyncio.Task[None] | None = None
        self._told_offset = timedelta()
        self._closing: list[Callable[[], Awaitable[None]]] = []
        # In development providers may reach this machine and its network, and write files; elsewhere they may not.
        host = host or PluginHost(http=HttpClient(allow_private=settings.environment == "development"))
        secrets = secrets or KeyRing(settings.master_keys())
        self.runtime = Runtime(
            settings=settings,
            database=self.database,
            clock=clock,
            new_id=new_id,
            random=rng,
            registry=registry if registry is not None else Registry.load(settings.workflows, settings.root),
            renderer=Renderer(settings.templates, development=development),
            host=host,
            secrets=secrets,
            routes=Routes(self.database, host, secrets, places=settings.worker.concurrency, locale=settings.locale),
            remotes=Remotes(
                HttpClient(
                    allow_private=settings.environment == "development" or settings.bridge.allow_private,
                    timeout=settings.bridge.timeout,
                )
            ),
            ring=self._bell.ring,
            publish=self._notices.publish,
            observer=self._metrics,
            tracer=_tracer() if tracing else None,
        )

    async def __aenter__(self) -> Self:
        await self.database.open()
        try:
            await self._fit_schema()
            await self._set_clock()
            await self._bell.open()
            self._notices.open()
        except BaseException:
            await self.database.close()
            raise
        if isinstance(self.runtime.clock, SystemClock):
            self._timekeeper = asyncio.create_task(self._keep_time(), context=contextvars.Context())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timekeeper is not None:
            self._timekeeper.cancel()
            await asyncio.wait({self._timekeeper})
        for close in self._closing:
            await close()
        await self._bell.close()
        await self._notices.close()
        await self.runtime.host.close()
        await self.runtime.remotes.close()
        await self.database.close()

    async def bootstrap(self) -> UUID:
        """Make what every novukit has: the organization, Development and Production, keys, the file's integrations.

        Returns the id of the environment that the settings name. Doing it again changes nothing.
        """
        rt = self.runtime
        organization = await organizations.bootstrap(self.database, rt.secrets)
        for environment in await environments.all(self.database, organization.id):
            declared = [i for i in self.settings.integrations if i.serves(environment.slug)]
            scope = rt.scope(environment.id)
            self.missing_secrets += await integrations.sync_settings(scope, rt.secrets, declared, rt.host.get)
        return (await environments.by_slug(self.database, organization.id, self.settings.environment)).id

    def asgi(self) -> Any:
        """The bridge: REST API, sockets, health, OpenAPI."""
        from .bridge import Realtime, create_asgi

        realtime = Realtime(self.runtime)
        self._notices.listen(realtime.hub)
        self._closing.append(realtime.close)
        if self._metrics is not None:
            self._metrics.watch_sockets(lambda: realtime.hub.count)
        return create_asgi(self.runtime, self.scrape, realtime)

    def bridge_protocol(self) -> Any:
        """The bridge protocol alone, as an ASGI app to mount in a server of your own: Novu's server calls it.

        The app must be open, for the keys that sign are in its database.
        """
        from .bridge.protocol import of_runtime

        return of_runtime(self.runtime)

    def worker(self) -> Worker:
        """A worker over this app's database and broker. Plugins that do not serve are named in the log."""
        for status in self.runtime.host.statuses:
            if not status.ok:
                log.warning("plugin %s (%s) does not serve: %s", status.name, status.distribution, status.error)
        worker = Worker(self.runtime, self._bell)
        if self._metrics is not None:
            self._metrics.watch_worker(lambda: worker.busy, self.settings.worker.concurrency)
        return worker

    def _watched(self, clock: Clock) -> tuple[Metrics, Scrape]:
        """Who counts, and who shows it."""
        from .observability.metrics import Metrics

        metrics = Metrics(clock)
        self._bell.on_failed(metrics.ring_failed)
        return metrics, Scrape(metrics, lambda: backlog.read(self.database), clock, self.settings.metrics.secret())

    async def _set_clock(self) -> None:
        """Go by the database's clock, so that all machines over it agree what is due and whose lease has lapsed."""
        clock = self.runtime.clock
        if not isinstance(clock, SystemClock):
            return
        if self.database.dialect == "postgres":
            behind = await clock.follow(self.database.now)
            if abs(behind) > SKEW:
                log.warning("this clock was %s the database's; it goes by that one now", _apart(behind))
        elif abs(clock.offset - self._told_offset) > SKEW:
            self._told_offset = clock.offset
            log.warning("this machine's clock was set; until its next start novukit is %s it", _apart(-clock.offset))

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(SET_CLOCK)
            with contextlib.suppress(Exception):  # while the database is away the clock goes on by itself
                await self._set_clock()

    async def _fit_schema(self) -> None:
        """Hold the schema to this code; the embedded default needs no command for its first start."""
        try:
            await migrations.check(self.database)
        except SchemaOutdated:
            if self.database.dialect != "sqlite" or await migrations.applied(self.database):
                raise
            await migrations.upgrade(self.database)


def _apart(behind: timedelta) -> str:
    seconds = behind.total_seconds()
    return f"{abs(seconds):.1f} s {'behind' if seconds > 0 else 'ahead of'}"


def _tracer() -> Any:
    from .observability.tracing import Tracing, make_provider

    return Tracing(make_provider())
