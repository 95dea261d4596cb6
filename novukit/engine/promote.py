"""Promote: make one environment hold what another one of the same organization holds, in one transaction.

Workflows, layouts, and the translations of both. Integrations, variables, subscribers and keys are each environment's
own. What is on its way goes on: an execution runs by the code, and is bound to no row that changes here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..model import Layout, Manifest, Resource, StepChange, StoredWorkflow, WorkflowChange
from ..store import Scope, layouts, translations, workflows
from . import sync

Action = Literal["added", "modified", "deleted", "unchanged"]
Texts = dict[Resource, dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one workflow or layout is in the source, and what in the target.

    ``fields`` says what differs but steps; ``before`` and ``after`` are the values of those that can be shown.
    ``in_flight`` counts the executions in the target that have not ended.
    """

    resource: Resource
    name: str
    action: Action
    steps: tuple[StepChange, ...] = ()
    fields: tuple[str, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    source_at: datetime | None = None
    target_at: datetime | None = None
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What was done, and what was left as it is and why."""

    done: tuple[Difference, ...]
    skipped: tuple[tuple[Difference, str], ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """What an environment holds."""

    workflows: dict[str, StoredWorkflow]
    layouts: dict[str, Layout]
    texts: Texts


async def compare(source: Scope, target: Scope) -> list[Difference]:
    """What ``target`` lacks of ``source`` and has beyond it: workflows first, then layouts, each by id."""
    return await _compare(await _held(source), await _held(target), target)


async def publish(source: Scope, target: Scope, only: Collection[Resource] | None = None) -> Published:
    """Make ``target`` hold what ``source`` does: all of it, or what ``only`` names. All or nothing.

    What ``source`` no longer has is deleted. A workflow with executions in flight is not: it is skipped.
    """
    async with target.database.transaction():
        await workflows.lock(target)
        held = await _held(source)
        found = await _compare(held, await _held(target), target)
        wanted, skipped = chosen(found, only)
        await workflows.apply(
            target,
            create=[held.workflows[d.resource[1]].spec for d in _of(wanted, "workflow", "added")],
            change=[held.workflows[d.resource[1]].spec for d in _of(wanted, "workflow", "modified")],
            delete=[d.resource[1] for d in _of(wanted, "workflow", "deleted")],
        )
        for difference in wanted:
            await _copy_layout(held, difference, target)
            await _copy_texts(held, difference, target)
    return Published(tuple(wanted), tuple(skipped))


def chosen(
    found: Collection[Difference], only: Collection[Resource] | None
) -> tuple[list[Difference], list[tuple[Difference, str]]]:
    """Which differences a publication would settle, and which it would leave and why."""
    wanted: list[Difference] = []
    skipped: list[tuple[Difference, str]] = []
    for each in found:
        if only is not None and each.resource not in only:
            continue
        if each.action == "unchanged":
            if only is not None:
                skipped.append((each, "It is the same in both environments."))
        elif each.action == "deleted" and each.in_flight:
            skipped.append((each, f"Executions are in flight there: {each.in_flight}. Cancel them or let them end."))
        else:
            wanted.append(each)
    return wanted, skipped


async def _held(scope: Scope) -> _Held:
    texts: Texts = {}
    for one in await translations.all(scope):
        texts.setdefault((one.resource_type, one.resource_id), {})[one.locale] = one.content
    return _Held(
        {one.spec.id: one for one in await workflows.all(scope)},
        {one.layout_id: one for one in await layouts.all(scope)},
        texts,
    )


async def _compare(source: _Held, target: _Held, scope: Scope) -> list[Difference]:
    manifest = Manifest(workflows={name: one.spec for name, one in source.workflows.items()})
    plan = sync.diff(list(target.workflows.values()), manifest, await workflows.in_flight(scope))
    actions: dict[str, tuple[Action, WorkflowChange]] = {}
    several: tuple[tuple[Action, tuple[WorkflowChange, ...]], ...] = (
        ("added", plan.create), ("modified", plan.change), ("deleted", plan.delete),
    )  # fmt: skip
    for action, changes in several:
        actions |= {change.workflow_id: (action, change) for change in changes}
    names = sorted(source.workflows.keys() | target.workflows.keys())
    found = [_workflow(source, target, name, actions.get(name)) for name in names]
    return found + [_layout(source, target, name) for name in sorted(source.layouts.keys() | target.layouts.keys())]


def _workflow(source: _Held, target: _Held, name: str, planned: tuple[Action, WorkflowChange] | None) -> Difference:
    new, old = source.workflows.get(name), target.workflows.get(name)
    resource: Resource = ("workflow", name)
    action, change = planned or ("unchanged", WorkflowChange(workflow_id=name, name=name))
    told = _texts_that_differ(source, target, resource) if new and old else ()
    named = new or old
    assert named is not None
    fields = set(change.fields)
    if change.steps or "order of steps" in fields:
        fields.add("steps")
    return Difference(
        resource, named.spec.name, "modified" if told and action == "unchanged" else action, change.steps,
        (*change.fields, *told), _shown(old, fields) if new else None, _shown(new, fields) if old else None,
        new.updated_at if new else None, old.updated_at if old else None, change.in_flight,
    )  # fmt: skip


def _shown(one: StoredWorkflow | None, fields: Collection[str]) -> dict[str, Any] | None:
    """The values of ``fields``; None where there are none to show."""
    if one is None:
        return None
    return {name: value for name, value in one.spec.model_dump(mode="json").items() if name in fields} or None


def _layout(source: _Held, target: _Held, name: str) -> Difference:
    new, old = source.layouts.get(name), target.layouts.get(name)
    resource: Resource = ("layout", name)
    if new is None or old is None:
        one = new or old
        assert one is not None
        action: Action = "added" if new else "deleted"
        return Difference(
            resource, one.name, action, source_at=new and new.updated_at, target_at=old and old.updated_at
        )
    fields = tuple(field for field in ("name", "body", "is_default") if getattr(new, field) != getattr(old, field))
    told = _texts_that_differ(source, target, resource)
    return Difference(
        resource, new.name, "modified" if fields or told else "unchanged", (), (*fields, *told),
        {field: getattr(old, field) for field in fields} or None,
        {field: getattr(new, field) for field in fields} or None, new.updated_at, old.updated_at,
    )  # fmt: skip


def _texts_that_differ(source: _Held, target: _Held, resource: Resource) -> tuple[str, ...]:
    new, old = source.texts.get(resource, {}), target.texts.get(resource, {})
    locales = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    return (f"translations ({', '.join(locales)})",) if locales else ()


def _of(differences: Collection[Difference], kind: str, action: Action) -> Iterator[Difference]:
    """Those of a kind; a workflow of which only the texts differ is written again as it is."""
    return (each for each in differences if each.resource[0] == kind and each.action == action)


async def _copy_layout(held: _Held, difference: Difference, target: Scope) -> None:
    kind, name = difference.resource
    if kind != "layout":
        return
    if difference.action == "deleted":
        await layouts.delete(target, name)
        return
    one = held.layouts[name]
    if difference.action == "added":
        await layouts.create(target, name, one.name, one.body, is_default=one.is_default)
    else:
        await layouts.update(target, name, name=one.name, body=one.body, is_default=one.is_default)


async def _copy_texts(held: _Held, difference: Difference, target: Scope) -> None:
    await translations.delete(target, difference.resource)
    if texts := held.texts.get(difference.resource, {}) if difference.action != "deleted" else {}:
        await translations.put(target, [(difference.resource, locale, content) for locale, content in texts.items()])
