"""Misuse: what cannot be made durable is an error that says what to do, never a wrong result."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.authoring import Registry
from novukit.model import Execution, ExecutionStatus, Reason
from novukit.testing import Harness


class Name(BaseModel):
    name: str


@workflow("repeats")
async def repeats(ctx: Context[None]) -> None:
    for _ in range(2):
        await ctx.step.in_app("same", body="x")


@workflow("gathers")
async def gathers(ctx: Context[None]) -> None:
    await asyncio.gather(ctx.step.delay("a", timedelta(hours=1)), ctx.step.email("b", subject="x", body="y"))


@workflow("swallows")
async def swallows(ctx: Context[None]) -> None:
    try:
        await ctx.step.delay("wait", timedelta(hours=1))
    except BaseException:
        pass
    await ctx.step.in_app("after", body="too early")


@workflow("guards")
async def guards(ctx: Context[None]) -> None:
    try:
        await ctx.step.delay("wait", timedelta(hours=1))
    except Exception:
        raise AssertionError("a suspend is not the author's to catch") from None
    await ctx.step.in_app("after", body="in time")


@workflow("raises")
async def raises(ctx: Context[Name]) -> None:
    await ctx.step.in_app("first", body="said")
    raise KeyError(ctx.payload.name)


@workflow("changes")
async def before(ctx: Context[None]) -> None:
    await ctx.step.delay("a", timedelta(hours=1))


@workflow("changes")
async def after(ctx: Context[None]) -> None:
    await ctx.step.in_app("a", body="now something else")


CHANGED = [after]
del after  # not among the workflows that the module begins with


async def only(novukit: Harness) -> Execution:
    (execution,) = await novukit.executions()
    return execution


async def test_a_repeated_id_is_refused(novukit: Harness) -> None:
    """Two steps of one id cannot be told apart."""
    await novukit.trigger(repeats, to="ada")
    execution = await only(novukit)

    assert (ExecutionStatus.FAILED, Reason.STEP_MISUSE) == (execution.status, execution.reason)
    assert "key=" in execution.detail


async def test_concurrent_steps_are_refused(novukit: Harness) -> None:
    """gather() over steps is an error that says to await them one after another."""
    await novukit.trigger(gathers, to="ada")
    execution = await only(novukit)

    assert Reason.STEP_MISUSE is execution.reason
    assert "not with gather" in execution.detail


async def test_a_step_after_a_swallowed_suspend_is_refused(novukit: Harness) -> None:
    """Going on while the execution should sleep would send too early."""
    await novukit.trigger(swallows, to="ada")
    execution = await only(novukit)

    assert Reason.STEP_MISUSE is execution.reason
    assert [] == novukit.outbox.in_app


async def test_except_exception_does_not_catch_a_suspend(novukit: Harness) -> None:
    """Leaving to wait is a BaseException."""
    await novukit.trigger(guards, to="ada")
    await novukit.travel(hours=1)

    assert ["in time"] == [sent.body for sent in novukit.outbox.in_app]


async def test_an_error_of_the_authors_fails_the_execution_with_their_line(novukit: Harness) -> None:
    """The record names the error and the place in the author's own file."""
    await novukit.trigger(raises, to="ada", payload={"name": "oops"})
    execution = await only(novukit)

    assert (ExecutionStatus.FAILED, Reason.WORKFLOW_RAISED) == (execution.status, execution.reason)
    assert "oops" in execution.detail
    assert "test_misuse.py:" in execution.detail


async def test_a_recorded_step_whose_kind_changed_parks_the_execution(novukit: Harness) -> None:
    """A deploy strands nothing in silence: it is parked, visible, and can be resumed with the right code."""
    await novukit.trigger(before, to="ada")
    registry = novukit.app.runtime.registry
    object.__setattr__(registry, "_by_id", Registry(CHANGED)._by_id)
    await novukit.travel(hours=1)
    execution = await only(novukit)

    assert (ExecutionStatus.PARKED, Reason.REPLAY_DIVERGED) == (execution.status, execution.reason)
    assert "'a' is on record as delay and is now in_app" in execution.detail
