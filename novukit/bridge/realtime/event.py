"""What goes to a socket: the three events of Novu's inbox, as its clients read them.

A notification goes out as the message document that Novu stores, not as the REST API shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from ...model import Action, InAppContent, Redirect, StoredSubscriber
from ...store.messages import Notification
from ..wire import iso

MOST_COUNTED = 100
"""Counters stop here, and say ``hasMore``."""
SEVERITIES = ("high", "medium", "low", "none")


class Event:
    """One event, on its way to any number of sockets."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name, self.data = name, data

    @cached_property
    def text(self) -> str:
        """The frame of a plain WebSocket; made once for all who get it."""
        return json.dumps({"event": self.name, "data": self.data}, ensure_ascii=False, separators=(",", ":"))


def received(one: Notification, who: StoredSubscriber, now: datetime) -> Event:
    """A notification has come, or come back. A snooze that is over by ``now`` is none."""
    message, content = one.message, InAppContent.model_validate(one.message.content)
    snoozed = message.snoozed_until if message.snoozed_until and message.snoozed_until > now else None
    document = {
        "_id": str(message.id),
        "_environmentId": str(message.environment_id),
        "_subscriberId": str(message.subscriber_uuid),
        "transactionId": message.transaction_id,
        "templateIdentifier": message.workflow_id,
        "channel": "in_app",
        "subject": content.subject,
        "content": content.body,
        "avatar": content.avatar,
        "read": message.read_at is not None,
        "seen": message.seen_at is not None,
        "archived": message.archived_at is not None,
        "snoozedUntil": _at(snoozed),
        "createdAt": iso(message.created_at),
        "deliveredAt": [iso(message.sent_at)] if message.sent_at else [],
        "lastReadDate": _at(message.read_at),
        "firstSeenDate": _at(message.seen_at),
        "archivedAt": _at(message.archived_at),
        "tags": list(message.tags),
        "severity": message.severity,
        "data": content.data,
        "cta": _call_to_action(content, one),
        "subscriber": _subscriber(who),
        "workflow": {
            "id": str(one.workflow_uuid or message.workflow_id),
            "identifier": message.workflow_id,
            "name": one.workflow_name or message.workflow_id,
            "critical": message.critical,
            "severity": message.severity,
            "tags": list(message.tags),
        },
    }
    return Event("notification_received", {"message": {key: v for key, v in document.items() if v is not None}})


def unread_changed(counts: Mapping[str, int]) -> Event:
    """How many notifications wait to be read, from a count by severity that went one further than is told."""
    found = sum(counts.values())
    total = min(found, MOST_COUNTED)
    severity = {name: min(counts.get(name, 0), MOST_COUNTED) for name in SEVERITIES}
    data = {"counts": {"total": total, "severity": severity}, "unreadCount": total, "hasMore": found > MOST_COUNTED}
    return Event("unread_count_changed", data)


def unseen_changed(found: int) -> Event:
    """How many notifications nobody has looked at, from a count that went one further than is told."""
    return Event("unseen_count_changed", {"unseenCount": min(found, MOST_COUNTED), "hasMore": found > MOST_COUNTED})


def _at(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _subscriber(who: StoredSubscriber) -> dict[str, Any]:
    shown = {
        "_id": str(who.id), "subscriberId": who.subscriber_id, "firstName": who.first_name, "lastName": who.last_name,
        "avatar": who.avatar, "locale": who.locale, "timezone": who.timezone, "email": who.email, "phone": who.phone,
        "data": who.data,
    }  # fmt: skip
    return {key: value for key, value in shown.items() if value is not None}


def _call_to_action(content: InAppContent, one: Notification) -> dict[str, Any]:
    """Where a click leads and what the buttons are. Always an object: Novu's clients fail over one that is missing."""
    call: dict[str, Any] = {}
    if content.redirect:
        call["data"] = _redirect(content.redirect)
    buttons = (_button("primary", content.primary_action), _button("secondary", content.secondary_action))
    if shown := [button for button in buttons if button]:
        done = "primary" if one.message.primary_done_at else "secondary" if one.message.secondary_done_at else None
        result = {"result": {"type": done}} if done else {}
        call["action"] = {"buttons": shown, "status": "done" if done else "pending", **result}
    return call


def _button(kind: str, action: Action | None) -> dict[str, Any] | None:
    if action is None:
        return None
    return {"type": kind, "content": action.label, **(_redirect(action.redirect) if action.redirect else {})}


def _redirect(redirect: Redirect) -> dict[str, Any]:
    return {"url": redirect.url, "target": redirect.target}
