"""Durability: whether the database keeps what it has acknowledged, or was told to lose some for speed."""

from __future__ import annotations

from dataclasses import dataclass

from .database import Database

SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
_SOURCES = {
    "configuration file": "in the configuration file",
    "command line": "on the command line",
    "database": "for this database",
    "user": "for this role",
    "database user": "for this role in this database",
    "client": "in the database URL",
    "session": "in this session",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One way in which an acknowledged commit can be lost.

    ``ours`` when it is so for this connection, and not only for another role of the server.
    """

    what: str
    """``synchronous_commit is off`` or ``novukit_event is unlogged``."""
    where: str
    fix: str
    ours: bool = True


async def losses(database: Database) -> list[Loss]:
    """Every way there is; none on SQLite, where each commit is on disk before it is acknowledged.

    ``synchronous_commit`` may be set for a role or a database: those that do not concern this connection are told as
    well, for the next one may be made by that role.
    """
    if database.dialect == "sqlite":
        return []
    found = [
        Loss(
            f"{row['name']} is off", _SOURCES.get(row["source"]) or str(row["source"]), _fix(row["name"], row["source"])
        )
        for row in await database.fetch(
            "select name, source from pg_settings where name = any($1::text[]) and setting = 'off' order by name",
            list(SETTINGS),
        )
    ]
    found += [
        Loss(f"{row['name']} is unlogged", "", f"alter table {row['name']} set logged")
        for row in await database.fetch(
            "select relname as name from pg_class where relkind = 'r' and relpersistence = 'u' "
            "and relname like 'novukit\\_%' order by relname"
        )
    ]
    for row in await database.fetch(_OTHER_ROLES):
        within = f" in database {row['database']}" if row["database"] else ""
        fix = f'alter role "{row["role"]}"{within} reset synchronous_commit'
        found.append(Loss("synchronous_commit is off", f"for the role {row['role']}", fix, ours=False))
    return found


_OTHER_ROLES = (
    "select r.rolname as role, coalesce(d.datname, '') as database from pg_db_role_setting s "
    "join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase "
    "where coalesce(d.datname, current_database()) = current_database() and r.rolname <> current_user "
    "and exists (select 1 from unnest(s.setconfig) as c where c ~* '^synchronous_commit=(off|false|no|0)$') "
    "order by 1, 2"
)


def _fix(name: str, source: str) -> str:
    match source:
        case "user":
            return f"alter role current_user reset {name}"
        case "database user":
            return f"alter role current_user in database … reset {name}"
        case "database":
            return f"alter database … reset {name}"
        case "client" | "session":
            return f"take {name} out of the database URL"
        case _:
            return f"alter system set {name} = on; select pg_reload_conf()"
