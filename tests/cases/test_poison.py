"""What kills each worker that runs it does not do so for ever, and does not take its neighbours with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from novukit import Context, Subscriber, workflow
from novukit.engine import Shift, claim, run, sweep, trigger
from novukit.model import Execution, ExecutionStatus, MessageStatus, Reason, Resolution, StepStatus, Trigger
from novukit.providers import dispatch
from novukit.store import executions, history
from novukit.testing import Harness

LEASE = timedelta(seconds=10)
MOST = 20


@workflow("hello")
async def hello(ctx: Context[None]) -> None:
    await ctx.step.sms("hello", body="Hello")


@workflow("beats")
async def beats(ctx: Context[None]) -> None:
    for n in range(40):
        await ctx.step.delay("wait", timedelta(minutes=1), key=str(n))


def people(n: int) -> list[Subscriber]:
    return [Subscriber(subscriber_id=f"s{i}", phone=f"+49151123456{i:02}") for i in range(n)]


async def begin(novukit: Harness) -> Shift:
    """Another worker, whose heart does not beat."""
    shift = Shift(novukit.app.runtime, LEASE)
    await shift.begin()
    return shift


async def dies(novukit: Harness) -> None:
    """Its lease lapses, and its work is freed."""
    novukit.clock.advance(LEASE + timedelta(seconds=1))
    assert await sweep(novukit.app.runtime)


async def wake(novukit: Harness) -> None:
    """Let time pass until something is due."""
    due = await executions.next_due(novukit.app.database, novukit.app.runtime.registry.ids)
    assert due is not None
    novukit.clock.advance(max(due - novukit.now, timedelta()))


async def ask(novukit: Harness, what: str, to: list[Subscriber]) -> None:
    """Trigger without running anything."""
    await trigger(novukit.app.runtime, novukit.scope, Trigger(workflow=what, to=tuple(to)))


async def only(novukit: Harness) -> Execution:
    (execution,) = await novukit.executions()
    return execution


async def takeovers(novukit: Harness) -> dict[UUID, int]:
    rows = await novukit.scope.database.fetch("select id, takeovers from novukit_execution")
    return {row["id"]: row["takeovers"] for row in rows}


async def test_after_enough_deaths_it_is_parked(novukit: Harness) -> None:
    """It says so, rests longer each time before that, and can be resumed like anything that is parked."""
    await ask(novukit, "hello", people(1))
    rests: list[float] = []
    for _ in range(MOST):
        before = novukit.now
        await wake(novukit)
        rests.append((novukit.now - before).total_seconds())
        assert 1 == len(await claim(novukit.app.runtime, await begin(novukit), 10))
        await dies(novukit)
    assert [0.0, 0.0, 0.0] == rests[:3], "a few times may happen to anyone"
    assert rests[3:9] == sorted(rests[3:9])
    assert 30 <= rests[-1] <= 60
    await wake(novukit)
    await novukit.settle()
    execution = await only(novukit)
    assert (ExecutionStatus.PARKED, Reason.POISON, None) == (execution.status, execution.reason, execution.step)
    assert f"{MOST} workers in a row died" in execution.detail
    assert [] == novukit.outbox.sms
    assert 1 == await novukit.resume(execution.id)
    assert ExecutionStatus.COMPLETED is (await only(novukit)).status


async def test_a_message_that_was_being_sent_is_not_forgotten(
    novukit: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker died in the call: the outcome is unknown, shown as that, and a person may resolve it."""
    deliver, called = dispatch.deliver, asyncio.Event()

    async def never(*_: Any, **__: Any) -> Any:
        called.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(dispatch, "deliver", never)
    await ask(novukit, "hello", people(1))
    (first,) = await claim(novukit.app.runtime, shift := await begin(novukit), 10)
    running = asyncio.create_task(run(novukit.app.runtime, shift, first))
    await called.wait()
    running.cancel()
    await asyncio.wait({running})
    await dies(novukit)
    monkeypatch.setattr(dispatch, "deliver", deliver)
    for _ in range(MOST - 1):
        await wake(novukit)
        await claim(novukit.app.runtime, await begin(novukit), 10)
        await dies(novukit)
    await wake(novukit)
    await novukit.settle()
    execution = await only(novukit)
    assert (ExecutionStatus.PARKED, Reason.POISON, "hello") == (execution.status, execution.reason, execution.step)
    (message,) = await history.messages_of(novukit.scope, execution.id)
    (step,) = await history.steps(novukit.scope, execution.id)
    assert (MessageStatus.UNKNOWN, StepStatus.UNKNOWN) == (message.status, step.status)
    assert 1 == await novukit.resolve(Resolution.SENT)
    (message,) = await history.messages_of(novukit.scope, execution.id)
    assert (ExecutionStatus.COMPLETED, 1) == ((await only(novukit)).status, message.attempts)


async def test_only_deaths_in_a_row_count(novukit: Harness) -> None:
    """A workflow that sleeps and wakes many times may meet as many deaths, as long as it gets on between them."""
    await ask(novukit, "beats", people(1))
    for _ in range(MOST + 5):
        await wake(novukit)
        await claim(novukit.app.runtime, await begin(novukit), 10)
        await dies(novukit)
        assert [1] == list((await takeovers(novukit)).values())
        await novukit.settle()
        assert [0] == list((await takeovers(novukit)).values())
    await novukit.travel(hours=1)
    execution = await only(novukit)
    assert ExecutionStatus.COMPLETED is execution.status
    assert execution.runs > 40


async def test_its_neighbours_get_to_run_without_it(novukit: Harness) -> None:
    """Nine others are claimed with it at first and share its deaths; then they part, and each of them completes."""
    await ask(novukit, "hello", people(10))
    poison = (await novukit.executions())[4].id
    deaths = 0
    while any(not one.status.is_final for one in await novukit.executions() if one.id != poison):
        assert deaths < 12, "they part soon"
        await wake(novukit)
        claimed = await claim(novukit.app.runtime, shift := await begin(novukit), 500)
        if any(one.id == poison for one in claimed):
            deaths += 1
            await dies(novukit)
        else:
            await asyncio.gather(*(run(novukit.app.runtime, shift, one) for one in claimed))
            await shift.end()
    others = [one for one in await novukit.executions() if one.id != poison]
    assert {ExecutionStatus.COMPLETED} == {one.status for one in others}
