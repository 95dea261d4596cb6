"""A subscriber's own notifications: the list, the counts and the marks, as Novu's client asks for them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from litestar import Request, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ...model import Severity
from ..feed import CountOut, MarkIn, NotificationPage, SeenIn, SnoozeIn, TheFeed
from ..filters import LAST_MOMENT, FilterIn
from ..notification import NotificationOut
from ..wire import Data, Limit, Wire, envelope
from .query import sent_as_list, tag_groups

TAGS = ["Inbox"]
_BASE = "/v1/inbox/notifications"
_ONE = _BASE + "/{notification_id:str}"


class ActionIn(Wire):
    """Which button it was."""

    action_type: Literal["primary", "secondary"]


@get(_BASE, summary="List your notifications", tags=TAGS)
async def list_notifications(
    *,
    request: Request[Any, Any, Any],
    feed: TheFeed,
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
    if severity and len(severity) == 1 and not sent_as_list(request, "severity"):
        echo["severity"] = severity[0]
    page = await feed.page(asked, echo, after=after, limit=limit, offset=offset)
    if about:
        # The client compares it by its JSON text: the same keys in the same order.
        page.filter["data"] = json.loads(about)
    return page


@get(_BASE + "/count", summary="Count your notifications", tags=TAGS)
async def count(feed: TheFeed, filters: FromQuery[str]) -> Data[list[CountOut]]:
    """How many notifications fit each of up to 30 filters; 99 stands for more."""
    return envelope(await feed.count(filters))


@patch(_ONE + "/read", summary="Mark your notification as read", tags=TAGS)
async def read(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Mark a notification as read."""
    return envelope(await feed.mark(notification_id, read=True))


@patch(_ONE + "/unread", summary="Mark your notification as unread", tags=TAGS)
async def unread(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Mark a notification as unread."""
    return envelope(await feed.mark(notification_id, read=False))


@patch(_ONE + "/archive", summary="Archive your notification", tags=TAGS)
async def archive(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Put a notification into the archive."""
    return envelope(await feed.mark(notification_id, archived=True))


@patch(_ONE + "/unarchive", summary="Take your notification out of the archive", tags=TAGS)
async def unarchive(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Take a notification out of the archive."""
    return envelope(await feed.mark(notification_id, archived=False))


@patch(_ONE + "/snooze", summary="Snooze your notification", tags=TAGS)
async def snooze(feed: TheFeed, notification_id: FromPath[str], data: JSONBody[SnoozeIn]) -> Data[NotificationOut]:
    """Hide a notification until a moment, at most 90 days from now; then it comes back by itself, unread."""
    return envelope(await feed.snooze(notification_id, data.snooze_until))


@patch(_ONE + "/unsnooze", summary="End the snooze of your notification", tags=TAGS)
async def unsnooze(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Show a snoozed notification again."""
    return envelope(await feed.snooze(notification_id, None))


@patch(_ONE + "/complete", summary="Press a button of your notification", tags=TAGS)
async def complete(feed: TheFeed, notification_id: FromPath[str], data: JSONBody[ActionIn]) -> Data[NotificationOut]:
    """Note that the primary or secondary button was pressed."""
    return envelope(await feed.press(notification_id, data.action_type, done=True))


@patch(_ONE + "/revert", summary="Release a button of your notification", tags=TAGS)
async def revert(feed: TheFeed, notification_id: FromPath[str], data: JSONBody[ActionIn]) -> Data[NotificationOut]:
    """Take back that a button was pressed."""
    return envelope(await feed.press(notification_id, data.action_type, done=False))


@delete(_ONE + "/delete", summary="Delete your notification", tags=TAGS)
async def remove(feed: TheFeed, notification_id: FromPath[str]) -> None:
    """Delete a notification."""
    await feed.remove(notification_id)


@post(_BASE + "/read", status_code=204, summary="Mark your notifications as read", tags=TAGS)
async def read_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Mark all that fit as read."""
    await feed.mark_all(data.filter(), read=True)


@post(_BASE + "/seen", status_code=204, summary="Mark your notifications as seen", tags=TAGS)
async def see_all(feed: TheFeed, data: JSONBody[SeenIn]) -> None:
    """Mark given notifications, or all that fit, as seen."""
    await feed.mark_all(data.which(), seen=True)


@post(_BASE + "/archive", status_code=204, summary="Archive your notifications", tags=TAGS)
async def archive_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Put all that fit into the archive."""
    await feed.mark_all(data.filter(), archived=True)


@post(_BASE + "/read-archive", status_code=204, summary="Archive what you have read", tags=TAGS)
async def archive_read(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Put all that are read into the archive."""
    await feed.mark_all(data.filter(read=True), archived=True)


@post(_BASE + "/delete", status_code=204, summary="Delete your notifications", tags=TAGS)
async def remove_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Delete all that fit."""
    await feed.remove_all(data.filter())


HANDLERS: list[Any] = [
    list_notifications, count, read, unread, archive, unarchive, snooze, unsnooze, complete, revert, remove,
    read_all, see_all, archive_all, archive_read, remove_all,
]  # fmt: skip
