"""Channel endpoints: the places where integrations reach subscribers, several for one if need be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from ..model import ChannelEndpoint, EndpointType
from .connections import EVERY, Filter, remove
from .database import Row, Scope, decode, encode
from .each import each
from .pages import Listing, Page, PageQuery, read

_COLUMNS = (
    "c.id, c.identifier, c.integration_id, i.identifier as integration_identifier, i.provider_id, i.channel, "
    "c.connection_id, k.identifier as connection_identifier, s.subscriber_id, c.context_keys, c.type, c.endpoint, "
    "c.created_at, c.updated_at"
)
_SOURCE = (
    "novukit_channel_endpoint c join novukit_integration i on i.id = c.integration_id "
    "join novukit_subscriber s on s.id = c.subscriber_uuid "
    "left join novukit_channel_connection k on k.id = c.connection_id"
)


async def create(
    scope: Scope,
    *,
    identifier: str | None,
    integration_id: UUID,
    connection_id: UUID | None,
    subscriber_uuid: UUID,
    context_keys: str,
    type: EndpointType,
    endpoint: Mapping[str, Any],
) -> ChannelEndpoint | None:
    """Keep an endpoint; ``None`` when the identifier is taken. Without one it is given one."""
    new, now = scope.new_id(), scope.now()
    name = identifier or f"endpoint-{new.hex[-12:]}"
    rows = await scope.database.fetch(
        "insert into novukit_channel_endpoint (id, environment_id, identifier, integration_id, connection_id, "
        "subscriber_uuid, context_keys, type, endpoint, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) "
        "on conflict (environment_id, identifier) do nothing returning id",
        new, scope.environment_id, name, integration_id, connection_id, subscriber_uuid, context_keys, type,
        encode(dict(endpoint)), now,
    )  # fmt: skip
    return await get(scope, name) if rows else None


async def get(scope: Scope, identifier: str, *, subscriber_id: str | None = None) -> ChannelEndpoint | None:
    """The endpoint of this identifier; with ``subscriber_id`` only if it is theirs."""
    where = Filter(subscriber_id=subscriber_id).where(scope)
    where.add("c.identifier = ?", identifier)
    rows = await scope.database.fetch(f"select {_COLUMNS} from {_SOURCE} where {where}", *where.args)
    return _endpoint(rows[0]) if rows else None


async def page(scope: Scope, query: PageQuery, filters: Filter = EVERY) -> Page[ChannelEndpoint]:
    """A page of endpoints."""
    where = filters.where(scope)
    if filters.connection_identifier is not None:
        where.add("k.identifier = ?", filters.connection_identifier)
    listing = Listing("channel endpoints", _COLUMNS, _SOURCE, "c.id", where)
    return (await read(scope, listing, query)).map(_endpoint)


async def update(scope: Scope, identifier: str, endpoint: Mapping[str, Any]) -> ChannelEndpoint | None:
    """Let an endpoint of the same type lead elsewhere; ``None`` when there is none of this identifier."""
    await scope.database.fetch(
        "update novukit_channel_endpoint set endpoint = $3, updated_at = $4 "
        "where environment_id = $1 and identifier = $2",
        scope.environment_id, identifier, encode(dict(endpoint)), scope.now(),
    )  # fmt: skip
    return await get(scope, identifier)


async def delete(scope: Scope, identifier: str, *, subscriber_id: str | None = None) -> bool:
    """Forget an endpoint; ``False`` when there is none. With ``subscriber_id`` only one that is theirs."""
    return await remove(scope, "novukit_channel_endpoint", identifier, subscriber_id)


async def of_subscribers(scope: Scope, uuids: Collection[UUID]) -> dict[UUID, tuple[ChannelEndpoint, ...]]:
    """The endpoints of several subscribers by their own ids, oldest first; who has none is not in the answer."""
    found: dict[UUID, list[ChannelEndpoint]] = {}
    for row in await scope.database.fetch_hot(
        f"select {_COLUMNS}, c.subscriber_uuid from {each('uuid')}, {_SOURCE} "
        "where c.environment_id = each.environment_id and c.subscriber_uuid = each.key order by c.id",
        scope.environment_id, list(uuids),
    ):  # fmt: skip
        found.setdefault(row["subscriber_uuid"], []).append(_endpoint(row))
    return {who: tuple(those) for who, those in found.items()}


def _endpoint(row: Row) -> ChannelEndpoint:
    fields = {name: row[name] for name in ChannelEndpoint.model_fields}
    return ChannelEndpoint(**fields | {"endpoint": decode(row["endpoint"])})
