"""The first start of a database, and environments with their slugs."""

from __future__ import annotations

import asyncio
import random

import pytest

from novukit.clock import uuid7_source
from novukit.errors import NotFound
from novukit.store import Database, environments, organizations, sessions
from novukit.store.secrets import KeyRing, generate_master_key
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def ring() -> KeyRing:
    """A master key."""
    return KeyRing([generate_master_key()])


async def counts(database: Database) -> tuple[int, ...]:
    """How many organizations, environments and keys there are."""
    tables = ("novukit_organization", "novukit_environment", "novukit_api_key")
    return tuple([len(await database.fetch(f"select id from {table}")) for table in tables])


async def test_a_database_starts_with_two_environments_and_a_key_for_each(database: Database, ring: KeyRing) -> None:
    """Development is for trying, Production is not; identifiers cannot be guessed."""
    owner = await organizations.bootstrap(database, ring, organization="Shop")
    found = await environments.all(database, owner.id)

    assert "Shop" == owner.name
    assert [("Development", "development", "dev"), ("Production", "production", "prod")] == [
        (one.name, one.slug, one.type) for one in found
    ]
    assert all(len(one.identifier) >= 16 for one in found)
    assert (1, 2, 2) == await counts(database)


async def test_a_second_start_changes_nothing(database: Database, ring: KeyRing) -> None:
    """Not even when the organization is called otherwise."""
    first = await organizations.bootstrap(database, ring)

    assert first == await organizations.bootstrap(database, ring, organization="Other")
    assert (1, 2, 2) == await counts(database)


async def test_several_processes_may_start_together(database: Database, database_url: str, ring: KeyRing) -> None:
    """One does the work; the others find it done."""
    others = [
        Database(database_url, clock=(clock := VirtualClock()), new_id=uuid7_source(clock, random.Random(seed)))
        for seed in range(3)
    ]
    for one in others:
        await one.open()
    try:
        owners = await asyncio.gather(*(organizations.bootstrap(one, ring) for one in [database, *others]))
    finally:
        for one in others:
            await one.close()

    assert 1 == len({owner.id for owner in owners})
    assert (1, 2, 2) == await counts(database)


async def test_an_environment_is_found_by_its_slug(database: Database, ring: KeyRing) -> None:
    """And a close one is suggested."""
    owner = await organizations.bootstrap(database, ring)

    assert "Production" == (await environments.by_slug(database, owner.id, "production")).name
    with pytest.raises(NotFound, match="Did you mean 'production'"):
        await environments.by_slug(database, owner.id, "prodution")


async def test_an_inbox_secret_is_the_environments_own_until_it_is_rotated(database: Database, ring: KeyRing) -> None:
    """No environment has another's, and a new one has nothing of the old."""
    owner = await organizations.bootstrap(database, ring)
    development, production = [database.scope(one.id) for one in await environments.all(database, owner.id)]
    before = await sessions.secret(development, ring)
    others = await sessions.secret(production, ring)

    await sessions.rotate(development, ring)

    assert 3 == len({before, others, await sessions.secret(development, ring)})
    assert others == await sessions.secret(production, ring)
