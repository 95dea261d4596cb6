"""Integrations in the store: stamps that notice every change, and what ``novukit.toml`` declares."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from novukit.errors import InvalidInput, NotFound, SecretMissing
from novukit.model import Channel, Integration
from novukit.settings import IntegrationSettings, SecretRef
from novukit.store import Database, Scope, environments, integrations, organizations
from novukit.store.secrets import KeyRing, generate_master_key

pytestmark = pytest.mark.anyio


@dataclass
class Described:
    """What the store asks of a provider."""

    id: str
    channel: Channel


def find(provider_id: str) -> Described:
    """A provider by its id, or by Novu's."""
    return {
        "smtp": Described("smtp", "email"),
        "nodemailer": Described("smtp", "email"),
        "twilio": Described("twilio", "sms"),
    }[provider_id]


@pytest.fixture
def ring() -> KeyRing:
    """A master key."""
    return KeyRing([generate_master_key()])


@pytest.fixture
async def scope(database: Database, ring: KeyRing) -> Scope:
    """The walls of Development."""
    owner = await organizations.bootstrap(database, ring)
    return database.scope((await environments.by_slug(database, owner.id, "development")).id)


async def make(scope: Scope, ring: KeyRing, identifier: str, **fields: Any) -> Integration:
    """Add an integration."""
    told: dict[str, Any] = {"provider_id": "smtp", "channel": "email", "credentials": {"host": "a"}} | fields
    return await integrations.create(scope, ring, identifier=identifier, **told)


async def stamp(scope: Scope) -> Any:
    """The environment's stamp now."""
    return (await integrations.stamps(scope.database, [scope.environment_id]))[scope.environment_id]


async def test_a_stamp_tells_the_slug_and_stays_while_nothing_changes(scope: Scope, ring: KeyRing) -> None:
    """An environment without integrations has one too."""
    assert ("development", frozenset(), 0) == await stamp(scope)

    await make(scope, ring, "a")
    assert await stamp(scope) == await stamp(scope)


async def test_every_change_makes_another_stamp_though_the_clock_stands(scope: Scope, ring: KeyRing) -> None:
    """A worker that looked a moment ago must not miss what came in the same moment."""
    first, second = await make(scope, ring, "a"), await make(scope, ring, "b")
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: integrations.update(scope, ring, first.id, credentials={"host": "b"}),
        lambda: integrations.update(scope, ring, first.id, credentials={"host": "c"}),
        lambda: integrations.set_primary(scope, ring, second.id),
        lambda: integrations.set_primary(scope, ring, first.id),
        lambda: integrations.update(scope, ring, first.id, active=False),
        lambda: integrations.delete(scope, second.id),
        lambda: make(scope, ring, "c"),
    ]
    seen = [await stamp(scope)]
    for change in changes:
        await change()
        seen.append(await stamp(scope))

    assert len(changes) + 1 == len(set(seen))


async def test_an_integration_is_found_by_its_identifier(scope: Scope, ring: KeyRing) -> None:
    """And a close one is suggested."""
    made = await make(scope, ring, "sendgrid-main")

    assert made == await integrations.by_identifier(scope, ring, "sendgrid-main")
    with pytest.raises(NotFound, match="Did you mean 'sendgrid-main'"):
        await integrations.by_identifier(scope, ring, "sendgrid-mian")


async def test_many_at_once_make_one_primary(scope: Scope, ring: KeyRing) -> None:
    """Whoever is first, there is exactly one, and nobody fails."""
    await asyncio.gather(*(make(scope, ring, f"i{n}") for n in range(8)))

    assert 1 == len([one for one in await integrations.active(scope, ring) if one.primary])


async def test_a_taken_identifier_is_refused_on_update(scope: Scope, ring: KeyRing) -> None:
    """And its own is not taken."""
    await make(scope, ring, "a")
    second = await make(scope, ring, "b")

    await integrations.update(scope, ring, second.id, identifier="b")
    with pytest.raises(InvalidInput, match="already"):
        await integrations.update(scope, ring, second.id, identifier="a")


def declared(identifier: str, **fields: Any) -> IntegrationSettings:
    """One of the file's integrations."""
    told: dict[str, Any] = {"provider": "smtp", "credentials": {"host": "a"}} | fields
    return IntegrationSettings(identifier=identifier, **told)


async def test_what_the_file_declares_is_made_and_then_left_alone(scope: Scope, ring: KeyRing) -> None:
    """Doing it again writes nothing; the channel comes from the provider, by any of its ids."""
    wanted = [declared("mail", provider="nodemailer", name="Mail"), declared("sms", provider="twilio")]

    assert [] == await integrations.sync_settings(scope, ring, wanted, find)
    before = await integrations.list_all(scope, ring)
    assert [] == await integrations.sync_settings(scope, ring, wanted, find)

    assert before == await integrations.list_all(scope, ring)
    assert [("mail", "smtp", "email", "Mail", True), ("sms", "twilio", "sms", "twilio", True)] == [
        (one.identifier, one.provider_id, one.channel, one.name, one.primary) for one in before
    ]


async def test_what_the_file_declares_otherwise_is_changed_and_the_rest_is_not(scope: Scope, ring: KeyRing) -> None:
    """Integrations that were made by hand stay, also when the file has fewer."""
    by_hand = await make(scope, ring, "by-hand")
    await integrations.sync_settings(scope, ring, [declared("mail"), declared("old")], find)
    await integrations.sync_settings(
        scope, ring, [declared("mail", credentials={"host": "b"}, active=False, primary=True)], find
    )

    found = {one.identifier: one for one in await integrations.list_all(scope, ring)}
    assert by_hand == found["by-hand"]
    assert ({"host": "b"}, False, False) == (
        found["mail"].credentials, found["mail"].active, found["mail"].primary,
    )  # fmt: skip
    assert "old" in found


async def test_how_many_at_a_time(scope: Scope, ring: KeyRing) -> None:
    """Said by hand, unset with 0; what the file declares is as the file says."""
    made = await make(scope, ring, "by-hand")
    assert made.concurrency is None
    assert 7 == (await integrations.update(scope, ring, made.id, concurrency=7)).concurrency
    assert 7 == (await integrations.update(scope, ring, made.id, name="Mine")).concurrency
    assert (await integrations.update(scope, ring, made.id, concurrency=0)).concurrency is None
    for number in (10, None):
        await integrations.sync_settings(scope, ring, [declared("mail", concurrency=number)], find)
        assert number == (await integrations.by_identifier(scope, ring, "mail")).concurrency


async def test_the_file_may_name_the_primary(scope: Scope, ring: KeyRing) -> None:
    """It takes the mark, and keeps it through the next start."""
    await make(scope, ring, "by-hand")
    for _ in range(2):
        await integrations.sync_settings(scope, ring, [declared("mail", primary=True)], find)

        primaries = [one.identifier for one in await integrations.active(scope, ring) if one.primary]
        assert ["mail"] == primaries


async def test_a_provider_that_changes_its_channel_meets_no_other_primary(scope: Scope, ring: KeyRing) -> None:
    """The old channel passes the mark on; the new one keeps its own."""
    await integrations.sync_settings(scope, ring, [declared("one"), declared("two", provider="twilio")], find)
    await integrations.sync_settings(scope, ring, [declared("one", provider="twilio")], find)

    found = {one.identifier: (one.channel, one.primary) for one in await integrations.list_all(scope, ring)}
    assert {"one": ("sms", False), "two": ("sms", True)} == found


async def test_a_secret_that_is_not_set_leaves_the_integration_as_it_was(
    scope: Scope, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and the others are made all the same."""
    secret = declared("mail", credentials={"password": SecretRef(env="NOVUKIT_TEST_PASSWORD")})
    monkeypatch.setenv("NOVUKIT_TEST_PASSWORD", "hunter2")
    assert [] == await integrations.sync_settings(scope, ring, [secret], find)

    monkeypatch.delenv("NOVUKIT_TEST_PASSWORD")
    missing = await integrations.sync_settings(scope, ring, [secret, declared("other")], find)

    assert [SecretMissing] == [type(error) for error in missing]
    assert "NOVUKIT_TEST_PASSWORD" in str(missing[0])
    assert {"password": "hunter2"} == (await integrations.by_identifier(scope, ring, "mail")).credentials
    assert "other" in [one.identifier for one in await integrations.list_all(scope, ring)]
