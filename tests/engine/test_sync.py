"""Tests of sync: the plan, what an apply does with it, and what it refuses."""

from typing import Any, cast

import pytest

from novukit.engine import sync
from novukit.engine.runtime import Runtime
from novukit.errors import InvalidInput, SyncConflict, SyncRefused
from novukit.model import Manifest, StepChange, WorkflowChange, WorkflowPreferences, WorkflowSpec
from novukit.store import Database, workflows
from novukit.store.workflows import InFlight

from ..rows import Rows

pytestmark = pytest.mark.anyio

RUNTIME = cast("Runtime", None)
"""Sync needs nothing of it; what it needs comes with the scope."""


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


def spec(id: str = "welcome", steps: str = "inbox:in_app", **fields: Any) -> WorkflowSpec:
    """A workflow with steps written as ``id:kind id:kind``."""
    pairs = [step.split(":") for step in steps.split()]
    return WorkflowSpec(
        **{"id": id, "name": id.title(), "steps": [{"id": name, "kind": kind} for name, kind in pairs], **fields}
    )


def manifest(*specs: WorkflowSpec) -> Manifest:
    return Manifest(workflows={one.id: one for one in specs})


async def stored(rows: Rows, *specs: WorkflowSpec) -> None:
    await workflows.apply(rows.scope, create=specs)


async def test_what_is_new_is_created(rows: Rows) -> None:
    """The plan names every step; nothing is stored until it is applied."""
    plan = await sync.plan(RUNTIME, rows.scope, manifest(spec(steps="inbox:in_app mail:email")))
    steps = (StepChange(sign="+", step_id="inbox", kind="in_app"), StepChange(sign="+", step_id="mail", kind="email"))
    assert (WorkflowChange(workflow_id="welcome", name="Welcome", steps=steps),) == plan.create
    assert [] == await workflows.all(rows.scope)
    assert plan == await sync.apply(RUNTIME, rows.scope, manifest(spec(steps="inbox:in_app mail:email")))
    assert ["welcome"] == await workflows.ids(rows.scope)


async def test_nothing_to_do_is_an_empty_plan(rows: Rows) -> None:
    """The same code again changes nothing, not even when it was written."""
    await stored(rows, spec())
    before = await workflows.get(rows.scope, "welcome")
    plan = await sync.apply(RUNTIME, rows.scope, manifest(spec()))
    assert (True, ("welcome",)) == (plan.empty, plan.unchanged)
    assert before == await workflows.get(rows.scope, "welcome")


async def test_a_change_tells_steps_fields_and_what_waits_there(rows: Rows) -> None:
    """Steps come with a sign and the number of executions that wait in them."""
    old = spec(steps="inbox:in_app hourly:digest mail:email", tags=("a",))
    new = spec(steps="inbox:in_app text:sms mail:push", tags=("b",), preferences=WorkflowPreferences(read_only=True))
    await stored(rows, old)
    for subscriber in ("ada", "bob"):
        execution = await rows.execution(status="waiting", subscriber_id=subscriber)
        await rows.checkpoint(execution, "hourly", "digest", "waiting")
    plan = await sync.plan(RUNTIME, rows.scope, manifest(new))
    expected = WorkflowChange(
        workflow_id="welcome",
        name="Welcome",
        steps=(
            StepChange(sign="+", step_id="text", kind="sms"),
            StepChange(sign="~", step_id="mail", kind="push"),
            StepChange(sign="-", step_id="hourly", kind="digest", waiting=2),
        ),
        fields=("tags", "preferences"),
        in_flight=2,
    )
    assert (expected,) == plan.change


def test_the_order_of_steps_is_a_change() -> None:
    """Steps that only moved are told as such, and not when one was put between them."""
    before = [spec(steps="a:sms b:sms")]

    def fields(steps: str) -> tuple[str, ...]:
        known = [workflows.StoredWorkflow.model_construct(spec=one, version=one.version, active=True) for one in before]
        (change,) = sync.diff(known, manifest(spec(steps=steps)), {}).change
        return change.fields

    assert ("order of steps",) == fields("b:sms a:sms")
    assert () == fields("a:sms c:sms b:sms")


def test_diff_needs_no_store() -> None:
    """The plan follows from what is stored, what is declared and what is in flight, and from nothing else."""
    known = [
        workflows.StoredWorkflow.model_construct(spec=one, version=one.version, active=True)
        for one in (spec("a"), spec("b"), spec("c"))
    ]
    plan = sync.diff(known, manifest(spec("b"), spec("c", name="Other"), spec("d")), {"a": InFlight(3, {"inbox": 2})})
    gone = StepChange(sign="-", step_id="inbox", kind="in_app", waiting=2)
    assert (WorkflowChange(workflow_id="a", name="A", steps=(gone,), in_flight=3),) == plan.delete
    assert (["c"], ["d"]) == ([c.workflow_id for c in plan.change], [c.workflow_id for c in plan.create])
    assert (("b",), ("name",)) == (plan.unchanged, plan.change[0].fields)


async def test_a_deletion_needs_a_flag(rows: Rows) -> None:
    """Without one nothing happens at all, and the refusal names the workflow, what is in flight and the flag."""
    await stored(rows, spec("welcome"), spec("other"))
    await rows.execution(status="waiting")
    with pytest.raises(SyncRefused) as refused:
        await sync.apply(RUNTIME, rows.scope, manifest(spec("other", name="New"), spec("third")))
    assert (
        "1 workflow would be deleted, for the code no longer has them: welcome (executions in flight: 1)."
        == refused.value.message
    )
    assert "--allow-delete welcome" in (refused.value.hint or "")
    assert ["/workflows/welcome"] == [issue.path for issue in refused.value.issues]
    assert ["other", "welcome"] == await workflows.ids(rows.scope)


@pytest.mark.parametrize("allowed", [{"prune": True}, {"allow_delete": ["welcome"]}])
async def test_an_allowed_deletion_happens(rows: Rows, allowed: dict[str, Any]) -> None:
    """``prune`` allows all, ``allow_delete`` what it names."""
    await stored(rows, spec("welcome"), spec("other"))
    plan = await sync.apply(RUNTIME, rows.scope, manifest(spec("other")), **allowed)
    assert ["welcome"] == [change.workflow_id for change in plan.delete]
    assert ["other"] == await workflows.ids(rows.scope)


async def test_allowing_one_deletion_does_not_allow_another(rows: Rows) -> None:
    """Each must be named."""
    await stored(rows, spec("a"), spec("b"), spec("c"))
    with pytest.raises(SyncRefused, match=r"b \(executions in flight: 0\)"):
        await sync.apply(RUNTIME, rows.scope, manifest(spec("c")), allow_delete=["a"])
    assert ["a", "b", "c"] == await workflows.ids(rows.scope)


@pytest.mark.parametrize("prune", [True, False])
async def test_finding_no_workflows_is_refused(rows: Rows, prune: bool) -> None:
    """A wrong import path must not empty an environment; naming every workflow can."""
    await stored(rows, spec("a"), spec("b"))
    with pytest.raises(SyncRefused, match="0 workflows found; 2 workflows would be deleted"):
        await sync.apply(RUNTIME, rows.scope, Manifest(), prune=prune)
    await sync.apply(RUNTIME, rows.scope, Manifest(), allow_delete=["a", "b"])
    assert [] == await workflows.all(rows.scope)


async def test_nothing_found_and_nothing_stored_is_no_error(rows: Rows) -> None:
    """A new project syncs in peace."""
    assert True is (await sync.apply(RUNTIME, rows.scope, Manifest())).empty


async def test_a_plan_that_is_out_of_date_is_not_applied(rows: Rows) -> None:
    """Who planned before another's sync must look again."""
    plan = await sync.plan(RUNTIME, rows.scope, manifest(spec()))
    await sync.apply(RUNTIME, rows.scope, manifest(spec("other")))
    with pytest.raises(SyncConflict):
        await sync.apply(RUNTIME, rows.scope, manifest(spec()), expected_state=plan.state)
    fresh = await sync.plan(RUNTIME, rows.scope, manifest(spec(), spec("other")))
    await sync.apply(RUNTIME, rows.scope, manifest(spec(), spec("other")), expected_state=fresh.state)
    assert ["other", "welcome"] == await workflows.ids(rows.scope)


async def test_a_workflow_stands_under_its_own_id(rows: Rows) -> None:
    """A manifest that contradicts itself is refused before anything is read."""
    with pytest.raises(InvalidInput) as refused:
        await sync.apply(RUNTIME, rows.scope, Manifest(workflows={"a": spec("b")}))
    assert ["/workflows/a/id"] == [issue.path for issue in refused.value.issues]
    with pytest.raises(InvalidInput, match="two different kinds"):
        await sync.plan(RUNTIME, rows.scope, manifest(spec(steps="a:sms a:email")))


async def test_a_sync_stays_within_its_environment(rows: Rows, database: Database) -> None:
    """What environment A stores is no deletion in B, and its executions are not counted there."""
    other = await Rows.environment(database, "production")
    await stored(rows, spec())
    await rows.execution(status="waiting")
    plan = await sync.apply(RUNTIME, other.scope, manifest(spec("other")))
    assert ((), ["other"]) == (plan.delete, [change.workflow_id for change in plan.create])
    assert ["welcome"] == await workflows.ids(rows.scope)
