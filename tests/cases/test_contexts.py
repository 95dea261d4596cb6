"""Contexts: what an event happens in, and who sees what was sent within it."""

from __future__ import annotations

from uuid import UUID

import pytest

from novukit import Context, TopicRecipient, workflow
from novukit.errors import TransactionIdReused
from novukit.store import contexts, history, messages, subscribers, subscriptions
from novukit.store.messages import InboxFilter
from novukit.testing import Harness


@workflow("note")
async def note(ctx: Context[None]) -> None:
    tenant = ctx.contexts.get("tenant")
    plan = tenant.data.get("plan") if tenant else None
    await ctx.step.in_app("inbox", body=f"{tenant.id if tenant else 'nobody'} on {plan}")


async def _uuid(novukit: Harness, subscriber_id: str) -> UUID:
    found = await subscribers.get(novukit.scope, subscriber_id)
    assert found is not None
    return found.id


async def _shown(novukit: Harness, keys: str | None) -> list[str]:
    page = await messages.inbox_page(novukit.scope, await _uuid(novukit, "ada"), InboxFilter(context_keys=keys))
    return [one.message.content["body"] for one in page.data]


async def test_what_is_sent_in_one_context_is_in_no_other_inbox(novukit: Harness) -> None:
    """Only an inbox of exactly the same context shows it; one that asks for none in particular shows all."""
    await novukit.trigger(note, to="ada", context={"tenant": "acme"})
    await novukit.trigger(note, to="ada", context={"tenant": "zeta"})
    await novukit.trigger(note, to="ada", context={"tenant": "acme", "app": "shop"})
    await novukit.trigger(note, to="ada")

    assert ["acme on None"] == await _shown(novukit, "tenant:acme")
    assert ["zeta on None"] == await _shown(novukit, "tenant:zeta")
    assert ["acme on None"] == await _shown(novukit, "app:shop,tenant:acme")
    assert ["nobody on None"] == await _shown(novukit, "")
    assert [] == await _shown(novukit, "app:shop")
    assert 4 == len(await _shown(novukit, None))
    who = await _uuid(novukit, "ada")
    assert 1 == await messages.count(novukit.scope, who, InboxFilter(context_keys="tenant:acme"))


async def test_a_context_is_known_from_the_first_event_that_names_it(novukit: Harness) -> None:
    """Its data is kept then, and a later event does not change it: it gets what is known."""
    await novukit.trigger(note, to="ada", context={"tenant": {"id": "acme", "data": {"plan": "gold"}}})
    await novukit.trigger(note, to="ada", context={"tenant": {"id": "acme", "data": {"plan": "tin"}}})
    await novukit.trigger(note, to="ada", context={"tenant": "acme"})

    assert ["acme on gold"] * 3 == await _shown(novukit, "tenant:acme")
    kept = await contexts.get(novukit.scope, "tenant", "acme")
    assert kept is not None
    assert {"plan": "gold"} == kept.data


async def test_an_event_keeps_the_data_that_it_was_accepted_with(novukit: Harness) -> None:
    """What is changed of a context later holds for later events."""
    asked = await novukit.trigger(note, to="ada", context={"tenant": {"id": "acme", "data": {"plan": "gold"}}})
    await contexts.update(novukit.scope, "tenant", "acme", {"plan": "tin"})
    await novukit.trigger(note, to="ada", context={"tenant": "acme"})

    event = await history.event(novukit.scope, asked.transaction_id or "")
    assert event is not None
    assert ("tenant:acme", {"plan": "gold"}) == (event.context_keys, event.context["tenant"].data)
    assert ["acme on tin", "acme on gold"] == await _shown(novukit, "tenant:acme")


async def test_the_same_transaction_in_another_context_is_another_body(novukit: Harness) -> None:
    """It is refused, and what it would have told of the context is not kept."""
    await novukit.trigger(note, to="ada", transaction_id="t1", context={"tenant": "acme"})
    again = await novukit.trigger(note, to="ada", transaction_id="t1", context={"tenant": "acme"})
    assert again.duplicate
    with pytest.raises(TransactionIdReused):
        await novukit.trigger(note, to="ada", transaction_id="t1", context={"tenant": "zeta"})
    assert await contexts.get(novukit.scope, "tenant", "zeta") is None


async def test_a_topic_reaches_those_who_subscribed_in_the_same_context(novukit: Harness) -> None:
    """An event in a context goes to the subscriptions of that context; one without, to those without."""
    for name in ("ada", "bob"):
        await novukit.subscriber(name)
    await subscriptions.subscribe(novukit.scope, "team", [("ada", None, None)], context_keys="tenant:acme")
    await subscriptions.subscribe(novukit.scope, "team", [("bob", None, None)])

    await novukit.trigger(note, to=TopicRecipient(topic_key="team"), context={"tenant": "acme"})
    assert ["ada"] == [sent.subscriber_id for sent in novukit.outbox.in_app]
    await novukit.trigger(note, to=TopicRecipient(topic_key="team"))
    assert ["ada", "bob"] == [sent.subscriber_id for sent in novukit.outbox.in_app]
