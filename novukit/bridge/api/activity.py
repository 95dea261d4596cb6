"""The activity feed: what happened, each execution with its jobs and their logs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from ...errors import Issue
from ...model import Channel, Severity, StoredWorkflow
from ...store import history, workflows
from ...store.history import ExecutionFilter
from ..auth import Here, TheCaller, TheRuntime
from ..contexts import context_filter
from ..cursors import ContextKeys
from ..issues import refusal
from ..jobs import ActivityOut, Teller
from ..wire import Data, Limit, Wire, envelope, identify, missing
from .messages import LAST_PAGE

TAGS = ["Activity"]


class ActivityPage(Wire):
    """Activities, newest first; ``page`` counts from 0."""

    data: list[ActivityOut]
    has_more: bool
    page: int
    page_size: int


@get("/v1/notifications", summary="List activity", tags=TAGS)
async def list_all(
    *,
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    channels: FromQuery[list[Channel] | None] = None,
    templates: FromQuery[list[str] | None] = None,
    emails: FromQuery[list[str] | None] = None,
    subscriber_ids: Annotated[list[str] | None, QueryParameter(name="subscriberIds")] = None,
    severity: FromQuery[list[Severity] | None] = None,
    transaction_id: Annotated[str | None, QueryParameter(name="transactionId")] = None,
    search: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    topic_key: Annotated[str | None, QueryParameter(name="topicKey")] = None,
    subscription_id: Annotated[str | None, QueryParameter(name="subscriptionId")] = None,
    context_keys: ContextKeys = None,
    page: Annotated[int, QueryParameter(ge=0, le=LAST_PAGE)] = 0,
    limit: Limit = 10,
) -> ActivityPage:
    """What happened, newest first. ``after`` and ``before`` are moments, ``search`` is part of an id."""
    for name, value in (("topicKey", topic_key), ("subscriptionId", subscription_id)):
        if value is not None:
            message = "activity is not kept by topic"
            issue = Issue(f"/{name}", "not_supported", message, "Filter by transactionId or subscriberIds.")
            raise refusal([issue], "The query")
    known = {one.spec.id: one for one in await workflows.all(here)}
    filters = ExecutionFilter(
        workflow_ids=_chosen(known, channels, templates, severity),
        subscriber_ids=subscriber_ids or (),
        emails=emails or (),
        transaction_id=transaction_id,
        search=search,
        context_keys=context_filter(context_keys),
        created_from=_moment("/after", after),
        created_to=_moment("/before", before),
    )
    found = await history.feed(here, filters, page=page, limit=limit)
    teller = Teller(runtime, caller.organization_id, known)
    return ActivityPage(data=await teller.tell(here, found.data), has_more=found.has_more, page=page, page_size=limit)


@get("/v1/notifications/{notification_id:str}", summary="Show an activity", tags=TAGS)
async def show(here: Here, caller: TheCaller, runtime: TheRuntime, notification_id: FromPath[str]) -> Data[ActivityOut]:
    """One execution with its jobs and their logs."""
    found = await history.execution(here, identify(notification_id, "notification"))
    if found is None:
        raise missing("notification", notification_id)
    known = {one.spec.id: one for one in await workflows.all(here)}
    return envelope((await Teller(runtime, caller.organization_id, known).tell(here, [found]))[0])


def _chosen(
    known: dict[str, StoredWorkflow],
    channels: list[Channel] | None,
    templates: list[str] | None,
    severity: list[Severity] | None,
) -> list[str] | None:
    """The workflows that have one of the channels, ids and severities asked for; ``None`` when none were."""
    if not (channels or templates or severity):
        return None
    return [
        name
        for name, one in known.items()
        if (not channels or any(step.kind.value in channels for step in one.spec.steps))
        and (not templates or str(one.id) in templates or name in templates)
        and (not severity or one.spec.severity in severity)
    ]


_moments: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _moment(path: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return _moments.validate_python(text)
    except ValidationError:
        message = "must be an ISO 8601 timestamp, such as 2026-01-01T00:00:00Z"
        raise refusal([Issue(path, "bad_format", message)], "The query") from None


HANDLERS: list[Any] = [list_all, show]
