"""Messages as they are read: by page for the API, by subscriber for the inbox; and the marks that a reader sets.

Sending writes them elsewhere, in the journal. Only in-app messages that were sent are visible in an inbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ..model import Channel, ContextKeys, Message, MessageStatus
from .database import Row, Scope, decode
from .where import Where

Scalar = str | int | float | bool | None
Button = Literal["primary", "secondary"]

_COLUMNS = ", ".join(f"m.{name}" for name in Message.model_fields)
_ENDED = tuple(s.value for s in MessageStatus if s not in (MessageStatus.CALLING, MessageStatus.RETRYING))


@dataclass(frozen=True, slots=True)
class Numbered:
    """One page of a list that is asked for by page number."""

    data: list[Message]
    has_more: bool


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which notifications of an inbox are meant; a field left out asks for nothing.

    ``tags`` is an *and* of *or*-groups; ``data`` the same for each key of the notification's data, by equality.
    """

    ids: Sequence[UUID] | None = None
    read: bool | None = None
    seen: bool | None = None
    archived: bool | None = None
    snoozed: bool | None = None
    tags: Sequence[Sequence[str]] = ()
    data: Mapping[str, Sequence[Sequence[Scalar]]] = field(default_factory=dict[str, Sequence[Sequence[Scalar]]])
    severity: Sequence[str] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    context_keys: ContextKeys | None = None
    """Those of exactly this context; ``""`` for those that were sent without one."""


@dataclass(frozen=True, slots=True)
class Notification:
    """An in-app message with what an inbox shows beside it."""

    message: Message
    first_name: str | None
    last_name: str | None
    avatar: str | None
    workflow_uuid: UUID | None
    workflow_name: str | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Notifications, newest first."""

    data: list[Notification]
    has_more: bool


# All channels


async def page(
    scope: Scope,
    *,
    channel: Channel | None = None,
    subscriber_id: str | None = None,
    transaction_ids: Sequence[str] = (),
    context_keys: ContextKeys | None = None,
    page: int = 0,
    limit: int = 10,
) -> Numbered:
    """Messages of every channel, newest first; ``page`` counts from 0."""
    where = Where("m.environment_id = ?", scope.environment_id)
    where.among("m.channel", [channel] if channel else [])
    where.among("m.subscriber_id", [subscriber_id] if subscriber_id is not None else [])
    if transaction_ids:
        _of_transactions(where, "m.execution_id", transaction_ids)
    if context_keys is not None:
        where.add("m.context_keys = ?", context_keys)
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_message m where {where} order by m.id desc "
        f"limit {where.mark(limit + 1)} offset {where.mark(page * limit)}",
        *where.args,
    )
    return Numbered([_message(row) for row in rows[:limit]], len(rows) > limit)


async def get(scope: Scope, id: UUID) -> Message | None:
    """One message of any channel."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_message m where m.environment_id = $1 and m.id = $2", scope.environment_id, id
    )
    return _message(rows[0]) if rows else None


async def of_executions(scope: Scope, ids: Sequence[UUID]) -> list[Message]:
    """The messages of up to 500 executions, oldest first."""
    where = Where("m.environment_id = ?", scope.environment_id)
    where.among("m.execution_id", ids)
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_message m where {where} order by m.id", *where.args
    )
    return [_message(row) for row in rows] if ids else []


async def since(scope: Scope, after: UUID, again: Sequence[UUID] = ()) -> list[Message]:
    """The messages made after the one with the id ``after``, and those of ``again`` that have gone out by now."""
    rows = list(
        await scope.database.fetch(
            f"select {_COLUMNS} from novukit_message m where m.environment_id = $1 and m.id > $2 order by m.id",
            scope.environment_id, after,
        )
    )  # fmt: skip
    for start in range(0, len(again), 500):
        where = Where("m.environment_id = ?", scope.environment_id)
        where.among("m.id", again[start : start + 500])
        where.add("m.sent_at is not null")
        rows += await scope.database.fetch(f"select {_COLUMNS} from novukit_message m where {where}", *where.args)
    return [_message(row) for row in rows]


async def was(scope: Scope, execution_id: UUID, step_id: str, mark: Literal["seen", "read"]) -> bool:
    """Whether the message of an execution's step was seen, or read."""
    rows = await scope.database.fetch(
        "select 1 from novukit_message where environment_id = $1 and execution_id = $2 and step_id = $3 "
        f"and {mark}_at is not null limit 1",
        scope.environment_id, execution_id, step_id,
    )  # fmt: skip
    return bool(rows)


async def delete(scope: Scope, id: UUID) -> bool:
    """Delete a message. False when there is none, or when it is still being sent: its intent must stay."""
    where = Where("environment_id = ? and id = ?", scope.environment_id, id)
    return bool(await _delete(scope, where))


async def delete_by_transaction(scope: Scope, transaction_id: str, channel: Channel | None = None) -> int:
    """Delete the messages of a transaction, but those still being sent. Returns how many went."""
    where = Where("environment_id = ?", scope.environment_id)
    _of_transactions(where, "execution_id", [transaction_id])
    where.among("channel", [channel] if channel else [])
    return await _delete(scope, where)


def _of_transactions(where: Where, column: str, transaction_ids: Sequence[str]) -> None:
    """``column`` is an execution of one of these; through the indexes of events and executions."""
    marks = ", ".join("?" * len(transaction_ids))
    where.add(
        f"{column} in (select x.id from novukit_event e "
        "join novukit_execution x on x.environment_id = e.environment_id and x.event_id = e.id "
        f"where e.environment_id = $1 and e.transaction_id in ({marks}))",
        *transaction_ids,
    )


async def _delete(scope: Scope, where: Where) -> int:
    where.among("status", _ENDED)
    return len(await scope.database.fetch(f"delete from novukit_message where {where} returning id", *where.args))


# The inbox


async def inbox_page(
    scope: Scope,
    subscriber_uuid: UUID,
    filters: InboxFilter = InboxFilter(),
    *,
    after: UUID | None = None,
    limit: int = 10,
    offset: int = 0,
) -> InboxPage:
    """A subscriber's notifications, newest first; ``after`` is the last one already shown."""
    where = _inbox(scope, subscriber_uuid, filters)
    if after:
        where.add("m.id < ?", after)
    rows = await scope.database.fetch(
        f"{_NOTIFICATIONS} where {where} order by m.id desc limit {where.mark(limit + 1)} offset {where.mark(offset)}",
        *where.args,
    )
    return InboxPage([_notification(row) for row in rows[:limit]], len(rows) > limit)


async def notification(
    scope: Scope, subscriber_uuid: UUID, id: UUID, *, context_keys: ContextKeys | None = None
) -> Notification | None:
    """One notification, if it is in this subscriber's inbox, and in this context's if one is given."""
    where = _inbox(scope, subscriber_uuid, InboxFilter(ids=[id], context_keys=context_keys))
    rows = await scope.database.fetch(f"{_NOTIFICATIONS} where {where}", *where.args)
    return _notification(rows[0]) if rows else None


async def among(
    scope: Scope, subscriber_uuid: UUID, ids: Sequence[UUID], filters: InboxFilter = InboxFilter()
) -> list[Notification]:
    """Those of up to 500 notifications that are in this subscriber's inbox and fit, oldest first."""
    where = _inbox(scope, subscriber_uuid, filters)
    where.among("m.id", ids)
    rows = await scope.database.fetch(f"{_NOTIFICATIONS} where {where} order by m.id", *where.args) if ids else ()
    return [_notification(row) for row in rows]


async def count(
    scope: Scope,
    subscriber_uuid: UUID,
    filters: InboxFilter = InboxFilter(),
    cap: int = 99,
) -> int:
    """How many notifications fit; at most ``cap``, for an exact count of a full inbox is not worth its price."""
    where = _inbox(scope, subscriber_uuid, filters)
    rows = await scope.database.fetch(
        f"select count(*) as n from (select 1 from novukit_message m where {where} limit {where.mark(cap)}) as part",
        *where.args,
    )
    return rows[0]["n"]


async def unread(
    scope: Scope, subscriber_uuid: UUID, cap: int = 99, *, context_keys: ContextKeys | None = None
) -> dict[str, int]:
    """How many notifications wait to be read, by severity: what a bell shows. ``cap`` bounds the sum."""
    waiting = InboxFilter(read=False, archived=False, snoozed=False, context_keys=context_keys)
    where = _inbox(scope, subscriber_uuid, waiting)
    rows = await scope.database.fetch(
        "select severity, count(*) as n from "
        f"(select m.severity from novukit_message m where {where} limit {where.mark(cap)}) as part group by severity",
        *where.args,
    )
    return {row["severity"]: row["n"] for row in rows}


async def changed_since(scope: Scope, subscriber_uuid: UUID, moment: datetime) -> bool:
    """Whether anything that still is in this inbox has come or changed since ``moment``."""
    rows = await scope.database.fetch(
        "select 1 from novukit_message where environment_id = $1 and subscriber_uuid = $2 and channel = 'in_app' "
        "and updated_at >= $3 limit 1",
        scope.environment_id, subscriber_uuid, moment,
    )  # fmt: skip
    return bool(rows)


async def mark(
    scope: Scope,
    subscriber_uuid: UUID,
    which: Sequence[UUID] | InboxFilter,
    *,
    at: datetime,
    read: bool | None = None,
    seen: bool | None = None,
    archived: bool | None = None,
) -> int:
    """Set or take back one mark, on some notifications or on all that fit a filter. Returns how many changed.

    What is read or archived is seen; what is archived is read; what becomes unread is back in the inbox. The first
    time counts: to read again does not move ``read_at``.
    """
    where = _inbox(scope, subscriber_uuid, _filter(which))
    match (read, seen, archived):
        case (True, None, None):
            fields, nulls = ("read_at", "seen_at"), ()
            where.add("m.read_at is null")
        case (False, None, None):
            fields, nulls = (), ("read_at", "archived_at")
            where.add("(m.read_at is not null or m.archived_at is not null)")
        case (None, True, None):
            fields, nulls = ("seen_at",), ()
            where.add("m.seen_at is null")
        case (None, False, None):
            fields, nulls = (), ("seen_at", "read_at")
            where.add("(m.seen_at is not null or m.read_at is not null)")
        case (None, None, True):
            fields, nulls = ("archived_at", "read_at", "seen_at"), ()
            where.add("m.archived_at is null")
        case (None, None, False):
            fields, nulls = (), ("archived_at",)
            where.add("m.archived_at is not null")
        case _:
            raise AssertionError("one mark at a time")
    now = where.mark(at)
    changes = [*(f"{f} = coalesce({f}, {now}::timestamptz)" for f in fields), *(f"{f} = null" for f in nulls)]
    return await _change(scope, ", ".join([*changes, f"updated_at = {now}::timestamptz"]), where)


async def snooze(
    scope: Scope, subscriber_uuid: UUID, id: UUID, until: datetime | None, *, at: datetime,
    context_keys: ContextKeys | None = None,
) -> bool:  # fmt: skip
    """Hide a notification until a moment, or show it again (``None``). False when it is not in the inbox."""
    where = _inbox(scope, subscriber_uuid, InboxFilter(ids=[id], context_keys=context_keys))
    return bool(
        await _change(scope, f"snoozed_until = {where.mark(until)}::timestamptz, updated_at = {where.mark(at)}", where)
    )


async def press(
    scope: Scope, subscriber_uuid: UUID, id: UUID, button: Button, *, done: bool, at: datetime,
    context_keys: ContextKeys | None = None,
) -> bool:  # fmt: skip
    """Note that a button was pressed, or take that back. False when the notification is not in the inbox."""
    where = _inbox(scope, subscriber_uuid, InboxFilter(ids=[id], context_keys=context_keys))
    changes = f"{button}_done_at = {where.mark(at if done else None)}::timestamptz, updated_at = {where.mark(at)}"
    return bool(await _change(scope, changes, where))


async def remove(scope: Scope, subscriber_uuid: UUID, which: Sequence[UUID] | InboxFilter) -> int:
    """Take notifications out of an inbox for good. Returns how many went."""
    where = _inbox(scope, subscriber_uuid, _filter(which))
    return len(await scope.database.fetch(f"delete from novukit_message as m where {where} returning id", *where.args))


_NOTIFICATIONS = (
    f"select {_COLUMNS}, s.first_name, s.last_name, s.avatar, w.id as workflow_uuid, w.spec->>'name' as workflow_name "
    "from novukit_message m left join novukit_subscriber s on s.id = m.subscriber_uuid "
    "left join novukit_workflow w on w.environment_id = m.environment_id and w.workflow_id = m.workflow_id"
)


def _inbox(scope: Scope, subscriber_uuid: UUID, filters: InboxFilter) -> Where:
    """The conditions of an inbox and of a filter, over ``novukit_message m``."""
    where = Where(
        "m.environment_id = ? and m.subscriber_uuid = ? and m.channel = 'in_app' and m.status = 'sent'",
        scope.environment_id, subscriber_uuid,
    )  # fmt: skip
    if filters.ids is not None:
        where.add(f"m.id in ({', '.join('?' * len(filters.ids))})" if filters.ids else "1 = 0", *filters.ids)
    marks = (("read_at", filters.read), ("seen_at", filters.seen), ("archived_at", filters.archived))
    for column, wanted in marks:
        if wanted is not None:
            where.add(f"m.{column} is {'not ' if wanted else ''}null")
    if filters.snoozed is True:
        where.add("m.snoozed_until > ?", scope.now())
    elif filters.snoozed is False:
        where.add("(m.snoozed_until is null or m.snoozed_until <= ?)", scope.now())
    for group in filters.tags:
        # JSON text is the one form of a list that both engines can search alike.
        _any(where, "replace(m.tags::text, ?::text, '') <> m.tags::text", [(_json(tag),) for tag in group])
    for key, groups in filters.data.items():
        for group in groups:
            _any(where, "(m.content->'data'->?::text)::text = ?", [(key, _json(value)) for value in group])
    where.among("m.severity", filters.severity)
    if filters.context_keys is not None:
        where.add("m.context_keys = ?", filters.context_keys)
    if filters.created_from:
        where.add("m.created_at >= ?", filters.created_from)
    if filters.created_to:
        where.add("m.created_at <= ?", filters.created_to)
    return where


def _any(where: Where, condition: str, options: Sequence[tuple[str, ...]]) -> None:
    """At least one of ``options``, each the arguments of ``condition``, makes it true; none of no options does."""
    args = [arg for option in options for arg in option]
    where.add(f"({' or '.join([condition] * len(options)) or '1 = 0'})", *args)


def _filter(which: Sequence[UUID] | InboxFilter) -> InboxFilter:
    return which if isinstance(which, InboxFilter) else InboxFilter(ids=which)


async def _change(scope: Scope, changes: str, where: Where) -> int:
    rows = await scope.database.fetch(
        f"update novukit_message as m set {changes} where {where} returning id", *where.args
    )
    return len(rows)


def _json(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)


def _message(row: Row) -> Message:
    fields: dict[str, Any] = {name: row[name] for name in Message.model_fields}
    fields["content"], fields["tags"] = decode(row["content"]), tuple(decode(row["tags"]))
    return Message(**fields)


def _notification(row: Row) -> Notification:
    return Notification(
        _message(row), row["first_name"], row["last_name"], row["avatar"], row["workflow_uuid"],
        row["workflow_name"],
    )  # fmt: skip
