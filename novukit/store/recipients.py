"""Recipients that follow an event: the members of a topic, or everyone, become executions inside the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..model import SubscriptionChoice
from .database import Scope, decode
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


@dataclass(frozen=True, slots=True)
class Window:
    """The next recipients of an event's first source, up to the one ``upto`` (None: to the last), but ``without``."""

    upto: UUID | None
    without: Sequence[UUID] = ()


async def are_particular(scope: Scope, event: Expanding) -> bool:
    """Whether a subscription that is still to come has preferences of its own.

    If so, nobody changes the subscriptions of the topic until the caller's transaction ends.
    """
    if "topic" not in event.sources[0]:
        return False
    table, _, where = _source(scope, event)
    where.add("m.preferences is not null")
    if not await scope.database.fetch(f"select 1 from {table} where {where} limit 1", *where.args):
        return False
    await scope.database.fetch(
        "select id from novukit_topic where environment_id = $1 and id = $2 for share",
        scope.environment_id, UUID(event.sources[0]["topic"]),
    )  # fmt: skip
    return True


async def choices(scope: Scope, event: Expanding, window: Window) -> dict[UUID, list[SubscriptionChoice | None]]:
    """What the subscriptions in a window say of the event's workflow, by subscriber; ``None`` is said by one that does
    not name it. Of those only who has a subscription with preferences.
    """
    table, who, where = _source(scope, event, window)
    rows = await scope.database.fetch(
        f"select {who} as who, m.preferences from {table} where {where} and exists (select 1 from "
        "novukit_topic_subscription o where o.environment_id = m.environment_id and o.topic_id = m.topic_id "
        "and o.context_keys = m.context_keys and o.subscriber_uuid = m.subscriber_uuid and o.preferences is not null)",
        *where.args,
    )
    found: dict[UUID, list[SubscriptionChoice | None]] = {}
    for row in rows:
        said = (decode(row["preferences"]) or {}).get(event.workflow_id)
        found.setdefault(row["who"], []).append(SubscriptionChoice.model_validate(said) if said else None)
    return found


async def open_executions(
    scope: Scope, event: Expanding, ids: Sequence[UUID], window: Window | None = None
) -> tuple[int, UUID | None]:
    """Open a pending execution for each of the next ``len(ids)`` recipients of an event's first source who has none of
    this event; the caller's transaction. If there is a ``window``, it says who they are.

    Returns how many were opened, and the :func:`last` of as many recipients as there are ids: others may come after.
    Recipients do not leave the database. On Postgres all is seen at one moment, for others subscribe meanwhile; on
    SQLite nobody else can write now.
    """
    page, where = _page(scope, event, len(ids), window)
    if scope.database.dialect == "sqlite":
        insert = _insert(scope, event, ids, where, f"({page}) as p")
        opened = await scope.database.write(insert, *where.args)
        return opened, window.upto if window else await last(scope, event, len(ids))
    insert = _insert(scope, event, ids, where, "p")
    rows = await scope.database.fetch(
        f"with p as materialized ({page}), opened as ({insert} returning 1) "
        f"select (select count(*) from opened) as opened, (select who from p where n = {where.mark(len(ids))}) as last",
        *where.args,
    )
    return rows[0]["opened"], window.upto if window else rows[0]["last"]


def _page(scope: Scope, event: Expanding, size: int, window: Window | None = None) -> tuple[str, Where]:
    """Who is still to come, in order: ``who``, ``subscriber_id`` and their number ``n`` from 1 to ``size``."""
    table, who, where = _source(scope, event, window)
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


def _source(scope: Scope, event: Expanding, window: Window | None = None) -> tuple[str, str, Where]:
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
    if window is not None and window.upto is not None:
        where.add(f"{who} <= ?", window.upto)
    if window is not None and window.without:
        unwanted = f"select u.id from unnest({where.mark(list(window.without))}::uuid[]) with ordinality as u(id, n)"
        where.add(f"{who} not in ({unwanted})")
    return table, who, where
