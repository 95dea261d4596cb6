"""Routing: which of several integrations carries a message."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from novukit import Subscriber
from novukit.model import ExecutionStatus, Reason
from novukit.store import history, integrations
from novukit.testing import Harness

from .routed import ADA, CALLS, CHOSEN, Order, by, declare, receipt

WHEN: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "country by phone": ({"country": "de"}, {}, True),
    "another country": ({"country": ["FR", "US"]}, {}, False),
    "country by locale": (
        {"country": "AT"}, {"to": Subscriber(subscriber_id="b", email="b@x.de", locale="de-AT")}, True,
    ),
    "no country": ({"country": "DE"}, {"to": Subscriber(subscriber_id="c", email="c@x.de", locale="de")}, False),
    "tenant": ({"tenant": ["acme", "other"]}, {"tenant": {"identifier": "acme"}}, True),
    "no tenant": ({"tenant": "acme"}, {}, False),
    "workflow": ({"workflow": "receipt"}, {}, True),
    "tag": ({"tags": ["social", "billing"]}, {}, True),
    "no such tag": ({"tags": "social"}, {}, False),
    "payload": ({"payload": {"plan": ["gold", "silver"]}}, {"payload": Order(plan="gold")}, True),
    "payload, a number": ({"payload": {"amount": 5}}, {"payload": Order(amount=5)}, True),
    "payload, not text": ({"payload": {"amount": "5"}}, {"payload": Order(amount=5)}, False),
    "subscriber data": (
        {"subscriber": {"data.vip": True}},
        {"to": Subscriber(subscriber_id="d", email="d@x.de", data={"vip": True})}, True,
    ),
    "all must hold": ({"workflow": "receipt", "tenant": "acme"}, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", WHEN)
async def test_when_says_for_which_messages_an_integration_is(routed: Harness, case: str) -> None:
    """Each line must hold, of its values one is enough; and who is meant comes before who takes everything."""
    when, asked, holds = WHEN[case]
    await declare(routed, {"identifier": "any", "primary": True}, {"identifier": "meant", "when": when})

    await routed.trigger(receipt, **{"to": ADA, "payload": Order(), **asked})

    assert ["meant" if holds else "any"] == by()


COMPARED: dict[str, tuple[str, str, str, bool]] = {
    "equal": ("plan", "EQUAL", "gold", True), "not equal": ("plan", "NOT_EQUAL", "gold", False),
    "larger, as a number": ("amount", "LARGER", "9", True), "smaller": ("amount", "SMALLER", "9", False),
    "at least": ("amount", "LARGER_EQUAL", "10", True), "at most": ("amount", "SMALLER_EQUAL", "10", True),
    "between": ("amount", "BETWEEN", "5, 10", True), "not between": ("amount", "NOT_BETWEEN", "5,9", True),
    "like": ("plan", "LIKE", "ol", True), "not like": ("plan", "NOT_LIKE", "ol", False),
    "in": ("plan", "IN", "silver, gold", True), "not in": ("plan", "NOT_IN", "silver", True),
    "all in": ("plan", "ALL_IN", "silver, gold", True), "not there": ("nothing", "EQUAL", "", False),
}  # fmt: skip


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("case", COMPARED)
async def test_conditions_in_novus_form_are_followed(routed: Harness, case: str, negated: bool) -> None:
    """Every operator, and its negation."""
    field, operator, value, holds = COMPARED[case]
    await declare(routed, {"identifier": "any", "primary": True}, "meant")
    one = await integrations.by_identifier(routed.scope, routed.app.runtime.secrets, "meant")
    child = {"field": field, "operator": operator, "value": value, "on": "payload"}
    group = {"isNegated": negated, "type": "GROUP", "value": "AND", "children": [child]}
    await integrations.update(routed.scope, routed.app.runtime.secrets, one.id, conditions=[group])

    await routed.trigger(receipt, to=ADA, payload=Order(plan="gold", amount=10))

    assert ["meant" if holds is not negated else "any"] == by()


async def test_where_no_condition_holds_the_step_fails_and_says_so(routed: Harness) -> None:
    """It names those that there are."""
    await declare(routed, {"identifier": "acme", "when": {"tenant": "acme"}})
    await routed.trigger(receipt, to=ADA, payload=Order())

    (execution,) = await routed.executions()
    (step,) = await history.steps(routed.scope, execution.id)
    assert (ExecutionStatus.FAILED, Reason.NO_INTEGRATION) == (execution.status, step.reason)
    assert "acme" in step.detail


async def test_weights_share_the_messages_and_an_execution_is_always_routed_alike(routed: Harness) -> None:
    """Three to one; one without a weight stands by. Each execution's e-mails all go the same way."""
    await declare(
        routed,
        {"identifier": "a", "weight": 3},
        {"identifier": "b", "weight": 1},
        {"identifier": "c", "primary": True},
    )
    people = [Subscriber(subscriber_id=f"p{n}", email=f"p{n}@example.com") for n in range(200)]
    for start in (0, 100):
        await routed.trigger(receipt, to=people[start : start + 100], payload=Order())

    shares = Counter(by())
    assert {"a", "b"} == set(shares)
    assert 125 <= shares["a"] <= 175  # 150 expected, standard deviation 6


async def test_a_routing_function_chooses(routed: Harness) -> None:
    """What it names comes first, whatever is declared; with None the choice is as declared."""
    await declare(routed, {"identifier": "a", "primary": True}, {"identifier": "b", "when": {"tenant": "nobody"}})
    await routed.trigger(receipt, to=ADA, payload=Order())
    CHOSEN["to"] = "b"
    await routed.trigger(receipt, to=ADA, payload=Order())

    assert ["a", "b"] == by()


@pytest.mark.parametrize("wrong", ["unknown", "raises"])
async def test_a_routing_function_that_is_wrong_fails_the_step(routed: Harness, wrong: str) -> None:
    """It is named with its place; nothing is sent by guesswork."""
    await declare(routed, "a")
    CHOSEN.update({"to": "aa"} if wrong == "unknown" else {"raises": "yes"})
    await routed.trigger(receipt, to=ADA, payload=Order())

    (execution,) = await routed.executions()
    (step,) = await history.steps(routed.scope, execution.id)
    assert Reason.ROUTE_FAILED is step.reason
    assert "routed.py" in step.detail
    assert [] == CALLS
