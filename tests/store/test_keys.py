"""Secret keys: their form, and who is found by them."""

from __future__ import annotations

import re

import pytest

from novukit.errors import NotFound
from novukit.store import Database, Scope, environments, keys, organizations
from novukit.store.secrets import KeyRing, generate_master_key

pytestmark = pytest.mark.anyio


@pytest.fixture
def ring() -> KeyRing:
    """A master key."""
    return KeyRing([generate_master_key()])


@pytest.fixture
async def scopes(database: Database, ring: KeyRing) -> list[Scope]:
    """Development and Production."""
    owner = await organizations.bootstrap(database, ring)
    return [database.scope(one.id) for one in await environments.all(database, owner.id)]


async def test_a_key_has_a_form_that_scanners_can_find(scopes: list[Scope], ring: KeyRing) -> None:
    """``nk_`` and forty letters and digits."""
    _, secret = await keys.create(scopes[0], ring, "mine")

    assert re.fullmatch(r"nk_[A-Za-z0-9]{40}", secret)


async def test_a_key_finds_its_environment(database: Database, scopes: list[Scope], ring: KeyRing) -> None:
    """And itself."""
    made, secret = await keys.create(scopes[1], ring, "mine")
    caller = await keys.find(database, secret)

    assert caller is not None
    assert ("production", made.id) == (caller.environment.slug, caller.key_id)
    assert caller.organization_id == caller.environment.organization_id


@pytest.mark.parametrize("secret", ["", "nk_", "nk_" + "a" * 40, "\ud800", "x" * 10_000, "' or 1=1 --"])
async def test_what_is_no_key_finds_nobody(secret: str, database: Database, scopes: list[Scope]) -> None:
    """Whatever it is made of."""
    assert await keys.find(database, secret) is None


async def test_a_revoked_key_finds_nobody(database: Database, scopes: list[Scope], ring: KeyRing) -> None:
    """For ever; revoking again keeps the first time."""
    made, secret = await keys.create(scopes[0], ring, "mine")
    revoked = await keys.revoke(scopes[0], made.id)

    assert await keys.find(database, secret) is None
    assert revoked == await keys.revoke(scopes[0], made.id)
    assert secret not in [shown for _, shown in await keys.reveal(scopes[0], ring)]


async def test_a_key_of_another_environment_cannot_be_revoked(
    database: Database, scopes: list[Scope], ring: KeyRing
) -> None:
    """It is not there."""
    made, secret = await keys.create(scopes[1], ring, "mine")

    with pytest.raises(NotFound):
        await keys.revoke(scopes[0], made.id)
    assert await keys.find(database, secret) is not None


async def test_no_secret_lies_in_the_database(database: Database, scopes: list[Scope], ring: KeyRing) -> None:
    """Only its hash and a sealed copy."""
    _, secret = await keys.create(scopes[0], ring, "mine")

    assert secret not in str([dict(row) for row in await database.fetch("select * from novukit_api_key")])
