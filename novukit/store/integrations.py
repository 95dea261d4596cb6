"""Integrations: providers with their credentials, which are sealed; at most one primary per channel."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from ..errors import InvalidInput, Issue, NotFound, SecretMissing, did_you_mean
from ..model import Channel, Integration, Routing
from ..settings import IntegrationSettings
from .database import Database, Row, Scope, decode, encode, in_list
from .secrets import CREDENTIALS, KeyRing

_COLUMNS = (
    "id, environment_id, identifier, name, provider_id, channel, active, is_primary, concurrency, credentials, "
    "conditions, created_at, updated_at, routing"
)
Stamp = frozenset[tuple[UUID, datetime]]


class Described(Protocol):
    """What the store needs to know of a provider: its own id, and its channel."""

    id: str
    channel: Channel


async def create(
    scope: Scope,
    ring: KeyRing,
    *,
    provider_id: str,
    channel: Channel,
    credentials: Mapping[str, Any],
    identifier: str | None = None,
    name: str | None = None,
    active: bool = True,
    primary: bool = False,
    concurrency: int | None = None,
    conditions: Sequence[Mapping[str, Any]] = (),
    routing: Routing | None = None,
) -> Integration:
    """Add an integration. The first active one of its channel becomes the primary one, as does one told to.

    Without an ``identifier`` it is given one. Raises :class:`InvalidInput` when the identifier is taken.
    """
    async with scope.database.transaction():
        now = await _tick(scope)
        made = Integration(
            id=scope.new_id(),
            environment_id=scope.environment_id,
            identifier=identifier or _identifier_for(provider_id),
            name=name or provider_id,
            provider_id=provider_id,
            channel=channel,
            active=active,
            primary=False,
            concurrency=concurrency or None,
            credentials=dict(credentials),
            conditions=[dict(condition) for condition in conditions],
            routing=routing or Routing(),
            created_at=now,
            updated_at=now,
        )
        await _refuse_taken(scope, made.id, made.identifier)
        await scope.database.fetch(
            f"insert into novukit_integration ({_COLUMNS}) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            made.id, made.environment_id, made.identifier, made.name, made.provider_id, made.channel, made.active,
            made.primary, made.concurrency, _seal(ring, made), encode(made.conditions), now, now,
            _routing(made),
        )  # fmt: skip
        await _settle_primary(scope, channel, now, wanted=made.id if primary and active else None)
        return await get(scope, ring, made.id)


async def update(
    scope: Scope,
    ring: KeyRing,
    integration_id: UUID,
    *,
    identifier: str | None = None,
    name: str | None = None,
    active: bool | None = None,
    concurrency: int | None = None,
    credentials: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, Any]] | None = None,
    routing: Routing | None = None,
) -> Integration:
    """Change what is given; ``credentials`` replace the old ones as a whole, a ``concurrency`` of 0 unsets it.

    A primary one that is made inactive passes its place on. Raises :class:`NotFound`, :class:`InvalidInput` when the
    identifier is taken.
    """
    async with scope.database.transaction():
        now = await _tick(scope)
        old = await get(scope, ring, integration_id)
        changes = {
            "identifier": identifier,
            "name": name,
            "active": active,
            "credentials": dict(credentials) if credentials is not None else None,
            "conditions": [dict(condition) for condition in conditions] if conditions is not None else None,
            "routing": routing,
        }
        new = old.model_copy(update={key: value for key, value in changes.items() if value is not None})
        if concurrency is not None:
            new = new.model_copy(update={"concurrency": concurrency or None})
        await _refuse_taken(scope, new.id, new.identifier)
        await _write(scope, ring, new, now)
        await _settle_primary(scope, new.channel, now)
        return await get(scope, ring, new.id)


async def delete(scope: Scope, integration_id: UUID) -> None:
    """Remove an integration with its credentials; a primary one passes its place on. Raises :class:`NotFound`."""
    async with scope.database.transaction():
        now = await _tick(scope)
        rows = await scope.database.fetch(
            "delete from novukit_integration where environment_id = $1 and id = $2 returning channel",
            scope.environment_id, integration_id,
        )  # fmt: skip
        if not rows:
            raise _missing()
        await scope.database.fetch(
            "delete from novukit_pace where environment_id = $1 and integration_id = $2",
            scope.environment_id, integration_id,
        )  # fmt: skip
        await _settle_primary(scope, rows[0]["channel"], now)


async def set_primary(scope: Scope, ring: KeyRing, integration_id: UUID) -> Integration:
    """Make it the one that its channel uses. Raises :class:`NotFound`, :class:`InvalidInput` when it is not active."""
    async with scope.database.transaction():
        now = await _tick(scope)
        chosen = await get(scope, ring, integration_id)
        if not chosen.active:
            raise InvalidInput(
                f"The integration {chosen.identifier!r} is not active, so it cannot be the primary one.",
                hint="Activate it first.",
            )
        if not chosen.primary:
            await _settle_primary(scope, chosen.channel, now, wanted=chosen.id)
        return await get(scope, ring, integration_id)


async def list_all(scope: Scope, ring: KeyRing) -> list[Integration]:
    """The environment's integrations, oldest first."""
    return await _select(scope, ring)


async def active(scope: Scope, ring: KeyRing) -> list[Integration]:
    """Those that are in use, oldest first."""
    return await _select(scope, ring, "active = $2", True)


async def get(scope: Scope, ring: KeyRing, integration_id: UUID) -> Integration:
    """The integration of this id. Raises :class:`NotFound`."""
    if found := await _select(scope, ring, "id = $2", integration_id):
        return found[0]
    raise _missing()


async def by_identifier(scope: Scope, ring: KeyRing, identifier: str) -> Integration:
    """The integration of this identifier. Raises :class:`NotFound` with the closest one that there is."""
    if found := await _select(scope, ring, "identifier = $2", identifier):
        return found[0]
    rows = await scope.database.fetch(
        "select identifier from novukit_integration where environment_id = $1", scope.environment_id
    )
    raise NotFound(
        f"There is no integration {identifier[:64]!r} in this environment.",
        hint=did_you_mean(identifier, [row["identifier"] for row in rows]),
    )


async def stamps(database: Database, environments: Collection[UUID]) -> dict[UUID, tuple[str, Stamp, int]]:
    """The slug of each environment, a stamp that is another one after any change of its integrations, and a number
    that is another one after any change of its catalogue."""
    if not environments:
        return {}
    rows = await database.fetch(
        "select e.id as environment_id, e.slug as slug, e.catalogue as catalogue, i.id as id, "
        "i.updated_at as updated_at "
        "from novukit_environment e left join novukit_integration i on i.environment_id = e.id "
        f"where e.id in {in_list(list(environments))}",
        *environments,
    )
    found: dict[UUID, tuple[str, int, set[tuple[UUID, datetime]]]] = {}
    for row in rows:
        _, _, seen = found.setdefault(row["environment_id"], (row["slug"], row["catalogue"], set()))
        if row["id"] is not None:
            seen.add((row["id"], row["updated_at"]))
    return {environment: (slug, frozenset(seen), number) for environment, (slug, number, seen) in found.items()}


async def sync_settings(
    scope: Scope, ring: KeyRing, declared: Sequence[IntegrationSettings], find: Callable[[str], Described]
) -> list[SecretMissing]:
    """Make the integrations that ``novukit.toml`` declares what it says, and leave all others as they are.

    ``find`` gives the provider of an id, as ``PluginHost.get`` does. An integration whose secrets are not set stays as
    it was; what is missing is returned. Doing it again changes nothing.
    """
    missing: list[SecretMissing] = []
    for one in declared:
        try:
            credentials = one.resolved()
        except SecretMissing as err:
            missing.append(err)
            continue
        await _declare(scope, ring, one, credentials, find(one.provider))
    return missing


async def _declare(
    scope: Scope, ring: KeyRing, one: IntegrationSettings, credentials: dict[str, Any], provider: Described
) -> None:
    async with scope.database.transaction():
        now = await _tick(scope)
        stored = await _select(scope, ring, "identifier = $2", one.identifier)
        if not stored:
            await create(
                scope, ring, provider_id=provider.id, channel=provider.channel, credentials=credentials,
                identifier=one.identifier, name=one.name, active=one.active, primary=bool(one.primary),
                concurrency=one.concurrency, routing=one.routing,
            )  # fmt: skip
            return
        old = stored[0]
        new = old.model_copy(
            update={
                "provider_id": provider.id, "channel": provider.channel, "credentials": credentials,
                "active": one.active, "name": one.name or old.name, "concurrency": one.concurrency,
                "routing": one.routing,
            }
        )  # fmt: skip
        if new != old:
            # A primary that goes to another channel must not meet that channel's own.
            await _write(
                scope, ring, new.model_copy(update={"primary": old.primary and new.channel == old.channel}), now
            )
            await _settle_primary(scope, old.channel, now)
        wanted = new.id if one.primary and one.active and not (old.primary and new == old) else None
        await _settle_primary(scope, new.channel, now, wanted=wanted)


async def _tick(scope: Scope) -> datetime:
    """Let nobody else write this environment's integrations, and give a time that none of them bears yet.

    Without the second, two changes within one tick of the clock would have the same stamp.
    """
    await scope.database.lock(f"integrations {scope.environment_id}")
    rows = await scope.database.fetch(
        "select updated_at from novukit_integration where environment_id = $1 order by updated_at desc limit 1",
        scope.environment_id,
    )
    now = scope.now()
    return max(now, rows[0]["updated_at"] + timedelta(microseconds=1)) if rows else now


async def _settle_primary(scope: Scope, channel: str, now: datetime, *, wanted: UUID | None = None) -> None:
    """Make the channel's primary ``wanted``, else leave it while it is active, else take the oldest active one."""
    rows = await scope.database.fetch(
        "select id, active, is_primary from novukit_integration where environment_id = $1 and channel = $2 order by id",
        scope.environment_id, channel,
    )  # fmt: skip
    usable = [row["id"] for row in rows if row["active"]]
    standing = [row["id"] for row in rows if row["is_primary"]]
    heir = wanted or next((one for one in standing if one in usable), None) or next(iter(usable), None)
    for one in standing:
        if one != heir:
            await _mark_primary(scope, one, False, now)
    if heir is not None and heir not in standing:
        await _mark_primary(scope, heir, True, now)


async def _mark_primary(scope: Scope, integration_id: UUID, primary: bool, now: datetime) -> None:
    await scope.database.fetch(
        "update novukit_integration set is_primary = $3, updated_at = $4 where environment_id = $1 and id = $2",
        scope.environment_id, integration_id, primary, now,
    )  # fmt: skip


async def _write(scope: Scope, ring: KeyRing, new: Integration, now: datetime) -> None:
    await scope.database.fetch(
        "update novukit_integration set identifier = $3, name = $4, active = $5, credentials = $6, conditions = $7, "
        "updated_at = $8, provider_id = $9, channel = $10, is_primary = $11, concurrency = $12, routing = $13 "
        "where environment_id = $1 and id = $2",
        scope.environment_id, new.id, new.identifier, new.name, new.active, _seal(ring, new), encode(new.conditions),
        now, new.provider_id, new.channel, new.primary, new.concurrency, _routing(new),
    )  # fmt: skip


async def _refuse_taken(scope: Scope, id: UUID, identifier: str) -> None:
    if await scope.database.fetch(
        "select 1 from novukit_integration where environment_id = $1 and identifier = $2 and id <> $3",
        scope.environment_id, identifier, id,
    ):  # fmt: skip
        message, hint = f"There is an integration {identifier[:64]!r} already.", "Choose another identifier."
        # Not a conflict (409): Novu's SDKs try those again for an hour.
        raise InvalidInput(message, hint=hint, issues=[Issue("/identifier", "taken", message, hint)])


async def _select(scope: Scope, ring: KeyRing, condition: str = "1 = 1", *args: Any) -> list[Integration]:
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_integration where environment_id = $1 and {condition} order by id",
        scope.environment_id, *args,
    )  # fmt: skip
    return [_integration(row, ring) for row in rows]


def _integration(row: Row, ring: KeyRing) -> Integration:
    sealed = ring.open(row["credentials"], CREDENTIALS, str(row["environment_id"]), str(row["id"]))
    return Integration(
        id=row["id"], environment_id=row["environment_id"], identifier=row["identifier"], name=row["name"],
        provider_id=row["provider_id"], channel=row["channel"], active=row["active"], primary=row["is_primary"],
        concurrency=row["concurrency"],
        credentials=decode(sealed), conditions=decode(row["conditions"]), created_at=row["created_at"],
        updated_at=row["updated_at"], routing=Routing.model_validate(decode(row["routing"])),
    )  # fmt: skip


def _seal(ring: KeyRing, integration: Integration) -> str:
    return ring.seal(encode(integration.credentials), CREDENTIALS, str(integration.environment_id), str(integration.id))


def _routing(integration: Integration) -> str:
    return encode(integration.routing.model_dump(mode="json", exclude_defaults=True))


def _identifier_for(provider_id: str) -> str:
    return f"{re.sub(r'[^a-z0-9]+', '-', provider_id.lower()).strip('-')}-{secrets.token_hex(3)}"


def _missing() -> NotFound:
    return NotFound("There is no integration of this id in this environment.")
