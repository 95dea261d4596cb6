"""What a subscriber wants to be told, and how: everywhere, and by single workflows, as Novu's client shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeAlias, cast
from uuid import UUID

from litestar import get, patch
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import Field

from ...errors import Issue
from ...model import (
    CHANNELS,
    Channel,
    Preference,
    Severity,
    StoredWorkflow,
    SubscriptionChoice,
    TopicSubscription,
    schedule,
)  # fmt: skip
from ...store import Scope, preferences, workflows
from ..api.choices import ChoiceOut
from ..api.preferences import MOST_AT_ONCE, Criticality, InboxPreference, choosable, for_the_inbox
from ..auth import Here
from ..issues import refusal
from ..wire import Data, Wire, envelope, missing
from . import subscriptions
from .auth import TheSession
from .subscriptions import ChoiceChange
from .token import Session

TAGS = ["Inbox"]
_BASE = "/v1/inbox/preferences"

Chosen: TypeAlias = dict[str | None, Preference]


class Wanted(Wire):
    """Which channels are wanted; one left out stays as it is."""

    email: bool | None = None
    in_app: Annotated[bool | None, Field(alias="in_app")] = None
    sms: bool | None = None
    push: bool | None = None
    chat: bool | None = None

    def channels(self) -> dict[Channel, bool]:
        """The channels that are named."""
        named = {kind.value: getattr(self, kind.value) for kind in CHANNELS}
        return cast("dict[Channel, bool]", {name: value for name, value in named.items() if value is not None})


class WantedEverywhere(Wanted):
    """The same for all workflows, and the hours in which other channels than the inbox may be used."""

    schedule: dict[str, Any] | None = None


class WantedOf(Wanted):
    """Which channels are wanted of one workflow; or, of a subscription, whether and when it is wanted at all."""

    workflow_id: str = Field(min_length=1, max_length=255)
    subscription_identifier: str | None = Field(default=None, min_length=1, max_length=400)
    enabled: bool | None = None
    condition: dict[str, Any] | None = None


class Bulk(Wire):
    """Up to 100 changes, all or none."""

    preferences: list[WantedOf] = Field(min_length=1, max_length=MOST_AT_ONCE)


@get(_BASE, summary="List your preferences", tags=TAGS)
async def list_all(
    here: Here,
    session: TheSession,
    criticality: Criticality = "nonCritical",
    tags: Annotated[list[str] | None, QueryParameter(description="Workflows with any of these.")] = None,
    severity: FromQuery[list[Severity] | None] = None,
) -> Data[list[InboxPreference]]:
    """What you have chosen everywhere, and then what holds for each workflow."""
    known, chosen = await _read(here, session.subscriber_uuid)
    listed = [
        one
        for one in known
        if criticality in ("all", "critical" if one.spec.preferences.read_only else "nonCritical")
        and (not tags or set(tags) & set(one.spec.tags))
        and (not severity or one.spec.severity in severity)
    ]
    return envelope([_everywhere(known, chosen), *(for_the_inbox(one, chosen) for one in listed)])


@get(f"{_BASE}/global", summary="Show what you have chosen everywhere", tags=TAGS)
async def show(here: Here, session: TheSession) -> Data[InboxPreference]:
    """What you have chosen for all workflows."""
    return envelope(_everywhere(*await _read(here, session.subscriber_uuid)))


@patch(_BASE, summary="Choose for all workflows", tags=TAGS)
async def update(here: Here, session: TheSession, data: JSONBody[WantedEverywhere]) -> Data[InboxPreference]:
    """Choose channels for all workflows for which you have not chosen otherwise; and your hours, for all."""
    if data.schedule is not None and (wrong := schedule.check(data.schedule, "/schedule")):
        raise refusal(wrong)
    await preferences.set(here, session.subscriber_uuid, None, data.channels(), data.schedule)
    return envelope(_everywhere(*await _read(here, session.subscriber_uuid)))


@patch(f"{_BASE}/bulk", summary="Choose for several workflows", tags=TAGS)
async def bulk_update(here: Here, session: TheSession, data: JSONBody[Bulk]) -> Data[list[InboxPreference | ChoiceOut]]:
    """Choose channels for up to 100 workflows, or what subscriptions want of them. When one cannot be changed none is.

    One call is about preferences or about subscriptions, as Novu's client makes it.
    """
    known = await workflows.all(here)
    wrong: list[Issue] = []
    if any(one.subscription_identifier for one in data.preferences):
        return envelope(list(await _of_subscriptions(here, session, data.preferences, known)))
    choices: dict[str, dict[Channel, bool]] = {}
    for at, change in enumerate(data.preferences):
        workflow_id = choosable(known, change.workflow_id, f"/preferences/{at}/workflowId", wrong)
        if workflow_id is not None:
            choices.setdefault(workflow_id, {}).update(change.channels())
    if wrong:
        raise refusal(wrong)
    await preferences.set_many(here, session.subscriber_uuid, choices)
    return envelope(list(await _of(here, session.subscriber_uuid, choices)))


@patch(f"{_BASE}/{{workflow_id:str}}", summary="Choose for one workflow", tags=TAGS)
async def update_workflow(
    here: Here, session: TheSession, workflow_id: FromPath[str], data: JSONBody[Wanted]
) -> Data[InboxPreference]:
    """Choose channels for one workflow, by its id or its ``_id``."""
    known = await workflows.all(here)
    if not any(workflow_id in (one.spec.id, str(one.id)) for one in known):
        raise missing("workflow", workflow_id)
    wrong: list[Issue] = []
    found = choosable(known, workflow_id, "/workflowId", wrong)
    if found is None:
        raise refusal(wrong)
    await preferences.set(here, session.subscriber_uuid, found, data.channels())
    return envelope((await _of(here, session.subscriber_uuid, [found]))[0])


async def _read(here: Scope, subscriber_uuid: UUID) -> tuple[list[StoredWorkflow], Chosen]:
    """The active workflows, and what the subscriber chose."""
    chosen: Chosen = {one.workflow_id: one for one in await preferences.all_of(here, subscriber_uuid)}
    return [one for one in await workflows.all(here) if one.active], chosen


async def _of(here: Scope, subscriber_uuid: UUID, workflow_ids: Iterable[str]) -> list[InboxPreference]:
    chosen: Chosen = {one.workflow_id: one for one in await preferences.all_of(here, subscriber_uuid)}
    by_id = {one.spec.id: one for one in await workflows.all(here)}
    return [for_the_inbox(by_id[one], chosen) for one in workflow_ids if one in by_id]


async def _of_subscriptions(
    here: Scope, session: Session, asked: Sequence[WantedOf], known: Sequence[StoredWorkflow]
) -> list[ChoiceOut]:
    wrong: list[Issue] = []
    found: list[tuple[TopicSubscription, dict[str, SubscriptionChoice]]] = []
    for at, one in enumerate(asked):
        path = f"/preferences/{at}"
        if one.subscription_identifier is None:
            wrong.append(Issue(f"{path}/subscriptionIdentifier", "required", "is required, as for the others"))
            continue
        mine = await subscriptions.find(here, session, one.subscription_identifier)
        change = ChoiceChange(enabled=one.enabled, condition=one.condition)
        found.append((mine, subscriptions.changed(mine, one.workflow_id, change, path, known, wrong)))
    if wrong:
        raise refusal(wrong)
    async with here.database.transaction():
        return [await subscriptions.keep(here, mine, chosen, known) for mine, chosen in found]


def _everywhere(known: list[StoredWorkflow], chosen: Chosen) -> InboxPreference:
    """What holds where nothing else is chosen, for the channels that anything comes through, or that were chosen."""
    everywhere = chosen.get(None, Preference())
    mine = everywhere.channels
    used = {step.kind for one in known if not one.spec.preferences.read_only for step in one.spec.steps}
    channels = {kind.value: mine.get(kind.value, True) for kind in CHANNELS if kind in used or kind.value in mine}
    return InboxPreference(
        level="global", enabled=any(channels.values()) or not channels, channels=channels, schedule=everywhere.schedule
    )


HANDLERS: list[Any] = [list_all, show, update, bulk_update, update_workflow]
