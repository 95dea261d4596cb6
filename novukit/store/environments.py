"""Environments: made, named, found; each with a public identifier, an inbox secret and a first key."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any, Literal
from uuid import UUID

from ..errors import InvalidInput, Issue, NotFound, did_you_mean
from ..model import Environment
from . import keys
from .database import Database, Row, Scope
from .secrets import INBOX_SECRET, KeyRing
from .tables import TABLES

_COLUMNS = "id, organization_id, name, slug, identifier, type, created_at, updated_at"
LARGEST_NAME = 64


async def create(
    database: Database,
    ring: KeyRing,
    organization_id: UUID,
    name: str,
    *,
    type: Literal["dev", "prod"] = "dev",
    identifier: str | None = None,
) -> Environment:
    """Make an environment, with an inbox secret and one secret key.

    Raises :class:`InvalidInput` when the name or the identifier is taken, and for a name without letters or digits.
    """
    now = database.clock.now()
    made = Environment(
        id=database.new_id(),
        organization_id=organization_id,
        name=name.strip(),
        slug=_slug_of(name),
        identifier=identifier or secrets.token_urlsafe(12),
        type=type,
        created_at=now,
        updated_at=now,
    )
    inbox_secret = ring.seal(secrets.token_urlsafe(32), INBOX_SECRET, str(made.id), str(made.id))
    async with database.transaction():
        await _refuse_taken(database, organization_id, made.id, made.slug, made.identifier)
        rows = await database.fetch(
            f"insert into novukit_environment ({_COLUMNS}, inbox_secret) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "on conflict do nothing returning id",
            made.id, made.organization_id, made.name, made.slug, made.identifier, made.type, now, now, inbox_secret,
        )  # fmt: skip
        if not rows:
            raise _taken("/name", f"There is an environment {made.name!r} already.", "Choose another name.")
        await keys.create(Scope(database, made.id), ring, "First key")
    return made


async def all(database: Database, organization_id: UUID) -> list[Environment]:  # noqa: A001 - environments.all
    """The organization's environments, oldest first."""
    rows = await database.fetch(
        f"select {_COLUMNS} from novukit_environment where organization_id = $1 order by id", organization_id
    )
    return [_environment(row) for row in rows]


async def get(database: Database, environment_id: UUID) -> Environment:
    """The environment of this id. Raises :class:`NotFound`."""
    rows = await database.fetch(f"select {_COLUMNS} from novukit_environment where id = $1", environment_id)
    if not rows:
        raise NotFound("There is no environment of this id.")
    return _environment(rows[0])


async def by_slug(database: Database, organization_id: UUID, slug: str) -> Environment:
    """The environment of this slug. Raises :class:`NotFound` with the closest slug that there is."""
    known = {environment.slug: environment for environment in await all(database, organization_id)}
    if slug not in known:
        raise NotFound(f"There is no environment {slug[:LARGEST_NAME]!r}.", hint=did_you_mean(slug, known))
    return known[slug]


async def by_identifier(database: Database, identifier: str) -> Environment | None:
    """The environment of this public identifier."""
    rows = await database.fetch(f"select {_COLUMNS} from novukit_environment where identifier = $1", identifier)
    return _environment(rows[0]) if rows else None


async def update(
    database: Database, environment_id: UUID, *, name: str | None = None, identifier: str | None = None
) -> Environment:
    """Rename an environment (its slug follows) or give it another identifier.

    Raises :class:`NotFound`, :class:`InvalidInput` when either is taken.
    """
    async with database.transaction():
        old = await get(database, environment_id)
        new = old.model_copy(
            update={
                "name": (name or old.name).strip(),
                "slug": _slug_of(name) if name else old.slug,
                "identifier": identifier or old.identifier,
                "updated_at": database.clock.now(),
            }
        )
        await _refuse_taken(database, old.organization_id, old.id, new.slug, new.identifier)
        await database.fetch(
            "update novukit_environment set name = $2, slug = $3, identifier = $4, updated_at = $5 where id = $1",
            new.id, new.name, new.slug, new.identifier, new.updated_at,
        )  # fmt: skip
    return new


async def delete(scope: Scope) -> int:
    """Remove an environment with every row that carries its id, in one transaction.

    Returns how many of its executions, and of its events that still become some, have not ended; where there is any,
    nothing is removed.
    """
    database, own = scope.database, scope.environment_id
    async with database.transaction():
        await database.fetch("select 1 from novukit_environment where id = $1 for update", own)
        (row,) = await database.fetch(
            "select (select count(*) from novukit_execution where environment_id = $1 "
            "and status in ('pending', 'waiting', 'running', 'parked')) + "
            "(select count(*) from novukit_event where environment_id = $1 and status = 'expanding') as n",
            own,
        )
        if row["n"]:
            return row["n"]
        for table in reversed(TABLES):
            if any(column._meta.name == "environment_id" for column in table._meta.columns):
                await database.fetch(f"delete from {table._meta.tablename} where environment_id = $1", own)
        await database.fetch("delete from novukit_environment where id = $1", own)
    return 0


async def _refuse_taken(database: Database, organization_id: UUID, id: UUID, slug: str, identifier: str) -> None:
    await database.lock("novukit environments")
    for row in await database.fetch(
        "select slug, name, identifier, organization_id from novukit_environment "
        "where id <> $1 and (slug = $2 or identifier = $3)",
        id, slug, identifier,
    ):  # fmt: skip
        if row["identifier"] == identifier:
            raise _taken("/identifier", "Another environment has this identifier.", "Leave it out to be given one.")
        if row["organization_id"] == organization_id:
            raise _taken(
                "/name", f"There is an environment {row['name']!r} already (slug {slug!r}).", "Choose another name."
            )


def _taken(path: str, message: str, hint: str) -> InvalidInput:
    """Not a conflict (409): Novu's SDKs try those again for an hour."""
    return InvalidInput(message, hint=hint, issues=[Issue(path, "taken", message, hint)])


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug or len(name.strip()) > LARGEST_NAME:
        wrong = f"must hold a letter from a to z or a digit, and be at most {LARGEST_NAME} characters long"
        raise InvalidInput(f"The name {wrong}.", issues=[Issue("/name", "bad_format", wrong)])
    return slug


def _environment(row: Row) -> Environment:
    values: dict[str, Any] = {column: row[column] for column in _COLUMNS.split(", ")}
    return Environment(**values)
