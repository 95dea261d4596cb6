"""Tests of topics and their subscriptions in the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from novukit.model import Subscriber, Topic
from novukit.store import Database, Scope, subscribers, subscriptions, topics
from novukit.store.pages import PageQuery
from novukit.testing.clock import VirtualClock

from .people import environment, subscriber

pytestmark = pytest.mark.anyio


@pytest.fixture
async def scope(database: Database) -> Scope:
    return await environment(database)


async def _topic(scope: Scope, key: str = "news") -> Topic:
    topic, _ = await topics.upsert(scope, key)
    return topic


async def _members(scope: Scope, key: str = "news") -> list[str]:
    there = await subscriptions.page(scope, await _topic(scope, key), PageQuery(limit=100, ascending=True))
    return [each.subscriber_id for each in there.data]


async def test_upsert_makes_then_finds_then_renames(scope: Scope, clock: VirtualClock) -> None:
    """The same key is the same topic; a name left out stays."""
    made, created = await topics.upsert(scope, "news", "News")
    assert (True, "News") == (created, made.name)
    assert (made, False) == await topics.upsert(scope, "news")
    clock.advance(timedelta(hours=1))
    renamed, created = await topics.upsert(scope, "news", "All the news")
    assert (False, made.id, "All the news", clock.now()) == (created, renamed.id, renamed.name, renamed.updated_at)
    assert renamed == await topics.by_key(scope, "news")
    assert await topics.create(scope, "news") is None


async def test_rename_and_delete_of_what_is_not_there(scope: Scope) -> None:
    """``None`` and ``False``."""
    assert await topics.rename(scope, "nothing", "X") is None
    assert await topics.delete(scope, "nothing") is False
    assert await topics.by_key(scope, "nothing") is None


async def test_filters_by_key_and_by_a_part_of_the_name(scope: Scope) -> None:
    """The key is exact, the name is not; both mind the case."""
    for key in ("news", "newsletter"):
        await topics.upsert(scope, key, f"The {key}")

    async def found(**filters: str) -> list[str]:
        return [topic.key for topic in (await topics.page(scope, PageQuery(), **filters)).data]

    assert ["news"] == await found(key="news")
    assert ["newsletter"] == await found(name="letter")
    assert ["newsletter", "news"] == await found(name="The news")
    assert [] == await found(name="the news")


async def test_subscribe_makes_the_topic_and_tells_who_is_missing(scope: Scope) -> None:
    """Who exists becomes a member, who does not is named."""
    ada = await subscriber(scope, "ada")
    outcome = await subscriptions.subscribe(scope, "news", [("ada", None, None), ("nobody", None, None)], "News")
    assert [("tk_news:si_ada", "ada", ada.id, "News")] == [
        (it.identifier, it.subscriber_id, it.subscriber_uuid, it.topic.name) for it in outcome.done
    ]
    assert [("nobody", "SUBSCRIBER_NOT_FOUND")] == [(it.subscriber_id, it.code) for it in outcome.refused]
    assert ["ada"] == await _members(scope)


async def test_subscribe_again_is_the_same_subscription(scope: Scope, clock: VirtualClock) -> None:
    """Its id stays, also when one call names it twice; a new name is kept."""
    await subscriber(scope, "ada")
    first = (await subscriptions.subscribe(scope, "news", [("ada", "mine", "Mine")])).done
    assert first == (await subscriptions.subscribe(scope, "news", [("ada", "mine", None), ("ada", "mine", None)])).done
    clock.advance(timedelta(hours=1))
    named = (await subscriptions.subscribe(scope, "news", [("ada", "mine", "Ours")])).done[0]
    assert (first[0].id, "mine", "Ours", clock.now()) == (named.id, named.identifier, named.name, named.updated_at)


async def test_one_subscriber_has_several_subscriptions_and_an_identifier_one_subscriber(scope: Scope) -> None:
    """Each under an identifier of its own; another's is refused by name, also within one call."""
    for name in ("ada", "bob", "cyd", "dan"):
        await subscriber(scope, name)
    await subscriptions.subscribe(scope, "news", [("ada", "first", None)])
    outcome = await subscriptions.subscribe(
        scope, "news", [("ada", "second", None), ("bob", "first", None), ("cyd", "new", None), ("dan", "new", None)]
    )
    assert [("ada", "second"), ("cyd", "new")] == [(it.subscriber_id, it.identifier) for it in outcome.done]
    assert [("bob", "IDENTIFIER_TAKEN"), ("dan", "IDENTIFIER_TAKEN")] == [
        (it.subscriber_id, it.code) for it in outcome.refused
    ]
    topic = await _topic(scope)
    assert 2 == len((await subscriptions.unsubscribe(scope, topic, [("ada", None)])).done)
    assert ["cyd"] == await _members(scope)


async def test_a_context_makes_another_subscription(scope: Scope) -> None:
    """Under a default identifier that names it; the identifier of one context cannot be used in another."""
    await subscriber(scope, "ada")
    plain = (await subscriptions.subscribe(scope, "news", [("ada", None, None)])).done
    within = (await subscriptions.subscribe(scope, "news", [("ada", None, None)], context_keys="app:x,tenant:a")).done
    assert ["tk_news:si_ada", "tk_news:si_ada:ctx_app:x,tenant:a"] == [it.identifier for it in (*plain, *within)]
    again = await subscriptions.subscribe(scope, "news", [("ada", "tk_news:si_ada", None)], context_keys="tenant:a")
    assert ["IDENTIFIER_TAKEN"] == [it.code for it in again.refused]
    topic = await _topic(scope)
    listed = await subscriptions.page(scope, topic, PageQuery(), context_keys="app:x,tenant:a")
    assert within == listed.data


async def test_concurrent_subscribes_make_one_topic_and_lose_nobody(scope: Scope) -> None:
    """Ten calls at once, overlapping, while profiles are written: no error, every member once."""
    names = [f"s{n}" for n in range(20)]
    await subscribers.upsert_many(scope, [Subscriber(subscriber_id=name) for name in names])
    await asyncio.gather(
        *(
            subscriptions.subscribe(scope, "news", [(name, None, None) for name in names[n : n + 11]])
            for n in range(10)
        ),
        *(
            subscribers.upsert_many(scope, [Subscriber(subscriber_id=name, first_name=str(n)) for name in names])
            for n in range(3)
        ),
    )
    assert sorted(names) == sorted(await _members(scope))
    assert 1 == (await topics.page(scope, PageQuery())).total


async def test_unsubscribe_by_subscriber_by_identifier_or_both(scope: Scope) -> None:
    """Each way ends the subscription and tells what it was."""
    for name in ("ada", "bob", "cyd", "dan"):
        await subscriber(scope, name)
    await subscriptions.subscribe(scope, "news", [(name, f"i-{name}", None) for name in ("ada", "bob", "cyd")])
    outcome = await subscriptions.unsubscribe(
        scope,
        await _topic(scope),
        [("ada", None), (None, "i-bob"), ("cyd", "i-cyd"), ("dan", None), ("nobody", None), (None, "i-x")],
    )
    assert ["i-ada", "i-bob", "i-cyd"] == [it.identifier for it in outcome.done]
    assert [
        ("dan", "SUBSCRIPTION_NOT_FOUND"), ("nobody", "SUBSCRIBER_NOT_FOUND"), ("", "SUBSCRIPTION_NOT_FOUND"),
    ] == [(it.subscriber_id, it.code) for it in outcome.refused]  # fmt: skip
    assert [] == await _members(scope)


async def test_unsubscribe_wants_both_names_to_fit(scope: Scope) -> None:
    """Ada's identifier with Bob's id is nobody's subscription."""
    for name in ("ada", "bob"):
        await subscriber(scope, name)
    await subscriptions.subscribe(scope, "news", [("ada", "a", None), ("bob", "b", None)])
    outcome = await subscriptions.unsubscribe(scope, await _topic(scope), [("bob", "a")])
    assert ([], ["SUBSCRIPTION_NOT_FOUND"]) == (outcome.done, [it.code for it in outcome.refused])
    assert ["ada", "bob"] == await _members(scope)


async def test_pages_of_subscriptions_both_ways(scope: Scope) -> None:
    """Of a topic, of a subscriber, and narrowed to one."""
    for name in ("ada", "bob"):
        await subscriber(scope, name)
    for key in ("news", "sales"):
        await subscriptions.subscribe(scope, key, [("ada", None, None), ("bob", None, None)])
    topic, ada = await _topic(scope), await subscribers.get(scope, "ada")
    assert ada is not None
    by_topic = await subscriptions.page(scope, topic, PageQuery(limit=1))
    assert (["bob"], 2, True) == ([it.subscriber_id for it in by_topic.data], by_topic.total, by_topic.next is not None)
    rest = await subscriptions.page(scope, topic, PageQuery(limit=1, after=by_topic.next))
    assert ["ada"] == [it.subscriber_id for it in rest.data]
    only = await subscriptions.page(scope, topic, PageQuery(), subscriber_id="ada")
    assert ["ada"] == [it.subscriber_id for it in only.data]
    mine = await subscriptions.of_subscriber(scope, ada.id, PageQuery())
    assert ["sales", "news"] == [it.topic.key for it in mine.data]
    mine = await subscriptions.of_subscriber(scope, ada.id, PageQuery(), key="news")
    assert ["news"] == [it.topic.key for it in mine.data]
    assert mine.data[0] == await subscriptions.get(scope, topic, "tk_news:si_ada")
    assert await subscriptions.get(scope, topic, "nothing") is None


async def test_delete_takes_the_subscriptions_along(scope: Scope) -> None:
    """A topic made anew under the key has no members."""
    await subscriber(scope, "ada")
    await subscriptions.subscribe(scope, "news", [("ada", None, None)])
    assert await topics.delete(scope, "news") is True
    assert [] == await _members(scope)


async def test_an_environment_never_sees_anothers_topics(scope: Scope, database: Database) -> None:
    """The wall: neither topics nor members nor their subscriptions pass it."""
    other = await environment(database, "production")
    ada, _ = await subscriber(scope, "ada"), await subscriber(other, "bob")
    topic = (await subscriptions.subscribe(scope, "news", [("ada", None, None)])).done[0].topic

    assert await topics.by_key(other, "news") is None
    assert await topics.rename(other, "news", "X") is None
    assert await topics.delete(other, "news") is False
    assert 0 == (await topics.page(other, PageQuery())).total
    assert 0 == (await subscriptions.page(other, topic, PageQuery())).total
    assert 0 == (await subscriptions.of_subscriber(other, ada.id, PageQuery())).total
    assert await subscriptions.get(other, topic, "tk_news:si_ada") is None
    assert ["SUBSCRIBER_NOT_FOUND"] == [
        it.code for it in (await subscriptions.unsubscribe(other, topic, [("ada", None)])).refused
    ]
    assert ["SUBSCRIBER_NOT_FOUND"] == [
        it.code for it in (await subscriptions.subscribe(other, "news", [("ada", None, None)])).refused
    ]
    assert ["ada"] == await _members(scope)
