"""From a trigger to messages: what every other scenario stands on."""

from __future__ import annotations

from pydantic import BaseModel

from novukit import Context, Subscriber, workflow
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import history, timeline
from novukit.testing import Harness


class Order(BaseModel):
    number: int
    note: str = "thanks"


@workflow("order-placed", tags=["shop"])
async def order_placed(ctx: Context[Order]) -> None:
    step, order = ctx.step, ctx.payload
    await step.in_app("inbox", subject=f"Order {order.number}", body=order.note)
    await step.email("receipt", subject=f"Receipt {order.number}", body=order.note)


ADA = Subscriber(subscriber_id="ada", email="ada@example.com", first_name="Ada")


async def test_a_trigger_becomes_messages(novukit: Harness) -> None:
    """Each channel step makes one message, and the record says that each step completed."""
    triggered = await novukit.trigger(order_placed, to=ADA, payload=Order(number=7))

    (email,) = novukit.outbox.email
    (in_app,) = await novukit.inbox("ada")
    (execution,) = await novukit.executions()
    steps = await history.steps(novukit.scope, execution.id)

    assert ("ada@example.com", "Receipt 7", "thanks") == (email.to, email.subject, email.body)
    assert "Order 7" == in_app.subject
    assert triggered.transaction_id == execution.transaction_id
    assert ExecutionStatus.COMPLETED is execution.status
    assert [("inbox", StepStatus.COMPLETED), ("receipt", StepStatus.COMPLETED)] == [
        (s.step_id, s.status) for s in steps
    ]
    assert all(s.duration_ms is not None for s in steps)


async def test_everything_that_happened_is_in_the_activity_log_in_order(novukit: Harness) -> None:
    """The activity of an execution reads as the story of it."""
    await novukit.trigger(order_placed, to=ADA, payload=Order(number=7))
    (execution,) = await novukit.executions()

    kinds = [line.kind.value for line in await timeline.of_execution(novukit.scope, execution.id)]

    assert [
        "step.completed", "step.calling", "step.completed", "execution.completed",
    ] == kinds  # fmt: skip


async def test_the_same_transaction_id_begins_nothing_new(novukit: Harness) -> None:
    """Asking again with the same id and body is answered like the first time."""
    first = await novukit.trigger(order_placed, to=ADA, payload=Order(number=7), transaction_id="t-1")
    again = await novukit.trigger(order_placed, to=ADA, payload=Order(number=7), transaction_id="t-1")

    assert (False, True) == (first.duplicate, again.duplicate)
    assert first.event_id == again.event_id
    assert 1 == len(novukit.outbox.email)


async def test_a_subscriber_named_twice_gets_one_execution(novukit: Harness) -> None:
    """A list is a set."""
    triggered = await novukit.trigger(order_placed, to=[ADA, "ada", "bob"], payload=Order(number=7))

    assert 2 == triggered.executions


async def test_without_an_address_a_channel_is_skipped(novukit: Harness) -> None:
    """No e-mail address is nobody's mistake: the step is skipped with the reason, the workflow goes on."""
    await novukit.trigger(order_placed, to="bob", payload=Order(number=7))
    (execution,) = await novukit.executions()
    steps = await history.steps(novukit.scope, execution.id)

    assert ExecutionStatus.COMPLETED is execution.status
    assert (StepStatus.SKIPPED, Reason.NO_ADDRESS) == (steps[1].status, steps[1].reason)
    assert [] == novukit.outbox.email


async def test_a_typed_trigger_reaches_the_harness(novukit: Harness) -> None:
    """`workflow.trigger(…)`, as application code calls it, lands here during a test."""
    await order_placed.trigger(to=ADA, payload=Order(number=8))

    assert ["Receipt 8"] == [sent.subject for sent in novukit.outbox.email]
