"""Recipients that follow an event: the members of a topic, or everyone, become executions inside the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from .database import Scope
from .events import Expanding
from .where import Where


async def left(scope: Scope, event: Expanding, most: int) -> int:
    """How many recipients of an event's first source are still to come, up to ``most``; those it leaves out too."""
    table, who, where = _source(scope, event)
    rows = await scope.database.fetch(
        f"select count(*) as n from (select {who} from {table} where {where} limit {where.mark(most)}) as coming",
        *where.args,
    )
    return rows[0]["n"]


async def last(scope: Scope, event: Expanding, number: int) -> UUID | None:
    """The recipient who is the ``number``-th of those still to come; None when there are fewer."""
    page, where = _page(scope, event, number)
    rows = await scope.database.fetch(f"select who from ({page}) as p where n = {where.mark(number)}", *where.args)
    return rows[0]["who"] if rows else None


async def open_executions(scope: Scope, event: Expanding, ids: Sequence[UUID]) -> tuple[int, UUID | None]:
    """Open a pending execution for each of the next ``len(ids)`` recipients of an event's first source who has none of
    this event; the caller's transaction.

    Returns how many were opened, and the :func:`last` of as many recipients as there are ids: others may come after.
    Recipients do not leave the database. On Postgres all is seen at one moment, for others subscribe meanwhile; on
    SQLite nobody else can write now.
    """
    page, where = _page(scope, event, len(ids))
    if scope.database.dialect == "sqlite":
        insert = _insert(scope, event, ids, where, f"({page}) as p")
        return await scope.database.write(insert, *where.args), await last(scope, event, len(ids))
    insert = _insert(scope, event, ids, where, "p")
    rows = await scope.database.fetch(
        f"with p as materialized ({page}), opened as ({insert} returning 1) "
        f"select (select count(*) from opened) as opened, (select who from p where n = {where.mark(len(ids))}) as last",
        *where.args,
    )
    return rows[0]["opened"], rows[0]["last"]


def _page(scope: Scope, event: Expanding, size: int) -> tuple[str, Where]:
    """Who is still to come, in order: ``who``, ``subscriber_id`` and their number ``n`` from 1 to ``size``."""
    table, who, where = _source(scope, event)
    if "topic" in event.sources[0]:
        table += " join novukit_subscriber s on s.id = m.subscriber_uuid"
    if left_out := event.sources[0].get("exclude"):
        where.add(f"s.subscriber_id not in ({', '.join('?' * len(left_out))})", *left_out)
    number = f"row_number() over (order by {who}) as n"
    return (
        f"select {who} as who, s.subscriber_id, {number} from {table} where {where} "
        f"order by {who} limit {where.mark(size)}"
    ), where


def _insert(scope: Scope, event: Expanding, ids: Sequence[UUID], where: Where, page: str) -> str:
    """The statement that opens executions for the recipients of ``page``; its arguments go to ``where``."""
    given, now, mark = where.mark(list(ids)), where.mark(scope.now()), where.mark
    return (
        "insert into novukit_execution (id, environment_id, event_id, workflow_id, workflow_version, subscriber_uuid, "
        f"subscriber_id, status, wake_at, created_at) select i.id, {mark(scope.environment_id)}::uuid, "
        f"{mark(event.id)}::uuid, {mark(event.workflow_id)}::text, {mark(event.workflow_version)}::text, p.who, "
        f"p.subscriber_id, 'pending', {now}::timestamptz, {now}::timestamptz "
        f"from {page} join unnest({given}::uuid[]) with ordinality as i(id, n) on i.n = p.n "
        "where true on conflict (environment_id, event_id, subscriber_uuid) do nothing"
    )


def _source(scope: Scope, event: Expanding) -> tuple[str, str, Where]:
    """The table of an event's first source, the column that names a recipient, and who of them is still to come."""
    source: dict[str, Any] = event.sources[0]
    if "topic" in source:
        table, who = "novukit_topic_subscription m", "m.subscriber_uuid"
        where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, UUID(source["topic"]))
        where.add("m.context_keys = ?", event.context_keys)
    else:
        table, who, where = "novukit_subscriber s", "s.id", Where("s.environment_id = ?", scope.environment_id)
    if event.cursor is not None:
        where.add(f"{who} > ?", event.cursor)
    return table, who, where
