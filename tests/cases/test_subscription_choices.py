"""Subscriptions that say which workflows they want, and when."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from novukit import Context, TopicRecipient, workflow
from novukit.engine import fanout
from novukit.model import SubscriptionChoice
from novukit.store import subscriptions, topics
from novukit.testing import Harness

TEAM = TopicRecipient(topic_key="team")


class Order(BaseModel):
    amount: int


@workflow("order")
async def order(ctx: Context[Order]) -> None:
    await ctx.step.in_app("inbox", body=f"{ctx.payload.amount}")


@workflow("chat")
async def chat(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", body="hello")


OFF = SubscriptionChoice(enabled=False)
LARGE = SubscriptionChoice(condition={">": [{"var": "payload.amount"}, 100]})
MINE = SubscriptionChoice(condition={"==": [{"var": "subscriber.data.region"}, "north"]})


async def _subscribe(novukit: Harness, who: str, identifier: str | None = None, **choices: SubscriptionChoice) -> None:
    done = await subscriptions.subscribe(novukit.scope, "team", [(who, identifier, None)], preferences=choices or None)
    assert not done.refused


def _reached(novukit: Harness) -> list[str]:
    return sorted(sent.subscriber_id for sent in novukit.outbox.in_app)


async def test_a_member_whose_subscription_says_no_gets_no_execution(novukit: Harness) -> None:
    """Of that workflow; others, which it does not name, it gets."""
    for name in ("ada", "bob"):
        await novukit.subscriber(name)
    await _subscribe(novukit, "ada", order=OFF)
    await _subscribe(novukit, "bob")

    await novukit.trigger(order, to=TEAM, payload={"amount": 5})
    assert ["bob"] == _reached(novukit)
    assert ["bob"] == [one.subscriber_id for one in await novukit.executions(order)]
    await novukit.trigger(chat, to=TEAM)
    assert ["ada", "bob", "bob"] == _reached(novukit)


async def test_a_condition_asks_payload_subscriber_and_context(novukit: Harness) -> None:
    """It is asked anew for each event."""
    await novukit.subscriber("ada")
    await novukit.subscriber("bob", data={"region": "north"})
    await novukit.subscriber("cy", data={"region": "south"})
    await _subscribe(novukit, "ada", order=LARGE)
    await _subscribe(novukit, "bob", order=MINE)
    await _subscribe(novukit, "cy", order=MINE)

    await novukit.trigger(order, to=TEAM, payload={"amount": 100})
    assert ["bob"] == _reached(novukit)
    await novukit.trigger(order, to=TEAM, payload={"amount": 101})
    assert ["ada", "bob", "bob"] == _reached(novukit)


async def test_one_of_several_subscriptions_that_wants_it_is_enough(novukit: Harness) -> None:
    """And a member has one execution, however many subscriptions want it."""
    for name in ("ada", "bob", "cy"):
        await novukit.subscriber(name)
    await _subscribe(novukit, "ada", "ada-1", order=OFF)
    await _subscribe(novukit, "ada", "ada-2", order=LARGE)
    await _subscribe(novukit, "bob", "bob-1", order=OFF)
    await _subscribe(novukit, "bob", "bob-2")
    await _subscribe(novukit, "cy", "cy-1", order=OFF)
    await _subscribe(novukit, "cy", "cy-2", order=OFF)

    await novukit.trigger(order, to=TEAM, payload={"amount": 5})
    assert ["bob"] == _reached(novukit)
    await novukit.trigger(order, to=TEAM, payload={"amount": 500})
    assert ["ada", "bob", "bob"] == _reached(novukit)


async def test_the_choice_of_one_workflow_can_be_changed_alone(novukit: Harness) -> None:
    """The others stay as they are."""
    await novukit.subscriber("ada")
    await _subscribe(novukit, "ada", order=OFF)
    topic = await topics.by_key(novukit.scope, "team")
    assert topic is not None
    identifier = subscriptions.default_identifier("team", "ada")
    await subscriptions.choose(novukit.scope, topic, identifier, {"chat": OFF})
    kept = await subscriptions.choose(novukit.scope, topic, identifier, {"order": LARGE})

    assert kept is not None
    assert {"chat": OFF, "order": LARGE} == kept.preferences
    assert await subscriptions.choose(novukit.scope, topic, "nobody's", {"order": OFF}) is None


@pytest.mark.parametrize("page", [1, 2, 3, 5])
async def test_pages_of_any_size_lose_and_repeat_nobody(
    novukit: Harness, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Also where the subscriptions of one member lie on both sides of the end of a page."""
    monkeypatch.setattr(fanout, "PAGE", page)
    names = [f"s{n}" for n in range(8)]
    for n, name in enumerate(names):
        await novukit.subscriber(name)
        await _subscribe(novukit, name, f"{name}-1", order=OFF)
        if n % 2:
            await _subscribe(novukit, name, f"{name}-2")
            await _subscribe(novukit, name, f"{name}-3", order=LARGE)

    await novukit.trigger(order, to=TEAM, payload={"amount": 5})
    assert ["s1", "s3", "s5", "s7"] == _reached(novukit)


async def test_one_who_is_named_as_well_is_not_asked(novukit: Harness) -> None:
    """A subscription speaks for its topic only."""
    await novukit.subscriber("ada")
    await _subscribe(novukit, "ada", order=OFF)
    await novukit.trigger(order, to=["ada", TEAM], payload={"amount": 5})
    assert ["ada"] == _reached(novukit)
