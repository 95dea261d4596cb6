"""Topics: made, renamed, listed and deleted; and the subscriptions of their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from ..errors import Conflict
from ..model import Topic, TopicSubscription
from .database import Row, Scope, in_list
from .pages import Listing, Page, PageQuery, contains, parted, read
from .where import Where

Subscription = tuple[str, str | None, str | None]
"""Who is to be subscribed: (subscriber id, identifier, name)."""

_COLUMNS = "id, key, name, created_at, updated_at"
_JOINED = (
    "t.id as topic_id, t.key as topic_key, t.name as topic_name, t.created_at as topic_created_at, "
    "t.updated_at as topic_updated_at, s.subscriber_id, s.first_name, s.last_name, s.email, s.avatar, m.id, "
    "m.subscriber_uuid, m.identifier, m.name, m.created_at, m.updated_at"
)
_SOURCE = (
    "novukit_topic_subscription m join novukit_topic t on t.id = m.topic_id "
    "join novukit_subscriber s on s.id = m.subscriber_uuid"
)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Refused:
    """One subscription that could not be made or ended, and why. ``code`` is for machines."""

    subscriber_id: str
    code: Literal["SUBSCRIBER_NOT_FOUND", "SUBSCRIPTION_NOT_FOUND", "ALREADY_SUBSCRIBED", "IDENTIFIER_TAKEN"]
    message: str


@dataclass(slots=True)
class Subscribed:
    """What became of a call about several subscriptions."""

    done: list[TopicSubscription] = field(default_factory=list[TopicSubscription])
    refused: list[Refused] = field(default_factory=list[Refused])


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


# Members


async def subscribe(
    scope: Scope, topic_key: str, wanted: Sequence[Subscription], topic_name: str | None = None
) -> Subscribed:
    """Make subscribers members of a topic, which is made if it is missing.

    Who is a member already stays one. Refused one by one: who does not exist, an identifier that another member has,
    another identifier for a member. An ``identifier`` of ``None`` becomes ``tk_<topic key>:si_<subscriber id>``.
    """
    outcome = Subscribed()
    async with scope.database.transaction():
        topic = await _held(scope, topic_key, topic_name)
        members = await _members(scope, topic, [subscriber_id for subscriber_id, _, _ in wanted])
        taken = await _taken(scope, topic, [identifier for _, identifier, _ in wanted if identifier])
        rows: list[tuple[UUID, UUID, str, str | None]] = []
        for subscriber_id, identifier, name in wanted:
            member = members.get(subscriber_id)
            if member is None:
                outcome.refused.append(_unknown(subscriber_id))
                continue
            uuid, known_as = member
            new = identifier or known_as or f"tk_{topic_key}:si_{subscriber_id}"
            if known_as is not None and new != known_as:
                outcome.refused.append(
                    Refused(
                        subscriber_id,
                        "ALREADY_SUBSCRIBED",
                        f"Subscriber {subscriber_id!r} is subscribed to {topic_key!r} as {known_as!r}.",
                    )
                )
            elif taken.get(new, uuid) != uuid:
                outcome.refused.append(
                    Refused(
                        subscriber_id,
                        "IDENTIFIER_TAKEN",
                        f"Another subscription of topic {topic_key!r} is called {new!r}.",
                    )
                )
            else:
                members[subscriber_id], taken[new] = (uuid, new), uuid
                rows.append((scope.new_id(), uuid, new, name))
        now = scope.now()
        await scope.database.execute_many(
            "insert into novukit_topic_subscription "
            "(id, environment_id, topic_id, subscriber_uuid, identifier, name, created_at, updated_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (environment_id, topic_id, identifier) "
            "do update set name = excluded.name, updated_at = excluded.updated_at where excluded.name is not null",
            [(new_id, scope.environment_id, topic.id, uuid, new, name, now) for new_id, uuid, new, name in rows],
        )
        outcome.done = await _subscriptions(scope, topic, list(dict.fromkeys(row[1] for row in rows)))
    return outcome


async def unsubscribe(scope: Scope, topic: Topic, unwanted: Sequence[tuple[str | None, str | None]]) -> Subscribed:
    """End subscriptions, each named by (subscriber id, identifier) or one of the two; tell what they were."""
    outcome = Subscribed()
    async with scope.database.transaction():
        names = [subscriber_id for subscriber_id, _ in unwanted if subscriber_id]
        where = Where("m.topic_id = ? and m.environment_id = ?", topic.id, scope.environment_id)
        ids, handles = names or [""], [identifier for _, identifier in unwanted if identifier] or [""]
        where.add(
            f"(s.subscriber_id in ({', '.join('?' * len(ids))}) or m.identifier in ({', '.join('?' * len(handles))}))",
            *ids, *handles,
        )  # fmt: skip
        found = [_subscription(r) for r in await scope.database.fetch(_select(where), *where.args)]
        known = await _known(scope, names)
        gone: dict[UUID, TopicSubscription] = {}
        for subscriber_id, identifier in unwanted:
            match = next(
                (
                    member
                    for member in found
                    if subscriber_id in (None, member.subscriber_id) and identifier in (None, member.identifier)
                ),
                None,
            )
            if match is not None:
                gone[match.id] = match
            elif subscriber_id and subscriber_id not in known:
                outcome.refused.append(_unknown(subscriber_id))
            else:
                outcome.refused.append(
                    Refused(
                        subscriber_id or "",
                        "SUBSCRIPTION_NOT_FOUND",
                        f"{subscriber_id or identifier!r} is not subscribed to topic {topic.key!r}.",
                    )
                )
        if gone:
            await scope.database.fetch(
                "delete from novukit_topic_subscription "
                f"where environment_id = $1 and topic_id = $2 and id in {in_list(list(gone), 3)}",
                scope.environment_id, topic.id, *gone,
            )  # fmt: skip
        outcome.done = list(gone.values())
    return outcome


async def subscription_page(
    scope: Scope, topic: Topic, query: PageQuery, *, subscriber_id: str | None = None
) -> Page[TopicSubscription]:
    """A page of a topic's subscriptions, or of one subscriber's in it."""
    where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, topic.id)
    if subscriber_id is not None:
        where.add("s.subscriber_id = ?", subscriber_id)
    listing = Listing(f"subscriptions of topic {topic.id}", _JOINED, _SOURCE, "m.id", where)
    return (await read(scope, listing, query)).map(_subscription)


async def of_subscriber(
    scope: Scope, subscriber_uuid: UUID, query: PageQuery, *, key: str | None = None
) -> Page[TopicSubscription]:
    """A page of a subscriber's subscriptions, or the one to the topic ``key``."""
    where = Where("m.environment_id = ? and m.subscriber_uuid = ?", scope.environment_id, subscriber_uuid)
    if key is not None:
        where.add("t.key = ?", key)
    listing = Listing(f"subscriptions of subscriber {subscriber_uuid}", _JOINED, _SOURCE, "m.id", where)
    return (await read(scope, listing, query)).map(_subscription)


async def subscription(scope: Scope, topic: Topic, identifier: str) -> TopicSubscription | None:
    """The subscription of ``topic`` that is called ``identifier``."""
    where = Where(
        "m.environment_id = ? and m.topic_id = ? and m.identifier = ?", scope.environment_id, topic.id, identifier
    )
    rows = await scope.database.fetch(_select(where), *where.args)
    return _subscription(rows[0]) if rows else None


async def _held(scope: Scope, key: str, name: str | None) -> Topic:
    """The topic, made if it is missing; until the transaction ends nobody else deletes it or adds to it."""
    for _ in range(_TRIES):
        topic, _made = await upsert(scope, key, name)
        if await scope.database.fetch(
            "select id from novukit_topic where environment_id = $1 and id = $2 for update",
            scope.environment_id, topic.id,
        ):  # fmt: skip
            return topic
    raise _restless(key)


async def _known(scope: Scope, subscriber_ids: Sequence[str]) -> dict[str, UUID]:
    """Those of ``subscriber_ids`` that exist; until the transaction ends nobody deletes them."""
    known: dict[str, UUID] = {}
    for chunk in parted(sorted(set(subscriber_ids))):
        rows = await scope.database.fetch(
            "select subscriber_id, id from novukit_subscriber "
            f"where environment_id = $1 and subscriber_id in {in_list(chunk, 2)} order by id for key share",
            scope.environment_id, *chunk,
        )  # fmt: skip
        known |= {row["subscriber_id"]: row["id"] for row in rows}
    return known


async def _members(scope: Scope, topic: Topic, subscriber_ids: Sequence[str]) -> dict[str, tuple[UUID, str | None]]:
    """Those of ``subscriber_ids`` that exist, with the identifier of who is a member already."""
    known = await _known(scope, subscriber_ids)
    identifiers: dict[UUID, str] = {}
    for chunk in parted(list(known.values())):
        rows = await scope.database.fetch(
            "select subscriber_uuid, identifier from novukit_topic_subscription "
            f"where environment_id = $1 and topic_id = $2 and subscriber_uuid in {in_list(chunk, 3)}",
            scope.environment_id, topic.id, *chunk,
        )  # fmt: skip
        identifiers |= {row["subscriber_uuid"]: row["identifier"] for row in rows}
    return {name: (uuid, identifiers.get(uuid)) for name, uuid in known.items()}


async def _taken(scope: Scope, topic: Topic, identifiers: Sequence[str]) -> dict[str, UUID]:
    """Who has each of ``identifiers`` already."""
    taken: dict[str, UUID] = {}
    for chunk in parted(identifiers):
        rows = await scope.database.fetch(
            "select subscriber_uuid, identifier from novukit_topic_subscription "
            f"where environment_id = $1 and topic_id = $2 and identifier in {in_list(chunk, 3)}",
            scope.environment_id, topic.id, *chunk,
        )  # fmt: skip
        taken |= {row["identifier"]: row["subscriber_uuid"] for row in rows}
    return taken


async def _subscriptions(scope: Scope, topic: Topic, uuids: Sequence[UUID]) -> list[TopicSubscription]:
    """The subscriptions of ``uuids`` in their order."""
    found: dict[UUID, TopicSubscription] = {}
    for chunk in parted(uuids):
        where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, topic.id)
        where.among("m.subscriber_uuid", chunk)
        rows = await scope.database.fetch(_select(where), *where.args)
        found |= {row["subscriber_uuid"]: _subscription(row) for row in rows}
    return [found[uuid] for uuid in uuids]


def _select(where: Where) -> str:
    return f"select {_JOINED} from {_SOURCE} where {where} order by m.id"


def _unknown(subscriber_id: str) -> Refused:
    return Refused(subscriber_id, "SUBSCRIBER_NOT_FOUND", f"There is no subscriber {subscriber_id!r}.")


def _restless(key: str) -> Conflict:
    """Somebody else deleted the topic each time that it was made here."""
    return Conflict(f"The topic {key!r} is being created and deleted by others.", hint="Try again in a moment.")


def _topic(row: Row) -> Topic:
    return Topic.model_validate(dict(row))


def _subscription(row: Row) -> TopicSubscription:
    topic = {name: row[f"topic_{name}"] for name in Topic.model_fields}
    mine = {name: row[name] for name in TopicSubscription.model_fields if name != "topic"}
    return TopicSubscription.model_validate({**mine, "topic": topic})
