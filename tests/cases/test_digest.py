"""Digests: one message for many events, each event in exactly one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from novukit import Context, Subscriber, workflow
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import history
from novukit.testing import Harness


class Comment(BaseModel):
    post: str
    text: str


@workflow("comments")
async def comments(ctx: Context[Comment]) -> None:
    gathered = await ctx.step.digest("hourly", window=timedelta(hours=1), key=ctx.payload.post)
    await ctx.step.email("email", subject=f"{len(gathered)} on {ctx.payload.post}", body=texts(gathered.payloads))


@workflow("morning")
async def morning(ctx: Context[Comment]) -> None:
    gathered = await ctx.step.digest("daily", cron="0 9 * * *")
    await ctx.step.email("email", subject=f"{len(gathered)} new", body=texts(gathered.payloads))


@workflow("quiet")
async def quiet(ctx: Context[Comment]) -> None:
    gathered = await ctx.step.digest("burst", window=timedelta(minutes=10), look_back=timedelta(minutes=30))
    await ctx.step.email("email", subject=f"{len(gathered)}", body=texts(gathered.payloads))


@workflow("both")
async def both(ctx: Context[Comment]) -> None:
    hour = await ctx.step.digest("hourly", window=timedelta(hours=1))
    await ctx.step.in_app("inbox", subject=f"{len(hour)} this hour")
    day = await ctx.step.digest("daily", window=timedelta(days=1))
    await ctx.step.email("email", subject=f"{len(day)} hours today", body="-")


def texts(payloads: list[Comment]) -> str:
    return ",".join(comment.text for comment in payloads)


ADA = Subscriber(subscriber_id="ada", email="ada@example.com", timezone="Europe/Berlin")


async def comment(novukit: Harness, to: object, text: str, post: str = "a", flow: object = comments) -> str:
    triggered = await novukit.trigger(flow, to=to, payload=Comment(post=post, text=text))  # type: ignore[arg-type]
    assert triggered.transaction_id
    return triggered.transaction_id


async def test_a_window_gathers_what_comes_and_closes_once(novukit: Harness) -> None:
    """Three comments within the hour are one e-mail, in order; the fourth, later, is the next one."""
    for text in ("1", "2", "3"):
        await comment(novukit, ADA, text)
        await novukit.travel(minutes=10)
    assert [] == novukit.outbox.email

    await novukit.travel(hours=1)
    await comment(novukit, ADA, "4")
    await novukit.travel(hours=1)

    assert ["1,2,3", "4"] == [sent.body for sent in novukit.outbox.email]
    statuses = [e.status for e in await novukit.executions()]
    assert [ExecutionStatus.COMPLETED, *[ExecutionStatus.MERGED] * 2, ExecutionStatus.COMPLETED] == statuses


async def test_the_window_closes_at_its_time(novukit: Harness) -> None:
    """Not a second before the hour is over."""
    await comment(novukit, ADA, "1")
    await novukit.travel(minutes=59, seconds=59)
    assert [] == novukit.outbox.email

    await novukit.travel(seconds=1)

    assert datetime(2026, 1, 1, 1, tzinfo=UTC) == novukit.outbox.email[0].at


async def test_keys_are_kept_apart(novukit: Harness) -> None:
    """Each post has a digest of its own, and each subscriber."""
    bob = Subscriber(subscriber_id="bob", email="bob@example.com")
    await comment(novukit, ADA, "1", "a")
    await comment(novukit, ADA, "2", "b")
    await comment(novukit, bob, "3", "a")
    await novukit.travel(hours=2)

    assert ["1", "2", "3"] == sorted(sent.body for sent in novukit.outbox.email)


async def test_a_cron_digest_closes_in_the_subscribers_zone(novukit: Harness) -> None:
    """Nine in Berlin is eight in UTC in winter."""
    await comment(novukit, ADA, "1", flow=morning)
    await novukit.travel(days=1)

    assert datetime(2026, 1, 1, 8, tzinfo=UTC) == novukit.outbox.email[0].at


async def test_a_cron_digest_follows_the_clocks_through_the_change(novukit: Harness) -> None:
    """After the night of 28 to 29 March 2026 nine in Berlin is seven in UTC."""
    await novukit.travel(to=datetime(2026, 3, 28, 12, tzinfo=UTC))
    await comment(novukit, ADA, "1", flow=morning)
    await novukit.travel(days=1)

    assert datetime(2026, 3, 29, 7, tzinfo=UTC) == novukit.outbox.email[0].at


async def test_with_look_back_the_first_goes_at_once_and_the_rest_is_gathered(novukit: Harness) -> None:
    """A single event is not held back; a burst is."""
    for text in ("1", "2", "3"):
        await comment(novukit, ADA, text, flow=quiet)
        await novukit.travel(minutes=1)
    assert ["1"] == [sent.body for sent in novukit.outbox.email]

    await novukit.travel(minutes=10)
    assert ["1", "2,3"] == [sent.body for sent in novukit.outbox.email]

    await novukit.travel(hours=1)
    await comment(novukit, ADA, "4", flow=quiet)
    assert "4" == novukit.outbox.email[-1].body
    (first, *_) = await novukit.executions()
    assert Reason.DIGEST_FIRST is (await history.steps(novukit.scope, first.id))[0].reason


async def test_a_workflow_may_digest_twice(novukit: Harness) -> None:
    """Hourly into the inbox, daily by e-mail."""
    for _ in range(3):
        await comment(novukit, ADA, "x", flow=both)
        await novukit.travel(hours=2)
    await novukit.travel(days=2)

    assert ["1 this hour"] * 3 == [sent.subject for sent in novukit.outbox.in_app]
    assert ["3 hours today"] == [sent.subject for sent in novukit.outbox.email]


async def test_cancelling_the_owner_hands_the_digest_to_the_oldest_follower(novukit: Harness) -> None:
    """The events of the others are not lost, the cancelled one's is gone, the time stays."""
    owner = await comment(novukit, ADA, "1")
    await comment(novukit, ADA, "2")
    await novukit.travel(minutes=30)
    await comment(novukit, ADA, "3")

    answer = await novukit.cancel(owner)
    await novukit.travel(minutes=30)

    assert (1, 0) == (answer.cancelled, answer.cancelling)
    assert [("2,3", datetime(2026, 1, 1, 1, tzinfo=UTC))] == [(s.body, s.at) for s in novukit.outbox.email]
    assert ["cancelled", "completed", "merged"] == [e.status.value for e in await novukit.executions()]


async def test_cancelling_the_only_member_closes_the_digest(novukit: Harness) -> None:
    """The next event opens a new window of its own."""
    await novukit.cancel(await comment(novukit, ADA, "1"))
    await novukit.travel(minutes=30)
    await comment(novukit, ADA, "2")
    await novukit.travel(hours=1)

    assert ["2"] == [sent.body for sent in novukit.outbox.email]


async def test_many_at_once_open_one_window(novukit: Harness) -> None:
    """Events that are run in the same batch cannot open two windows."""
    runtime = novukit.app.runtime
    from novukit.engine import trigger
    from novukit.model import Trigger

    for n in range(20):
        ask = Trigger(workflow="comments", to=(ADA,), payload={"post": "a", "text": str(n)})
        await trigger(runtime, novukit.scope, ask)
    await novukit.settle()
    await novukit.travel(hours=1)

    assert ["20 on a"] == [sent.subject for sent in novukit.outbox.email]
    merged = [e for e in await novukit.executions() if e.status is ExecutionStatus.MERGED]
    assert 19 == len(merged)
    assert StepStatus.MERGED is (await history.steps(novukit.scope, merged[0].id))[0].status
