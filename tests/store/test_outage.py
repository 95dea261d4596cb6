"""A database that cannot serve is told from a statement that is wrong, whatever its driver calls it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from novukit.clock import NewId
from novukit.errors import DatabaseUnavailable
from novukit.store import Database
from novukit.store import sqlite as engine
from novukit.store.outage import outage
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio


async def failure(call: Awaitable[object]) -> BaseException:
    """What ``call`` raises."""
    try:
        await call
    except Exception as err:
        return err
    raise AssertionError("it did not fail")


async def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    """A table that is not there, a broken rule and bad SQL will fail again."""
    organization = "insert into novukit_organization (id, name, created_at) values ($1, $2, $3)"
    row = (database.new_id(), "a", database.clock.now())
    await database.fetch(organization, *row)
    assert outage(await failure(database.fetch("select * from nothing"))) is None
    assert outage(await failure(database.fetch(organization, *row))) is None
    assert outage(await failure(database.fetch("selct 1"))) is None
    assert outage(ValueError("no")) is None


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_session_that_postgres_ended_is_an_outage(database: Database) -> None:
    """An answer that got lost says so, wrapped or not."""
    err = await failure(database.fetch("select pg_terminate_backend(pg_backend_pid())"))
    assert outage(err) is not None
    wrapped = RuntimeError("during a flush")
    wrapped.__cause__ = err
    assert "cannot serve now" in str(outage(wrapped))
    assert outage(ExceptionGroup("several", [ValueError(), err])) is not None


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_whatever_a_statement_meets_while_sessions_are_ended_is_an_outage(database: Database) -> None:
    """asyncpg has several names for it, and one of them sounds like a fault of our own (InternalClientError)."""
    met: list[BaseException] = []
    ended = False

    async def work() -> None:
        while not ended:
            try:
                await database.fetch("select pg_sleep(0.001)")
            except Exception as err:
                met.append(err)

    async with asyncio.TaskGroup() as working:
        for _ in range(10):
            working.create_task(work())
        killer = await asyncpg.connect(database.url)
        for _ in range(40):
            await killer.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.01)
        await killer.close()
        ended = True
    assert met
    assert [] == [f"{type(err).__name__}: {err}" for err in met if outage(err) is None]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_read_only_postgres_is_an_outage(database: Database) -> None:
    """After a fail-over the old primary takes no writes for a while."""

    async def write() -> None:
        async with database.transaction():
            await database.fetch("set transaction read only")
            await database.fetch("delete from novukit_organization")

    assert outage(await failure(write())) is not None


async def test_a_locked_file_is_an_outage(
    tmp_path: Path, clock: VirtualClock, new_id: NewId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that holds SQLite's write lock for too long."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.01)
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", clock=clock, new_id=new_id, synchronous="OFF")
    await database.open()
    await database.fetch("create table thing (name text)")
    with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        err = await failure(database.fetch("insert into thing (name) values ('a')"))
    await database.close()
    assert isinstance(outage(err), DatabaseUnavailable)


def test_an_outage_that_was_named_keeps_its_name() -> None:
    """What already says where the database is away is given back as it is."""
    named = DatabaseUnavailable("Postgres does not answer at db:5432.")
    assert outage(named) is named
