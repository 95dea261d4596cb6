"""Topics: made, renamed, listed and deleted; and the subscriptions of their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from ..errors import Conflict
from ..model import ContextKeys, SubscriptionChoice, Topic, TopicSubscription
from .database import Row, Scope, decode, encode, in_list
from .pages import Listing, Page, PageQuery, contains, parted, read
from .where import Where

Subscription = tuple[str, str | None, str | None]
"""Who is to be subscribed: (subscriber id, identifier, name)."""

_COLUMNS = "id, key, name, created_at, updated_at"
_JOINED = (
    "t.id as topic_id, t.key as topic_key, t.name as topic_name, t.created_at as topic_created_at, "
    "t.updated_at as topic_updated_at, s.subscriber_id, s.first_name, s.last_name, s.email, s.avatar, m.id, "
    "m.subscriber_uuid, m.identifier, m.name, m.created_at, m.updated_at, m.context_keys, m.preferences"
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
    code: Literal["SUBSCRIBER_NOT_FOUND", "SUBSCRIPTION_NOT_FOUND", "IDENTIFIER_TAKEN"]
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
    scope: Scope,
    topic_key: str,
    wanted: Sequence[Subscription],
    topic_name: str | None = None,
    *,
    context_keys: ContextKeys = "",
    preferences: Mapping[str, SubscriptionChoice] | None = None,
) -> Subscribed:
    """Subscribe subscribers to a topic, which is made if it is missing.

    A subscriber may have several subscriptions, each under an identifier of its own; one that is there already stays,
    and takes over a name or ``preferences`` that are given. Refused one by one: who does not exist, an identifier that
    another subscriber's subscription has, or one of another context. An ``identifier`` of ``None`` becomes the
    :func:`default_identifier`.
    """
    outcome = Subscribed()
    async with scope.database.transaction():
        topic = await _held(scope, topic_key, topic_name)
        known = await _known(scope, [subscriber_id for subscriber_id, _, _ in wanted])
        named = [
            (who, identifier or default_identifier(topic_key, who, context_keys), name)
            for who, identifier, name in wanted
        ]
        taken = await _taken(scope, topic, [identifier for _, identifier, _ in named])
        rows: dict[str, tuple[UUID, str | None]] = {}
        for subscriber_id, identifier, name in named:
            if (uuid := known.get(subscriber_id)) is None:
                outcome.refused.append(_unknown(subscriber_id))
            elif taken.setdefault(identifier, (uuid, context_keys)) != (uuid, context_keys):
                said = f"Another subscription of topic {topic_key!r} is called {identifier!r}."
                outcome.refused.append(Refused(subscriber_id, "IDENTIFIER_TAKEN", said))
            else:
                rows[identifier] = uuid, name
        now, chosen = scope.now(), None if preferences is None else _encoded(preferences)
        await scope.database.execute_many(
            "insert into novukit_topic_subscription (id, environment_id, topic_id, subscriber_uuid, identifier, name, "
            "created_at, updated_at, context_keys, preferences) values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9) "
            "on conflict (environment_id, topic_id, identifier) do update "
            "set name = coalesce(excluded.name, novukit_topic_subscription.name), "
            "preferences = coalesce(excluded.preferences, novukit_topic_subscription.preferences), "
            "updated_at = excluded.updated_at where excluded.name is not null or excluded.preferences is not null",
            [
                (scope.new_id(), scope.environment_id, topic.id, uuid, identifier, name, now, context_keys, chosen)
                for identifier, (uuid, name) in rows.items()
            ],
        )
        outcome.done = await _subscriptions(scope, topic, list(rows))
    return outcome


def default_identifier(topic_key: str, subscriber_id: str, context_keys: ContextKeys = "") -> str:
    """What a subscription is called when nobody names it, as Novu's clients expect it."""
    return f"tk_{topic_key}:si_{subscriber_id}" + (f":ctx_{context_keys}" if context_keys else "")


async def unsubscribe(scope: Scope, topic: Topic, unwanted: Sequence[tuple[str | None, str | None]]) -> Subscribed:
    """End subscriptions, each named by (subscriber id, identifier) or one of the two; tell what they were.

    A subscriber id alone ends all that the subscriber has to this topic.
    """
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
            fitting = [
                one
                for one in found
                if subscriber_id in (None, one.subscriber_id) and identifier in (None, one.identifier)
            ]
            if fitting:
                gone |= {one.id: one for one in fitting}
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
    scope: Scope,
    topic: Topic,
    query: PageQuery,
    *,
    subscriber_id: str | None = None,
    context_keys: ContextKeys | None = None,
) -> Page[TopicSubscription]:
    """A page of a topic's subscriptions, or of one subscriber's in it; or of those of exactly one context."""
    where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, topic.id)
    if subscriber_id is not None:
        where.add("s.subscriber_id = ?", subscriber_id)
    if context_keys is not None:
        where.add("m.context_keys = ?", context_keys)
    listing = Listing(f"subscriptions of topic {topic.id}", _JOINED, _SOURCE, "m.id", where)
    return (await read(scope, listing, query)).map(_subscription)


async def of_subscriber(
    scope: Scope,
    subscriber_uuid: UUID,
    query: PageQuery,
    *,
    key: str | None = None,
    context_keys: ContextKeys | None = None,
) -> Page[TopicSubscription]:
    """A page of a subscriber's subscriptions, or of those to the topic ``key``; or of exactly one context."""
    where = Where("m.environment_id = ? and m.subscriber_uuid = ?", scope.environment_id, subscriber_uuid)
    if key is not None:
        where.add("t.key = ?", key)
    if context_keys is not None:
        where.add("m.context_keys = ?", context_keys)
    listing = Listing(f"subscriptions of subscriber {subscriber_uuid}", _JOINED, _SOURCE, "m.id", where)
    return (await read(scope, listing, query)).map(_subscription)


async def subscription(scope: Scope, topic: Topic, identifier: str) -> TopicSubscription | None:
    """The subscription of ``topic`` that is called ``identifier``."""
    where = Where(
        "m.environment_id = ? and m.topic_id = ? and m.identifier = ?", scope.environment_id, topic.id, identifier
    )
    rows = await scope.database.fetch(_select(where), *where.args)
    return _subscription(rows[0]) if rows else None


async def change(
    scope: Scope,
    topic: Topic,
    identifier: str,
    *,
    name: str | None = None,
    preferences: Mapping[str, SubscriptionChoice] | None = None,
) -> TopicSubscription | None:
    """Give a subscription another name, other preferences, or both; ``None`` leaves one as it is.

    ``None`` when there is no subscription of ``topic`` that is called ``identifier``.
    """
    async with scope.database.transaction():
        await _hold(scope, topic)
        await scope.database.fetch(
            "update novukit_topic_subscription set name = coalesce($4, name), preferences = coalesce($5, preferences), "
            "updated_at = $6 where environment_id = $1 and topic_id = $2 and identifier = $3",
            scope.environment_id, topic.id, identifier, name,
            None if preferences is None else _encoded(preferences), scope.now(),
        )  # fmt: skip
        return await subscription(scope, topic, identifier)


async def choose(
    scope: Scope, topic: Topic, identifier: str, choices: Mapping[str, SubscriptionChoice]
) -> TopicSubscription | None:
    """Set what a subscription wants of the workflows in ``choices`` (by id) and leave the others as they are."""
    async with scope.database.transaction():
        await _hold(scope, topic)
        found = await subscription(scope, topic, identifier)
        if found is None:
            return None
        return await change(scope, topic, identifier, preferences={**found.preferences, **choices})


async def owned(scope: Scope, subscriber_uuid: UUID, identifier: str) -> TopicSubscription | None:
    """The subscription of this subscriber that is called ``identifier``, in whatever topic it is."""
    where = Where(
        "m.environment_id = ? and m.subscriber_uuid = ? and m.identifier = ?",
        scope.environment_id, subscriber_uuid, identifier,
    )  # fmt: skip
    rows = await scope.database.fetch(_select(where), *where.args)
    return _subscription(rows[0]) if rows else None


def _encoded(preferences: Mapping[str, SubscriptionChoice]) -> str:
    return encode({workflow_id: one.model_dump(mode="json") for workflow_id, one in preferences.items()})


async def _hold(scope: Scope, topic: Topic) -> None:
    """Until the transaction ends nobody else changes the subscriptions of ``topic``, or counts on what they are."""
    await scope.database.fetch(
        "select id from novukit_topic where environment_id = $1 and id = $2 for update", scope.environment_id, topic.id
    )


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


async def _taken(scope: Scope, topic: Topic, identifiers: Sequence[str]) -> dict[str, tuple[UUID, ContextKeys]]:
    """Who has each of ``identifiers`` already, and in which context."""
    taken: dict[str, tuple[UUID, ContextKeys]] = {}
    for chunk in parted(identifiers):
        rows = await scope.database.fetch(
            "select subscriber_uuid, identifier, context_keys from novukit_topic_subscription "
            f"where environment_id = $1 and topic_id = $2 and identifier in {in_list(chunk, 3)}",
            scope.environment_id, topic.id, *chunk,
        )  # fmt: skip
        taken |= {row["identifier"]: (row["subscriber_uuid"], row["context_keys"]) for row in rows}
    return taken


async def _subscriptions(scope: Scope, topic: Topic, identifiers: Sequence[str]) -> list[TopicSubscription]:
    """The subscriptions called ``identifiers``, in their order."""
    found: dict[str, TopicSubscription] = {}
    for chunk in parted(identifiers):
        where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, topic.id)
        where.among("m.identifier", chunk)
        rows = await scope.database.fetch(_select(where), *where.args)
        found |= {row["identifier"]: _subscription(row) for row in rows}
    return [found[identifier] for identifier in identifiers]


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
    mine["preferences"] = decode(row["preferences"]) or {}
    return TopicSubscription.model_validate({**mine, "topic": topic})
