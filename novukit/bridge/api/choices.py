"""Preferences of a subscription as the wire writes them: by workflow, by tags, switched or under a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from pydantic import Field

from ...errors import Issue, did_you_mean
from ...model import Severity, StoredWorkflow, SubscriptionChoice, TopicSubscription
from ...model.condition import check
from ...store import Scope, workflows
from ..wire import Wire
from .recipients import read_at

MOST_PREFERENCES = 100

Known: TypeAlias = Mapping[str, StoredWorkflow]
"""The workflows of the environment, by id."""


class FilterIn(Wire):
    """Which workflows are meant: those named, and those that have one of the tags."""

    workflow_ids: list[str] | None = Field(default=None, max_length=MOST_PREFERENCES)
    tags: list[str] | None = Field(default=None, max_length=MOST_PREFERENCES)


class ChoiceIn(Wire):
    """Whether one workflow is wanted, or several."""

    workflow_id: str | None = Field(default=None, min_length=1, max_length=255)
    filter: FilterIn | None = None
    enabled: bool | None = None
    condition: dict[str, Any] | None = None


class WorkflowOfChoice(Wire):
    """The workflow that a preference is for."""

    id: str
    identifier: str
    name: str
    critical: bool
    severity: Severity
    tags: list[str]


class ChoiceOut(Wire):
    """Whether a subscription wants a workflow, and when."""

    subscription_id: str
    enabled: bool
    condition: dict[str, Any] | None = None
    workflow: WorkflowOfChoice | None = None


def read(
    value: Sequence[Any] | None, path: str, known: Sequence[StoredWorkflow], wrong: list[Issue]
) -> dict[str, SubscriptionChoice] | None:
    """Preferences of a body, by workflow id; what is wrong goes to ``wrong``. A later one for a workflow counts.

    Tags mean the workflows that have them now.
    """
    if value is None:
        return None
    if len(value) > MOST_PREFERENCES:
        wrong.append(Issue(path, "too_long", f"must have at most {MOST_PREFERENCES} items, not {len(value)}"))
        return None
    found: dict[str, SubscriptionChoice] = {}
    for at, one in enumerate(value):
        here = f"{path}/{at}"
        asked = ChoiceIn(workflow_id=one) if isinstance(one, str) and one else read_at(ChoiceIn, one, here, wrong)
        if asked is None:
            continue
        if asked.condition is not None:
            wrong += check(asked.condition, f"{here}/condition")
        choice = SubscriptionChoice(enabled=asked.enabled is not False, condition=asked.condition or None)
        found |= dict.fromkeys(_meant(asked, here, isinstance(one, str), known, wrong), choice)
    return found


def _meant(asked: ChoiceIn, path: str, plain: bool, known: Sequence[StoredWorkflow], wrong: list[Issue]) -> list[str]:
    """The ids of the workflows that a preference is for."""
    if (asked.workflow_id is None) == (asked.filter is None):
        wrong.append(Issue(path, "required", "needs either a workflowId or a filter"))
        return []
    if asked.workflow_id is not None:
        return _named(asked.workflow_id, path if plain else f"{path}/workflowId", known, wrong)
    wanted = cast("FilterIn", asked.filter)
    if not (wanted.workflow_ids or wanted.tags):
        wrong.append(Issue(f"{path}/filter", "required", "needs workflowIds or tags"))
        return []
    named = [
        one
        for n, name in enumerate(wanted.workflow_ids or ())
        for one in _named(name, f"{path}/filter/workflowIds/{n}", known, wrong)
    ]
    tags = set(wanted.tags or ())
    return [*named, *(one.spec.id for one in known if _open(one) and not tags.isdisjoint(one.spec.tags))]


def _named(name: str, path: str, known: Sequence[StoredWorkflow], wrong: list[Issue]) -> list[str]:
    for one in known:
        if name in (one.spec.id, str(one.id)):
            if _open(one):
                return [one.spec.id]
            message = "is a critical workflow, which subscribers cannot switch"
            wrong.append(Issue(path, "workflow_critical", message, "Leave it out."))
            return []
    hint = did_you_mean(name, [one.spec.id for one in known]) or "No workflow has been synced to this environment."
    wrong.append(Issue(path, "workflow_not_found", "is not a workflow of this environment", hint))
    return []


def _open(one: StoredWorkflow) -> bool:
    """Whether subscribers may choose for it."""
    return not one.spec.preferences.read_only


async def known_for(here: Scope, several: Sequence[TopicSubscription]) -> Known:
    """The workflows, where one of ``several`` subscriptions speaks of any."""
    if not any(one.preferences for one in several):
        return {}
    return {one.spec.id: one for one in await workflows.all(here)}


def told(one: TopicSubscription, known: Known) -> list[ChoiceOut]:
    """The preferences of a subscription as they go out, by workflow id."""
    return [
        ChoiceOut(
            subscription_id=str(one.id), enabled=choice.enabled, condition=choice.condition,
            workflow=_workflow(known[workflow_id]) if workflow_id in known else None,
        )
        for workflow_id, choice in sorted(one.preferences.items())
    ]  # fmt: skip


def _workflow(one: StoredWorkflow) -> WorkflowOfChoice:
    return WorkflowOfChoice(
        id=str(one.id), identifier=one.spec.id, name=one.spec.name, critical=one.spec.preferences.read_only,
        severity=one.spec.severity, tags=list(one.spec.tags),
    )  # fmt: skip
