"""``App``: the composition root, the only place that constructs anything."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from .authoring import Registry
from .clock import Clock, SystemClock, uuid7_source
from .engine import Publish, Runtime
from .engine.route import Routes
from .engine.runtime import nobody
from .errors import SchemaOutdated, SecretMissing
from .providers import HttpClient, PluginHost
from .queue import Bell, Worker, make_broker
from .rendering import Renderer
from .settings import Settings
from .store import Database, environments, integrations, migrations, organizations
from .store.secrets import KeyRing
from .store.sqlite import Synchronous


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
        publish: Publish = nobody,
        seed: int | None = None,
        synchronous: Synchronous = "FULL",
        inline: bool = False,
        development: bool = False,
    ) -> None:
        self.settings = settings
        self.missing_secrets: list[SecretMissing] = []
        """What the file's integrations lack, known after :meth:`bootstrap`; those stay as they were."""
        clock = clock or SystemClock()
        rng = random.Random(seed)  # noqa: S311 - ids and jitter, no secrets
        new_id = uuid7_source(clock, rng)
        self.database = Database(settings.database, clock=clock, new_id=new_id, synchronous=synchronous, inline=inline)
        self._bell = Bell(make_broker(settings.broker))
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
            routes=Routes(self.database, host, secrets),
            ring=self._bell.ring,
            publish=publish,
        )

    async def __aenter__(self) -> Self:
        await self.database.open()
        try:
            await self._fit_schema()
            await self._bell.open()
        except BaseException:
            await self.database.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._bell.close()
        await self.runtime.host.close()
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
        """The bridge: REST API, health, OpenAPI."""
        from .bridge import create_asgi

        return create_asgi(self.runtime)

    def worker(self) -> Worker:
        """A worker over this app's database and broker."""
        return Worker(self.runtime, self._bell)

    async def _fit_schema(self) -> None:
        """Hold the schema to this code; the embedded default needs no command for its first start."""
        try:
            await migrations.check(self.database)
        except SchemaOutdated:
            if self.database.dialect != "sqlite" or await migrations.applied(self.database):
                raise
            await migrations.upgrade(self.database)
