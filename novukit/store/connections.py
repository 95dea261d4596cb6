"""Channel connections: workspaces that have let an integration's app in; their tokens are sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..model import Channel, ChannelConnection, ConnectionAuth
from .database import Row, Scope, decode, encode
from .pages import Listing, Page, PageQuery, read
from .secrets import CONNECTION, KeyRing
from .where import Where

_COLUMNS = (
    "c.id, c.environment_id, c.identifier, c.integration_id, i.identifier as integration_identifier, i.provider_id, "
    "i.channel, s.subscriber_id, c.context_keys, c.workspace, c.auth, c.created_at, c.updated_at"
)
_SOURCE = (
    "novukit_channel_connection c join novukit_integration i on i.id = c.integration_id "
    "left join novukit_subscriber s on s.id = c.subscriber_uuid"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which connections or endpoints are meant; a field left out asks for nothing. ``shared``: of nobody alone."""

    subscriber_id: str | None = None
    channel: Channel | None = None
    provider_ids: Sequence[str] | None = None
    integration_identifier: str | None = None
    context_keys: str | None = None
    shared: bool | None = None
    connection_identifier: str | None = None

    def where(self, scope: Scope) -> Where:
        """The conditions; ``c`` is the thing itself, ``i`` its integration, ``s`` its subscriber."""
        where = Where("c.environment_id = ?", scope.environment_id)
        for column, value in (
            ("s.subscriber_id", self.subscriber_id),
            ("i.channel", self.channel),
            ("i.identifier", self.integration_identifier),
            ("c.context_keys", self.context_keys),
        ):
            if value is not None:
                where.add(f"{column} = ?", value)
        if self.provider_ids is not None:
            where.among("i.provider_id", self.provider_ids)
            if not self.provider_ids:
                where.add("1 = 0")
        if self.shared is not None:
            where.add(f"c.subscriber_uuid is {'' if self.shared else 'not '}null")
        return where


EVERY = Filter()


async def create(
    scope: Scope,
    ring: KeyRing,
    *,
    identifier: str | None,
    integration_id: UUID,
    subscriber_uuid: UUID | None,
    context_keys: str,
    workspace: Mapping[str, Any],
    auth: ConnectionAuth,
) -> ChannelConnection | None:
    """Keep a connection; ``None`` when the identifier is taken. Without one it is given one."""
    new, now = scope.new_id(), scope.now()
    name = identifier or f"connection-{new.hex[-12:]}"
    rows = await scope.database.fetch(
        "insert into novukit_channel_connection (id, environment_id, identifier, integration_id, subscriber_uuid, "
        "context_keys, workspace, auth, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) "
        "on conflict (environment_id, identifier) do nothing returning id",
        new, scope.environment_id, name, integration_id, subscriber_uuid, context_keys, encode(dict(workspace)),
        _seal(scope, ring, new, auth), now,
    )  # fmt: skip
    return await get(scope, ring, name) if rows else None


async def get(
    scope: Scope, ring: KeyRing, identifier: str, *, subscriber_id: str | None = None
) -> ChannelConnection | None:
    """The connection of this identifier; with ``subscriber_id`` only if it is theirs."""
    where = Filter(subscriber_id=subscriber_id).where(scope)
    where.add("c.identifier = ?", identifier)
    rows = await scope.database.fetch(f"select {_COLUMNS} from {_SOURCE} where {where}", *where.args)
    return _connection(rows[0], ring) if rows else None


async def page(
    scope: Scope, ring: KeyRing, query: PageQuery, filters: Filter = EVERY
) -> Page[ChannelConnection]:  # fmt: skip
    """A page of connections."""
    listing = Listing("channel connections", _COLUMNS, _SOURCE, "c.id", filters.where(scope))
    return (await read(scope, listing, query)).map(lambda row: _connection(row, ring))


async def update(
    scope: Scope, ring: KeyRing, identifier: str, *, workspace: Mapping[str, Any], auth: ConnectionAuth
) -> ChannelConnection | None:
    """Give a connection another workspace and token; ``None`` when there is none of this identifier."""
    async with scope.database.transaction():
        rows = await scope.database.fetch(
            "select id from novukit_channel_connection where environment_id = $1 and identifier = $2 for update",
            scope.environment_id, identifier,
        )  # fmt: skip
        for row in rows:
            await scope.database.fetch(
                "update novukit_channel_connection set workspace = $3, auth = $4, updated_at = $5 "
                "where environment_id = $1 and id = $2",
                scope.environment_id, row["id"], encode(dict(workspace)), _seal(scope, ring, row["id"], auth),
                scope.now(),
            )  # fmt: skip
    return await get(scope, ring, identifier)


async def delete(scope: Scope, identifier: str, *, subscriber_id: str | None = None) -> bool:
    """Forget a connection, and the endpoints that are reached through it; ``False`` when there is none.

    With ``subscriber_id`` only one that is theirs.
    """
    return await remove(scope, "novukit_channel_connection", identifier, subscriber_id)


async def remove(scope: Scope, table: str, identifier: str, subscriber_id: str | None) -> bool:
    """Delete the row of ``table`` that has this identifier; with ``subscriber_id`` only if it is theirs."""
    where = Where("environment_id = ? and identifier = ?", scope.environment_id, identifier)
    if subscriber_id is not None:
        where.add(
            "subscriber_uuid in (select id from novukit_subscriber where environment_id = ? and subscriber_id = ?)",
            scope.environment_id, subscriber_id,
        )  # fmt: skip
    return bool(await scope.database.fetch(f"delete from {table} where {where} returning id", *where.args))


async def token(scope: Scope, ring: KeyRing, id: UUID) -> str | None:
    """The access token of a connection, to send with; ``None`` when the connection is gone."""
    rows = await scope.database.fetch_hot(
        "select id, environment_id, auth from novukit_channel_connection where environment_id = $1 and id = $2",
        scope.environment_id, id,
    )  # fmt: skip
    return _auth(rows[0], ring).access_token if rows else None


def _seal(scope: Scope, ring: KeyRing, id: UUID, auth: ConnectionAuth) -> str:
    return ring.seal(auth.model_dump_json(exclude_none=True), CONNECTION, str(scope.environment_id), str(id))


def _auth(row: Row, ring: KeyRing) -> ConnectionAuth:
    return ConnectionAuth.model_validate_json(
        ring.open(row["auth"], CONNECTION, str(row["environment_id"]), str(row["id"]))
    )


def _connection(row: Row, ring: KeyRing) -> ChannelConnection:
    fields = {name: row[name] for name in ChannelConnection.model_fields}
    return ChannelConnection(**fields | {"workspace": decode(row["workspace"]), "auth": _auth(row, ring)})
