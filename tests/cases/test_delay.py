"""Delays: an execution sleeps as a row and goes on at its time, not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from novukit import Context, StepFailed, workflow
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import history
from novukit.testing import Harness


class Until(BaseModel):
    at: datetime
    if_past: Literal["now", "skip", "fail"] = "now"


@workflow("later")
async def later(ctx: Context[None]) -> None:
    await ctx.step.in_app("first", body="now")
    await ctx.step.delay("wait", timedelta(days=2))
    await ctx.step.in_app("second", body="later")


@workflow("until")
async def until(ctx: Context[Until]) -> None:
    payload = ctx.payload
    try:
        await ctx.step.delay("wait", until=payload.at, if_past=payload.if_past)
    except StepFailed as err:
        await ctx.step.in_app("late", body=err.reason)
    else:
        await ctx.step.in_app("on-time", body="there")


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_a_delay_runs_at_its_time_and_never_before(novukit: Harness) -> None:
    """The first step is not repeated when the execution wakes."""
    await novukit.trigger(later, to="ada")
    await novukit.travel(days=1, hours=23, minutes=59)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.WAITING, "wait") == (execution.status, execution.step)
    assert ["now"] == [sent.body for sent in novukit.outbox.in_app]

    await novukit.travel(minutes=1)

    assert ["now", "later"] == [sent.body for sent in novukit.outbox.in_app]
    assert datetime(2026, 1, 3, tzinfo=UTC) == novukit.outbox.in_app[1].at


async def test_until_a_moment(novukit: Harness) -> None:
    """The moment may be given in any zone."""
    await novukit.trigger(until, to="ada", payload={"at": "2026-01-01T13:00:00+01:00"})
    await novukit.travel(days=1)

    assert NOON == novukit.outbox.in_app[0].at


async def test_a_moment_in_the_past_goes_on_at_once(novukit: Harness) -> None:
    """By default; the record says that it was late."""
    await novukit.trigger(until, to="ada", payload={"at": "2025-12-24T12:00:00Z"})

    assert ["there"] == [sent.body for sent in novukit.outbox.in_app]


async def test_a_moment_in_the_past_may_end_the_execution(novukit: Harness) -> None:
    """`if_past="skip"`: what is out of date is not said at all."""
    await novukit.trigger(until, to="ada", payload={"at": "2025-12-24T12:00:00Z", "if_past": "skip"})
    (execution,) = await novukit.executions()

    assert (ExecutionStatus.COMPLETED, Reason.LATE) == (execution.status, execution.reason)
    assert [] == novukit.outbox.in_app


async def test_a_moment_in_the_past_may_be_a_failure(novukit: Harness) -> None:
    """`if_past="fail"` raises StepFailed, which can be caught."""
    await novukit.trigger(until, to="ada", payload={"at": "2025-12-24T12:00:00Z", "if_past": "fail"})

    assert ["past_date"] == [sent.body for sent in novukit.outbox.in_app]


async def test_a_cancelled_sleeper_never_wakes(novukit: Harness) -> None:
    """Cancelling is final; asking again is harmless."""
    triggered = await novukit.trigger(later, to="ada")
    first = await novukit.cancel(triggered.transaction_id or "")
    again = await novukit.cancel(triggered.transaction_id or "")
    await novukit.travel(days=3)

    assert ((True, 1), (True, 0)) == ((first.found, first.cancelled), (again.found, again.cancelled))
    assert ["now"] == [sent.body for sent in novukit.outbox.in_app]
    assert not (await novukit.cancel("nobody")).found
    (execution,) = await novukit.executions()
    wait = (await history.steps(novukit.scope, execution.id))[1]
    assert (StepStatus.SKIPPED, Reason.CANCELLED, None) == (wait.status, wait.reason, wait.wake_at)


async def test_more_than_a_year_ahead_is_refused(novukit: Harness) -> None:
    """A typo in a year must not strand an execution."""
    await novukit.trigger(until, to="ada", payload={"at": "9999-01-01T00:00:00Z"})
    (execution,) = await novukit.executions()

    assert (ExecutionStatus.FAILED, Reason.STEP_MISUSE) == (execution.status, execution.reason)
    assert "365 days" in execution.detail
