"""Subscribers: created, changed, found and forgotten; and the addresses where providers reach them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ..errors import InvalidInput, Issue
from ..model import ChannelAddress, ChannelEndpoint, StoredSubscriber, Subscriber
from . import endpoints
from .database import Row, Scope, decode, encode, in_list
from .each import each, not_by_index
from .pages import Listing, Page, PageQuery, contains, parted, read
from .where import Where

LARGEST_TOKEN_COUNT = 500
"""Device tokens that one provider may keep for one subscriber."""

_TEXTS = ("first_name", "last_name", "email", "phone", "avatar", "locale", "timezone")
_COLUMNS = f"id, subscriber_id, {', '.join(_TEXTS)}, data, is_online, last_online_at, created_at, updated_at"
_FIELDS = _COLUMNS.split(", ")
_NAME = "(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))"


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of one subscriber of an upsert."""

    id: UUID
    created: bool


@dataclass(frozen=True, slots=True)
class KnownIntegration:
    """What an address may name: an integration, without its secrets."""

    id: UUID
    identifier: str
    provider_id: str


_NAMED = (
    f"select {_COLUMNS} from {each('text')} "
    "join novukit_subscriber s on s.subscriber_id = each.key "
    f"and {not_by_index('s.environment_id = each.environment_id')}"
)


async def look(scope: Scope, named: Iterable[Subscriber]) -> tuple[dict[str, UUID], list[Subscriber]]:
    """The ids of those who are on record, and those of whom something is told that is not."""
    wanted = _merged(named)
    if not wanted:
        return {}, []
    rows = await scope.database.fetch_hot(_NAMED, scope.environment_id, list(wanted))
    known = {row["subscriber_id"]: row for row in rows}
    news = [s for name, s in wanted.items() if name not in known or _differs(s, known[name])]
    return {name: row["id"] for name, row in known.items()}, news


async def upsert_many(scope: Scope, subscribers: Iterable[Subscriber]) -> dict[str, UUID]:
    """Create who is missing, update what is given and differs, and return everyone's id by subscriber id.

    A field that is ``None`` stays as it is. Rows are locked in the order of their subscriber ids, so that concurrent
    calls wait for each other rather than deadlock.
    """
    return {name: done.id for name, done in (await upsert_each(scope, subscribers)).items()}


async def upsert_each(scope: Scope, subscribers: Iterable[Subscriber]) -> dict[str, Upserted]:
    """As :func:`upsert_many`, and tell who was created. Who comes twice counts once; the later fields win."""
    wanted, done = _merged(subscribers), dict[str, Upserted]()
    for chunk in parted([wanted[name] for name in sorted(wanted)]):
        known, news = await look(scope, chunk)
        done |= {name: Upserted(uuid, created=False) for name, uuid in known.items()}
        # Most calls come from triggers that tell nothing new: they must not write, nor wait for each other.
        if news:
            done |= await _write(scope, news)
    return done


def _merged(subscribers: Iterable[Subscriber]) -> dict[str, Subscriber]:
    """Everyone once, with the later fields."""
    wanted: dict[str, Subscriber] = {}
    for subscriber in subscribers:
        earlier = wanted.get(subscriber.subscriber_id)
        wanted[subscriber.subscriber_id] = (
            earlier.model_copy(update=subscriber.model_dump(exclude_none=True)) if earlier else subscriber
        )
    return wanted


async def create(scope: Scope, subscriber: Subscriber) -> StoredSubscriber | None:
    """Create a subscriber; ``None`` when there is one of this subscriber id, which then stays as it is."""
    args, values = _values(scope, [subscriber])
    rows = await scope.database.fetch(
        f"insert into novukit_subscriber {_INSERTED} values {values} "
        f"on conflict (environment_id, subscriber_id) do nothing returning {_COLUMNS}",
        *args,
    )
    return stored(rows[0]) if rows else None


async def patch(
    scope: Scope, subscriber_id: str, changes: Mapping[str, Any], *, unchanged_since: datetime | None = None
) -> StoredSubscriber | None:
    """Set the profile fields named in ``changes`` (``None`` clears); ``None`` when there is no such subscriber.

    With ``unchanged_since`` (an ``updated_at``) also ``None`` when the subscriber was changed at any other time.
    """
    if unknown := changes.keys() - {*_TEXTS, "data"}:
        raise ValueError(f"not profile fields: {sorted(unknown)}")
    if not changes:
        return await get(scope, subscriber_id)
    where = Where("environment_id = ? and subscriber_id = ?", scope.environment_id, subscriber_id)
    if unchanged_since is not None:
        where.add("updated_at = ?", unchanged_since)
    values = {field: encode(value or {}) if field == "data" else value for field, value in changes.items()}
    sets = [f"{field} = {where.mark(value)}" for field, value in {**values, "updated_at": scope.now()}.items()]
    rows = await scope.database.fetch(
        f"update novukit_subscriber set {', '.join(sets)} where {where} returning id", *where.args
    )
    return await get(scope, subscriber_id) if rows else None


async def set_online(scope: Scope, subscriber_id: str, online: bool) -> StoredSubscriber | None:
    """Note that a subscriber came online or went offline, and when they were last there."""
    now = scope.now()
    rows = await scope.database.fetch(
        "update novukit_subscriber set is_online = $3, updated_at = $4, "
        "last_online_at = case when $3 then last_online_at else $4 end "
        "where environment_id = $1 and subscriber_id = $2 returning id",
        scope.environment_id, subscriber_id, online, now,
    )  # fmt: skip
    return await get(scope, subscriber_id) if rows else None


async def get(scope: Scope, subscriber_id: str) -> StoredSubscriber | None:
    """The subscriber that the caller knows under ``subscriber_id``, with addresses."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_subscriber where environment_id = $1 and subscriber_id = $2",
        scope.environment_id, subscriber_id,
    )  # fmt: skip
    return (await _with_addresses(scope, rows))[0] if rows else None


async def by_uuids(scope: Scope, uuids: Collection[UUID]) -> dict[UUID, StoredSubscriber]:
    """Those of ``uuids`` that are subscribers of this environment, with addresses and endpoints.

    A second query if any has an address, a third if any has an endpoint.
    """
    if not uuids:
        return {}
    has = "exists (select 1 from novukit_{0} c where c.environment_id = $1 and c.subscriber_uuid = s.id) as {0}"
    rows = await scope.database.fetch_hot(
        f"select {_COLUMNS}, {has.format('subscriber_channel')}, {has.format('channel_endpoint')} "
        f"from {each('uuid')} join novukit_subscriber s on s.id = each.key "
        f"and {not_by_index('s.environment_id = each.environment_id')}",
        scope.environment_id, list(uuids),
    )  # fmt: skip
    reachable = [row["id"] for row in rows if row["subscriber_channel"]]
    found = await addresses(scope, reachable) if reachable else {}
    reached = [row["id"] for row in rows if row["channel_endpoint"]]
    places = await endpoints.of_subscribers(scope, reached) if reached else {}
    return {row["id"]: stored(row, tuple(found.get(row["id"], ())), places.get(row["id"], ())) for row in rows}


async def page(
    scope: Scope,
    query: PageQuery,
    *,
    subscriber_id: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    name: str | None = None,
) -> Page[StoredSubscriber]:
    """A page of subscribers; ``name`` finds a part of «first last», the other filters are exact. All mind the case."""
    where = Where("environment_id = ?", scope.environment_id)
    for column, value in (("subscriber_id", subscriber_id), ("email", email), ("phone", phone)):
        if value is not None:
            where.add(f"{column} = ?", value)
    if name:
        where.add(contains(_NAME), name)
    listing = Listing("subscribers", _COLUMNS, "novukit_subscriber", "id", where)
    found = await read(scope, listing, query)
    return found.of(await _with_addresses(scope, found.data))


async def delete(scope: Scope, subscriber_id: str) -> bool:
    """Forget a subscriber with addresses, preferences, subscriptions and messages; ``False`` when there is none."""
    async with scope.database.transaction():
        rows = await scope.database.fetch(
            "delete from novukit_subscriber where environment_id = $1 and subscriber_id = $2 returning id",
            scope.environment_id, subscriber_id,
        )  # fmt: skip
        for row in rows:
            await scope.database.fetch(
                "delete from novukit_message where environment_id = $1 and subscriber_uuid = $2",
                scope.environment_id, row["id"],
            )  # fmt: skip
    return bool(rows)


# Addresses


async def addresses(scope: Scope, uuids: Collection[UUID]) -> dict[UUID, list[ChannelAddress]]:
    """Where providers reach several subscribers, by their own ids; who has no address is not in the answer."""
    found: dict[UUID, list[ChannelAddress]] = {}
    for row in await scope.database.fetch_hot(
        "select subscriber_uuid, provider_id, integration_identifier, device_tokens, webhook_url, channel "
        f"from {each('uuid')} join novukit_subscriber_channel c on c.environment_id = each.environment_id "
        "and c.subscriber_uuid = each.key order by id",
        scope.environment_id, list(uuids),
    ):  # fmt: skip
        found.setdefault(row["subscriber_uuid"], []).append(
            ChannelAddress(
                provider_id=row["provider_id"],
                integration_identifier=row["integration_identifier"] or None,
                device_tokens=tuple(decode(row["device_tokens"])),
                webhook_url=row["webhook_url"],
                channel=row["channel"],
            )
        )
    return found


async def set_address(scope: Scope, subscriber_id: str, address: ChannelAddress) -> StoredSubscriber | None:
    """Make ``address`` the subscriber's one for its provider and integration, in place of what was there.

    ``None`` when there is no such subscriber. Raises :class:`InvalidInput` above 500 tokens.
    """
    return await _put_address(scope, subscriber_id, address, append=False)


async def append_address(scope: Scope, subscriber_id: str, address: ChannelAddress) -> StoredSubscriber | None:
    """Add the device tokens of ``address`` to those on record; a webhook or channel that is given replaces.

    ``None`` when there is no such subscriber. Raises :class:`InvalidInput` above 500 tokens.
    """
    return await _put_address(scope, subscriber_id, address, append=True)


async def delete_addresses(scope: Scope, subscriber_id: str, provider_id: str) -> bool | None:
    """Forget where ``provider_id`` reaches the subscriber.

    ``False`` when nothing was on record, ``None`` when there is no such subscriber.
    """
    async with scope.database.transaction():
        subscriber_uuid = await _touch(scope, subscriber_id)
        if subscriber_uuid is None:
            return None
        rows = await scope.database.fetch(
            "delete from novukit_subscriber_channel "
            "where environment_id = $1 and subscriber_uuid = $2 and provider_id = $3 returning id",
            scope.environment_id, subscriber_uuid, provider_id,
        )  # fmt: skip
    return bool(rows)


async def topics_of(scope: Scope, uuids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The keys of the topics that several subscribers are members of; who is in none is not in the answer."""
    found: dict[UUID, list[str]] = {}
    for row in await scope.database.fetch_hot(
        "select distinct m.subscriber_uuid, t.key from novukit_topic_subscription m "
        "join novukit_topic t on t.id = m.topic_id "
        "where m.environment_id = $1 and m.subscriber_uuid = any($2::uuid[]) order by t.key",
        scope.environment_id, list(uuids),
    ):  # fmt: skip
        found.setdefault(row["subscriber_uuid"], []).append(row["key"])
    return found


async def known_integrations(scope: Scope) -> list[KnownIntegration]:
    """The environment's integrations, primary ones first, then the oldest."""
    rows = await scope.database.fetch(
        "select id, identifier, provider_id from novukit_integration where environment_id = $1 "
        "order by is_primary desc, id",
        scope.environment_id,
    )
    return [KnownIntegration(**row) for row in rows]


async def _put_address(
    scope: Scope, subscriber_id: str, address: ChannelAddress, *, append: bool
) -> StoredSubscriber | None:
    async with scope.database.transaction():
        subscriber_uuid = await _touch(scope, subscriber_id)
        if subscriber_uuid is None:
            return None
        where = (scope.environment_id, subscriber_uuid, address.provider_id, address.integration_identifier or "")
        now = scope.now()
        await scope.database.fetch(
            "insert into novukit_subscriber_channel (environment_id, subscriber_uuid, provider_id, "
            "integration_identifier, id, device_tokens, created_at, updated_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $7) "
            "on conflict (environment_id, subscriber_uuid, provider_id, integration_identifier) do nothing",
            *where, scope.new_id(), "[]", now,
        )  # fmt: skip
        rows = await scope.database.fetch(
            "select id, device_tokens, webhook_url, channel from novukit_subscriber_channel where environment_id = $1 "
            "and subscriber_uuid = $2 and provider_id = $3 and integration_identifier = $4 for update",
            *where,
        )
        tokens, webhook, channel = address.device_tokens, address.webhook_url, address.channel
        if append:
            tokens = (*decode(rows[0]["device_tokens"]), *tokens)
            webhook, channel = webhook or rows[0]["webhook_url"], channel or rows[0]["channel"]
        tokens = tuple(dict.fromkeys(tokens))
        _refuse_many(tokens)
        await scope.database.fetch(
            "update novukit_subscriber_channel "
            "set device_tokens = $3, webhook_url = $4, channel = $5, updated_at = $6, registered_at = $6 "
            "where environment_id = $1 and id = $2",
            scope.environment_id, rows[0]["id"], encode(list(tokens)), webhook, channel, now,
        )  # fmt: skip
    return await get(scope, subscriber_id)


def _refuse_many(tokens: Sequence[str]) -> None:
    if len(tokens) > LARGEST_TOKEN_COUNT:
        message = f"A subscriber keeps at most {LARGEST_TOKEN_COUNT} device tokens for a provider, not {len(tokens)}."
        hint = "Replace the list with the tokens that are still in use."
        raise InvalidInput(message, hint=hint, issues=[Issue("/credentials/deviceTokens", "too_many", message, hint)])


async def _touch(scope: Scope, subscriber_id: str) -> UUID | None:
    """Mark the subscriber as changed. Until the transaction ends, nobody else can change or delete them."""
    rows = await scope.database.fetch(
        "update novukit_subscriber set updated_at = $3 where environment_id = $1 and subscriber_id = $2 returning id",
        scope.environment_id, subscriber_id, scope.now(),
    )  # fmt: skip
    return rows[0]["id"] if rows else None


# Rows

_INSERTED = f"(environment_id, created_at, updated_at, id, subscriber_id, {', '.join(_TEXTS)}, data)"


def _values(scope: Scope, subscribers: Sequence[Subscriber]) -> tuple[list[Any], str]:
    """The arguments of an insert and its ``values`` list."""
    args: list[Any] = [scope.environment_id, scope.now()]
    lines: list[str] = []
    for s in subscribers:
        row = [scope.new_id(), s.subscriber_id, *(getattr(s, text) for text in _TEXTS), encode(s.data or {})]
        lines.append(f"($1, $2, $2, {in_list(row, len(args) + 1)[1:]}")
        args += row
    return args, ", ".join(lines)


async def _write(scope: Scope, subscribers: Sequence[Subscriber]) -> dict[str, Upserted]:
    args, values = _values(scope, subscribers)
    sets = [f"{text} = coalesce(excluded.{text}, novukit_subscriber.{text})" for text in _TEXTS]
    if telling := [s.subscriber_id for s in subscribers if s.data is not None]:
        sets.append(
            f"data = case when excluded.subscriber_id in {in_list(telling, len(args) + 1)} "
            "then excluded.data else novukit_subscriber.data end"
        )
    rows = await scope.database.fetch(
        f"insert into novukit_subscriber {_INSERTED} values {values} on conflict (environment_id, subscriber_id) "
        f"do update set updated_at = excluded.updated_at, {', '.join(sets)} returning id, subscriber_id",
        *args, *telling,
    )  # fmt: skip
    ours = {arg for arg in args if isinstance(arg, UUID)}
    return {row["subscriber_id"]: Upserted(row["id"], created=row["id"] in ours) for row in rows}


def _differs(subscriber: Subscriber, row: Row) -> bool:
    """Whether ``subscriber`` tells anything that is not on record."""
    return any((told := getattr(subscriber, text)) is not None and told != row[text] for text in _TEXTS) or (
        subscriber.data is not None and subscriber.data != decode(row["data"])
    )


async def _with_addresses(scope: Scope, rows: Sequence[Row]) -> list[StoredSubscriber]:
    if not rows:
        return []
    found = await addresses(scope, [row["id"] for row in rows])
    return [stored(row, tuple(found.get(row["id"], ()))) for row in rows]


def stored(
    row: Row, addresses: tuple[ChannelAddress, ...] = (), endpoints: tuple[ChannelEndpoint, ...] = ()
) -> StoredSubscriber:
    values = {name: row[name] for name in _FIELDS}
    values |= {"data": decode(row["data"]), "addresses": addresses, "endpoints": endpoints}
    return StoredSubscriber.model_validate(values)
