"""Tests of subscribers in the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from novukit.errors import InvalidInput
from novukit.model import ChannelAddress, Subscriber
from novukit.store import Database, Scope, preferences, subscribers, subscriptions, tokens
from novukit.store.pages import PageQuery
from novukit.testing.clock import VirtualClock

from .people import environment, subscriber

pytestmark = pytest.mark.anyio

ADA = Subscriber(
    subscriber_id="ada", first_name="Ada", last_name="Lovelace", email="ada@example.com", phone="+4915112345678",
    avatar="https://example.com/ada.png", locale="en-GB", timezone="Europe/London", data={"plan": {"seats": 3}},
)  # fmt: skip


@pytest.fixture
async def scope(database: Database) -> Scope:
    return await environment(database)


async def test_upsert_creates_with_all_that_is_given(scope: Scope) -> None:
    """What goes in comes out."""
    ids = await subscribers.upsert_many(scope, [ADA])
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert {"ada": stored.id} == ids
    assert ADA.model_dump() == {name: getattr(stored, name) for name in Subscriber.model_fields}
    assert (scope.now(), scope.now(), None) == (stored.created_at, stored.updated_at, stored.is_online)


async def test_upsert_changes_only_what_is_given(scope: Scope, clock: VirtualClock) -> None:
    """A field left out stays, the id stays, and the time of the change is noted."""
    before = (await subscribers.upsert_many(scope, [ADA]))["ada"]
    clock.advance(timedelta(hours=1))
    after = (await subscribers.upsert_many(scope, [Subscriber(subscriber_id="ada", first_name="Augusta")]))["ada"]
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert before == after == stored.id
    assert ("Augusta", "Lovelace", {"plan": {"seats": 3}}) == (stored.first_name, stored.last_name, stored.data)
    assert timedelta(hours=1) == stored.updated_at - stored.created_at


async def test_upsert_that_tells_nothing_new_writes_nothing(scope: Scope, clock: VirtualClock) -> None:
    """A trigger to someone known leaves the row alone."""
    await subscribers.upsert_many(scope, [ADA])
    clock.advance(timedelta(hours=1))
    await subscribers.upsert_many(scope, [ADA])
    await subscribers.upsert_many(scope, [Subscriber(subscriber_id="ada")])
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert stored.created_at == stored.updated_at


async def test_upsert_with_empty_data_clears_it(scope: Scope) -> None:
    """``{}`` is given, ``None`` is not; each row is taken by itself."""
    await subscribers.upsert_many(scope, [ADA, ADA.model_copy(update={"subscriber_id": "bob"})])
    await subscribers.upsert_many(
        scope, [Subscriber(subscriber_id="ada", data={}), Subscriber(subscriber_id="bob", first_name="Bob")]
    )
    ada, bob = await subscribers.get(scope, "ada"), await subscribers.get(scope, "bob")
    assert ada is not None
    assert bob is not None
    assert ({}, {"plan": {"seats": 3}}) == (ada.data, bob.data)


async def test_who_comes_twice_in_one_upsert_counts_once(scope: Scope) -> None:
    """The later fields win, the earlier ones are not lost."""
    await subscribers.upsert_many(
        scope,
        [
            Subscriber(subscriber_id="ada", first_name="A", last_name="Lovelace"),
            Subscriber(subscriber_id="ada", first_name="Ada"),
        ],
    )
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert ("Ada", "Lovelace") == (stored.first_name, stored.last_name)


async def test_upsert_takes_many_at_once(scope: Scope) -> None:
    """More than one statement's worth."""
    many = [Subscriber(subscriber_id=f"s{n}", data={"n": n}) for n in range(1203)]
    ids = await subscribers.upsert_many(scope, many)
    assert 1203 == len(set(ids.values()))
    assert {f"s{n}" for n in range(1203)} == set(ids)
    found = await subscribers.by_uuids(scope, list(ids.values()))
    assert {"n": 700} == found[ids["s700"]].data


async def test_upsert_of_nobody_is_nothing(scope: Scope) -> None:
    """No statement for no one."""
    assert {} == await subscribers.upsert_many(scope, [])
    assert {} == await subscribers.by_uuids(scope, [])


async def test_upsert_each_tells_who_was_created(scope: Scope) -> None:
    """Old and new in one call."""
    await subscriber(scope, "old")
    done = await subscribers.upsert_each(
        scope, [Subscriber(subscriber_id="old", first_name="O"), Subscriber(subscriber_id="new")]
    )
    assert {"old": False, "new": True} == {name: it.created for name, it in done.items()}


async def test_concurrent_upserts_of_the_same_people_agree(scope: Scope) -> None:
    """Twelve callers, the same people in different orders: one row each, everyone gets the same ids."""
    names = [f"s{n}" for n in range(40)]

    async def upsert(turn: int) -> dict[str, object]:
        order = names[turn:] + names[:turn]
        return dict(
            await subscribers.upsert_many(scope, [Subscriber(subscriber_id=n, first_name=str(turn)) for n in order])
        )

    first, *others = await asyncio.gather(*(upsert(turn) for turn in range(12)))
    assert all(first == other for other in others)
    assert 40 == (await subscribers.page(scope, PageQuery())).total


async def test_create_leaves_an_existing_subscriber_alone(scope: Scope) -> None:
    """``None``, and nothing changed."""
    assert await subscribers.create(scope, ADA) is not None
    assert await subscribers.create(scope, Subscriber(subscriber_id="ada", first_name="Other")) is None
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert "Ada" == stored.first_name


async def test_patch_sets_clears_and_leaves(scope: Scope) -> None:
    """A value sets, ``None`` clears, the rest stays."""
    await subscribers.create(scope, ADA)
    patched = await subscribers.patch(scope, "ada", {"first_name": "Augusta", "email": None, "data": None})
    assert patched is not None
    assert ("Augusta", None, {}, "Lovelace") == (patched.first_name, patched.email, patched.data, patched.last_name)
    assert patched == await subscribers.patch(scope, "ada", {})


async def test_patch_of_nobody_and_of_no_field(scope: Scope) -> None:
    """Nobody is told apart; a column that is no profile field is a mistake of the program."""
    assert await subscribers.patch(scope, "nobody", {"first_name": "X"}) is None
    assert await subscribers.patch(scope, "nobody", {}) is None
    with pytest.raises(ValueError, match="environment_id"):
        await subscribers.patch(scope, "nobody", {"environment_id": "x"})


async def test_online_and_offline_are_noted(scope: Scope, clock: VirtualClock) -> None:
    """Going offline notes the time; coming back keeps it."""
    await subscriber(scope)
    online = await subscribers.set_online(scope, "ada", True)
    assert online is not None
    assert (True, None) == (online.is_online, online.last_online_at)
    clock.advance(timedelta(minutes=5))
    offline = await subscribers.set_online(scope, "ada", False)
    assert offline is not None
    assert (False, clock.now()) == (offline.is_online, offline.last_online_at)
    clock.advance(timedelta(minutes=5))
    again = await subscribers.set_online(scope, "ada", True)
    assert again is not None
    assert (True, offline.last_online_at) == (again.is_online, again.last_online_at)
    assert await subscribers.set_online(scope, "nobody", True) is None


async def test_filters_mind_the_case_and_name_finds_a_part(scope: Scope) -> None:
    """Subscriber id, e-mail and phone are exact; a name is found by any part of «first last»; ``%`` is a character."""
    await subscribers.create(scope, ADA)
    await subscribers.create(scope, Subscriber(subscriber_id="pct", first_name="100%", email="p@example.com"))

    async def found(**filters: str) -> list[str]:
        return [s.subscriber_id for s in (await subscribers.page(scope, PageQuery(), **filters)).data]

    assert ["ada"] == await found(subscriber_id="ada")
    assert [] == await found(subscriber_id="ADA")
    assert ["ada"] == await found(email="ada@example.com")
    assert [] == await found(email="ada@")
    assert ["ada"] == await found(phone="+4915112345678")
    assert ["ada"] == await found(name="da Love")
    assert [] == await found(name="da love")
    assert ["pct"] == await found(name="%")
    assert ["pct"] == await found(name="100", email="p@example.com")
    assert [] == await found(name="Ada", email="p@example.com")


async def test_delete_takes_all_that_belongs_to_the_subscriber(scope: Scope) -> None:
    """Addresses, preferences, subscriptions, messages; who is created anew under the id sees none of it."""
    ada, bob = await subscriber(scope, "ada"), await subscriber(scope, "bob")
    await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("t",)))
    await preferences.set(scope, ada.id, None, {"email": False})
    await subscriptions.subscribe(scope, "news", [("ada", None, None), ("bob", None, None)])
    for who in (ada, bob):
        await _message(scope, who.id)
    assert await subscribers.delete(scope, "ada") is True
    assert await subscribers.delete(scope, "ada") is False
    assert await subscribers.get(scope, "ada") is None
    for table, left in (
        ("subscriber_channel", 0), ("preference", 0), ("topic_subscription", 1), ("message", 1), ("subscriber", 1),
    ):  # fmt: skip
        rows = await scope.database.fetch(f"select count(*) as n from novukit_{table}")
        assert (table, left) == (table, rows[0]["n"])
    assert ada.id != (await subscriber(scope, "ada")).id


async def _message(scope: Scope, subscriber_uuid: object) -> None:
    new, now = scope.new_id, scope.now()
    await scope.database.fetch(
        "insert into novukit_message (id, environment_id, execution_id, event_id, transaction_id, workflow_id, "
        "subscriber_uuid, subscriber_id, step_id, channel, status, content, idempotency_key, tags, created_at, "
        "updated_at) values ($1, $2, $3, $4, 'tx', 'wf', $5, 'x', 'mail', 'email', 'sent', '{}', 'k', '[]', $6, $6)",
        new(), scope.environment_id, new(), new(), subscriber_uuid, now,
    )  # fmt: skip


# Addresses


async def test_set_replaces_and_append_adds_without_repeats(scope: Scope) -> None:
    """Tokens keep their order; a webhook that is not given on append stays."""
    await subscriber(scope)
    await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("a", "b", "a")))
    await subscribers.append_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("b", "c")))
    chat = ChannelAddress(provider_id="slack", integration_identifier="slack-1", webhook_url="https://h/1")
    await subscribers.set_address(scope, "ada", chat)
    stored = await subscribers.append_address(
        scope, "ada", ChannelAddress(provider_id="slack", integration_identifier="slack-1", channel="#ops")
    )
    assert stored is not None
    push = ChannelAddress(provider_id="fcm", device_tokens=("a", "b", "c"))
    assert (push, chat.model_copy(update={"channel": "#ops"})) == stored.addresses
    assert stored == (await subscribers.by_uuids(scope, [stored.id]))[stored.id]
    stored = await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("z",)))
    assert stored is not None
    assert ("z",) == stored.addresses[0].device_tokens


async def test_concurrent_appends_lose_no_token(scope: Scope) -> None:
    """Ten devices register at once."""
    await subscriber(scope)
    await asyncio.gather(
        *(
            subscribers.append_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=(f"t{n}",)))
            for n in range(10)
        )
    )
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert {f"t{n}" for n in range(10)} == set(stored.addresses[0].device_tokens)


async def test_tokens_are_not_kept_without_end(scope: Scope) -> None:
    """500 for a provider; one more is refused and nothing changes."""
    await subscriber(scope)
    await subscribers.set_address(
        scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=tuple(map(str, range(500))))
    )
    with pytest.raises(InvalidInput, match="at most 500"):
        await subscribers.append_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("new",)))
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert 500 == len(stored.addresses[0].device_tokens)


async def test_forgotten_tokens_are_gone_and_the_others_stay(scope: Scope) -> None:
    """Whatever integration they were registered for, but only of that provider."""
    ada = await subscriber(scope)
    for identifier in (None, "fcm-2"):
        await subscribers.set_address(
            scope,
            "ada",
            ChannelAddress(provider_id="fcm", integration_identifier=identifier, device_tokens=("a", "b")),
        )
    await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="apns", device_tokens=("a",)))
    assert ["a", "a"] == await tokens.forget(scope, ada.id, "fcm", ["a", "never"])
    assert [] == await tokens.forget(scope, ada.id, "fcm", [])
    stored = await subscribers.get(scope, "ada")
    assert stored is not None
    assert [("fcm", ("b",)), ("fcm", ("b",)), ("apns", ("a",))] == [
        (address.provider_id, address.device_tokens) for address in stored.addresses
    ]


async def test_addresses_of_a_provider_are_deleted_together(scope: Scope) -> None:
    """``True`` when there were some, ``False`` when not, ``None`` for nobody."""
    await subscriber(scope)
    await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("a",)))
    assert await subscribers.delete_addresses(scope, "ada", "fcm") is True
    assert await subscribers.delete_addresses(scope, "ada", "fcm") is False
    assert await subscribers.delete_addresses(scope, "nobody", "fcm") is None
    assert await subscribers.set_address(scope, "nobody", ChannelAddress(provider_id="fcm")) is None


async def test_an_environment_never_sees_anothers_subscribers(scope: Scope, database: Database) -> None:
    """The wall: the same subscriber id on both sides is two people, and neither side touches the other's."""
    other = await environment(database, "production")
    ada = await subscribers.create(scope, ADA)
    assert ada is not None
    await subscribers.set_address(scope, "ada", ChannelAddress(provider_id="fcm", device_tokens=("a",)))
    before = await subscribers.get(scope, "ada")

    assert await subscribers.get(other, "ada") is None
    assert {} == await subscribers.by_uuids(other, [ada.id])
    assert 0 == (await subscribers.page(other, PageQuery())).total
    assert await subscribers.patch(other, "ada", {"first_name": "X"}) is None
    assert await subscribers.set_online(other, "ada", True) is None
    assert await subscribers.append_address(other, "ada", ChannelAddress(provider_id="fcm")) is None
    assert [] == await tokens.forget(other, ada.id, "fcm", ["a"])
    assert await subscribers.delete(other, "ada") is False
    assert ada.id != (await subscribers.upsert_many(other, [Subscriber(subscriber_id="ada", first_name="B")]))["ada"]
    assert await subscribers.delete(other, "ada") is True
    assert before == await subscribers.get(scope, "ada")
