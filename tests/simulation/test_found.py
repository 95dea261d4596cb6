"""Bugs that seeds have found, each as the shortest schedule that shows it: a seed alone dies with the next change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from novukit import Context, Subscriber, workflow
from novukit.engine import Shift, cancel, claim, run
from novukit.model import ExecutionStatus, MessageStatus, StepStatus
from novukit.store import history, preferences, subscribers
from novukit.store.entries import Settle
from novukit.store.executions import Claimed
from novukit.testing import Harness

ADA = Subscriber(subscriber_id="ada", email="ada@example.com", phone="+4915112345678")
MEANWHILE: dict[str, Any] = {}


async def note(what: str) -> str:
    """Let something happen while the author's function runs."""
    if happens := MEANWHILE.pop(what, None):
        await happens()
    return what


@workflow("later")
async def later(ctx: Context[None]) -> None:
    """A short sleep, and a function that takes its time."""
    await ctx.step.delay("wait", timedelta(seconds=1))
    await ctx.step.custom("value", note, "value")


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """A function, then an e-mail."""
    await ctx.step.custom("value", note, "value")
    await ctx.step.email("mail", subject="Hi", body="-")


@workflow("gather")
async def gather(ctx: Context[None]) -> None:
    """A digest, and what is sent of it."""
    await ctx.step.digest("digest", window=timedelta(minutes=1))
    await ctx.step.email("mail", subject="Hi", body="-")


@workflow("code")
async def code(ctx: Context[None]) -> None:
    """An SMS that must not go out twice."""
    await ctx.step.sms("code", body="4711", on_unknown="park")


async def due(novukit: Harness, shift: Shift) -> Claimed:
    (one,) = await claim(novukit.app.runtime, shift, 10)
    return one


async def steps(novukit: Harness) -> dict[str, StepStatus]:
    (execution,) = await novukit.executions()
    told = await history.steps_of(novukit.scope, [execution.id])
    return {step.step_id: step.status for step in told[execution.id]}


async def test_the_end_of_a_run_forgets_only_that_run(novukit: Harness) -> None:
    """Its worker runs the execution again already, and has lost the answer to a claim: it lets go of what it does not
    know, and that run it knows.
    """
    rt, shift = novukit.app.runtime, novukit._shift
    await novukit.trigger(later, to=ADA)
    await novukit.scope.database.fetch("update novukit_execution set wake_at = created_at")
    first = await due(novukit, shift)
    await novukit.scope.database.fetch(
        "update novukit_execution set status = 'waiting', worker_id = null, wake_at = created_at"
    )  # the settlement of the first run, whose answer is still on its way
    second = await due(novukit, shift)
    shift.let_go(first)
    with pytest.raises(ConnectionResetError):
        async with shift.taking():
            raise ConnectionResetError
    assert [] == await claim(rt, shift, 10)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.RUNNING, second.runs) == (execution.status, execution.runs)


async def test_a_run_that_nobody_heard_of_is_let_go_though_an_earlier_one_is_held(novukit: Harness) -> None:
    """The first run waits for its last answer while the claim of the second one is lost on its way."""
    rt, shift = novukit.app.runtime, novukit._shift
    await novukit.trigger(later, to=ADA)
    await novukit.scope.database.fetch("update novukit_execution set wake_at = created_at")
    first = await due(novukit, shift)
    await novukit.scope.database.fetch("update novukit_execution set runs = runs + 1")
    with pytest.raises(ConnectionResetError):
        async with shift.taking():
            raise ConnectionResetError
    (again,) = await claim(rt, shift, 10)
    assert (first.id, first.runs + 2) == (again.id, again.runs)


async def test_the_late_end_of_a_run_does_not_end_the_next_one(novukit: Harness) -> None:
    """A merged execution says twice that it is. When the second time comes it has inherited the digest, and is running
    again in the same worker.
    """
    rt, shift = novukit.app.runtime, novukit._shift
    owner = await novukit.trigger(gather, to=ADA)
    await novukit.trigger(gather, to=ADA)
    await cancel(rt, novukit.scope, owner.transaction_id or "")
    await novukit.scope.database.fetch("update novukit_execution set wake_at = created_at where status = 'waiting'")
    heir = await due(novukit, shift)
    assert 2 == heir.runs
    late = Settle(heir.id, heir.environment_id, ExecutionStatus.MERGED, novukit.now, runs=1)
    await shift.journal.put(late)
    novukit.clock.advance(timedelta(minutes=1))
    await run(rt, shift, heir)
    assert {ExecutionStatus.CANCELLED, ExecutionStatus.COMPLETED} == {one.status for one in await novukit.executions()}
    await novukit.settle()
    assert 1 == len(novukit.outbox.email)


async def test_a_channel_switched_off_between_the_claim_and_the_intent_is_not_used(novukit: Harness) -> None:
    """The workflow runs on with what holds now. (On SQLite the commit was tried again for ever.)"""
    await novukit.subscriber("ada", email="ada@example.com")

    async def switch_off() -> None:
        person = await subscribers.get(novukit.scope, "ada")
        assert person is not None
        await preferences.set(novukit.scope, person.id, None, {"email": False})

    MEANWHILE["value"] = switch_off
    async with asyncio.timeout(10):
        await novukit.trigger(mail, to=ADA)
    assert {"value": StepStatus.COMPLETED, "mail": StepStatus.SKIPPED} == await steps(novukit)
    assert [] == novukit.outbox.email


async def test_what_is_cancelled_after_its_claim_leaves_nothing_on_its_way(novukit: Harness) -> None:
    """The step that was to be tried again will not be, and says so; so does its message."""
    rt, shift = novukit.app.runtime, novukit._shift
    novukit.fail_next("email", "unavailable")
    accepted = await novukit.trigger(mail, to=ADA)
    await novukit.scope.database.fetch("update novukit_execution set wake_at = created_at")
    await novukit.scope.database.fetch("update novukit_checkpoint set wake_at = started_at where wake_at is not null")
    one = await due(novukit, shift)
    answer = await cancel(rt, novukit.scope, accepted.transaction_id or "")
    assert (0, 1) == (answer.cancelled, answer.cancelling)
    await run(rt, shift, one)
    assert {"value": StepStatus.COMPLETED, "mail": StepStatus.SKIPPED} == await steps(novukit)
    (execution,) = await novukit.executions()
    assert ExecutionStatus.CANCELLED is execution.status
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert MessageStatus.FAILED is message.status


async def test_a_call_cut_off_by_a_crash_is_unknown_when_its_execution_is_cancelled_before_the_next_run(
    novukit: Harness,
) -> None:
    """It may have gone out; nobody will ever tell."""
    rt = novukit.app.runtime
    accepted = await novukit.trigger(mail, to=ADA)
    # As a crash in mid-call leaves them, and a take-over.
    await novukit.scope.database.fetch("update novukit_execution set status = 'pending', finished_at = null")
    await novukit.scope.database.fetch("update novukit_checkpoint set status = 'calling' where step_id = 'mail'")
    await novukit.scope.database.fetch("update novukit_message set status = 'calling'")
    answer = await cancel(rt, novukit.scope, accepted.transaction_id or "")
    assert (1, 0) == (answer.cancelled, answer.cancelling)
    assert StepStatus.UNKNOWN is (await steps(novukit))["mail"]
    (execution,) = await novukit.executions()
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert MessageStatus.UNKNOWN is message.status


async def test_what_is_to_be_parked_parks_although_the_worker_dies_first(novukit: Harness) -> None:
    """The step is on record as unknown, and the execution not yet as parked: whoever goes on does not call again."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(code, to=ADA)
    (parked,) = await novukit.executions()
    assert ExecutionStatus.PARKED is parked.status
    # As a crash between the two commits leaves it, and a take-over.
    await novukit.scope.database.fetch(
        "update novukit_execution set status = 'pending', wake_at = created_at, finished_at = null, reason = null"
    )
    await novukit.settle()
    (again,) = await novukit.executions()
    assert (ExecutionStatus.PARKED, "outcome_unknown") == (again.status, again.reason)
    assert [] == novukit.outbox.sms
