"""The rows that novukit wrote for one execution, to be written again under new ids by whoever is compared with it.

They are read from novukit's own tables after it has run, so a hand-written program writes the same columns with the
same values, whatever the schema has become.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

Values = dict[str, Any]

EVENT, EXECUTION = "novukit_event", "novukit_execution"
CHECKPOINT, MESSAGE, ACTIVITY = "novukit_checkpoint", "novukit_message", "novukit_activity"

COLUMNS = (
    "select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type "
    "from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname = 'public' and c.relname like 'novukit\\_%' and c.relkind = 'r' and a.attnum > 0 "
    "and not a.attisdropped and a.attidentity = '' and a.attgenerated = '' order by c.relname, a.attnum"
)


def uuid7() -> UUID:
    """A fresh id that sorts by time, as novukit's do."""
    random = int.from_bytes(os.urandom(10))
    value = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF) << 80
    return UUID(int=value | 7 << 76 | (random >> 68) << 64 | 2 << 62 | random & 0x3FFFFFFFFFFFFFFF)


@dataclass(slots=True)
class Pattern:
    """One execution as a pattern: its rows by table, and the ids in them that are its own."""

    types: dict[str, dict[str, str]]
    rows: dict[str, list[Values]]
    own: set[UUID]
    transaction: str

    def again(self, also: Mapping[Any, Any] | None = None) -> dict[str, list[Values]]:
        """The same rows for another execution; ``also`` replaces more values, such as the subscriber's ids."""
        fresh: dict[Any, Any] = {old: uuid7() for old in self.own}
        fresh |= {self.transaction: str(uuid7()), **(also or {})}
        return {
            table: [{column: _replaced(value, fresh) for column, value in row.items()} for row in rows]
            for table, rows in self.rows.items()
        }

    def insert(self, table: str) -> str:
        """An insert of one row of ``table`` with all columns."""
        columns = self.types[table]
        marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        return f"insert into {table} ({', '.join(columns)}) values ({marks})"

    def insert_many(self, table: str) -> str:
        """An insert of many rows of ``table``, which takes an array for each column."""
        columns = self.types[table]
        arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), 1))
        return f"insert into {table} ({', '.join(columns)}) select * from unnest({arrays})"

    def arrays(self, table: str, rows: list[Values]) -> list[list[Any]]:
        """The arguments of :meth:`insert_many`."""
        return [[row[column] for row in rows] for column in self.types[table]]

    def values(self, table: str, row: Values) -> list[Any]:
        """The arguments of :meth:`insert`."""
        return [row[column] for column in self.types[table]]


async def one(connection: asyncpg.Connection, sql: str, *args: Any) -> Values:
    """The first row of a query. Raises :class:`LookupError` when there is none."""
    row: Any = await connection.fetchrow(sql, *args)
    if row is None:
        raise LookupError(sql)
    return dict(row)


def _replaced(value: Any, fresh: dict[Any, Any]) -> Any:
    return fresh.get(value, value) if isinstance(value, (UUID, str)) else value


async def last(connection: asyncpg.Connection, workflow: str, status: str = "completed") -> Pattern:
    """The newest execution of ``workflow`` in ``status`` as a pattern."""
    types: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(COLUMNS):
        types.setdefault(row["table"], {})[row["column"]] = row["type"]
    execution = await one(
        connection, "select * from novukit_execution where workflow_id = $1 and status = $2 order by id desc limit 1",
        workflow, status,
    )  # fmt: skip
    rows: dict[str, list[Values]] = {EXECUTION: [execution]}
    event = await one(connection, "select * from novukit_event where id = $1", execution["event_id"])
    rows[EVENT] = [event]
    for table, columns in types.items():
        # A vendor's event has a text for its id.
        ids = {"execution_id": execution["id"], "event_id": execution["event_id"]}
        ids = {column: value for column, value in ids.items() if columns.get(column) == "uuid"}
        if table in rows or not ids:
            continue
        where = " or ".join(f"{column} = ${n}" for n, column in enumerate(ids, 1))
        args = list(ids.values())
        order = "id" if "id" in columns else "1"
        if found := await connection.fetch(f"select * from {table} where {where} order by {order}", *args):
            rows[table] = [dict(row) for row in found]
    rows = {table: [{c: row[c] for c in types[table]} for row in found] for table, found in rows.items()}
    own = {row["id"] for found in rows.values() for row in found if isinstance(row.get("id"), UUID)}
    own |= {row["execution_id"] for row in rows.get(CHECKPOINT, ())}
    return Pattern(types, rows, own, event["transaction_id"])


def as_triggered(execution: Values) -> Values:
    """An execution as its trigger left it."""
    gone = {"started_at", "finished_at", "worker_id", "step", "reason"}
    return {**execution, **dict.fromkeys(gone & execution.keys()), "status": "pending", "runs": 0}


def phases(rows: dict[str, list[Values]]) -> list[dict[str, list[Values]]]:
    """Which rows are written when: with the trigger, with each step in turn, with the end."""
    steps = sorted(rows.get(CHECKPOINT, ()), key=lambda row: row.get("position") or 0)
    begin: dict[str, list[Values]] = {EVENT: rows[EVENT], EXECUTION: [as_triggered(rows[EXECUTION][0])], ACTIVITY: []}
    middle = [{CHECKPOINT: [step], MESSAGE: [], ACTIVITY: []} for step in steps]
    of = {step["step_id"]: part for step, part in zip(steps, middle, strict=True)}
    for message in rows.get(MESSAGE, ()):
        of[message["step_id"]][MESSAGE].append(message)
    end: dict[str, list[Values]] = {ACTIVITY: []}
    for line in rows.get(ACTIVITY, ()):
        if line.get("execution_id") is None:
            begin[ACTIVITY].append(line)
        else:
            of.get(line["step"], end)[ACTIVITY].append(line)
    return [begin, *middle, end]
