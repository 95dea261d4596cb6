"""Contexts: known from the first event that names them, listed, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import EventContext, GivenContext, StoredContext
from .database import Row, Scope, decode, encode
from .pages import Listing, Page, PageQuery, contains, read
from .where import Where

_COLUMNS = "id, type, context_id, data, created_at, updated_at"


async def get(scope: Scope, kind: str, context_id: str) -> StoredContext | None:
    """The context of this type and id."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_context where environment_id = $1 and type = $2 and context_id = $3",
        scope.environment_id, kind, context_id,
    )  # fmt: skip
    return _context(rows[0]) if rows else None


async def resolve(scope: Scope, given: Mapping[str, GivenContext]) -> dict[str, EventContext]:
    """What is known of each context, or else what is said of it now; in one query. Nothing is written."""
    where = Where("environment_id = ?", scope.environment_id)
    args = [part for kind, one in given.items() for part in (kind, one.id)]
    where.add(f"({' or '.join(['(type = ? and context_id = ?)'] * len(given)) or '1 = 0'})", *args)
    rows = await scope.database.fetch(f"select type, data from novukit_context where {where}", *where.args)
    known: dict[str, dict[str, Any]] = {row["type"]: decode(row["data"]) for row in rows}
    return {kind: EventContext(id=one.id, data=known.get(kind, one.data or {})) for kind, one in given.items()}


async def keep(scope: Scope, contexts: Mapping[str, EventContext]) -> None:
    """Make those of ``contexts`` that are not known yet. Those that are stay as they are."""
    now = scope.now()
    await scope.database.execute_many(
        "insert into novukit_context (id, environment_id, type, context_id, data, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $6, $6) on conflict (environment_id, type, context_id) do nothing",
        [
            (scope.new_id(), scope.environment_id, kind, contexts[kind].id, encode(contexts[kind].data), now)
            for kind in sorted(contexts)  # in one order, so that two calls cannot wait for each other in a circle
        ],
    )


async def see(scope: Scope, given: Mapping[str, GivenContext]) -> dict[str, EventContext]:
    """:func:`resolve` contexts and :func:`keep` those that are new."""
    async with scope.database.transaction():
        found = await resolve(scope, given)
        await keep(scope, found)
    return found


async def create(scope: Scope, kind: str, context_id: str, data: Mapping[str, Any]) -> StoredContext | None:
    """Make a context; ``None`` when there is one already, which then stays as it is."""
    rows = await scope.database.fetch(
        "insert into novukit_context (id, environment_id, type, context_id, data, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $6, $6) on conflict (environment_id, type, context_id) do nothing "
        f"returning {_COLUMNS}",
        scope.new_id(), scope.environment_id, kind, context_id, encode(dict(data)), scope.now(),
    )  # fmt: skip
    return _context(rows[0]) if rows else None


async def update(scope: Scope, kind: str, context_id: str, data: Mapping[str, Any]) -> StoredContext | None:
    """Replace the data of a context, for the events that follow; ``None`` when there is none."""
    rows = await scope.database.fetch(
        "update novukit_context set data = $4, updated_at = $5 "
        f"where environment_id = $1 and type = $2 and context_id = $3 returning {_COLUMNS}",
        scope.environment_id, kind, context_id, encode(dict(data)), scope.now(),
    )  # fmt: skip
    return _context(rows[0]) if rows else None


async def delete(scope: Scope, kind: str, context_id: str) -> bool:
    """Forget a context; ``False`` when there is none. What was sent within it keeps its key."""
    rows = await scope.database.fetch(
        "delete from novukit_context where environment_id = $1 and type = $2 and context_id = $3 returning id",
        scope.environment_id, kind, context_id,
    )  # fmt: skip
    return bool(rows)


async def page(
    scope: Scope, query: PageQuery, *, context_id: str | None = None, search: str | None = None
) -> Page[StoredContext]:
    """A page of contexts; ``context_id`` is exact, ``search`` finds a part of ``type:id``. Both mind the case."""
    where = Where("environment_id = ?", scope.environment_id)
    if context_id is not None:
        where.add("context_id = ?", context_id)
    if search:
        where.add(contains("type || ':' || context_id"), search)
    return (await read(scope, Listing("contexts", _COLUMNS, "novukit_context", "id", where), query)).map(_context)


def _context(row: Row) -> StoredContext:
    return StoredContext(
        id=row["id"], type=row["type"], context_id=row["context_id"], data=decode(row["data"]),
        created_at=row["created_at"], updated_at=row["updated_at"],
    )  # fmt: skip
