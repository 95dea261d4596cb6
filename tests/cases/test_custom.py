"""Custom steps: an author's function runs once, and its typed result is kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Context, Retry, workflow
from novukit.model import ExecutionStatus, Reason
from novukit.store import history
from novukit.testing import Harness


class Quote(BaseModel):
    total: Decimal
    items: list[str]


calls: list[str] = []
trouble: list[Exception] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()
    trouble.clear()


async def quote(customer: str) -> Quote:
    calls.append(customer)
    if trouble:
        raise trouble.pop(0)
    return Quote(total=Decimal("9.90"), items=["tea"])


async def odd() -> Any:
    return object()


@workflow("quoted")
async def quoted(ctx: Context[None]) -> None:
    found = await ctx.step.custom("quote", quote, ctx.subscriber.subscriber_id)
    await ctx.step.delay("wait", timedelta(hours=1))
    assert isinstance(found, Quote)
    await ctx.step.in_app("inbox", body=f"{found.total} {found.items[0]}")


@workflow("rounds")
async def rounds(ctx: Context[None]) -> None:
    for name in ("a", "b", "c"):
        await ctx.step.custom("call", quote, name, key=name, retry=Retry(attempts=2))


@workflow("odd")
async def odd_one(ctx: Context[None]) -> None:
    await ctx.step.custom("odd", odd)


async def test_the_function_runs_once_and_its_result_is_typed_after_a_wake(novukit: Harness) -> None:
    """The workflow runs twice, the function does not."""
    await novukit.trigger(quoted, to="ada")
    await novukit.travel(hours=1)

    assert ["ada"] == calls
    assert ["9.90 tea"] == [sent.body for sent in novukit.outbox.in_app]


async def test_a_failing_function_is_tried_again_and_finished_rounds_are_not(novukit: Harness) -> None:
    """Each round of a loop is a step of its own, by its key."""
    trouble.append(RuntimeError("first"))
    await novukit.trigger(rounds, to="ada")
    await novukit.travel(hours=1)

    assert ["a", "a", "b", "c"] == calls
    (execution,) = await novukit.executions()
    assert ExecutionStatus.COMPLETED is execution.status
    assert ["a", "b", "c"] == [s.key for s in await history.steps(novukit.scope, execution.id)]


async def test_a_function_that_keeps_failing_fails_its_step(novukit: Harness) -> None:
    """The author's own words are on record; a resume begins where it failed."""
    trouble.extend([RuntimeError("no stock")] * 2)
    await novukit.trigger(rounds, to="ada")
    await novukit.travel(hours=1)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.FAILED, "call[a]") == (execution.status, execution.step)
    assert "no stock" in execution.detail

    await novukit.resume()

    assert ["a", "a", "a", "b", "c"] == calls


async def test_a_result_that_cannot_be_kept_is_a_failure_with_a_reason(novukit: Harness) -> None:
    """Not a pickle, not a silent None."""
    await novukit.trigger(odd_one, to="ada")
    (execution,) = await novukit.executions()
    (step,) = await history.steps(novukit.scope, execution.id)

    assert (ExecutionStatus.FAILED, Reason.NOT_SERIALISABLE) == (execution.status, step.reason)
