"""The activity of executions and events: lines on record, and those that rows tell by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from novukit.model import ActivityKind
from novukit.store import Database, timeline
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

COMPLETED, CALLING = ActivityKind.STEP_COMPLETED, ActivityKind.STEP_CALLING


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def test_activity_is_read_by_execution_and_by_event(rows: Rows) -> None:
    """An execution has its own lines, an event those of all its executions too; oldest first."""
    event = await rows.event()
    one, two = await rows.execution(event, "ada"), await rows.execution(event, "bob")
    accepted = await rows.line(ActivityKind.TRIGGER_ACCEPTED, None, event)
    started = await rows.line(ActivityKind.STEP_CALLING, one, event)
    sent = await rows.line(ActivityKind.STEP_COMPLETED, two, event, step="inbox", reason="x", detail="y")
    assert [started] == [line.id for line in await timeline.of_execution(rows.scope, one)]
    lines = await timeline.of_event(rows.scope, event)
    assert [accepted, started, sent] == [line.id for line in lines]
    assert (ActivityKind.STEP_COMPLETED, "inbox", "x", "y") == (
        lines[2].kind, lines[2].step, lines[2].reason, lines[2].detail,
    )  # fmt: skip


async def test_rows_tell_what_is_complete(rows: Rows) -> None:
    """Accepted by the event's row, a step and an execution complete by theirs: each at its place, with a steady id."""
    event, start = await rows.event(), rows.scope.now()
    one = await rows.execution(event, finished_at=start, detail="done")
    await rows.checkpoint(one, "first", position=1)
    await rows.line(CALLING, one, event, step="second[a]")
    await rows.checkpoint(one, "second", step_key="a", position=2, reason="late", detail="by a minute")
    await rows.line(ActivityKind.STEP_SKIPPED, one, event, step="third")
    await rows.checkpoint(one, "third", "email", "skipped", position=3)

    lines = await timeline.of_event(rows.scope, event)

    assert [
        (ActivityKind.TRIGGER_ACCEPTED, ""), (COMPLETED, "first"), (CALLING, "second[a]"), (COMPLETED, "second[a]"),
        (ActivityKind.STEP_SKIPPED, "third"), (ActivityKind.EXECUTION_COMPLETED, ""),
    ] == [(line.kind, line.step) for line in lines]  # fmt: skip
    assert ("late", "by a minute", "done", "welcome") == (
        lines[3].reason, lines[3].detail, lines[5].detail, lines[0].detail,
    )  # fmt: skip
    assert lines == await timeline.of_event(rows.scope, event)
    assert lines[1:] == await timeline.of_execution(rows.scope, one)
    assert len({line.id for line in lines}) == len(lines)
    assert {7} == {line.id.version for line in lines}


async def test_a_row_is_silent_where_a_line_is_on_record(rows: Rows) -> None:
    """Databases of before have a line for each; of a step that a person or the vendor settled that is the line."""
    event = await rows.event()
    one = await rows.execution(event, finished_at=rows.scope.now())
    for place, (step, kind) in enumerate(
        {"mail": ActivityKind.STEP_RESOLVED_SENT, "text": ActivityKind.STEP_CONFIRMED, "old": COMPLETED}.items()
    ):
        await rows.checkpoint(one, step, "email", position=place)
        await rows.line(kind, one, event, step=step)
    await rows.line(ActivityKind.EXECUTION_COMPLETED, one, event)

    assert ["step.resolved_sent", "step.confirmed", "step.completed", "execution.completed"] == [
        line.kind for line in await timeline.of_execution(rows.scope, one)
    ]


async def test_what_came_later_stays_later(rows: Rows, clock: VirtualClock) -> None:
    """A vendor tells of an opened mail long after the execution is complete."""
    event = await rows.event()
    one = await rows.execution(event, finished_at=rows.scope.now())
    await rows.checkpoint(one, "mail", "email")
    clock.advance(timedelta(hours=1))
    await rows.line(ActivityKind.MESSAGE_OPENED, one, event, step="mail")

    assert [COMPLETED, ActivityKind.EXECUTION_COMPLETED, ActivityKind.MESSAGE_OPENED] == [
        line.kind for line in await timeline.of_execution(rows.scope, one)
    ]
