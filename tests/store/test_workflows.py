"""Tests of stored workflows and their versions."""

from datetime import timedelta

import pytest

from novukit.model import WorkflowSpec
from novukit.store import Database, workflows
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def test_what_is_applied_is_there(rows: Rows) -> None:
    """Created workflows come back as they were, active, by id."""
    one, two = WorkflowSpec(id="b", name="B", tags=("x",)), WorkflowSpec(id="a", name="A")
    await workflows.apply(rows.scope, create=[one, two])
    found = await workflows.all(rows.scope)
    assert [two, one] == [w.spec for w in found]
    assert [two.version, one.version] == [w.version for w in found]
    assert [True, True] == [w.active for w in found]
    assert ["a", "b"] == await workflows.ids(rows.scope)


async def test_every_version_is_kept(rows: Rows, clock: VirtualClock) -> None:
    """A change adds a version, going back adds none, and deleting keeps them all."""
    old, new = WorkflowSpec(id="a", name="A"), WorkflowSpec(id="a", name="B")
    await workflows.apply(rows.scope, create=[old])
    clock.advance(timedelta(days=1))
    await workflows.apply(rows.scope, change=[new])
    await workflows.apply(rows.scope, change=[old])
    stored = await workflows.get(rows.scope, "a")
    assert stored is not None
    assert (old, clock.now()) == (stored.spec, stored.updated_at)
    await workflows.apply(rows.scope, delete=["a"])
    assert None is await workflows.get(rows.scope, "a")
    assert [new, old] == [v.spec for v in await workflows.versions(rows.scope, "a")]


async def test_the_state_tells_what_is_stored(rows: Rows, database: Database) -> None:
    """Equal content, equal state; any change of a version is another state, and pausing is none."""
    other = await Rows.environment(database, "production")
    empty = await workflows.state(rows.scope)
    await rows.workflow("a")
    await other.workflow("a")
    full = await workflows.state(rows.scope)
    assert full == await workflows.state(other.scope)
    assert empty != full
    await workflows.set_active(rows.scope, "a", False)
    assert full == await workflows.state(rows.scope)
    await workflows.apply(rows.scope, change=[WorkflowSpec(id="a", name="Other")])
    assert full != await workflows.state(rows.scope)


async def test_a_failed_apply_changes_nothing(rows: Rows) -> None:
    """All or nothing: a workflow that is there already cannot be created, and its neighbour is not either."""
    await rows.workflow("a")
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await workflows.apply(rows.scope, create=[WorkflowSpec(id="b", name="B"), WorkflowSpec(id="a", name="A")])
    assert ["a"] == await workflows.ids(rows.scope)


async def test_environments_do_not_share_workflows(rows: Rows, database: Database) -> None:
    """Environment B sees, changes and deletes nothing of A."""
    other = (await Rows.environment(database, "production")).scope
    spec = await rows.workflow("a")
    assert [] == await workflows.all(other)
    assert None is await workflows.get(other, "a")
    assert [] == await workflows.versions(other, "a")
    assert None is await workflows.set_active(other, "a", False)
    await workflows.apply(other, change=[WorkflowSpec(id="a", name="Other")], delete=["a"])
    stored = await workflows.get(rows.scope, "a")
    assert stored is not None
    assert (spec, True) == (stored.spec, stored.active)


async def test_a_trigger_is_noted_once_a_minute(rows: Rows, clock: VirtualClock) -> None:
    """The second trigger of a minute writes nothing."""
    await rows.workflow("a")
    start = clock.now()
    for seconds, expected in ((0, start), (30, start), (31, start + timedelta(seconds=61))):
        clock.advance(timedelta(seconds=seconds))
        await workflows.touch_triggered(rows.scope, "a")
        touched = await workflows.get(rows.scope, "a")
        assert touched is not None
        assert expected == touched.last_triggered_at


async def test_in_flight_counts_what_has_not_ended(rows: Rows, database: Database) -> None:
    """Executions that have not ended, and in which steps they wait; not those that ended, nor another environment's."""
    other = await Rows.environment(database, "production")
    waiting = [await rows.execution(status="waiting", subscriber_id=f"s{n}") for n in range(2)]
    for execution_id in waiting:
        await rows.checkpoint(execution_id, "inbox")
        await rows.checkpoint(execution_id, "hourly", "digest", "waiting")
    running = await rows.execution(status="running", worker_id=rows.scope.new_id())
    await rows.checkpoint(running, "mail", "email", "calling")
    await rows.execution(status="pending")
    await rows.checkpoint(await rows.execution(status="failed"), "mail", "email", "failed")
    await rows.execution(status="completed", workflow_id="other")
    await other.execution(status="waiting")
    assert {"welcome": workflows.InFlight(4, {"hourly": 2, "mail": 1})} == await workflows.in_flight(rows.scope)
