"""What the tests of the bridge share: the API over real stores, called through the keys of two environments."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar

from novukit.authoring import Registry
from novukit.engine import Runtime
from novukit.engine.route import Routes
from novukit.model import Environment
from novukit.providers.host import PluginHost
from novukit.rendering import Renderer
from novukit.settings import Settings
from novukit.store import Database, Scope, environments, keys, organizations
from novukit.store.secrets import KeyRing, generate_master_key
from novukit.store.tables import TABLES

from ..standing import standing_bridge


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """A master key."""
    return KeyRing([generate_master_key()])


@pytest.fixture
async def runtime(database: Database, ring: KeyRing) -> AsyncIterator[Any]:
    """A runtime without workflows over a database that was bootstrapped; nobody hears its bell."""
    await organizations.bootstrap(database, ring)
    host = PluginHost(installed=False)
    yield Runtime(
        settings=Settings(),
        database=database,
        clock=database.clock,
        new_id=database.new_id,
        random=random.Random(7),
        registry=Registry(()),
        renderer=Renderer(()),
        host=host,
        secrets=ring,
        routes=Routes(database, host, ring),
    )
    await host.close()


@pytest.fixture(scope="session")
def bridge() -> Callable[[Any], Litestar]:
    """Gives the bridge over a runtime."""
    return standing_bridge()


@pytest.fixture
def asgi(runtime: Any, bridge: Callable[[Any], Litestar]) -> Litestar:
    """The bridge over this test's runtime."""
    return bridge(runtime)


@pytest.fixture
async def development(runtime: Any) -> Environment:
    """The environment that ``api`` calls."""
    return await _environment(runtime, "development")


@pytest.fixture
async def production(runtime: Any) -> Environment:
    """The environment that ``other`` calls."""
    return await _environment(runtime, "production")


async def _environment(runtime: Any, slug: str) -> Environment:
    owner = await organizations.first(runtime.database)
    assert owner is not None
    return await environments.by_slug(runtime.database, owner.id, slug)


@pytest.fixture
def scope(runtime: Any, development: Environment) -> Scope:
    """The walls of Development."""
    return runtime.scope(development.id)


@pytest.fixture
async def secret(runtime: Any, development: Environment) -> str:
    """The secret key of Development."""
    return (await keys.reveal(runtime.scope(development.id), runtime.secrets))[0][1]


def client(asgi: Litestar, authorization: str | None) -> httpx.AsyncClient:
    """A client of the bridge in this process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(asgi),
        base_url="http://novukit.test",
        headers={} if authorization is None else {"Authorization": authorization},
    )


@pytest.fixture
async def api(asgi: Litestar, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API as the key of Development opens it."""
    async with client(asgi, f"ApiKey {secret}") as found:
        yield found


@pytest.fixture
async def other(asgi: Litestar, runtime: Any, production: Environment) -> AsyncIterator[httpx.AsyncClient]:
    """The API as the key of Production opens it: what ``api`` makes must not be seen there."""
    key = (await keys.reveal(runtime.scope(production.id), runtime.secrets))[0][1]
    async with client(asgi, f"ApiKey {key}") as found:
        yield found


@pytest.fixture
async def anonymous(asgi: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """The API without a key."""
    async with client(asgi, None) as found:
        yield found


Checksum = Callable[[], Awaitable[str]]


@pytest.fixture
def checksum(database: Database) -> Checksum:
    """A checksum over all rows of all tables, but for when a key was last used."""
    return lambda: checksum_of(database)


async def checksum_of(database: Database) -> str:
    """The same, of any database."""
    told = hashlib.sha256()
    for table in TABLES:
        rows = await database.fetch(f"select * from {table._meta.tablename}")
        plain = [{name: str(value) for name, value in dict(row).items() if name != "last_used_at"} for row in rows]
        told.update(json.dumps(sorted(json.dumps(row, sort_keys=True) for row in plain)).encode())
    return told.hexdigest()
