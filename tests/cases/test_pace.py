"""Rests and rates: an integration that fails again and again is left alone, and none is asked faster than it may be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from novukit import Subscriber
from novukit.engine import Shift
from novukit.model import ExecutionStatus, Reason
from novukit.providers import Rejected, Unavailable
from novukit.store import history, paces
from novukit.testing import Harness

from .routed import ADA, CALLS, FAILS, Order, by, careful, declare, receipt


async def test_one_that_fails_again_and_again_is_given_a_rest(routed: Harness) -> None:
    """After ten failures in a row nobody calls it; at the end of the rest one tries; then all go."""
    await declare(routed, "a")
    FAILS["a"] = [Unavailable("503")] * 11
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(11)]
    await routed.trigger(receipt, to=people[:10], payload=Order())
    await routed.trigger(receipt, to=people[10], payload=Order())
    assert 10 == len(CALLS), "the eleventh waits"
    late = next(one for one in await routed.executions() if one.subscriber_id == "p10")
    (step,) = await history.steps(routed.scope, late.id)
    assert (Reason.CIRCUIT_OPEN, 0) == (step.reason, step.attempts)

    await routed.travel(minutes=5)

    assert 11 + 10 + 1 >= len(CALLS)
    done = Counter(one.status.value for one in await routed.executions())
    assert done["completed"] >= 10


async def test_while_one_rests_the_next_one_sends(routed: Harness) -> None:
    """A new message is not given to it, and one that it has refused does not wait for it."""
    await declare(routed, {"identifier": "a", "primary": True}, "b")
    FAILS["a"] = [Unavailable("503")] * 10
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(11)]
    await routed.trigger(receipt, to=people[:10], payload=Order())
    await routed.trigger(receipt, to=people[10], payload=Order())
    await routed.travel(seconds=4)

    assert {"a": 10, "b": 11} == Counter(by())


async def test_a_rate_spreads_the_messages_over_time(routed: Harness) -> None:
    """Two a second: what comes at once goes out at even distances, in order, and each waits only once."""
    await declare(routed, {"identifier": "a", "rate": 2})
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(7)]
    began = routed.now
    await routed.trigger(receipt, to=people, payload=Order())
    await routed.travel(minutes=1)

    sent = [(one.at - began).total_seconds() for one in routed.outbox.email]
    assert [n / 2 for n in range(7)] == pytest.approx(sent, abs=0.001)
    assert {1, 2} == {one.runs for one in await routed.executions()}


async def test_the_slots_of_a_batch_are_taken_in_one_statement(
    routed: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred messages that are due together cost one."""
    asked: list[float] = []

    async def take(scope: Any, integration_id: Any, width: float) -> float:
        asked.append(width)
        return await true(scope, integration_id, width)

    true = paces.take
    monkeypatch.setattr(paces, "take", take)
    await declare(routed, {"identifier": "a", "rate": 50})
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(100)]
    await routed.trigger(receipt, to=people, payload=Order())
    await routed.travel(minutes=1)

    assert [2.0] == pytest.approx(asked)
    assert 100 == len(CALLS)


async def test_a_handed_on_message_waits_for_its_new_integrations_pace(routed: Harness) -> None:
    """While it sleeps it is already the other one's: it does not go back."""
    await declare(routed, {"identifier": "a", "primary": True}, {"identifier": "b", "rate": 0.1})
    FAILS["a"] = [Rejected("401", reason=Reason.CREDENTIALS_INVALID)] * 2
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(2)]
    await routed.trigger(receipt, to=people, payload=Order())
    assert Counter(a=2, b=1) == Counter(by())
    await routed.travel(minutes=1)

    assert Counter(a=2, b=2) == Counter(by())
    assert 2 == len(routed.outbox.email)


async def test_a_cancel_ends_what_waits_for_its_slot(routed: Harness) -> None:
    """It is cancelled, and nothing goes out."""
    await declare(routed, {"identifier": "a", "rate": 0.01})
    await routed.trigger(receipt, to=ADA, payload=Order())
    waiting = await routed.trigger(receipt, to=ADA, payload=Order())
    await routed.cancel(waiting.transaction_id or "")
    await routed.travel(hours=1)

    assert ["a"] == by()
    assert {"completed", "cancelled"} == {one.status.value for one in await routed.executions()}


async def test_a_call_that_was_cut_off_is_parked_before_it_waits(
    routed: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sleep for its slot nobody could tell that it may have gone out, and `park` never sends twice."""
    await declare(routed, {"identifier": "a", "rate": 0.01}, channel="sms")
    with monkeypatch.context() as frozen:
        frozen.setattr(Shift, "holds", lambda self: False)
        await routed.trigger(careful, to=ADA, payload=Order())
        assert [] == CALLS, "the intent is on record, and the worker gave up"
    await routed._shift.beat()
    await routed.travel(days=1)

    (execution,) = await routed.executions()
    assert (ExecutionStatus.PARKED, Reason.OUTCOME_UNKNOWN, []) == (execution.status, execution.reason, CALLS)
