"""A database is the same on both engines: values, transactions, cancels, refused commits, errors in plain words."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from novukit.clock import NewId
from novukit.errors import NotSerialisable, SettingsInvalid
from novukit.store import Database
from novukit.store.database import decode, encode, in_list
from novukit.store.tables import Organization
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio

INSERT = "insert into novukit_organization (id, name, created_at) values ($1, $2, $3)"
MANY = 12
"""More than the pool holds."""


async def add(database: Database, name: str) -> UUID:
    """Insert an organization."""
    key = database.new_id()
    await database.fetch(INSERT, key, name, database.clock.now())
    return key


async def names(database: Database) -> list[str]:
    """What is there, sorted."""
    return [row["name"] for row in await database.fetch("select name from novukit_organization order by name")]


async def add_pair(database: Database, name: str) -> None:
    """Insert two rows or none."""
    async with database.transaction():
        await add(database, name)
        await asyncio.sleep(0)
        await add(database, name)


async def refused_commit(database: Database) -> None:
    """A transaction whose COMMIT breaks a deferred constraint; the table goes with it."""
    async with database.transaction():
        await database.fetch(
            "create table refused (id integer primary key, "
            "parent integer references refused (id) deferrable initially deferred)"
        )
        await database.fetch("insert into refused (id, parent) values (1, 2)")


async def test_values_come_back_as_they_went(database: Database) -> None:
    """Ids, aware times, booleans, JSON and nulls are the same type on both engines."""
    key, at = database.new_id(), datetime(2026, 3, 1, 12, 30, 0, 123456, UTC)
    await database.fetch(INSERT, key, "åäö «🦉»", at)
    assert [{"id": key, "name": "åäö «🦉»", "created_at": at}] == [
        dict(row) for row in await database.fetch("select * from novukit_organization")
    ]


async def test_times_are_kept_in_utc(database: Database) -> None:
    """A time of another zone comes back as the same moment in UTC, and sorts as that moment."""
    tokyo = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    utc = datetime(2026, 3, 1, 0, 0, 0, 1, UTC)
    await database.fetch(INSERT, database.new_id(), "tokyo", tokyo)
    await database.fetch(INSERT, database.new_id(), "utc", utc)
    rows = await database.fetch("select name, created_at from novukit_organization order by created_at")
    assert [("tokyo", tokyo), ("utc", utc)] == [(row["name"], row["created_at"]) for row in rows]
    assert {timedelta()} == {row["created_at"].utcoffset() for row in rows}


async def test_one_statement_serves_both_engines(database: Database) -> None:
    """Placeholders, casts and row locks of Postgres are taken out for SQLite."""
    a, b = await add(database, "a"), await add(database, "b")
    async with database.transaction():
        rows = await database.fetch(
            f"select name from novukit_organization where id in {in_list([a, b], 2)} and name <> $1::text "
            "order by id for update skip locked",
            "b",
            a,
            b,
        )
    assert [row["name"] for row in rows] == ["a"]


async def test_an_argument_may_be_used_twice_and_in_any_order(database: Database) -> None:
    """``$2`` before ``$1``, and ``$1`` again, mean the same on both engines; in one statement and in many."""
    rows = await database.fetch("select $2::text as a, $1::text as b, $2::text as c", "one", "two")
    assert [dict(row) for row in rows] == [{"a": "two", "b": "one", "c": "two"}]
    async with database.transaction():
        await database.execute_many(
            "insert into novukit_organization (name, id, created_at) values ($2, $1, $3)",
            [[database.new_id(), name, database.clock.now()] for name in "ab"],
        )
    assert await names(database) == ["a", "b"]


async def test_a_piccolo_query_runs_here(database: Database) -> None:
    """Tables are shared by all databases of the process; a query runs on the one that is asked."""
    await add(database, "a")
    assert await database.run(Organization.select(Organization.name)) == [{"name": "a"}]


async def fail_after(database: Database, name: str, *, nested: bool = False) -> None:
    """A transaction that writes and then fails."""
    async with database.transaction():
        await add(database, name)
        if nested:
            await add_pair(database, f"{name} within")
        raise ZeroDivisionError


async def test_a_transaction_keeps_all_or_nothing(database: Database) -> None:
    """What a failed block wrote is gone; what a finished one wrote stays."""
    with pytest.raises(ZeroDivisionError):
        await fail_after(database, "lost")
    await add_pair(database, "kept")
    assert await names(database) == ["kept", "kept"]


async def test_a_nested_transaction_rolls_back_with_the_outer_one(database: Database) -> None:
    """A transaction within another one joins it."""
    with pytest.raises(ZeroDivisionError):
        await fail_after(database, "outer", nested=True)
    assert await names(database) == []


async def test_a_swallowed_error_does_not_commit_the_rest(database: Database) -> None:
    """Once a statement has failed its whole transaction has, and the block's end says so: nothing is lost silently."""
    first = await add(database, "first")

    async def swallow() -> None:
        async with database.transaction():
            await add(database, "second")
            with suppress(Exception):  # whatever the engine calls a duplicate
                await database.fetch(INSERT, first, "again", database.clock.now())

    with pytest.raises(Exception, match="a statement of this transaction failed"):
        await swallow()
    await add_pair(database, "third")
    assert await names(database) == ["first", "third", "third"]


async def test_many_rows_in_one_round_trip(database: Database) -> None:
    """``execute_many`` runs a statement for each row, and is undone with its transaction."""
    rows = [[database.new_id(), f"{n:04}", database.clock.now()] for n in range(1000)]
    async with database.transaction():
        await database.execute_many(INSERT, rows)
        await database.execute_many(INSERT, [])
    assert [row[1] for row in rows] == await names(database)


async def test_a_lock_makes_others_wait(database: Database) -> None:
    """Who holds a name is alone with it until its transaction ends."""
    inside: list[str] = []

    async def hold(name: str) -> None:
        async with database.transaction():
            await database.lock("a name")
            inside.append(name)
            await asyncio.sleep(0)
            await database.fetch("select 1")
            inside.append(name)

    await asyncio.gather(*(hold(name) for name in "abcd"))
    assert inside[0::2] == inside[1::2]


async def test_a_refused_commit_costs_no_connection(database: Database) -> None:
    """More refused commits than the pool has connections: the error is seen each time and the pool still works."""
    for _ in range(MANY):
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            await refused_commit(database)
    await asyncio.wait_for(asyncio.gather(*(add_pair(database, str(n)) for n in range(MANY))), 20)
    assert len(await names(database)) == 2 * MANY


@pytest.mark.parametrize("seed", range(4))
async def test_cancels_leave_nothing_behind(database: Database, seed: int) -> None:
    """Tasks cancelled at any point: no half transaction is kept, none stays open, no connection is lost."""
    rng = random.Random(seed)
    for _ in range(20):
        tasks = [
            asyncio.create_task(add_pair(database, "pair") if n % 2 else add(database, "single")) for n in range(MANY)
        ]
        for task in tasks:
            for _ in range(rng.randrange(40)):
                await asyncio.sleep(0)
            if rng.random() < 0.6:
                task.cancel()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        assert [end for end in ended if isinstance(end, Exception)] == []
    assert (await names(database)).count("pair") % 2 == 0
    await asyncio.wait_for(asyncio.gather(*(add_pair(database, "after") for _ in range(MANY))), 20)
    assert (await names(database)).count("after") == 2 * MANY


async def test_a_cancelled_transaction_is_rolled_back(database: Database) -> None:
    """A task cancelled within its block, once and again while it cleans up, leaves no row and no open transaction."""
    begun = asyncio.Event()

    async def never_ending() -> None:
        async with database.transaction():
            await add(database, "lost")
            begun.set()
            await asyncio.Event().wait()

    for _ in range(MANY):
        begun.clear()
        task = asyncio.create_task(never_ending())
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.wait_for(add_pair(database, "after"), 20)
    assert await names(database) == ["after", "after"]


async def test_two_databases_live_in_one_process(
    database: Database, tmp_path: Any, clock: VirtualClock, new_id: NewId
) -> None:
    """A query of one database never runs on the other, not even within a transaction of the other."""
    other = Database(f"sqlite:///{tmp_path / 'other.db'}", clock=clock, new_id=new_id, synchronous="OFF")
    await other.open()
    await other.fetch("create table novukit_organization (id uuid primary key, name text, created_at timestamptz)")
    async with database.transaction():
        await add(database, "here")
        await add(other, "there")
        assert await other.run(Organization.select(Organization.name)) == [{"name": "there"}]
    await other.close()
    assert await names(database) == ["here"]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        {"a": [1, float("-inf")]},
        "a\0b",
        {"a\0": 1},
        {"a": ["\0"]},
        "\ud800",
        {1, 2},
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    """NaN, NUL, half characters and things that are no JSON are refused before they reach a database."""
    with pytest.raises(NotSerialisable):
        encode(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    """Neither a ring nor a very deep value is kept."""
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(NotSerialisable):
        encode(ring)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotSerialisable):
        encode(deep)


@pytest.mark.parametrize(
    "value", [None, "", "\\u0000", "é 🦉", {"a": [1, 2.5, True, None, {"b": "c"}]}, 2**80, -0.0], ids=repr
)
async def test_json_comes_back_as_it_went(database: Database, value: Any) -> None:
    """A value in a jsonb column is read as the same value on both engines."""
    scope = database.scope(database.new_id())
    await database.fetch(
        "insert into novukit_outbox (id, environment_id, kind, body, deliver_at, created_at) "
        "values ($1, $2, 'test', $3, $4, $4)",
        scope.new_id(),
        scope.environment_id,
        encode(value),
        scope.now(),
    )
    assert value == decode((await database.fetch("select body from novukit_outbox"))[0]["body"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "novukit.db",
        "sqlite://novukit.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://localhost/novukit",
        "postgres://localhost:http/novukit",
        "postgres://localhost:99999/novukit",
        "postgres://user:pass/word@localhost/novukit",
    ],
)
def test_a_bad_url_is_refused_at_once(url: str, clock: VirtualClock, new_id: NewId) -> None:
    """What is no database URL says so, shows how one looks, and keeps the password to itself."""
    with pytest.raises(SettingsInvalid, match=r"is not a database URL.*sqlite:///novukit\.db") as err:
        Database(url, clock=clock, new_id=new_id)
    assert "pass" not in err.value.message


async def test_what_waits_for_a_commit_is_done_after_it_or_never(database: Database) -> None:
    """At once outside a transaction; after the outermost one; not at all when that fails."""
    done: list[str] = []
    database.after_commit(lambda: done.append("at once"))
    assert ["at once"] == done
    async with database.transaction():
        async with database.transaction():
            database.after_commit(lambda: done.append("later"))
        assert ["at once"] == done
    assert ["at once", "later"] == done
    try:
        async with database.transaction():
            database.after_commit(lambda: done.append("never"))
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert ["at once", "later"] == done
