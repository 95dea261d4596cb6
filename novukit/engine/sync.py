"""Sync: make what an environment knows of its workflows what the code declares. No workflow function is ever run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidInput, Issue, SyncConflict, SyncRefused
from ..model import Manifest, Plan, StepChange, StoredWorkflow, WorkflowChange, WorkflowSpec
from ..store import Scope, workflows
from ..store.workflows import InFlight

if TYPE_CHECKING:
    from .runtime import Runtime

_NONE = InFlight(0, {})


def diff(stored: Sequence[StoredWorkflow], manifest: Manifest, in_flight: Mapping[str, InFlight]) -> Plan:
    """The plan that leads from ``stored`` to ``manifest``; ``in_flight`` tells what has not ended, by workflow id."""
    known = {workflow.spec.id: workflow for workflow in stored}
    wanted = manifest.workflows
    both = sorted(known.keys() & wanted.keys())
    same = [name for name in both if known[name].version == wanted[name].version]
    new, gone = sorted(wanted.keys() - known.keys()), sorted(known.keys() - wanted.keys())
    return Plan(
        create=tuple(_created(wanted[name]) for name in new),
        change=tuple(
            _changed(known[name].spec, wanted[name], in_flight.get(name, _NONE)) for name in both if name not in same
        ),
        delete=tuple(_deleted(known[name].spec, in_flight.get(name, _NONE)) for name in gone),
        unchanged=tuple(same),
        state=workflows.state_of({name: workflow.version for name, workflow in known.items()}),
    )


async def plan(runtime: Runtime, scope: Scope, manifest: Manifest) -> Plan:
    """What an apply would do now. Changes nothing.

    Raises :class:`InvalidInput` when a workflow stands under another id than its own.
    """
    _check(manifest)
    return diff(await _ours(scope, manifest), manifest, await workflows.in_flight(scope))


async def apply(
    runtime: Runtime,
    scope: Scope,
    manifest: Manifest,
    *,
    expected_state: str | None = None,
    prune: bool = False,
    allow_delete: Collection[str] = (),
) -> Plan:
    """Make the store hold what ``manifest`` declares, all or nothing, and return what was done.

    A workflow that the code no longer has is deleted only with ``prune``, or when ``allow_delete`` names it; else
    :class:`SyncRefused` and nothing changes. A manifest without any workflow deletes only what is named.
    ``expected_state`` is the state of a plan made before: :class:`SyncConflict` when the store has moved on since.
    """
    _check(manifest)
    async with scope.database.transaction():
        await workflows.lock(scope)
        done = diff(await _ours(scope, manifest), manifest, await workflows.in_flight(scope))
        if expected_state is not None and expected_state != done.state:
            raise SyncConflict(
                "Another sync came first: the workflows stored are no longer those that the plan was made for.",
                hint="Look at the new plan, then sync again.",
            )
        _refuse_deletions(done, manifest, prune, allow_delete)
        specs = manifest.workflows
        await workflows.apply(
            scope,
            create=[specs[change.workflow_id] for change in done.create],
            change=[specs[change.workflow_id] for change in done.change],
            delete=[change.workflow_id for change in done.delete],
        )
    return done


async def _ours(scope: Scope, manifest: Manifest) -> list[StoredWorkflow]:
    """What is stored of the code's workflows. Those behind a bridge have a sync of their own, and keep their ids."""
    stored = await workflows.all(scope)
    issues = [
        Issue(f"/workflows/{one.spec.id}/id", "taken", f"The workflow {one.spec.id!r} runs behind the bridge.")
        for one in stored
        if one.remote and one.spec.id in manifest.workflows
    ]
    if issues:
        raise InvalidInput(issues[0].message, hint="Give one of the two another id.", issues=issues)
    return [one for one in stored if not one.remote]


def _check(manifest: Manifest) -> None:
    issues = [
        Issue(f"/workflows/{key}/id", "other_id", f"The workflow under {key!r} says that its id is {spec.id!r}.")
        for key, spec in manifest.workflows.items()
        if key != spec.id
    ]
    for key, spec in manifest.workflows.items():
        kinds = {step.id: step.kind for step in spec.steps}
        for name in sorted({step.id for step in spec.steps if kinds[step.id] != step.kind}):
            message = f"The workflow {key!r} declares its step {name!r} as two different kinds."
            issues.append(Issue(f"/workflows/{key}/steps", "two_kinds", message))
    if issues:
        raise InvalidInput(issues[0].message, hint="Send the manifest as `novukit sync` makes it.", issues=issues)


def _refuse_deletions(plan: Plan, manifest: Manifest, prune: bool, allow_delete: Collection[str]) -> None:
    forbidden = [change for change in plan.delete if change.workflow_id not in allow_delete]
    if forbidden and not manifest.workflows:
        raise SyncRefused(
            f"0 workflows found; {_workflows(len(plan.delete))} would be deleted.",
            hint="Is `workflows` in novukit.toml right? To delete them all, name each one with --allow-delete.",
            issues=[_deletion(change) for change in forbidden],
        )
    if forbidden and not prune:
        names = ", ".join(_in_words(change) for change in forbidden[:10])
        more = f" and {len(forbidden) - 10} more" if len(forbidden) > 10 else ""
        flags = " ".join(f"--allow-delete {change.workflow_id}" for change in forbidden[:3])
        raise SyncRefused(
            f"{_workflows(len(forbidden))} would be deleted, for the code no longer has them: {names}{more}.",
            hint=f"If that is meant, sync with {flags}{' …' if len(forbidden) > 3 else ''}, or with --prune for all.",
            issues=[_deletion(change) for change in forbidden],
        )


def _deletion(change: WorkflowChange) -> Issue:
    return Issue(
        f"/workflows/{change.workflow_id}", "would_be_deleted", f"{_in_words(change)} would be deleted.",
        f"Allow it with --allow-delete {change.workflow_id}.",
    )  # fmt: skip


def _in_words(change: WorkflowChange) -> str:
    return f"{change.workflow_id} (executions in flight: {change.in_flight})"


def _workflows(count: int) -> str:
    return f"{count} workflow{'' if count == 1 else 's'}"


def _created(spec: WorkflowSpec) -> WorkflowChange:
    steps = tuple(StepChange(sign="+", step_id=step.id, kind=step.kind.value) for step in spec.steps)
    return WorkflowChange(workflow_id=spec.id, name=spec.name, steps=steps)


def _deleted(spec: WorkflowSpec, open: InFlight) -> WorkflowChange:
    steps = tuple(
        StepChange(sign="-", step_id=step.id, kind=step.kind.value, waiting=open.waiting.get(step.id, 0))
        for step in spec.steps
    )
    return WorkflowChange(workflow_id=spec.id, name=spec.name, steps=steps, in_flight=open.executions)


def _changed(old: WorkflowSpec, new: WorkflowSpec, open: InFlight) -> WorkflowChange:
    return WorkflowChange(
        workflow_id=new.id,
        name=new.name,
        steps=tuple(_step_changes(old, new, open)),
        fields=tuple(_field_changes(old, new)),
        in_flight=open.executions,
    )


def _step_changes(old: WorkflowSpec, new: WorkflowSpec, open: InFlight) -> list[StepChange]:
    """In the order of the new source; what is gone comes last."""
    before = {step.id: step.kind for step in old.steps}
    after = {step.id: step.kind for step in new.steps}
    signs = [(name, "~" if name in before else "+", kind) for name, kind in after.items() if before.get(name) != kind]
    signs += [(name, "-", kind) for name, kind in before.items() if name not in after]
    return [
        StepChange(sign=sign, step_id=name, kind=kind.value, waiting=open.waiting.get(name, 0))
        for name, sign, kind in signs
    ]


def _field_changes(old: WorkflowSpec, new: WorkflowSpec) -> list[str]:
    fields = [name for name in WorkflowSpec.model_fields if name not in ("id", "steps")]
    changed = [name for name in fields if getattr(old, name) != getattr(new, name)]
    stay = {step.id for step in old.steps} & {step.id for step in new.steps}
    if [s.id for s in old.steps if s.id in stay] != [s.id for s in new.steps if s.id in stay]:
        changed.append("order of steps")
    return changed
