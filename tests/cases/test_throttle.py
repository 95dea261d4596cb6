"""Throttles: at most so many in a sliding window, by subscriber and key."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.model import ExecutionStatus, Reason
from novukit.testing import Harness


class Alarm(BaseModel):
    host: str = "a"


@workflow("alarm")
async def alarm(ctx: Context[Alarm]) -> None:
    await ctx.step.throttle("limit", limit=2, window=timedelta(hours=1), key=ctx.payload.host)
    await ctx.step.in_app("inbox", body=ctx.payload.host)


@workflow("told")
async def told(ctx: Context[None]) -> None:
    answer = await ctx.step.throttle("limit", limit=1, window=timedelta(hours=1), on_limit="continue")
    await ctx.step.in_app("inbox", body=f"{bool(answer)} {answer.count} of {answer.limit}")


async def test_no_more_than_the_limit_pass_in_a_window(novukit: Harness) -> None:
    """The third within the hour stops there, complete, with the reason."""
    for _ in range(3):
        await novukit.trigger(alarm, to="ada", payload=Alarm())

    assert 2 == len(novukit.outbox.in_app)
    *_, last = await novukit.executions()
    assert (ExecutionStatus.COMPLETED, Reason.THROTTLED) == (last.status, last.reason)


async def test_the_window_slides(novukit: Harness) -> None:
    """An hour after the first pass there is room for one more."""
    await novukit.trigger(alarm, to="ada", payload=Alarm())
    await novukit.travel(minutes=40)
    for _ in range(2):
        await novukit.trigger(alarm, to="ada", payload=Alarm())
    await novukit.travel(minutes=20)
    for _ in range(2):
        await novukit.trigger(alarm, to="ada", payload=Alarm())

    assert 3 == len(novukit.outbox.in_app)


async def test_keys_and_subscribers_are_counted_apart(novukit: Harness) -> None:
    """Another host, another person: another count."""
    for host, who in (("a", "ada"), ("a", "ada"), ("b", "ada"), ("a", "bob")):
        await novukit.trigger(alarm, to=who, payload=Alarm(host=host))

    assert 4 == len(novukit.outbox.in_app)


async def test_the_author_may_go_on_and_look(novukit: Harness) -> None:
    """`on_limit="continue"` gives the answer instead of stopping."""
    await novukit.trigger(told, to="ada")
    await novukit.trigger(told, to="ada")

    assert ["False 1 of 1", "True 1 of 1"] == [sent.body for sent in novukit.outbox.in_app]
