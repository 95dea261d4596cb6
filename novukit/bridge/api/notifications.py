"""A subscriber's notifications: the server's own view of the inbox, its counts and its marks."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ...model import Severity
from ...store import subscribers
from ..auth import Here, TheRuntime
from ..contexts import context_filter
from ..cursors import ContextKeys
from ..feed import CountOut, Feed, MarkIn, NotificationPage, SeenIn, SnoozeIn, TheFeed
from ..filters import LAST_MOMENT, FilterIn
from ..notification import NotificationOut
from ..wire import Data, Limit, envelope, missing

TAGS = ["Notifications"]


async def the_feed(
    *, here: Here, runtime: TheRuntime, subscriber_id: FromPath[str], context_keys: ContextKeys = None
) -> TheFeed:
    """The notifications of the subscriber whom the path names."""
    keys = context_filter(context_keys)
    found = await subscribers.get(here, subscriber_id)
    if found is None:
        raise missing("subscriber", subscriber_id)
    return Feed(runtime, here, found.id, keys)


FEED = {"feed": Provide(the_feed)}

_BASE = "/v2/subscribers/{subscriber_id:str}/notifications"
_ONE = _BASE + "/{notification_id:str}"


@get(_BASE, summary="List a subscriber's notifications", tags=TAGS, dependencies=FEED)
async def list_notifications(
    *,
    feed: TheFeed,
    limit: Limit = 10,
    after: FromQuery[str | None] = None,
    offset: Annotated[int, QueryParameter(ge=0, le=10_000)] = 0,
    read: FromQuery[bool | None] = None,
    seen: FromQuery[bool | None] = None,
    archived: FromQuery[bool | None] = None,
    snoozed: FromQuery[bool | None] = None,
    about: Annotated[str | None, QueryParameter(name="data", description="JSON: the data that it carries.")] = None,
    tags: FromQuery[list[str] | None] = None,
    severity: FromQuery[list[Severity] | None] = None,
    created_gte: Annotated[int | None, QueryParameter(name="createdGte", ge=0, le=LAST_MOMENT)] = None,
    created_lte: Annotated[int | None, QueryParameter(name="createdLte", ge=0, le=LAST_MOMENT)] = None,
) -> NotificationPage:
    """A subscriber's notifications, newest first."""
    asked = FilterIn(
        read=read, seen=seen, archived=archived, snoozed=snoozed, data=about, tags=tags, severity=severity,
        created_gte=created_gte, created_lte=created_lte,
    )  # fmt: skip
    echo = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await feed.page(asked, echo, after=after, limit=limit, offset=offset)


@get(_BASE + "/count", summary="Count a subscriber's notifications", tags=TAGS, dependencies=FEED)
async def count(feed: TheFeed, filters: FromQuery[str]) -> Data[list[CountOut]]:
    """How many notifications fit each of up to 30 filters; 99 stands for more."""
    return envelope(await feed.count(filters))


@patch(_ONE + "/read", summary="Mark a notification as read", tags=TAGS, dependencies=FEED)
async def read(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Mark a notification as read."""
    return envelope(await feed.mark(notification_id, read=True))


@patch(_ONE + "/unread", summary="Mark a notification as unread", tags=TAGS, dependencies=FEED)
async def unread(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Mark a notification as unread."""
    return envelope(await feed.mark(notification_id, read=False))


@patch(_ONE + "/archive", summary="Archive a notification", tags=TAGS, dependencies=FEED)
async def archive(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Put a notification into the archive."""
    return envelope(await feed.mark(notification_id, archived=True))


@patch(_ONE + "/unarchive", summary="Take a notification out of the archive", tags=TAGS, dependencies=FEED)
async def unarchive(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Take a notification out of the archive."""
    return envelope(await feed.mark(notification_id, archived=False))


@patch(_ONE + "/snooze", summary="Snooze a notification", tags=TAGS, dependencies=FEED)
async def snooze(feed: TheFeed, notification_id: FromPath[str], data: JSONBody[SnoozeIn]) -> Data[NotificationOut]:
    """Hide a notification until a moment, at most 90 days from now; then it comes back by itself, unread."""
    return envelope(await feed.snooze(notification_id, data.snooze_until))


@patch(_ONE + "/unsnooze", summary="End the snooze of a notification", tags=TAGS, dependencies=FEED)
async def unsnooze(feed: TheFeed, notification_id: FromPath[str]) -> Data[NotificationOut]:
    """Show a snoozed notification again."""
    return envelope(await feed.snooze(notification_id, None))


@patch(
    _ONE + "/actions/{button:str}/{change:str}",
    summary="Press or release a button of a notification",
    tags=TAGS,
    dependencies=FEED,
)
async def press(
    feed: TheFeed, notification_id: FromPath[str], button: FromPath[str], change: FromPath[str]
) -> Data[NotificationOut]:
    """Note that the primary or secondary button was pressed (``complete``), or take that back (``revert``)."""
    if button not in ("primary", "secondary") or change not in ("complete", "revert"):
        raise missing("action", f"{button}/{change}")
    return envelope(await feed.press(notification_id, button, done=change == "complete"))


@delete(_ONE, summary="Delete a notification", tags=TAGS, dependencies=FEED)
async def remove(feed: TheFeed, notification_id: FromPath[str]) -> None:
    """Delete a notification."""
    await feed.remove(notification_id)


@post(_BASE + "/read", status_code=204, summary="Mark notifications as read", tags=TAGS, dependencies=FEED)
async def read_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Mark all that fit as read."""
    await feed.mark_all(data.filter(), read=True)


@post(_BASE + "/seen", status_code=204, summary="Mark notifications as seen", tags=TAGS, dependencies=FEED)
async def see_all(feed: TheFeed, data: JSONBody[SeenIn]) -> None:
    """Mark given notifications, or all that fit, as seen."""
    await feed.mark_all(data.which(), seen=True)


@post(_BASE + "/archive", status_code=204, summary="Archive notifications", tags=TAGS, dependencies=FEED)
async def archive_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Put all that fit into the archive."""
    await feed.mark_all(data.filter(), archived=True)


@post(
    _BASE + "/read-archive",
    status_code=204,
    summary="Archive the notifications that are read",
    tags=TAGS,
    dependencies=FEED,
)
async def archive_read(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Put all that are read into the archive."""
    await feed.mark_all(data.filter(read=True), archived=True)


@post(_BASE + "/delete", status_code=204, summary="Delete notifications", tags=TAGS, dependencies=FEED)
async def remove_all(feed: TheFeed, data: JSONBody[MarkIn]) -> None:
    """Delete all that fit."""
    await feed.remove_all(data.filter())


HANDLERS: list[Any] = [
    list_notifications, count, read, unread, archive, unarchive, snooze, unsnooze, press, remove,
    read_all, see_all, archive_all, archive_read, remove_all,
]  # fmt: skip
