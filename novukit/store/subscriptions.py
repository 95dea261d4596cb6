"""Subscriptions: the members of topics, each under an identifier, within a context and with preferences of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from ..model import ContextKeys, SubscriptionChoice, Topic, TopicSubscription
from . import topics
from .database import Row, Scope, decode, encode, in_list
from .pages import Listing, Page, PageQuery, parted, read
from .where import Where

Subscription = tuple[str, str | None, str | None]
"""Who is to be subscribed: (subscriber id, identifier, name)."""


_JOINED = (
    "t.id as topic_id, t.key as topic_key, t.name as topic_name, t.created_at as topic_created_at, "
    "t.updated_at as topic_updated_at, s.subscriber_id, s.first_name, s.last_name, s.email, s.avatar, m.id, "
    "m.subscriber_uuid, m.identifier, m.name, m.created_at, m.updated_at, m.context_keys, m.preferences"
)
_SOURCE = (
    "novukit_topic_subscription m join novukit_topic t on t.id = m.topic_id "
    "join novukit_subscriber s on s.id = m.subscriber_uuid"
)


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
        topic = await topics.held(scope, topic_key, topic_name)
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
        outcome.done = await _called(scope, topic, list(rows))
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


async def page(
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


async def get(scope: Scope, topic: Topic, identifier: str) -> TopicSubscription | None:
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
        await topics.hold(scope, topic)
        await scope.database.fetch(
            "update novukit_topic_subscription set name = coalesce($4, name), preferences = coalesce($5, preferences), "
            "updated_at = $6 where environment_id = $1 and topic_id = $2 and identifier = $3",
            scope.environment_id, topic.id, identifier, name,
            None if preferences is None else _encoded(preferences), scope.now(),
        )  # fmt: skip
        return await get(scope, topic, identifier)


async def choose(
    scope: Scope, topic: Topic, identifier: str, choices: Mapping[str, SubscriptionChoice]
) -> TopicSubscription | None:
    """Set what a subscription wants of the workflows in ``choices`` (by id) and leave the others as they are."""
    async with scope.database.transaction():
        await topics.hold(scope, topic)
        found = await get(scope, topic, identifier)
        if found is None:
            return None
        return await change(scope, topic, identifier, preferences={**found.preferences, **choices})


async def owned(scope: Scope, subscriber_uuid: UUID, name: str, key: str | None = None) -> TopicSubscription | None:
    """The subscription of this subscriber with the identifier or the id ``name``; in any topic, or that of ``key``."""
    where = Where("m.environment_id = ? and m.subscriber_uuid = ?", scope.environment_id, subscriber_uuid)
    where.add("(m.identifier = ? or m.id::text = ?)", name, name)
    if key is not None:
        where.add("t.key = ?", key)
    rows = await scope.database.fetch(_select(where), *where.args)
    return _subscription(rows[0]) if rows else None


def _encoded(preferences: Mapping[str, SubscriptionChoice]) -> str:
    return encode({workflow_id: one.model_dump(mode="json") for workflow_id, one in preferences.items()})


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


async def _called(scope: Scope, topic: Topic, identifiers: Sequence[str]) -> list[TopicSubscription]:
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


def _subscription(row: Row) -> TopicSubscription:
    topic = {name: row[f"topic_{name}"] for name in Topic.model_fields}
    mine = {name: row[name] for name in TopicSubscription.model_fields if name != "topic"}
    mine["preferences"] = decode(row["preferences"]) or {}
    return TopicSubscription.model_validate({**mine, "topic": topic})
