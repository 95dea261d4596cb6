"""Outcomes that nobody knows: shown, listed, and resolved by a person: it went out, it did not, or it is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from novukit import Context, Retry, StepFailed, Subscriber, workflow
from novukit.engine import resolve
from novukit.model import (
    ActivityKind,
    Execution,
    ExecutionStatus,
    Message,
    MessageStatus,
    Reason,
    Resolution,
    StepStatus,
)  # fmt: skip
from novukit.store import history, messages, timeline
from novukit.store.history import ExecutionFilter
from novukit.testing import Harness

HOURS = timedelta(hours=1)


class Code(BaseModel):
    code: str = "1234"


@workflow("careful")
async def careful(ctx: Context[Code]) -> None:
    await ctx.step.sms("code", body=ctx.payload.code, on_unknown="park")
    await ctx.step.in_app("after", body="sent")


@workflow("careful-fall-back")
async def careful_fall_back(ctx: Context[Code]) -> None:
    try:
        await ctx.step.sms("code", body=ctx.payload.code, on_unknown="park")
    except StepFailed as err:
        await ctx.step.email("instead", subject=str(err.reason), body=ctx.payload.code)


@workflow("twice")
async def twice(ctx: Context[Code]) -> None:
    await ctx.step.sms("code", body=ctx.payload.code, retry=Retry(attempts=2, first=timedelta(seconds=5)))
    await ctx.step.in_app("after", body="sent")


@workflow("patient")
async def patient(ctx: Context[Code]) -> None:
    await ctx.step.email("mail", subject="Hi", body=ctx.payload.code)


ADA = Subscriber(subscriber_id="ada", email="ada@example.com", phone="+4915112345678")


async def only(novukit: Harness) -> tuple[Execution, Message]:
    (execution,) = await novukit.executions()
    message, *_ = await history.messages_of(novukit.scope, execution.id)
    return execution, message


async def parked(novukit: Harness) -> Execution:
    """An execution that is parked in the middle of its SMS."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(careful, to=ADA, payload=Code())
    execution, message = await only(novukit)
    assert (ExecutionStatus.PARKED, Reason.OUTCOME_UNKNOWN, "code") == (
        execution.status, execution.reason, execution.step,
    )  # fmt: skip
    assert MessageStatus.UNKNOWN is message.status
    return execution


async def test_it_went_out(novukit: Harness) -> None:
    """The step is complete, nothing is sent again, the workflow goes on; and the log says who said so."""
    execution = await parked(novukit)
    assert 1 == await novukit.resolve(Resolution.SENT)
    execution, message = await only(novukit)
    assert (ExecutionStatus.COMPLETED, None) == (execution.status, execution.reason)
    assert (MessageStatus.SENT, 1, None) == (message.status, message.attempts, message.error)
    assert ["sent"] == [one.body for one in await novukit.inbox("ada")]
    (line,) = [
        line
        for line in await timeline.of_execution(novukit.scope, execution.id)
        if line.kind is ActivityKind.STEP_RESOLVED_SENT
    ]
    assert ("code", "the test", message.id) == (line.step, line.detail, line.message_id)


async def test_it_did_not_go_out(novukit: Harness) -> None:
    """It is sent again in the same words under the same key, and has all its attempts before it."""
    execution = await parked(novukit)
    _, before = await only(novukit)
    novukit.fail_next("sms", "unavailable", times=5)
    assert 1 == await novukit.resolve(Resolution.NOT_SENT, execution.id)
    await novukit.travel(hours=10)
    execution, message = await only(novukit)
    assert ExecutionStatus.COMPLETED is execution.status
    assert (before.id, before.idempotency_key, before.content) == (message.id, message.idempotency_key, message.content)
    assert (MessageStatus.SENT, 6, False) == (message.status, message.attempts, message.possible_duplicate)
    assert 1 == len(novukit.outbox.sms)


async def test_it_is_given_up(novukit: Harness) -> None:
    """The step fails as if the provider had refused it: the workflow falls back, or fails."""
    novukit.fail_next("sms", "unknown", times=2)
    await novukit.trigger(careful_fall_back, to=ADA, payload=Code())
    await novukit.trigger(careful, to=ADA, payload=Code())
    assert 2 == await novukit.resolve(Resolution.FAILED)
    fell_back, failed = await novukit.executions()
    assert ["given_up"] == [one.subject for one in novukit.outbox.email]
    assert ExecutionStatus.COMPLETED is fell_back.status
    assert (ExecutionStatus.FAILED, Reason.STEP_FAILED, "code") == (failed.status, failed.reason, failed.step)
    (message,) = await history.messages_of(novukit.scope, failed.id)
    assert MessageStatus.FAILED is message.status
    (step,) = await history.steps(novukit.scope, failed.id)
    assert (StepStatus.FAILED, Reason.GIVEN_UP) == (step.status, step.reason)
    assert [] == await history.matching_ids(novukit.scope, ExecutionFilter(unknown=True))


@pytest.mark.parametrize("outcome", Resolution)
async def test_after_the_last_attempt(novukit: Harness, outcome: Resolution) -> None:
    """An execution that failed with nobody knowing is never just «failed», and can be resolved as well."""
    novukit.fail_next("sms", "unknown", times=2)
    await novukit.trigger(twice, to=ADA, payload=Code())
    await novukit.travel(hours=1)
    execution, message = await only(novukit)
    assert (ExecutionStatus.FAILED, Reason.OUTCOME_UNKNOWN) == (execution.status, execution.reason)
    assert MessageStatus.UNKNOWN is message.status
    assert [execution.id] == await history.matching_ids(novukit.scope, ExecutionFilter(unknown=True))
    assert 1 == await novukit.resolve(outcome)
    execution, message = await only(novukit)
    assert (outcome is not Resolution.FAILED) == (execution.status is ExecutionStatus.COMPLETED)
    assert (outcome is Resolution.NOT_SENT) == (1 == len(novukit.outbox.sms) and message.attempts == 1)


async def test_a_retry_that_is_no_longer_needed(novukit: Harness) -> None:
    """While an execution waits to try again it can be told that the message has arrived."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(twice, to=ADA, payload=Code())
    execution, _ = await only(novukit)
    assert ExecutionStatus.WAITING is execution.status
    assert 1 == await novukit.resolve(Resolution.SENT)
    await novukit.travel(hours=1)
    execution, message = await only(novukit)
    assert (ExecutionStatus.COMPLETED, 1) == (execution.status, message.attempts)


async def test_said_twice(novukit: Harness) -> None:
    """The same again changes nothing; something else is refused; so is anything about other executions."""
    execution = await parked(novukit)
    rt, scope, by = novukit.app.runtime, novukit.scope, "the test"
    assert 1 == (await resolve(rt, scope, [execution.id], Resolution.SENT, by=by)).now
    done = await resolve(rt, scope, [execution.id], Resolution.SENT, by=by)
    assert (0, (execution.id,), (), ()) == (done.now, done.before, done.otherwise, done.others)
    await novukit.settle()
    done = await resolve(rt, scope, [execution.id], Resolution.NOT_SENT, by=by)
    assert (0, ((execution.id, Resolution.SENT),)) == (done.now, done.otherwise)
    await novukit.trigger(patient, to=ADA, payload=Code())
    *_, fine = await novukit.executions()
    done = await resolve(rt, scope, [fine.id], Resolution.SENT, by=by)
    assert (0, (fine.id,)) == (done.now, done.others)
    kinds = [line.kind for line in await timeline.of_execution(scope, execution.id)]
    assert 1 == kinds.count(ActivityKind.STEP_RESOLVED_SENT)


async def test_a_step_that_was_left_behind_is_not_resolved(novukit: Harness) -> None:
    """The workflow has fallen back to another channel: what became of the first message changes nothing any more."""

    novukit.fail_next("sms", "unknown", times=6)
    await novukit.trigger(left_behind, to=ADA, payload=Code())
    await novukit.travel(hours=10)
    execution, _ = await only(novukit)
    assert ExecutionStatus.COMPLETED is execution.status
    assert 0 == await novukit.resolve(Resolution.SENT)
    assert [] == await history.matching_ids(novukit.scope, ExecutionFilter(unknown=True))


@workflow("left-behind")
async def left_behind(ctx: Context[Code]) -> None:
    try:
        await ctx.step.sms("code", body=ctx.payload.code)
    except StepFailed:
        await ctx.step.email("instead", subject="Hi", body=ctx.payload.code)


async def test_resume_goes_on_without_knowing(novukit: Harness) -> None:
    """It is sent again under the same key, and marked as a possible duplicate: nobody has said anything."""
    execution = await parked(novukit)
    assert 1 == await novukit.resume(execution.id)
    execution, message = await only(novukit)
    assert (ExecutionStatus.COMPLETED, True, 2) == (execution.status, message.possible_duplicate, message.attempts)


@pytest.mark.parametrize("kind", ["native", "lookup"])
async def test_a_key_that_the_provider_has_forgotten(
    novukit: Harness, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later than the provider's window a message of unknown outcome is not sent blindly: it waits for a person."""
    provider = novukit.app.runtime.host.get("outbox-email")
    monkeypatch.setattr(provider, "idempotency", kind)
    monkeypatch.setattr(provider, "idempotency_window", 24 * HOURS)
    asked: list[str] = []

    async def lookup(self: object, key: str) -> None:
        asked.append(key)

    monkeypatch.setattr(provider, "lookup", lookup)
    novukit.fail_next("email", "unknown")
    await novukit.trigger(patient, to=ADA, payload=Code())
    novukit.clock.advance(25 * HOURS)  # no worker was there
    await novukit.settle()
    execution, message = await only(novukit)
    assert (ExecutionStatus.PARKED, Reason.OUTCOME_UNKNOWN, 1) == (
        execution.status, execution.reason, message.attempts,
    )  # fmt: skip
    assert "forgets a key after 24 hours" in execution.detail
    assert (kind == "lookup") == bool(asked), "one that can be asked is"
    await novukit.resume(execution.id)
    assert ExecutionStatus.PARKED is (await only(novukit))[0].status, "to resume is no answer"
    await novukit.resolve(Resolution.NOT_SENT)
    execution, message = await only(novukit)
    assert (ExecutionStatus.COMPLETED, 1) == (execution.status, message.attempts)


async def test_a_key_that_the_provider_remembers(novukit: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the window the message is tried again by itself."""
    provider = novukit.app.runtime.host.get("outbox-email")
    monkeypatch.setattr(provider, "idempotency", "native")
    monkeypatch.setattr(provider, "idempotency_window", 24 * HOURS)
    novukit.fail_next("email", "unknown")
    await novukit.trigger(patient, to=ADA, payload=Code())
    novukit.clock.advance(23 * HOURS)
    await novukit.settle()
    execution, message = await only(novukit)
    assert (ExecutionStatus.COMPLETED, 2) == (execution.status, message.attempts)


async def test_many_at_once(novukit: Harness) -> None:
    """A provider's outage leaves many: one answer for all."""
    people = [Subscriber(subscriber_id=f"s{n}", phone=f"+49151123456{n:02}") for n in range(30)]
    novukit.fail_next("sms", "unknown", times=30)
    await novukit.trigger(careful, to=people, payload=Code())
    assert 30 == len(await history.matching_ids(novukit.scope, ExecutionFilter(unknown=True)))
    assert 30 == await novukit.resolve(Resolution.SENT)
    assert {ExecutionStatus.COMPLETED} == {one.status for one in await novukit.executions()}
    assert {MessageStatus.SENT} == {
        one.status for one in (await messages.page(novukit.scope, channel="sms", limit=100)).data
    }
