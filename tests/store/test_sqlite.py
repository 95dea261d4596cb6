"""SQLite: standing connections that survive a cold start, a burst, other processes and a file that is none."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from novukit.clock import NewId
from novukit.errors import DatabaseUnavailable
from novukit.store import Database
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def file(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> AsyncIterator[Database]:
    """An open SQLite file with one table."""
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", clock=clock, new_id=new_id, synchronous="OFF")
    await database.open()
    await database.fetch("create table thing (name text)")
    yield database
    await database.close()


async def count(database: Database) -> int:
    """How many things there are."""
    return (await database.fetch("select count(*) as n from thing"))[0]["n"]


async def test_a_burst_at_a_cold_start(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """Many reads and writes as the very first thing: all succeed, and closing ends every thread."""
    before = threading.active_count()
    for burst in range(5):
        database = Database(f"sqlite:///{tmp_path / f'{burst}.db'}", clock=clock, new_id=new_id, synchronous="OFF")
        await database.fetch("create table thing (name text)")
        writes = [database.fetch("insert into thing (name) values ($1)", "a") for _ in range(20)]
        await asyncio.gather(*(count(database) for _ in range(60)), *writes)
        assert await count(database) == 20
        await database.close()
    assert before == threading.active_count()


async def test_it_is_crash_safe_by_default(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """WAL, synchronous FULL and foreign keys are on unless another ``synchronous`` is asked for."""
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", clock=clock, new_id=new_id)
    await database.open()
    async with database.transaction():
        pragmas = [
            next(iter((await database.fetch(f"pragma {name}"))[0].values()))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    await database.close()
    assert pragmas == ["wal", 2, 1]


async def test_a_transaction_begins_immediate(file: Database, tmp_path: Path) -> None:
    """The write lock is taken at the start, so that read-then-update never finds the database locked midway."""
    other = sqlite3.connect(tmp_path / "test.db", timeout=0, isolation_level=None)
    async with file.transaction():
        await count(file)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
    other.execute("begin immediate")
    other.execute("rollback")
    other.close()


async def test_a_reader_does_not_wait_for_a_writer(file: Database) -> None:
    """While one task is in a transaction another one reads what was there before."""
    written, read = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with file.transaction():
            await file.fetch("insert into thing (name) values ('a')")
            written.set()
            await read.wait()

    task = asyncio.create_task(write())
    await written.wait()
    assert await count(file) == 0
    read.set()
    await task
    assert await count(file) == 1


async def test_inline_runs_without_threads(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """``inline`` starts no thread and keeps the same semantics."""
    before = threading.active_count()
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", clock=clock, new_id=new_id, synchronous="OFF", inline=True)
    await database.open()
    await database.fetch("create table thing (name text)")

    async def fail() -> None:
        async with database.transaction():
            await database.fetch("insert into thing (name) values ('a')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (0, before) == (await count(database), threading.active_count())
    await database.close()


async def test_no_such_folder(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """A path into a folder that does not exist names file and folder."""
    database = Database(f"sqlite:///{tmp_path / 'none' / 'test.db'}", clock=clock, new_id=new_id)
    with pytest.raises(DatabaseUnavailable, match=r"test\.db.* There is no folder"):
        await database.open()


async def test_a_folder_is_no_file(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """A folder where the file should be is an error with the path."""
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        await Database(f"sqlite:///{tmp_path}", clock=clock, new_id=new_id).open()


async def test_a_file_that_is_no_database(tmp_path: Path, clock: VirtualClock, new_id: NewId) -> None:
    """Another file is left as it is."""
    (tmp_path / "notes.txt").write_text("Not a database, by any measure. " * 100)
    with pytest.raises(DatabaseUnavailable, match=r"notes\.txt.*not a database"):
        await Database(f"sqlite:///{tmp_path / 'notes.txt'}", clock=clock, new_id=new_id).open()
    assert (tmp_path / "notes.txt").read_text() == "Not a database, by any measure. " * 100


async def test_closing_twice_is_fine(file: Database) -> None:
    """A second close does nothing, and no thread of the file is left."""
    await file.close()
    await file.close()

    assert [] == [one.name for one in threading.enumerate() if one.name.startswith("novukit-sqlite")]
