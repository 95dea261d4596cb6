"""The schema, as SQL files that both engines take, and the migrator that brings a database up to date.

Not Piccolo's own migrations: those crash when several processes start together, cannot make partial indexes, and
share a table with the host's own Piccolo.
"""

from __future__ import annotations

import re
from importlib.resources import files

from ...errors import SchemaNewer, SchemaOutdated
from ..database import Database

_LOCK = "novukit schema"
_TABLE = (
    "create table if not exists novukit_schema_migration "
    "(id text primary key, applied_at text not null default current_timestamp)"
)


def available() -> dict[str, str]:
    """Every migration that ships with this novukit: name → SQL, in order."""
    found = {f.name.removesuffix(".sql"): f for f in files(__name__).iterdir() if f.name.endswith(".sql")}
    return {name: found[name].read_text("utf-8") for name in sorted(found)}


async def applied(database: Database) -> list[str]:
    """The migrations that this database has had, in order; none when it is empty."""
    if database.dialect == "sqlite":
        there = await database.fetch("select 1 from sqlite_master where name = 'novukit_schema_migration'")
    else:
        there = await database.fetch("select 1 where to_regclass('novukit_schema_migration') is not null")
    if not there:
        return []
    return [row["id"] for row in await database.fetch("select id from novukit_schema_migration order by id")]


async def upgrade(database: Database) -> list[str]:
    """Bring the schema up to date and return what was applied.

    All in one transaction under one lock: when several processes start together one does the work and the others find
    it done; when one dies midway nothing has happened.
    """
    ran: list[str] = []
    async with database.transaction():
        await database.lock(_LOCK)
        await database.fetch(_TABLE)
        done = set(await applied(database))
        _refuse_newer(done)
        for name, sql in available().items():
            if name in done:
                continue
            for statement in _statements(sql, database.dialect):
                await database.fetch(statement)
            await database.fetch("insert into novukit_schema_migration (id) values ($1)", name)
            ran.append(name)
    return ran


async def check(database: Database) -> None:
    """Raise :class:`SchemaOutdated` or :class:`SchemaNewer`, naming the command to run, unless the schema fits."""
    done = set(await applied(database))
    _refuse_newer(done)
    if missing := [name for name in available() if name not in done]:
        raise SchemaOutdated(
            f"The database schema is {'empty' if not done else 'older than this novukit'} "
            f"({len(missing)} migration{'s' if len(missing) > 1 else ''} to apply: {', '.join(missing)}).",
            hint="Run: novukit db upgrade",
        )


def _refuse_newer(done: set[str]) -> None:
    if unknown := sorted(done - available().keys()):
        raise SchemaNewer(
            f"The database schema is newer than this novukit (it has {', '.join(unknown)}).",
            hint="Run: pip install --upgrade novukit",
        )


def _statements(sql: str, dialect: str) -> list[str]:
    """The statements of a file, in the engine's words."""
    sql = re.sub(r"--[^\n]*", "", sql)
    if dialect == "sqlite":
        sql = re.sub(r"\bjsonb\b", "text", re.sub(r"\) with \([^)]*\)", ")", sql))
        sql = re.sub(r"alter table \w+ (?:drop constraint|set \()[^;]*;", "", sql)
    return [s.strip() for s in sql.split(";") if s.strip()]
