"""The schema: the same on both engines and in ``tables``; safe when processes start together; never half there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from novukit.clock import NewId
from novukit.errors import SchemaNewer, SchemaOutdated
from novukit.store import Database, migrations
from novukit.store.tables import TABLES
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio

TYPES = {
    "UUID": ("uuid", "uuid"),
    "Text": ("text", "text"),
    "Timestamptz": ("timestamptz", "timestamp with time zone"),
    "JSONB": ("text", "jsonb"),
    "Integer": ("integer", "integer"),
    "Boolean": ("boolean", "boolean"),
    "DoublePrecision": ("double precision", "double precision"),
}
"""What a Piccolo column is on SQLite and on Postgres."""

UPGRADE = """
import asyncio, random, sys
from novukit.clock import SystemClock, uuid7_source
from novukit.store import Database, migrations
async def main():
    clock = SystemClock()
    database = Database(sys.argv[1], clock=clock, new_id=uuid7_source(clock, random.Random()))
    print("ready", flush=True)
    sys.stdin.readline()
    await database.open()
    print(*await migrations.upgrade(database))
    await migrations.check(database)
    await database.close()
asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("empty_postgres")


@pytest.fixture
async def empty(empty_url: str, clock: VirtualClock, new_id: NewId):
    """An open database without any table."""
    database = Database(empty_url, clock=clock, new_id=new_id, synchronous="OFF")
    await database.open()
    yield database
    await database.close()


async def columns(database: Database, table: str) -> dict[str, tuple[str, bool]]:
    """Name → type and whether null is allowed, as the engine tells it."""
    if database.dialect == "sqlite":
        rows = await database.fetch(
            'select name, lower(type) as type, ("notnull" = 0 and pk = 0) as nullable from pragma_table_info($1)', table
        )
    else:
        rows = await database.fetch(
            "select column_name as name, data_type as type, is_nullable = 'YES' as nullable "
            "from information_schema.columns where table_name = $1",
            table,
        )
    return {row["name"]: (row["type"], bool(row["nullable"])) for row in rows}


async def tables(database: Database) -> set[str]:
    """The names of all tables of novukit."""
    catalogue = {
        "sqlite": "select name from sqlite_master where type = 'table' and name like 'novukit_%'",
        "postgres": "select tablename as name from pg_tables where tablename like 'novukit_%'",
    }
    return {row["name"] for row in await database.fetch(catalogue[database.dialect])}


async def test_tables_are_what_the_migrations_make(database: Database) -> None:
    """Each class in ``tables`` has the columns, types and nulls of the migrated schema, and no table is left out."""
    names = {table._meta.tablename for table in TABLES}
    assert names | {"novukit_schema_migration"} == await tables(database)
    for table in TABLES:
        declared = {
            column._meta.db_column_name: (
                TYPES[type(column).__name__][database.dialect == "postgres"],
                column._meta.null,
            )
            for column in table._meta.columns
        }
        assert declared == await columns(database, table._meta.tablename), table._meta.tablename


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_an_environment_is_in_every_unique_key(database: Database) -> None:
    """A table that carries an environment has it in each unique index but those on an id or a secret's hash.

    Postgres alone is asked, which tells its indexes best: both engines take the same SQL file.
    """
    rows = await database.fetch(
        "select tablename, indexdef from pg_indexes where tablename like 'novukit_%' and indexdef like '%UNIQUE%'"
    )
    scoped = {
        table._meta.tablename for table in TABLES if "environment_id" in {c._meta.name for c in table._meta.columns}
    }
    free = [
        row["indexdef"]
        for row in rows
        if row["tablename"] in scoped and "environment_id" not in row["indexdef"] and "(id)" not in row["indexdef"]
    ]
    assert [definition.split()[3] for definition in free] == ["novukit_api_key_hash_key"]


async def test_upgrade_applies_each_migration_once(empty: Database) -> None:
    """An empty database gets all of them in order; the next call finds nothing to do."""
    assert await migrations.applied(empty) == []
    assert list(migrations.available()) == await migrations.upgrade(empty)
    assert await migrations.upgrade(empty) == []
    assert list(migrations.available()) == await migrations.applied(empty)
    await migrations.check(empty)


async def test_rows_of_before_stay_when_contexts_come(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """0005 makes the table of subscriptions anew, for SQLite cannot drop a constraint: nobody is lost, keys hold."""
    every = migrations.available()
    with monkeypatch.context() as before:
        before.setattr(migrations, "available", lambda: {name: every[name] for name in sorted(every)[:4]})
        await migrations.upgrade(empty)
    owner, here, topic, ada = (empty.new_id() for _ in range(4))
    now = empty.clock.now()
    await empty.fetch("insert into novukit_organization (id, name, created_at) values ($1, 'Acme', $2)", owner, now)
    await empty.fetch(
        "insert into novukit_environment (id, organization_id, name, slug, identifier, type, inbox_secret, created_at, "
        "updated_at) values ($1, $2, 'Dev', 'dev', 'app', 'dev', '', $3, $3)",
        here, owner, now,
    )  # fmt: skip
    await empty.fetch(
        "insert into novukit_subscriber (id, environment_id, subscriber_id, data, created_at, updated_at) "
        "values ($1, $2, 'ada', '{}', $3, $3)",
        ada, here, now,
    )  # fmt: skip
    await empty.fetch(
        "insert into novukit_topic (id, environment_id, key, created_at, updated_at) values ($1, $2, 'news', $3, $3)",
        topic, here, now,
    )  # fmt: skip
    subscribe = (
        "insert into novukit_topic_subscription "
        "(id, environment_id, topic_id, subscriber_uuid, identifier, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $6, $6)"
    )
    await empty.fetch(subscribe, empty.new_id(), here, topic, ada, "tk_news:si_ada", now)

    await migrations.upgrade(empty)

    rows = await empty.fetch("select identifier, context_keys, preferences from novukit_topic_subscription")
    assert [dict(row) for row in rows] == [{"identifier": "tk_news:si_ada", "context_keys": "", "preferences": None}]
    await empty.fetch(subscribe, empty.new_id(), here, topic, ada, "a second one", now)
    await empty.fetch("delete from novukit_topic where id = $1", topic)
    assert not await empty.fetch("select id from novukit_topic_subscription")


def test_three_processes_start_together(empty_url: str) -> None:
    """One of them upgrades, the others find it done; none fails."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    ends = [process.communicate("\n", timeout=60) for process in processes]
    assert [err for _, err in ends] == ["", "", ""]
    assert ["", "", " ".join(migrations.available())] == sorted(out.strip() for out, _ in ends)


async def test_a_failing_migration_leaves_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of an upgrade is one transaction: when its last statement fails the database is as it was."""
    shipped = migrations.available()
    monkeypatch.setattr(migrations, "available", lambda: {**shipped, "9999_bad": "create nonsense"})
    with pytest.raises(Exception, match="syntax"):
        await migrations.upgrade(empty)
    assert set() == await tables(empty)


async def test_an_empty_database_says_what_to_run(empty: Database) -> None:
    """``check`` of an empty database names the command."""
    with pytest.raises(SchemaOutdated, match=r"schema is empty .* Run: novukit db upgrade"):
        await migrations.check(empty)


async def test_an_older_schema_says_what_to_run(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """``check`` of a schema that lacks a migration names it and the command."""
    shipped = migrations.available()
    monkeypatch.setattr(migrations, "available", lambda: {**shipped, "9998_next": "select 1"})
    with pytest.raises(SchemaOutdated, match=r"older than this novukit .*9998_next.* Run: novukit db upgrade"):
        await migrations.check(database)


async def test_a_newer_schema_says_what_to_run(database: Database) -> None:
    """Neither ``check`` nor ``upgrade`` touches a schema of a later novukit."""
    await database.fetch("insert into novukit_schema_migration (id) values ('9999_future')")
    try:
        for ask in (migrations.check, migrations.upgrade):
            with pytest.raises(SchemaNewer, match=r"9999_future.* Run: pip install --upgrade novukit"):
                await ask(database)
    finally:
        await database.fetch("delete from novukit_schema_migration where id = '9999_future'")
