"""``Feed``: one subscriber's notifications over the wire, read, counted and marked, for the API and the inbox alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from pydantic import AwareDatetime, Field

from ..engine import Runtime, start
from ..errors import Issue
from ..model import ContextKeys
from ..store import Scope, messages
from ..store.messages import Button, InboxFilter, Notification
from .filters import FilterIn, inbox_filter, read_filters
from .issues import refusal
from .notification import NotificationOut, to_wire
from .wire import Wire, identify, missing

LONGEST_SNOOZE = timedelta(days=90)


class NotificationPage(Wire):
    """Notifications, newest first, and the filter that they fit."""

    data: list[NotificationOut]
    has_more: bool
    filter: dict[str, Any]


class CountOut(Wire):
    """How many notifications fit a filter, which comes back as it was sent."""

    count: int
    filter: dict[str, Any]


class SnoozeIn(Wire):
    """Until when a notification stays away."""

    snooze_until: AwareDatetime


class MarkIn(Wire):
    """Which notifications a bulk mark means; all when nothing is said."""

    tags: list[str] | list[list[str]] | dict[str, Any] | None = None
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

    def which(self) -> Sequence[UUID] | InboxFilter:
        """Whom it means. What cannot be an id is nobody's. Raises :class:`InvalidInput`."""
        return self.filter() if self.notification_ids is None else _ids(self.notification_ids)


@dataclass(frozen=True, slots=True)
class Feed:
    """The notifications of one subscriber. Whoever looks at them elsewhere is told of each mark."""

    runtime: Runtime
    scope: Scope
    subscriber_uuid: UUID
    context_keys: ContextKeys | None = None
    """The one context whose notifications are there, the others being as good as none; of any context if ``None``."""

    async def page(
        self, asked: FilterIn, echo: dict[str, Any], *, after: str | None, limit: int, offset: int
    ) -> NotificationPage:
        """Those that fit, newest first, from the one behind ``after`` on; ``echo`` is the filter as it was sent.

        Raises :class:`InvalidInput`.
        """
        issues: list[Issue] = []
        filters = inbox_filter(asked, "", issues)
        cursor = _cursor(after, issues)
        if issues:
            raise refusal(issues, "The query")
        page = await messages.inbox_page(
            self.scope, self.subscriber_uuid, self._mine(filters), after=cursor, limit=limit, offset=offset
        )
        shown = [to_wire(one, self.scope.now()) for one in page.data]
        return NotificationPage(data=shown, has_more=page.has_more, filter=echo)

    async def count(self, text: str) -> list[CountOut]:
        """How many fit each of up to 30 filters, a JSON list; 99 stands for more. Raises :class:`InvalidInput`."""
        return [
            CountOut(count=await messages.count(self.scope, self.subscriber_uuid, self._mine(found)), filter=raw)
            for raw, found in read_filters(text)
        ]

    async def mark(self, notification_id: str, **mark: bool) -> NotificationOut:
        """Set or take back one mark: ``read``, ``seen`` or ``archived``. Raises :class:`NotFound`."""
        id = identify(notification_id, "notification")  # noqa: A001
        await self.mark_all([id], **mark)
        return await self._shown(id)

    async def snooze(self, notification_id: str, until: AwareDatetime | None) -> NotificationOut:
        """Hide it until a moment, or show it again. Raises :class:`NotFound`, :class:`InvalidInput`."""
        id, now = identify(notification_id, "notification"), self.scope.now()  # noqa: A001
        if until is not None and not now < until <= now + LONGEST_SNOOZE:
            message = f"must be in the future, at most {LONGEST_SNOOZE.days} days from now"
            raise refusal([Issue("/snoozeUntil", "out_of_range", message)])
        if await messages.snooze(self.scope, self.subscriber_uuid, id, until, at=now, context_keys=self.context_keys):
            self._tell()
        return await self._shown(id)

    async def press(self, notification_id: str, button: Button, *, done: bool) -> NotificationOut:
        """Note that one of its buttons was pressed, or take that back. Raises :class:`NotFound`."""
        id = identify(notification_id, "notification")  # noqa: A001
        one = await self._one(id)
        if one is None or not one.message.content.get(f"{button}_action"):
            raise missing(f"{button} action on the notification" if one else "notification", notification_id)
        if await messages.press(
            self.scope, self.subscriber_uuid, id, button, done=done, at=self.scope.now(), context_keys=self.context_keys
        ):
            self._tell()
        return await self._shown(id)

    async def remove(self, notification_id: str) -> None:
        """Take it out of the inbox for good. Raises :class:`NotFound`."""
        if not await self.remove_all([identify(notification_id, "notification")]):
            raise missing("notification", notification_id)

    async def mark_all(self, which: Sequence[UUID] | InboxFilter, **mark: bool) -> int:
        """Set one mark on all that are meant. Returns how many changed."""
        done = await messages.mark(self.scope, self.subscriber_uuid, self._mine(which), at=self.scope.now(), **mark)
        if done:
            self._tell()
        return done

    async def remove_all(self, which: Sequence[UUID] | InboxFilter) -> int:
        """Take all that are meant out of the inbox for good. Returns how many went."""
        gone = await messages.remove(self.scope, self.subscriber_uuid, self._mine(which))
        if gone:
            self._tell()
        return gone

    async def _shown(self, id: UUID) -> NotificationOut:
        one = await self._one(id)
        if one is None:
            raise missing("notification", id)
        return to_wire(one, self.scope.now())

    async def _one(self, id: UUID) -> Notification | None:
        return await messages.notification(self.scope, self.subscriber_uuid, id, context_keys=self.context_keys)

    def _mine(self, which: Sequence[UUID] | InboxFilter) -> InboxFilter:
        found = which if isinstance(which, InboxFilter) else InboxFilter(ids=which)
        return found if self.context_keys is None else replace(found, context_keys=self.context_keys)

    def _tell(self) -> None:
        """The counters may have changed. Nobody waits for it; under an idempotency key the commit is still to come."""
        notices = [(self.subscriber_uuid, None)]
        self.scope.database.after_commit(lambda: start(self.runtime.publish(self.scope.environment_id, notices)))


TheFeed: TypeAlias = SkipValidation[NamedDependency[Feed]]
"""``feed: TheFeed``: the notifications of the subscriber whom the request is about."""


def _cursor(after: str | None, issues: list[Issue]) -> UUID | None:
    """``after`` is the id of the last notification shown."""
    if after is None:
        return None
    try:
        return UUID(after)
    except ValueError:
        message = "must be the id of a notification"
        issues.append(Issue("/after", "invalid_cursor", message, "Start again without it."))
        return None


def _ids(several: list[str]) -> list[UUID]:
    found: list[UUID] = []
    for one in several:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found
