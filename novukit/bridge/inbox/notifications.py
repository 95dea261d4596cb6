"""A subscriber's own notifications: the list and the counts, as Novu's client asks for them."""

from __future__ import annotations

import json
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import FromQuery, QueryParameter

from ...model import Severity
from ..auth import Here
from ..feed import CountOut, Feed, NotificationPage
from ..filters import LAST_MOMENT, FilterIn
from ..wire import Data, Limit, envelope
from .auth import TheSession
from .query import tag_groups

TAGS = ["Inbox"]
_BASE = "/v1/inbox/notifications"


@get(_BASE, summary="List your notifications", tags=TAGS)
async def list_notifications(
    *,
    request: Request[Any, Any, Any],
    here: Here,
    session: TheSession,
    limit: Limit = 10,
    after: FromQuery[str | None] = None,
    offset: Annotated[int, QueryParameter(ge=0, le=10_000)] = 0,
    read: FromQuery[bool | None] = None,
    seen: FromQuery[bool | None] = None,
    archived: FromQuery[bool | None] = None,
    snoozed: FromQuery[bool | None] = None,
    about: Annotated[str | None, QueryParameter(name="data", description="JSON: the data that it carries.")] = None,
    tags: Annotated[
        list[str] | None, QueryParameter(description="Any of them; `tags[0][]`, `tags[1][]`: one of each.")
    ] = None,
    severity: FromQuery[list[Severity] | None] = None,
    created_gte: Annotated[int | None, QueryParameter(name="createdGte", ge=0, le=LAST_MOMENT)] = None,
    created_lte: Annotated[int | None, QueryParameter(name="createdLte", ge=0, le=LAST_MOMENT)] = None,
) -> NotificationPage:
    """Your notifications, newest first."""
    groups = tag_groups(request)
    asked = FilterIn(
        read=read, seen=seen, archived=archived, snoozed=snoozed, data=about, severity=severity,
        tags=[*([tags] if tags else []), *groups] if groups else tags, created_gte=created_gte, created_lte=created_lte,
    )  # fmt: skip
    echo = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
    page = await Feed(here, session.subscriber_uuid).page(asked, echo, after=after, limit=limit, offset=offset)
    if about:
        # The client compares it by its JSON text: the same keys in the same order.
        page.filter["data"] = json.loads(about)
    return page


@get(f"{_BASE}/count", summary="Count your notifications", tags=TAGS)
async def count(here: Here, session: TheSession, filters: FromQuery[str]) -> Data[list[CountOut]]:
    """How many notifications fit each of up to 30 filters; 99 stands for more."""
    return envelope(await Feed(here, session.subscriber_uuid).count(filters))


HANDLERS: list[Any] = [list_notifications, count]
