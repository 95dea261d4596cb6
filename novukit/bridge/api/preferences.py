"""Preferences of subscribers: which channels they want, everywhere and for single workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from litestar import get, patch
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from ...errors import Issue, did_you_mean
from ...model import (
    CHANNELS,
    Channel,
    EffectivePreference,
    Preference,
    Severity,
    StoredSubscriber,
    StoredWorkflow,
    resolve,
    schedule,
)
from ...model.preference import PreferenceSource
from ...store import Scope, preferences, workflows
from .. import issues
from ..auth import Here
from ..contexts import context_filter
from ..cursors import ContextKeys
from ..wire import Data, Timestamp, Wire, envelope
from .subscribers import found

TAGS = ["Preferences"]
MOST_AT_ONCE = 100

Criticality = Annotated[
    Literal["critical", "nonCritical", "all"], QueryParameter(description="Which workflows are listed.")
]


class Channels(Wire):
    """Which channels are wanted; one left out stays as it is."""

    email: bool | None = None
    in_app: Annotated[bool | None, Field(alias="in_app")] = None
    sms: bool | None = None
    push: bool | None = None
    chat: bool | None = None

    def chosen(self) -> dict[Channel, bool]:
        """The channels that are named."""
        return cast("dict[Channel, bool]", self.model_dump(by_alias=False, exclude_none=True))


class PreferenceChange(Wire):
    """A change of the global preference, or of a workflow's if ``workflowId`` is given."""

    workflow_id: str | None = Field(default=None, min_length=1, max_length=255)
    channels: Channels | None = None
    schedule: Any = None
    context: Any = None


class WorkflowChange(Wire):
    """A change of one workflow's preference."""

    workflow_id: str = Field(min_length=1, max_length=255)
    channels: Channels


class BulkChange(Wire):
    """Changes of up to 100 workflows' preferences, all or none."""

    preferences: list[WorkflowChange] = Field(min_length=1, max_length=MOST_AT_ONCE)
    context: Any = None


class GlobalOut(Wire):
    """What holds where nothing else is chosen."""

    enabled: bool
    channels: dict[str, bool]
    schedule: dict[str, Any] | None = Field(
        default=None, description="The hours in which channels other than the inbox may be used."
    )


class OverrideOut(Wire):
    """Where a channel's answer comes from."""

    channel: str
    source: PreferenceSource


class WorkflowName(Wire):
    """The workflow that a preference is for."""

    slug: str
    identifier: str
    name: str
    updated_at: Timestamp


class WorkflowPreferenceOut(Wire):
    """What holds for a workflow."""

    enabled: bool
    channels: dict[str, bool]
    overrides: list[OverrideOut]
    workflow: WorkflowName
    updated_at: Timestamp | None = None


class PreferencesOut(Wire):
    """All preferences of a subscriber."""

    global_: Annotated[GlobalOut, Field(alias="global")]
    workflows: list[WorkflowPreferenceOut]


class WorkflowInfo(Wire):
    """The workflow of a preference, as the inbox shows it."""

    id: str
    identifier: str
    name: str
    critical: bool
    severity: Severity
    tags: list[str]


class InboxPreference(Wire):
    """A preference in the inbox's shape."""

    level: Literal["global", "template"]
    enabled: bool
    channels: dict[str, bool]
    workflow: WorkflowInfo | None = None


@get("/v2/subscribers/{subscriber_id:str}/preferences", summary="Show a subscriber's preferences", tags=TAGS)
async def list_all(
    subscriber_id: FromPath[str],
    here: Here,
    criticality: Criticality = "nonCritical",
    context_keys: ContextKeys = None,
) -> Data[PreferencesOut]:
    """The global preference and what holds for each workflow, after all layers."""
    context_filter(context_keys)  # they are the same in every context
    return envelope(await _all_of(here, await found(here, subscriber_id), criticality))


@patch("/v2/subscribers/{subscriber_id:str}/preferences", summary="Change a preference", tags=TAGS)
async def update(subscriber_id: FromPath[str], data: JSONBody[PreferenceChange], here: Here) -> Data[PreferencesOut]:
    """Change the global preference, or one workflow's; channels left out stay as they are.

    A schedule takes the place of the one that there is; it holds for all workflows.
    """
    wrong = _within(data.context)
    if data.schedule is not None:
        wrong += schedule.check(data.schedule, "/schedule")
        if data.workflow_id is not None:
            message = "is one for all workflows and cannot be given together with a workflowId"
            wrong.append(Issue("/schedule", "not_supported", message, "Send it without workflowId."))
    workflow_id = None
    if data.workflow_id is not None:
        known = await workflows.all(here)
        workflow_id = choosable(known, data.workflow_id, "/workflowId", wrong)
    if wrong:
        raise issues.refusal(wrong)
    subscriber = await found(here, subscriber_id)
    channels = data.channels.chosen() if data.channels else {}
    if channels or data.schedule is not None:
        await preferences.set(here, subscriber.id, workflow_id, channels, data.schedule)
    return envelope(await _all_of(here, subscriber, "nonCritical"))


@patch("/v2/subscribers/{subscriber_id:str}/preferences/bulk", summary="Change several preferences", tags=TAGS)
async def bulk_update(
    subscriber_id: FromPath[str], data: JSONBody[BulkChange], here: Here
) -> Data[list[InboxPreference]]:
    """Change up to 100 workflows' preferences. When one of them cannot be changed none is."""
    wrong = _within(data.context)
    known = await workflows.all(here)
    choices: dict[str, dict[Channel, bool]] = {}
    for at, change in enumerate(data.preferences):
        workflow_id = choosable(known, change.workflow_id, f"/preferences/{at}/workflowId", wrong)
        if workflow_id is not None:
            choices.setdefault(workflow_id, {}).update(change.channels.chosen())
    if wrong:
        raise issues.refusal(wrong)
    subscriber = await found(here, subscriber_id)
    await preferences.set_many(here, subscriber.id, choices)
    chosen = {one.workflow_id: one for one in await preferences.all_of(here, subscriber.id)}
    by_id = {one.spec.id: one for one in known}
    return envelope([for_the_inbox(by_id[workflow_id], chosen) for workflow_id in choices])


async def _all_of(here: Scope, subscriber: StoredSubscriber, criticality: str) -> PreferencesOut:
    chosen = {one.workflow_id: one for one in await preferences.all_of(here, subscriber.id)}
    everywhere = chosen.get(None, Preference())
    channels = {kind.value: everywhere.channels.get(kind.value, True) for kind in CHANNELS}
    listed = [
        one
        for one in await workflows.all(here)
        if one.active and criticality in ("all", "critical" if one.spec.preferences.read_only else "nonCritical")
    ]
    return PreferencesOut(
        global_=GlobalOut(enabled=any(channels.values()), channels=channels, schedule=everywhere.schedule),
        workflows=[_out(one, chosen) for one in listed],
    )


def _out(one: StoredWorkflow, chosen: Mapping[str | None, Preference]) -> WorkflowPreferenceOut:
    effective, channels = _effective(one, chosen)
    mine = chosen.get(one.spec.id)
    return WorkflowPreferenceOut(
        enabled=effective.enabled,
        channels=channels,
        overrides=[OverrideOut(channel=it, source=effective.sources[cast("Channel", it)]) for it in channels],
        workflow=WorkflowName(slug=one.spec.id, identifier=one.spec.id, name=one.spec.name, updated_at=one.updated_at),
        updated_at=mine.updated_at if mine else None,
    )


def for_the_inbox(one: StoredWorkflow, chosen: Mapping[str | None, Preference]) -> InboxPreference:
    """What holds for a workflow, in the inbox's shape."""
    effective, channels = _effective(one, chosen)
    return InboxPreference(
        level="template",
        enabled=effective.enabled,
        channels=channels,
        workflow=WorkflowInfo(
            id=str(one.id), identifier=one.spec.id, name=one.spec.name, critical=one.spec.preferences.read_only,
            severity=one.spec.severity, tags=list(one.spec.tags),
        ),
    )  # fmt: skip


def _effective(
    one: StoredWorkflow, chosen: Mapping[str | None, Preference]
) -> tuple[EffectivePreference, dict[str, bool]]:
    """What holds for a workflow; and the channels that it has steps for."""
    layers = (chosen.get(None, Preference()).channels, chosen.get(one.spec.id, Preference()).channels)
    effective = resolve(one.spec.preferences, *layers)
    kinds = {step.kind for step in one.spec.steps}
    return effective, {kind.value: effective.channels[kind.value] for kind in CHANNELS if kind in kinds}


def choosable(known: list[StoredWorkflow], name: str, path: str, wrong: list[Issue]) -> str | None:
    """The id of the workflow that ``name`` means, by its id or its ``_id``, if subscribers may choose for it."""
    for one in known:
        if name in (one.spec.id, str(one.id)):
            if not one.spec.preferences.read_only:
                return one.spec.id
            message = "is a critical workflow, which subscribers cannot switch"
            wrong.append(Issue(path, "workflow_critical", message, "Leave it out."))
            return None
    hint = did_you_mean(name, [one.spec.id for one in known]) or "No workflow has been synced to this environment."
    wrong.append(Issue(path, "workflow_not_found", "is not a workflow of this environment", hint))
    return None


def _within(context: Any) -> list[Issue]:
    """What is wrong with a choice for one context only: it would be made for all."""
    if not context:
        return []
    message = "is not supported: what a subscriber chooses holds in every context"
    return [Issue("/context", "not_supported", message, "Leave it out.")]


HANDLERS = [list_all, update, bulk_update]
