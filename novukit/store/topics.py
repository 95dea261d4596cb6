"""Topics: made, renamed, listed and deleted. ``subscriptions`` has their members."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Conflict
from ..model import Topic
from .database import Row, Scope, in_list
from .pages import Listing, Page, PageQuery, contains, read
from .where import Where

_COLUMNS = "id, key, name, created_at, updated_at"
_TRIES = 5


async def by_key(scope: Scope, key: str) -> Topic | None:
    """The topic that is called ``key``."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_topic where environment_id = $1 and key = $2", scope.environment_id, key
    )
    return _topic(rows[0]) if rows else None


async def which(scope: Scope, keys: Sequence[str]) -> set[str]:
    """Those of ``keys`` (at most 500) that are topics."""
    if not keys:
        return set()
    rows = await scope.database.fetch(
        f"select key from novukit_topic where environment_id = $1 and key in {in_list(keys, 2)}",
        scope.environment_id, *keys,
    )  # fmt: skip
    return {row["key"] for row in rows}


async def keys(scope: Scope, most: int = 1_000) -> list[str]:
    """The keys of the newest topics, for a hint."""
    rows = await scope.database.fetch(
        "select key from novukit_topic where environment_id = $1 order by id desc limit $2", scope.environment_id, most
    )
    return [row["key"] for row in rows]


async def create(scope: Scope, key: str, name: str | None = None) -> Topic | None:
    """Make a topic; ``None`` when there is one called ``key``, which then stays as it is."""
    rows = await scope.database.fetch(
        "insert into novukit_topic (id, environment_id, key, name, created_at, updated_at) "
        f"values ($1, $2, $3, $4, $5, $5) on conflict (environment_id, key) do nothing returning {_COLUMNS}",
        scope.new_id(), scope.environment_id, key, name, scope.now(),
    )  # fmt: skip
    return _topic(rows[0]) if rows else None


async def upsert(scope: Scope, key: str, name: str | None = None) -> tuple[Topic, bool]:
    """The topic called ``key``, made if it is missing and renamed if a ``name`` is given; and whether it was made."""
    for _ in range(_TRIES):
        if made := await create(scope, key, name):
            return made, True
        found = await (by_key(scope, key) if name is None else rename(scope, key, name))
        if found:
            return found, False
    raise _restless(key)


async def rename(scope: Scope, key: str, name: str | None) -> Topic | None:
    """Give the topic a name; ``None`` when there is no such topic."""
    rows = await scope.database.fetch(
        "update novukit_topic set name = $3, updated_at = $4 where environment_id = $1 and key = $2 "
        f"returning {_COLUMNS}",
        scope.environment_id, key, name, scope.now(),
    )  # fmt: skip
    return _topic(rows[0]) if rows else None


async def delete(scope: Scope, key: str) -> bool:
    """Delete a topic with its subscriptions; ``False`` when there is none."""
    rows = await scope.database.fetch(
        "delete from novukit_topic where environment_id = $1 and key = $2 returning id", scope.environment_id, key
    )
    return bool(rows)


async def page(scope: Scope, query: PageQuery, *, key: str | None = None, name: str | None = None) -> Page[Topic]:
    """A page of topics; ``key`` is exact, ``name`` finds a part of the name. Both mind the case."""
    where = Where("environment_id = ?", scope.environment_id)
    if key is not None:
        where.add("key = ?", key)
    if name:
        where.add(contains("coalesce(name, '')"), name)
    return (await read(scope, Listing("topics", _COLUMNS, "novukit_topic", "id", where), query)).map(_topic)


async def held(scope: Scope, key: str, name: str | None) -> Topic:
    """The topic, made if it is missing; until the transaction ends nobody else deletes it or adds to it."""
    for _ in range(_TRIES):
        topic, _made = await upsert(scope, key, name)
        if await scope.database.fetch(
            "select id from novukit_topic where environment_id = $1 and id = $2 for update",
            scope.environment_id, topic.id,
        ):  # fmt: skip
            return topic
    raise _restless(key)


async def hold(scope: Scope, topic: Topic) -> None:
    """Until the transaction ends nobody else changes the subscriptions of ``topic``, or counts on what they are."""
    await scope.database.fetch(
        "select id from novukit_topic where environment_id = $1 and id = $2 for update", scope.environment_id, topic.id
    )


def _restless(key: str) -> Conflict:
    """Somebody else deleted the topic each time that it was made here."""
    return Conflict(f"The topic {key!r} is being created and deleted by others.", hint="Try again in a moment.")


def _topic(row: Row) -> Topic:
    return Topic.model_validate(dict(row))
