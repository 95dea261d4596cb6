"""Recipients and preferences: topics, everyone, and what each of them wants to hear."""

from __future__ import annotations

from novukit import Context, Everyone, Subscriber, TopicRecipient, WorkflowPreferences, workflow
from novukit.model import EventStatus, Reason
from novukit.store import history, subscribers
from novukit.testing import Harness


@workflow("news")
async def news(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", body=f"news for {ctx.subscriber.subscriber_id}")


@workflow("alarm", critical=True)
async def alarm(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", body="alarm")


@workflow("opt-in", preferences=WorkflowPreferences(channels={"in_app": False}))
async def opt_in(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", body="you asked for it")


async def test_a_topic_reaches_each_member_once_however_many_lists_name_them(novukit: Harness) -> None:
    """A subscriber in two topics and named as well has one execution."""
    await novukit.topic("a", ["ada", "bob"])
    await novukit.topic("b", ["bob", "cy"])
    to = ["ada", TopicRecipient(topic_key="a"), TopicRecipient(topic_key="b", exclude=("cy",))]
    triggered = await novukit.trigger(news, to=to)

    assert ["ada", "bob"] == sorted(sent.subscriber_id for sent in novukit.outbox.in_app)
    event = await history.event(novukit.scope, triggered.transaction_id or "")
    assert event is not None
    assert (EventStatus.EXPANDED, 2) == (event.status, event.executions)


async def test_a_large_topic_is_expanded_by_pages(novukit: Harness) -> None:
    """More members than a page holds."""
    names = [f"s{n}" for n in range(1201)]
    await novukit.topic("big", names)
    await novukit.trigger(news, to=TopicRecipient(topic_key="big"))

    assert sorted(names) == sorted(sent.subscriber_id for sent in novukit.outbox.in_app)


async def test_everyone_is_every_subscriber_of_the_environment(novukit: Harness) -> None:
    """And of no other one."""
    rt = novukit.app.runtime
    from novukit.store import environments, organizations

    organization = await organizations.bootstrap(rt.database, rt.secrets)
    production = await environments.by_slug(rt.database, organization.id, "production")
    await subscribers.upsert_many(rt.scope(production.id), [Subscriber(subscriber_id="elsewhere")])
    for name in ("ada", "bob"):
        await novukit.subscriber(name)
    await novukit.trigger(news, to=Everyone())

    assert ["ada", "bob"] == sorted(sent.subscriber_id for sent in novukit.outbox.in_app)


async def test_a_channel_that_is_switched_off_is_not_used(novukit: Harness) -> None:
    """For one workflow, or for all; the record says why."""
    await novukit.subscriber("ada")
    await novukit.prefer("ada", news, in_app=False)
    await novukit.trigger(news, to="ada")
    (execution,) = await novukit.executions()
    (step,) = await history.steps(novukit.scope, execution.id)
    assert Reason.PREFERENCE is step.reason

    await novukit.prefer("ada", None, in_app=False)
    await novukit.prefer("ada", news, in_app=True)
    await novukit.trigger(news, to="ada")
    assert 1 == len(novukit.outbox.in_app)


async def test_a_critical_workflow_cannot_be_switched_off(novukit: Harness) -> None:
    """Not even by the global preference."""
    await novukit.subscriber("ada")
    await novukit.prefer("ada", None, in_app=False)
    await novukit.trigger(alarm, to="ada")

    assert 1 == len(novukit.outbox.in_app)


async def test_a_workflow_may_be_off_until_asked_for(novukit: Harness) -> None:
    """The workflow's default holds until the subscriber chooses."""
    await novukit.subscriber("ada")
    await novukit.trigger(opt_in, to="ada")
    await novukit.prefer("ada", opt_in, in_app=True)
    await novukit.trigger(opt_in, to="ada")

    assert 1 == len(novukit.outbox.in_app)
