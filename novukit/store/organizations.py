"""The organization at the top, and the first start of a database: its environments and their first keys."""

from __future__ import annotations

from ..model import Organization
from . import environments
from .database import Database, Row
from .secrets import KeyRing

_LOCK = "novukit bootstrap"


async def bootstrap(database: Database, ring: KeyRing, *, organization: str = "Default") -> Organization:
    """Make the organization, Development and Production with one secret key each, unless they are there.

    Safe when several processes start together: one does the work, the others find it done.
    """
    async with database.transaction():
        await database.lock(_LOCK)
        owner = await first(database)
        if owner is None:
            owner = Organization(id=database.new_id(), name=organization, created_at=database.clock.now())
            await database.fetch(
                "insert into novukit_organization (id, name, created_at) values ($1, $2, $3)",
                owner.id, owner.name, owner.created_at,
            )  # fmt: skip
            await environments.create(database, ring, owner.id, "Development", type="dev")
            await environments.create(database, ring, owner.id, "Production", type="prod")
        return owner


async def first(database: Database) -> Organization | None:
    """The organization; ``None`` before the first start."""
    rows = await database.fetch("select id, name, created_at from novukit_organization order by id limit 1")
    return _organization(rows[0]) if rows else None


def _organization(row: Row) -> Organization:
    return Organization(id=row["id"], name=row["name"], created_at=row["created_at"])
