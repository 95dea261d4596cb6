"""Tests of what can be read of the past."""

from datetime import timedelta

import pytest

from novukit.errors import InvalidInput
from novukit.model import ActivityKind, EventStatus, ExecutionStatus, Reason, StepStatus
from novukit.store import Database, history, timeline
from novukit.store.history import ExecutionFilter
from novukit.store.pages import PageQuery
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def test_executions_come_newest_first_by_cursor(rows: Rows) -> None:
    """A cursor leads from page to page without gap or repetition."""
    made = [await rows.execution() for _ in range(5)]
    first = await history.executions(rows.scope, query=PageQuery(limit=3))
    second = await history.executions(rows.scope, query=PageQuery(after=first.next, limit=3))
    assert made[::-1] == [e.id for e in (*first.data, *second.data)]
    assert (5, None) == (first.total, second.next)


async def test_a_cursor_of_another_list_is_refused(rows: Rows) -> None:
    """What is not a cursor of this list is an error and not an empty page."""
    with pytest.raises(InvalidInput):
        await history.executions(rows.scope, query=PageQuery(after="nonsense"))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (ExecutionFilter(), {"a", "b", "c"}),
        (ExecutionFilter(status=[ExecutionStatus.FAILED, ExecutionStatus.PARKED]), {"a", "b"}),
        (ExecutionFilter(workflow_ids=["other"]), {"c"}),
        (ExecutionFilter(workflow_ids=[]), set()),
        (ExecutionFilter(subscriber_ids=["ada", "bob"]), {"a", "b"}),
        (ExecutionFilter(emails=["bob@example.org"]), {"b"}),
        (ExecutionFilter(transaction_id="tx-b"), {"b"}),
        (ExecutionFilter(reason=Reason.PROVIDER_REJECTED), {"a"}),
        (ExecutionFilter(step="email"), {"a"}),
        (ExecutionFilter(search="x-c"), {"c"}),
        (ExecutionFilter(search="bo"), {"b"}),
        (ExecutionFilter(search="%"), set()),
    ],
)
async def test_filters(rows: Rows, filters: ExecutionFilter, expected: set[str]) -> None:
    """Each filter narrows, alike by page, by cursor and for a bulk resume."""
    await rows.subscriber("bob", email="bob@example.org")
    ids = {
        await rows.execution(await rows.event("tx-a"), "ada", "failed", reason="provider_rejected", step="email"): "a",
        await rows.execution(await rows.event("tx-b"), "bob", "parked", reason="outcome_unknown"): "b",
        await rows.execution(await rows.event("tx-c", workflow_id="other"), "cy", workflow_id="other"): "c",
    }
    assert expected == {ids[e.id] for e in (await history.feed(rows.scope, filters)).data}
    matching = [ids[each] for each in await history.matching_ids(rows.scope, filters)]
    assert sorted(expected) == matching
    assert matching[:1] == [ids[each] for each in await history.matching_ids(rows.scope, filters, limit=1)]


async def test_executions_filter_by_time(rows: Rows, clock: VirtualClock) -> None:
    """From and to are both within."""
    first, start = await rows.execution(), clock.now()
    clock.advance(timedelta(hours=1))
    second = await rows.execution()
    early = await history.feed(rows.scope, ExecutionFilter(created_to=start))
    late = await history.feed(rows.scope, ExecutionFilter(created_from=clock.now()))
    assert ([first], [second]) == ([e.id for e in early.data], [e.id for e in late.data])


async def test_the_feed_goes_by_page_number(rows: Rows) -> None:
    """Pages count from 0 and say whether another follows."""
    made = [await rows.execution() for _ in range(3)]
    first = await history.feed(rows.scope, ExecutionFilter(), limit=2)
    second = await history.feed(rows.scope, ExecutionFilter(), page=1, limit=2)
    assert ([made[2], made[1]], True) == ([e.id for e in first.data], first.has_more)
    assert ([made[0]], False) == ([e.id for e in second.data], second.has_more)


async def test_an_execution_knows_its_transaction_and_its_reason(rows: Rows) -> None:
    """The transaction id comes from the event."""
    execution_id = await rows.execution(
        await rows.event("tx-1"), status="failed", reason="step_failed", detail="550 no such box"
    )
    found = await history.execution(rows.scope, execution_id)
    assert found is not None
    assert ("tx-1", ExecutionStatus.FAILED, Reason.STEP_FAILED, "550 no such box") == (
        found.transaction_id, found.status, found.reason, found.detail,
    )  # fmt: skip


async def test_steps_come_in_the_order_in_which_they_began(rows: Rows, clock: VirtualClock) -> None:
    """Whatever their ids are; with how long each took and what came of it."""
    execution_id, start = await rows.execution(), clock.now()
    await rows.checkpoint(
        execution_id, "a-last", "email", "retrying", started_at=start + timedelta(seconds=3), finished_at=None,
        reason="provider_throttled", attempts=2, position=1,
    )  # fmt: skip
    await rows.checkpoint(
        execution_id,
        "first",
        started_at=start,
        finished_at=start + timedelta(milliseconds=1500),
        result='{"status":"sent"}',
    )
    first, last = await history.steps(rows.scope, execution_id)
    assert ("first", 1500.0, {"status": "sent"}) == (first.step_id, first.duration_ms, first.result)
    assert ("a-last", None, None) == (last.step_id, last.duration_ms, last.result)
    assert (StepStatus.RETRYING, Reason.PROVIDER_THROTTLED, 2) == (last.status, last.reason, last.attempts)


async def test_many_are_read_at_once(rows: Rows) -> None:
    """Steps, lines and events of a page take one query each; what has none has an empty list."""
    event = await rows.event("tx", payload='{"a":1}', actor='{"subscriber_id":"bob"}')
    one, two = await rows.execution(event, "ada"), await rows.execution(event, "bob")
    await rows.checkpoint(one)
    line = await rows.line(ActivityKind.STEP_CALLING, two, event)
    steps = await history.steps_of(rows.scope, [one, two])
    lines = await timeline.of_executions(rows.scope, [one, two])
    events = await history.events_of(rows.scope, [event, event])
    assert (1, 0) == (len(steps[one]), len(steps[two]))
    assert ([ActivityKind.STEP_COMPLETED], [line]) == ([e.kind for e in lines[one]], [e.id for e in lines[two]])
    assert ({"a": 1}, {"subscriber_id": "bob"}) == (events[event].payload, events[event].actor)


async def test_an_event_is_found_by_its_transaction_id(rows: Rows) -> None:
    """With payload, status and the number of executions; there is none under another id."""
    event = await rows.event("tx-1", payload='{"n":1}', executions=7)
    found = await history.event(rows.scope, "tx-1")
    assert found is not None
    assert (event, {"n": 1}, EventStatus.EXPANDED, 7) == (found.id, found.payload, found.status, found.executions)
    assert None is await history.event(rows.scope, "tx-2")


async def test_environments_do_not_share_their_past(rows: Rows, database: Database) -> None:
    """Environment B reads nothing of A, not even by id."""
    other = (await Rows.environment(database, "production")).scope
    message = await rows.message(transaction_id="tx")
    execution_id, event = message.execution_id, message.event_id
    await rows.checkpoint(execution_id)
    await rows.line(ActivityKind.STEP_CALLING, execution_id, event)
    assert [] == (await history.executions(other)).data
    assert [] == (await history.feed(other, ExecutionFilter())).data
    assert [] == await history.matching_ids(other, ExecutionFilter())
    assert None is await history.execution(other, execution_id)
    assert [] == await history.steps(other, execution_id)
    assert [] == await timeline.of_execution(other, execution_id)
    assert [] == await timeline.of_event(other, event)
    assert [] == await history.messages_of(other, execution_id)
    assert None is await history.event(other, "tx")
    assert {} == await history.events_of(other, [event])
    assert [message] == await history.messages_of(rows.scope, execution_id)
