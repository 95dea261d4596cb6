"""A subscriber's notifications: the server's own view of the inbox, its counts and its marks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import AwareDatetime, Field

from ...errors import Issue
from ...model import Severity
from ...store import Scope, messages, subscribers
from ...store.messages import Button, InboxFilter
from ..auth import Here
from ..cursors import ContextKeys, refuse_contexts
from ..feed import LONGEST_SNOOZE, CountOut, Feed, NotificationPage
from ..filters import LAST_MOMENT, FilterIn, inbox_filter
from ..issues import refusal
from ..notification import NotificationOut, to_wire
from ..wire import Data, Limit, Wire, envelope, identify, missing

TAGS = ["Notifications"]


class SnoozeIn(Wire):
    """Until when a notification stays away."""

    snooze_until: AwareDatetime


class MarkIn(Wire):
    """Which notifications a bulk mark means; all when nothing is said."""

    tags: list[str] | list[list[str]] | None = None
    data: str | dict[str, Any] | None = None
    context_keys: list[str] | None = None

    def filter(self, *, read: bool | None = None) -> InboxFilter:
        """The store's filter. Raises :class:`InvalidInput`."""
        issues: list[Issue] = []
        asked = FilterIn(tags=self.tags, data=self.data, context_keys=self.context_keys, read=read)
        found = inbox_filter(asked, "", issues)
        if issues:
            raise refusal(issues)
        return found


class SeenIn(MarkIn):
    """As any bulk mark, or given notifications by id."""

    notification_ids: list[str] | None = Field(default=None, max_length=100)


_BASE = "/v2/subscribers/{subscriber_id:str}/notifications"
_ONE = _BASE + "/{notification_id:str}"


@get(_BASE, summary="List a subscriber's notifications", tags=TAGS)
async def list_notifications(
    *,
    here: Here,
    subscriber_id: FromPath[str],
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
    context_keys: ContextKeys = None,
) -> NotificationPage:
    """A subscriber's notifications, newest first."""
    refuse_contexts(context_keys)
    asked = FilterIn(
        read=read, seen=seen, archived=archived, snoozed=snoozed, data=about, tags=tags, severity=severity,
        created_gte=created_gte, created_lte=created_lte, context_keys=context_keys,
    )  # fmt: skip
    echo = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
    feed = Feed(here, await _subscriber(here, subscriber_id))
    return await feed.page(asked, echo, after=after, limit=limit, offset=offset)


@get(_BASE + "/count", summary="Count a subscriber's notifications", tags=TAGS)
async def count(here: Here, subscriber_id: FromPath[str], filters: FromQuery[str]) -> Data[list[CountOut]]:
    """How many notifications fit each of up to 30 filters; 99 stands for more."""
    return envelope(await Feed(here, await _subscriber(here, subscriber_id)).count(filters))


@patch(_ONE + "/read", summary="Mark a notification as read", tags=TAGS)
async def read(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> Data[NotificationOut]:
    """Mark a notification as read."""
    refuse_contexts(context_keys)
    return await _mark(here, subscriber_id, notification_id, read=True)


@patch(_ONE + "/unread", summary="Mark a notification as unread", tags=TAGS)
async def unread(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> Data[NotificationOut]:
    """Mark a notification as unread."""
    refuse_contexts(context_keys)
    return await _mark(here, subscriber_id, notification_id, read=False)


@patch(_ONE + "/archive", summary="Archive a notification", tags=TAGS)
async def archive(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> Data[NotificationOut]:
    """Put a notification into the archive."""
    refuse_contexts(context_keys)
    return await _mark(here, subscriber_id, notification_id, archived=True)


@patch(_ONE + "/unarchive", summary="Take a notification out of the archive", tags=TAGS)
async def unarchive(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> Data[NotificationOut]:
    """Take a notification out of the archive."""
    refuse_contexts(context_keys)
    return await _mark(here, subscriber_id, notification_id, archived=False)


@patch(_ONE + "/snooze", summary="Snooze a notification", tags=TAGS)
async def snooze(
    *,
    here: Here,
    subscriber_id: FromPath[str],
    notification_id: FromPath[str],
    data: JSONBody[SnoozeIn],
    context_keys: ContextKeys = None,
) -> Data[NotificationOut]:
    """Hide a notification until a moment, at most 90 days from now."""
    refuse_contexts(context_keys)
    until = data.snooze_until
    if not here.now() < until <= here.now() + LONGEST_SNOOZE:
        message = f"must be in the future, at most {LONGEST_SNOOZE.days} days from now"
        raise refusal([Issue("/snoozeUntil", "out_of_range", message)])
    return await _snooze(here, subscriber_id, notification_id, until)


@patch(_ONE + "/unsnooze", summary="End the snooze of a notification", tags=TAGS)
async def unsnooze(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> Data[NotificationOut]:
    """Show a snoozed notification again."""
    refuse_contexts(context_keys)
    return await _snooze(here, subscriber_id, notification_id, None)


@patch(_ONE + "/actions/{button:str}/{change:str}", summary="Press or release a button of a notification", tags=TAGS)
async def press(
    *,
    here: Here,
    subscriber_id: FromPath[str],
    notification_id: FromPath[str],
    button: FromPath[str],
    change: FromPath[str],
    context_keys: ContextKeys = None,
) -> Data[NotificationOut]:
    """Note that the primary or secondary button was pressed (``complete``), or take that back (``revert``)."""
    refuse_contexts(context_keys)
    if button not in ("primary", "secondary") or change not in ("complete", "revert"):
        raise missing("action", f"{button}/{change}")
    who, found = await _subscriber(here, subscriber_id), identify(notification_id, "notification")
    chosen: Button = button
    one = await messages.notification(here, who, found)
    if one is None or not one.message.content.get(f"{chosen}_action"):
        raise missing(f"{chosen} action on the notification" if one else "notification", notification_id)
    await messages.press(here, who, found, chosen, done=change == "complete", at=here.now())
    return await _shown(here, who, found)


@delete(_ONE, summary="Delete a notification", tags=TAGS)
async def remove(
    *, here: Here, subscriber_id: FromPath[str], notification_id: FromPath[str], context_keys: ContextKeys = None
) -> None:
    """Delete a notification."""
    refuse_contexts(context_keys)
    who = await _subscriber(here, subscriber_id)
    if not await messages.remove(here, who, [identify(notification_id, "notification")]):
        raise missing("notification", notification_id)


@post(_BASE + "/read", status_code=204, summary="Mark notifications as read", tags=TAGS)
async def read_all(here: Here, subscriber_id: FromPath[str], data: JSONBody[MarkIn]) -> None:
    """Mark all that fit as read."""
    who = await _subscriber(here, subscriber_id)
    await messages.mark(here, who, data.filter(), read=True, at=here.now())


@post(_BASE + "/seen", status_code=204, summary="Mark notifications as seen", tags=TAGS)
async def see_all(here: Here, subscriber_id: FromPath[str], data: JSONBody[SeenIn]) -> None:
    """Mark given notifications, or all that fit, as seen."""
    who = await _subscriber(here, subscriber_id)
    which = data.filter() if data.notification_ids is None else _ids(data.notification_ids)
    await messages.mark(here, who, which, seen=True, at=here.now())


@post(_BASE + "/archive", status_code=204, summary="Archive notifications", tags=TAGS)
async def archive_all(here: Here, subscriber_id: FromPath[str], data: JSONBody[MarkIn]) -> None:
    """Put all that fit into the archive."""
    who = await _subscriber(here, subscriber_id)
    await messages.mark(here, who, data.filter(), archived=True, at=here.now())


@post(_BASE + "/read-archive", status_code=204, summary="Archive the notifications that are read", tags=TAGS)
async def archive_read(here: Here, subscriber_id: FromPath[str], data: JSONBody[MarkIn]) -> None:
    """Put all that are read into the archive."""
    who = await _subscriber(here, subscriber_id)
    await messages.mark(here, who, data.filter(read=True), archived=True, at=here.now())


@post(_BASE + "/delete", status_code=204, summary="Delete notifications", tags=TAGS)
async def remove_all(here: Here, subscriber_id: FromPath[str], data: JSONBody[MarkIn]) -> None:
    """Delete all that fit."""
    await messages.remove(here, await _subscriber(here, subscriber_id), data.filter())


async def _subscriber(scope: Scope, subscriber_id: str) -> UUID:
    found = await subscribers.get(scope, subscriber_id)
    if found is None:
        raise missing("subscriber", subscriber_id)
    return found.id


async def _mark(scope: Scope, subscriber_id: str, notification_id: str, **mark: bool) -> Data[NotificationOut]:
    who, found = await _subscriber(scope, subscriber_id), identify(notification_id, "notification")
    await messages.mark(scope, who, [found], at=scope.now(), **mark)
    return await _shown(scope, who, found)


async def _snooze(
    scope: Scope, subscriber_id: str, notification_id: str, until: datetime | None
) -> Data[NotificationOut]:
    who, found = await _subscriber(scope, subscriber_id), identify(notification_id, "notification")
    await messages.snooze(scope, who, found, until, at=scope.now())
    return await _shown(scope, who, found)


async def _shown(scope: Scope, who: UUID, id: UUID) -> Data[NotificationOut]:
    one = await messages.notification(scope, who, id)
    if one is None:
        raise missing("notification", id)
    return envelope(to_wire(one, scope.now()))


def _ids(several: list[str]) -> list[UUID]:
    """The ids of a bulk mark; what cannot be an id is nobody's."""
    found: list[UUID] = []
    for one in several:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


HANDLERS: list[Any] = [
    list_notifications, count, read, unread, archive, unarchive, snooze, unsnooze, press, remove,
    read_all, see_all, archive_all, archive_read, remove_all,
]  # fmt: skip
