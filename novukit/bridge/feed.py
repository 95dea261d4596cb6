"""``Feed``: one subscriber's notifications over the wire, read and counted, for the API and for the inbox alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from ..errors import Issue
from ..store import Scope, messages
from .filters import FilterIn, inbox_filter, read_filters
from .issues import refusal
from .notification import NotificationOut, to_wire
from .wire import Wire

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


@dataclass(frozen=True, slots=True)
class Feed:
    """The notifications of one subscriber."""

    scope: Scope
    subscriber_uuid: UUID

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
            self.scope, self.subscriber_uuid, filters, after=cursor, limit=limit, offset=offset
        )
        shown = [to_wire(one, self.scope.now()) for one in page.data]
        return NotificationPage(data=shown, has_more=page.has_more, filter=echo)

    async def count(self, text: str) -> list[CountOut]:
        """How many fit each of up to 30 filters, a JSON list; 99 stands for more. Raises :class:`InvalidInput`."""
        return [
            CountOut(count=await messages.count(self.scope, self.subscriber_uuid, found), filter=raw)
            for raw, found in read_filters(text)
        ]


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
