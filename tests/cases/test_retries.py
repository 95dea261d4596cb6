"""Retries: by what the provider answered, asleep on record, always with the same key and the same words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from novukit import Context, Retry, StepFailed, Subscriber, workflow
from novukit.model import ExecutionStatus, MessageStatus, Reason, StepStatus
from novukit.store import history, messages
from novukit.testing import Harness


class Note(BaseModel):
    text: str = "hello"


@workflow("mail")
async def mail(ctx: Context[Note]) -> None:
    await ctx.step.email("email", subject="Hi", body=ctx.payload.text)


@workflow("twice")
async def twice(ctx: Context[Note]) -> None:
    await ctx.step.email("email", subject="Hi", body=ctx.payload.text, retry=Retry(attempts=2))


@workflow("careful")
async def careful(ctx: Context[Note]) -> None:
    await ctx.step.sms("code", body=ctx.payload.text, on_unknown="park")
    await ctx.step.in_app("after", body="sent")


@workflow("fall-back")
async def fall_back(ctx: Context[Note]) -> None:
    try:
        await ctx.step.push("push", subject="Hi", body=ctx.payload.text)
    except StepFailed as err:
        await ctx.step.sms("sms", body=f"{err.step}: {err.reason}")


ADA = Subscriber(subscriber_id="ada", email="ada@example.com", phone="+4915112345678")


async def test_an_unavailable_provider_is_tried_again_later(novukit: Harness) -> None:
    """Nobody waits: the execution sleeps, then the same message goes out, once."""
    novukit.fail_next("email", "unavailable")
    await novukit.trigger(mail, to=ADA, payload=Note())
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.WAITING, "email") == (execution.status, execution.step)

    await novukit.travel(hours=1)

    (sent,) = novukit.outbox.email
    assert (2, MessageStatus.SENT, False) == (sent.attempts, sent.message.status, sent.message.possible_duplicate)


async def test_every_attempt_carries_the_same_key(novukit: Harness) -> None:
    """A provider that honours keys can tell a repeat from a new message."""
    novukit.fail_next("email", "throttled", times=3)
    await novukit.trigger(mail, to=ADA, payload=Note())
    await novukit.travel(days=1)

    keys = [key for _, key in novukit._plugin.trouble.calls]
    assert 4 == len(keys)
    assert 1 == len(set(keys))


async def test_a_refusal_is_final(novukit: Harness) -> None:
    """A rejected message is not tried again; the execution fails at its step and says why."""
    novukit.fail_next("email", "rejected")
    await novukit.trigger(mail, to=ADA, payload=Note())
    await novukit.travel(days=1)

    (execution,) = await novukit.executions()
    (step,) = await history.steps(novukit.scope, execution.id)
    assert (ExecutionStatus.FAILED, Reason.STEP_FAILED, "email") == (execution.status, execution.reason, execution.step)
    assert (StepStatus.FAILED, Reason.PROVIDER_REJECTED, 1) == (step.status, step.reason, step.attempts)


async def test_a_step_gives_up_after_its_attempts(novukit: Harness) -> None:
    """`retry=Retry(attempts=2)` is two calls in all."""
    novukit.fail_next("email", "unavailable", times=5)
    await novukit.trigger(twice, to=ADA, payload=Note())
    await novukit.travel(days=1)

    (execution,) = await novukit.executions()
    assert ExecutionStatus.FAILED is execution.status
    assert 2 == len(novukit._plugin.trouble.calls)


async def test_a_failed_step_may_fall_back_to_another_channel(novukit: Harness) -> None:
    """StepFailed can be caught; after a wake the caught failure is given back, not performed again."""
    await novukit.subscriber("ada", push_tokens=["t"])
    novukit.fail_next("push", "rejected")
    novukit.fail_next("sms", "unavailable")
    await novukit.trigger(fall_back, to=ADA, payload=Note())
    await novukit.travel(days=1)

    assert ["push: provider_rejected"] == [sent.body for sent in novukit.outbox.sms]
    assert ["outbox-push", "outbox-sms", "outbox-sms"] == [who for who, _ in novukit._plugin.trouble.calls]


async def test_an_unknown_outcome_is_tried_again_and_marked(novukit: Harness) -> None:
    """By default it is sent again with the same key, and the message says that it may be there twice."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(fall_back, to=ADA, payload=Note())
    novukit.fail_next("email", "unknown")
    await novukit.trigger(mail, to=ADA, payload=Note())
    await novukit.travel(days=1)

    (sent,) = novukit.outbox.email
    assert sent.message.possible_duplicate


async def test_an_unknown_outcome_may_be_parked(novukit: Harness) -> None:
    """`on_unknown="park"` never sends twice by itself: a person decides."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(careful, to=ADA, payload=Note())
    await novukit.travel(days=30)
    (execution,) = await novukit.executions()
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert (ExecutionStatus.PARKED, Reason.OUTCOME_UNKNOWN) == (execution.status, execution.reason)
    assert MessageStatus.UNKNOWN is message.status
    assert 1 == len(novukit._plugin.trouble.calls)

    await novukit.resume(execution.id)

    (sent,) = novukit.outbox.sms
    assert sent.message.possible_duplicate
    assert 1 == len({key for _, key in novukit._plugin.trouble.calls})
    assert ["sent"] == [one.body for one in novukit.outbox.in_app]


async def test_a_failed_execution_resumes_at_its_failed_step(novukit: Harness) -> None:
    """What is complete stays complete; the failed step is tried anew."""
    novukit.fail_next("email", "rejected")
    await novukit.trigger(mail, to=ADA, payload=Note())
    assert 1 == await novukit.resume()

    (execution,) = await novukit.executions()
    assert ExecutionStatus.COMPLETED is execution.status
    assert ["hello"] == [sent.body for sent in novukit.outbox.email]
    assert 0 == await novukit.resume()


async def test_a_cancelled_retry_leaves_no_message_waiting(novukit: Harness) -> None:
    """The message surely did not go out, and says so."""
    novukit.fail_next("email", "unavailable")
    triggered = await novukit.trigger(mail, to=ADA, payload=Note())
    await novukit.cancel(triggered.transaction_id or "")
    await novukit.travel(days=1)

    (execution,) = await novukit.executions()
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert (MessageStatus.FAILED, "cancelled") == (message.status, message.error)
    assert 1 == len(novukit._plugin.trouble.calls)


async def test_a_deleted_message_is_made_anew_under_the_same_key(novukit: Harness) -> None:
    """Resuming a step whose message somebody deleted is no fault."""
    novukit.fail_next("sms", "unknown")
    await novukit.trigger(careful, to=ADA, payload=Note())
    (execution,) = await novukit.executions()
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert await messages.delete(novukit.scope, message.id)

    await novukit.resume(execution.id)

    assert ["hello"] == [sent.body for sent in novukit.outbox.sms]
    assert 1 == len({key for _, key in novukit._plugin.trouble.calls})


def test_an_unknown_name_in_fail_next_is_refused() -> None:
    """A typo in a test is an error, not a test that proves nothing."""
    from novukit.errors import InvalidInput

    with pytest.raises(InvalidInput, match="emial"):
        Harness.fail_next(object.__new__(Harness), "emial")


def test_backoff_grows_and_is_capped() -> None:
    """Full jitter between zero and an exponential bound; never shorter than what the provider asked for."""
    import random

    from novukit.engine.backoff import wait_before

    retry, rng = Retry(first=timedelta(seconds=10), cap=timedelta(minutes=5)), random.Random(1)
    waits = [wait_before(n, retry, rng) for n in range(2, 40) for _ in range(50)]

    assert max(waits) <= timedelta(minutes=5)
    assert min(waits) >= timedelta(0)
    assert wait_before(2, retry, rng, retry_after=120.0) >= timedelta(seconds=120)
    assert wait_before(2, retry, rng, retry_after=1e9) <= timedelta(hours=1)
