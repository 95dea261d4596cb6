"""A notification as it goes out, over the API and to the inbox alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ..model import Action, InAppContent, Redirect
from ..store.messages import Notification
from .wire import Timestamp, Wire


class RecipientOut(Wire):
    """Whom a notification is for."""

    id: str
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    avatar: str | None = None


class RedirectOut(Wire):
    """Where a click leads."""

    url: str
    target: str


class ActionOut(Wire):
    """A button, and whether it was pressed."""

    label: str
    is_completed: bool
    redirect: RedirectOut | None = None


class WorkflowOfNotification(Wire):
    """The workflow that a notification came from."""

    id: str
    identifier: str
    name: str
    critical: bool
    severity: str
    tags: list[str]


class NotificationOut(Wire):
    """A notification as the inbox and the SDKs know it."""

    id: str
    transaction_id: str
    channel_type: Literal["in_app"] = "in_app"
    subject: str | None = None
    body: str
    avatar: str | None = None
    to: RecipientOut
    is_seen: bool
    is_read: bool
    is_archived: bool
    is_snoozed: bool
    created_at: Timestamp
    delivered_at: list[Timestamp]
    first_seen_at: Timestamp | None
    read_at: Timestamp | None
    archived_at: Timestamp | None
    snoozed_until: Timestamp | None
    severity: str
    tags: list[str]
    data: dict[str, Any]
    redirect: RedirectOut | None = None
    primary_action: ActionOut | None = None
    secondary_action: ActionOut | None = None
    workflow: WorkflowOfNotification


def to_wire(one: Notification, now: datetime) -> NotificationOut:
    """A notification as it goes out. A snooze that is over by ``now`` is none."""
    message = one.message
    content = InAppContent.model_validate(message.content)
    snoozed = message.snoozed_until if message.snoozed_until and message.snoozed_until > now else None
    return NotificationOut(
        id=str(message.id),
        transaction_id=message.transaction_id,
        subject=content.subject,
        body=content.body,
        avatar=content.avatar,
        to=RecipientOut(
            id=str(message.subscriber_uuid),
            subscriber_id=message.subscriber_id,
            first_name=one.first_name,
            last_name=one.last_name,
            avatar=one.avatar,
        ),
        is_seen=message.seen_at is not None,
        is_read=message.read_at is not None,
        is_archived=message.archived_at is not None,
        is_snoozed=snoozed is not None,
        created_at=message.created_at,
        delivered_at=[at for at in (message.sent_at, message.returned_at) if at],
        first_seen_at=message.seen_at,
        read_at=message.read_at,
        archived_at=message.archived_at,
        snoozed_until=snoozed,
        severity=message.severity,
        tags=list(message.tags),
        data=content.data,
        redirect=_redirect(content.redirect),
        primary_action=_action(content.primary_action, message.primary_done_at),
        secondary_action=_action(content.secondary_action, message.secondary_done_at),
        workflow=WorkflowOfNotification(
            id=str(one.workflow_uuid or message.workflow_id),
            identifier=message.workflow_id,
            name=one.workflow_name or message.workflow_id,
            critical=message.critical,
            severity=message.severity,
            tags=list(message.tags),
        ),
    )


def _redirect(redirect: Redirect | None) -> RedirectOut | None:
    return RedirectOut(url=redirect.url, target=redirect.target) if redirect else None


def _action(action: Action | None, done_at: datetime | None) -> ActionOut | None:
    if action is None:
        return None
    return ActionOut(label=action.label, is_completed=done_at is not None, redirect=_redirect(action.redirect))
