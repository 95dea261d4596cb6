"""Handing on: who takes a message over from an integration that cannot, and what goes to nobody else."""

from __future__ import annotations

import pytest

from novukit.model import ActivityKind, ExecutionStatus, MessageStatus, Reason
from novukit.providers import RecipientGone, Rejected, Throttled, Unavailable, Unknown
from novukit.store import history, integrations
from novukit.testing import Harness

from .routed import ADA, FAILS, Order, by, careful, declare, lines, named, otp, receipt, text

HANDED: dict[str, tuple[list[Exception], list[str], str]] = {
    "credentials": ([Rejected("401", reason=Reason.CREDENTIALS_INVALID)], ["a", "b"], "credentials_invalid"),
    "unavailable to the end": ([Unavailable("503"), Unavailable("503")], ["a", "a", "b"], "provider_unavailable"),
    "throttled to the end": ([Throttled("429"), Throttled("429")], ["a", "a", "b"], "provider_throttled"),
    "throttled for long": ([Throttled("429", retry_after=600)], ["a", "b"], "provider_throttled"),
}


@pytest.mark.parametrize("case", HANDED)
async def test_the_next_one_takes_over_what_was_surely_not_sent(routed: Harness, case: str) -> None:
    """The record tells who was tried and why it went on; the message names who sent it."""
    failures, calls, reason = HANDED[case]
    await declare(routed, {"identifier": "a", "primary": True}, "b")
    FAILS["a"] = list(failures)
    await routed.trigger(receipt, to=ADA, payload=Order())
    await routed.travel(hours=2)

    assert calls == by()
    (sent,) = routed.outbox.email
    b = await integrations.by_identifier(routed.scope, routed.app.runtime.secrets, "b")
    assert (len(calls), False) == (sent.attempts, sent.message.possible_duplicate)
    assert (MessageStatus.SENT, "b-" + str(len(calls))) == (sent.message.status, sent.message.provider_message_id)
    (line,) = await lines(routed, ActivityKind.STEP_HANDED_ON)
    assert (reason, True, True) == (line.reason, line.detail.startswith("a: "), line.detail.endswith("→ b"))
    assert b.id == (await routed.scope.database.fetch("select integration_id as i from novukit_message"))[0]["i"]


@pytest.mark.parametrize(
    "failure", [Rejected("bad address"), RecipientGone("gone"), Rejected("x", reason=Reason.CONTENT_INVALID)]
)
async def test_a_fault_of_the_message_goes_to_nobody_else(routed: Harness, failure: Exception) -> None:
    """Another provider would be asked for nothing, or would send what should not be sent."""
    await declare(routed, {"identifier": "a", "primary": True}, "b")
    FAILS["a"] = [failure]
    await routed.trigger(receipt, to=ADA, payload=Order())
    await routed.travel(hours=2)

    assert ["a"] == by()
    (execution,) = await routed.executions()
    assert ExecutionStatus.FAILED is execution.status


async def test_a_step_that_names_its_integration_stays_with_it(routed: Harness) -> None:
    """Who asks for one does not get another."""
    await declare(routed, {"identifier": "a", "when": {"tenant": "nobody"}}, {"identifier": "b", "primary": True})
    FAILS["a"] = [Unavailable("503")] * 2
    await routed.trigger(named, to=ADA, payload=Order())
    await routed.travel(hours=2)

    assert ["a", "a"] == by()


async def test_nobody_is_asked_twice(routed: Harness) -> None:
    """Three that are out of order are tried in turn, each with all its attempts; then the step fails."""
    await declare(routed, {"identifier": "a", "primary": True}, "b", "c")
    for name in "abc":
        FAILS[name] = [Unavailable("503")] * 9
    await routed.trigger(receipt, to=ADA, payload=Order())
    await routed.travel(days=1)

    assert ["a", "a", "b", "b", "c", "c"] == by()
    (execution,) = await routed.executions()
    (step,) = await history.steps(routed.scope, execution.id)
    assert (ExecutionStatus.FAILED, Reason.PROVIDER_UNAVAILABLE, 6) == (execution.status, step.reason, step.attempts)

    FAILS.clear()
    await routed.resume()
    assert "a" == by()[-1], "whoever resumes it wants it tried anew"


async def test_an_unknown_outcome_stays_where_it_is(routed: Harness) -> None:
    """It may have gone out: by default nobody else is given the message."""
    await declare(routed, {"identifier": "a", "primary": True}, "b", channel="sms")
    FAILS["a"] = [Unknown("timeout"), Rejected("401", reason=Reason.CREDENTIALS_INVALID)]
    await routed.trigger(text, to=ADA, payload=Order())
    await routed.travel(hours=2)

    assert ["a", "a"] == by()
    (execution,) = await routed.executions()
    assert Reason.OUTCOME_UNKNOWN is execution.reason


async def test_an_unknown_outcome_is_handed_on_where_that_is_allowed(routed: Harness) -> None:
    """By the step, or by the integration; the message says that it may be there twice. `park` outweighs it."""
    await declare(
        routed, {"identifier": "a", "primary": True, "on_unknown": "next"}, "b", channel="sms"
    )  # fmt: skip
    FAILS["a"] = [Unknown("timeout")] * 3
    await routed.trigger(otp, to=ADA, payload=Order())
    await routed.trigger(text, to=ADA, payload=Order())
    await routed.trigger(careful, to=ADA, payload=Order())

    assert ["a", "b", "a", "b", "a"] == by()
    assert [True, True] == [sent.message.possible_duplicate for sent in routed.outbox.sms]


async def test_a_message_whose_integration_is_gone_goes_on_only_if_it_was_not_sent(routed: Harness) -> None:
    """One that is known not to be sent is handed on; one that nobody knows of waits for a person."""
    await declare(routed, {"identifier": "a", "primary": True}, "b", channel="sms")
    FAILS["a"] = [Unavailable("503"), Unknown("timeout")]
    await routed.trigger(text, to=ADA, payload=Order())
    await routed.trigger(text, to=ADA, payload=Order())
    await declare(routed, {"identifier": "a", "active": False}, channel="sms")
    await routed.travel(hours=2)

    assert ["a", "a", "b"] == by()
    assert {"completed", "parked"} == {one.status.value for one in await routed.executions()}
