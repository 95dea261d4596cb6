"""Postgres: the pool gives every connection back, gives up in time, and says in plain words why it cannot open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from novukit.clock import NewId
from novukit.errors import DatabaseUnavailable
from novukit.store import Database, postgres
from novukit.testing.clock import VirtualClock
from tests.servers import free_port

pytestmark = pytest.mark.anyio

Unopened = Callable[..., Database]


@pytest.fixture
async def empty(empty_postgres: str, clock: VirtualClock, new_id: NewId) -> AsyncIterator[Database]:
    """An open Postgres database with nothing in it."""
    database = Database(empty_postgres, clock=clock, new_id=new_id)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def unopened(postgres_url: str, clock: VirtualClock, new_id: NewId) -> Unopened:
    """A database whose URL is the test server's with some parts replaced."""

    def make(*, netloc: str | None = None, path: str | None = None) -> Database:
        parts = urlsplit(postgres_url)
        changed = parts._replace(netloc=netloc or parts.netloc, path=path or parts.path)
        return Database(urlunsplit(changed), clock=clock, new_id=new_id)

    return make


async def sessions(database: Database, state: str) -> int:
    """How many of the server's sessions with this database are in ``state``."""
    rows = await database.fetch(
        "select count(*) as n from pg_stat_activity where datname = current_database() and state = $1", state
    )
    return rows[0]["n"]


async def test_no_session_stays_in_a_transaction(empty: Database) -> None:
    """Cancelled and failed blocks leave no session idle in a transaction."""
    begun = asyncio.Event()

    async def never_ending() -> None:
        async with empty.transaction():
            begun.set()
            await asyncio.Event().wait()

    async def failing() -> None:
        async with empty.transaction():
            await empty.fetch("select * from nothing")

    for _ in range(12):
        begun.clear()
        task = asyncio.create_task(never_ending())
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
        with pytest.raises(asyncpg.UndefinedTableError):
            await failing()
    assert (
        await sessions(empty, "idle in transaction"),
        await sessions(empty, "idle in transaction (aborted)"),
    ) == (0, 0)


async def test_a_broken_connection_is_replaced(empty: Database) -> None:
    """When the server ends our session midway that transaction fails and the next one has a new connection."""

    async def cut() -> None:
        async with empty.transaction():
            await empty.fetch("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Exception, match=r"(?i)terminat|closed"):
        await cut()
    for _ in range(12):
        async with empty.transaction():
            await empty.fetch("select 1")


async def test_a_connection_that_the_pool_has_taken_back_is_given_back(empty: Database) -> None:
    """The server closes it while its transaction fails: the first error is told, not that there is nothing to end."""

    async def cut() -> None:
        async with empty.transaction():
            connection = empty.engine.current_transaction.get().connection
            connection.terminate()
            await empty.engine.pool.release(connection)
            raise ConnectionResetError("the first error")

    with pytest.raises(ConnectionResetError, match="the first error"):
        await cut()
    assert [{"one": 1}] == [dict(row) for row in await empty.fetch("select 1 as one")]


async def test_an_exhausted_pool_gives_up(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every connection taken the next one is refused in time; once one is back all goes on."""
    release, taken = asyncio.Event(), asyncio.Semaphore(0)

    async def hold() -> None:
        async with empty.transaction():
            taken.release()
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(10)]
    for _ in holders:
        await asyncio.wait_for(taken.acquire(), 20)
    monkeypatch.setattr(postgres, "ACQUIRE_SECONDS", 0.05)
    with pytest.raises(TimeoutError):
        await empty.fetch("select 1")
    monkeypatch.undo()
    release.set()
    await asyncio.gather(*holders)
    assert (await empty.fetch("select 1 as one"))[0]["one"] == 1


async def test_a_wrong_password_is_named(empty: Database, unopened: Unopened) -> None:
    """The user and the server are in the message, the password is not."""
    await empty.fetch("create role novukit_locked_out login password 'right'")
    at, path = urlsplit(empty.url).netloc.rpartition("@")[2], urlsplit(empty.url).path
    try:
        await lets_everybody_in(f"postgres://novukit_locked_out:wrong-one@{at}{path}")
        with pytest.raises(DatabaseUnavailable) as err:
            await unopened(netloc=f"novukit_locked_out:wrong-one@{at}", path=path).open()
    finally:
        await empty.fetch("drop role novukit_locked_out")
    assert "refuses the password of user 'novukit_locked_out'" in err.value.message
    assert "wrong-one" not in str(err.value)


async def lets_everybody_in(url: str) -> None:
    """Skip when a server that somebody else set up asks nobody for a password."""
    with suppress(asyncpg.InvalidPasswordError):
        await (await asyncpg.connect(url)).close()
        pytest.skip("This Postgres lets everybody in.")


async def test_an_unknown_user_is_named(postgres_url: str, unopened: Unopened) -> None:
    """A role that does not exist is an error that names it."""
    at = urlsplit(postgres_url).netloc.rpartition("@")[2]
    with pytest.raises(DatabaseUnavailable, match="novukit_nobody"):
        await unopened(netloc=f"novukit_nobody:x@{at}").open()


async def test_an_unknown_database_is_named(unopened: Unopened) -> None:
    """A database that does not exist: the message says how to create it."""
    with pytest.raises(DatabaseUnavailable, match=r"no database of this name\. Create it: createdb novukit_not_there"):
        await unopened(path="/novukit_not_there").open()


async def test_a_silent_port_is_named(unopened: Unopened) -> None:
    """Where nobody listens host, port and name are in the message."""
    port = free_port()
    with pytest.raises(DatabaseUnavailable, match=rf"does not answer at 127\.0\.0\.1:{port}/novukit"):
        await unopened(netloc=f"postgres@127.0.0.1:{port}", path="/novukit").open()


async def test_an_unknown_host_is_named(unopened: Unopened) -> None:
    """A host name that leads nowhere is in the message."""
    with pytest.raises(DatabaseUnavailable, match=r"does not answer at db\.invalid:5432/novukit"):
        await unopened(netloc="postgres@db.invalid", path="/novukit").open()
