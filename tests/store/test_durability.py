"""Durability: every way in which Postgres can be told to lose what it has acknowledged is found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from novukit.clock import NewId
from novukit.store import Database, durability, migrations
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio

FSYNC = "fsync is off"
"""The servers of these tests run without it."""


@pytest.fixture
def role(empty_postgres: str) -> Iterator[str]:
    """The URL of an empty database for a role of one's own."""
    name = f"novukit_{uuid4().hex[:8]}"

    def run(*statements: str) -> None:
        async def main() -> None:
            connection = await asyncpg.connect(empty_postgres)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(main())

    run(f"create role {name} login superuser password 'x'")
    parts = urlsplit(empty_postgres)
    yield urlunsplit(parts._replace(netloc=f"{name}:x@{parts.hostname}:{parts.port}"))
    run(f"reassign owned by {name} to current_user", f"drop owned by {name}", f"drop role {name}")


async def losses(url: str, clock: VirtualClock, new_id: NewId) -> list[tuple[str, str, bool]]:
    """What, where, and whether it concerns us; but for the server's own lack of fsync."""
    database = Database(url, clock=clock, new_id=new_id)
    await database.open()
    try:
        return [(one.what, one.where, one.ours) for one in await durability.losses(database) if one.what != FSYNC]
    finally:
        await database.close()


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("alter role {role} set synchronous_commit = off", "for this role"),
        ("alter database {database} set synchronous_commit = 'off'", "for this database"),
        ("alter role {role} in database {database} set synchronous_commit = false", "for this role in this database"),
    ],
)
async def test_overrides_of_a_role_or_a_database_are_found(
    role: str, clock: VirtualClock, new_id: NewId, statement: str, where: str
) -> None:
    """The server's own configuration says «on», and yet commits are lost."""
    names = {"role": urlsplit(role).username, "database": urlsplit(role).path[1:]}
    assert [] == await losses(role, clock, new_id)

    await execute(role, statement.format(**names))

    assert [("synchronous_commit is off", where, True)] == await losses(role, clock, new_id)


async def test_an_override_of_another_role_is_told(
    role: str, empty_postgres: str, clock: VirtualClock, new_id: NewId
) -> None:
    """It does not concern this connection, but perhaps that of the worker."""
    other = urlsplit(role).username
    await execute(role, f"alter role {other} set synchronous_commit = off")

    assert [("synchronous_commit is off", f"for the role {other}", False)] == await losses(
        empty_postgres, clock, new_id
    )


async def test_the_url_may_say_it(role: str, clock: VirtualClock, new_id: NewId) -> None:
    """As an option of the connection."""
    found = await losses(f"{role}?synchronous_commit=off", clock, new_id)

    assert [("synchronous_commit is off", "in the database URL", True)] == found


async def test_an_unlogged_table_is_found(empty_postgres: str, clock: VirtualClock, new_id: NewId) -> None:
    """It is empty after a crash."""
    database = Database(empty_postgres, clock=clock, new_id=new_id)
    await database.open()
    await migrations.upgrade(database)
    await database.close()
    await execute(empty_postgres, "alter table novukit_activity set unlogged")

    assert [("novukit_activity is unlogged", "", True)] == await losses(empty_postgres, clock, new_id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_has_none(database: Database) -> None:
    """Each commit is on disk before it is acknowledged."""
    assert [] == await durability.losses(database)
