"""``Batch``: one statement for many rows. ``together`` runs several in one transaction and one round trip.

On Postgres they become one statement (a ``with`` list over ``unnest``), on SQLite one visit to the writer's thread.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from uuid import UUID

from .database import Database, for_sqlite, sqlite_args

_REFERENCE = re.compile(r"\{(\w+)\}")
_PLACEHOLDER = re.compile(r"\$(\d+)")


@dataclass(frozen=True)
class Batch:
    """One statement in Postgres' words, for any number of rows or for one set of arguments.

    With ``columns`` (``id uuid, at timestamptz``), ``{rows}`` stands for a table ``u`` of them, one line for each row;
    without, ``$1`` and the like are arguments. ``{other}`` names the rows that another batch of the same call returned;
    as SQLite runs the batches one after another, the other's ``here`` stands for it there. A batch that ``returns``
    gives a column ``id``. ``stop`` says when nothing at all is to be written: if it returned none, or if it did.

    ``steady`` names columns that mostly hold one value in all rows of a group; then that travels once, for in an array
    each value costs asyncpg and Postgres half a microsecond. The first column is none of them.
    """

    name: str
    sql: str
    columns: str = ""
    steady: str = ""
    here: str = ""
    returns: bool = False
    stop: Literal["none", "found"] | None = None


Part = tuple[Batch, Sequence[Sequence[Any]]]
"""A batch and its rows; for one without columns, its arguments as the only row."""


async def together(database: Database, parts: Sequence[Part]) -> Mapping[str, list[UUID]]:
    """Run ``parts`` in order, all or nothing, and give the ids that each returned. Joins a transaction that is open.

    Batches without rows are left out. On Postgres all of them see what was there before the first.
    """
    parts = [part for part in parts if part[1]]
    if database.dialect == "sqlite":
        return await database.engine.in_writer(lambda connection, join: _visit(connection, parts, join))
    shapes, args = list[Shape](), list[Any]()
    for batch, rows in parts:
        if not batch.columns:
            shapes.append((batch, frozenset()))
            args += rows[0]
            continue
        columns = list(zip(*rows, strict=True))
        same = frozenset(n for n in _steady(batch) if _is_one(columns[n]))
        shapes.append((batch, same))
        args += [column[0] if n in same else column for n, column in enumerate(columns)]
    sql, told = _one_statement(tuple(shapes))
    found = await database.engine.execute_hot(sql, args)
    return {name: list(found[0][name] or ()) for name in told}


Shape = tuple[Batch, frozenset[int]]
"""A batch, and which of its columns hold one value this time."""


@cache
def _steady(batch: Batch) -> tuple[int, ...]:
    """The places of the columns that are mostly steady."""
    names = [column.split()[0] for column in batch.columns.split(",")]
    return tuple(names.index(name) for name in batch.steady.split())


def _is_one(column: Sequence[Any]) -> bool:
    """Whether all values are equal. Where they are not, the first and the last mostly differ."""
    return bool(column[0] == column[-1]) and column.count(column[0]) == len(column)


@cache
def _one_statement(shapes: tuple[Shape, ...]) -> tuple[str, tuple[str, ...]]:
    """The ``with`` list of ``shapes`` and the names of those that return something."""
    taken, parts = 0, list[str]()
    for batch, same in shapes:
        text, takes = _over_unnest(batch, same, taken)
        parts.append(f"{batch.name} as {'materialized ' if text.startswith('select') else ''}({text})")
        taken += takes
    told = tuple(batch.name for batch, _ in shapes if batch.returns)
    wanted = ", ".join(f"(select array_agg(id) from {name}) as {name}" for name in told) or "1"
    return f"with {', '.join(parts)} select {wanted}", told


def _over_unnest(batch: Batch, same: frozenset[int], taken: int) -> tuple[str, int]:
    """The statement with its arguments numbered after those ``taken``, and how many it takes."""
    columns = [column.split() for column in batch.columns.split(",")] if batch.columns else []
    values = [
        f"${taken + n + 1}::{kind} as {name}" if n in same else f"each.{name}" for n, (name, kind) in enumerate(columns)
    ]
    arrays = {name: f"${taken + n + 1}::{kind}[]" for n, (name, kind) in enumerate(columns) if n not in same}
    rows = f"(select {', '.join(values)} from unnest({', '.join(arrays.values())}) as each({', '.join(arrays)})) as u"
    sql = _REFERENCE.sub(lambda found: rows if found[1] == "rows" else found[1], batch.sql)
    if columns:
        return sql, len(columns)
    numbers = {int(number) for number in _PLACEHOLDER.findall(sql)}
    return _PLACEHOLDER.sub(lambda found: f"${taken + int(found[1])}", sql), max(numbers, default=0)


def _visit(connection: sqlite3.Connection, parts: Sequence[Part], join: bool) -> dict[str, list[UUID]]:
    """Run ``parts`` on SQLite's writer; with ``join`` inside the transaction that is open there."""
    found: dict[str, list[UUID]] = {batch.name: [] for batch, _ in parts if batch.returns}
    stands_for = tuple((batch.name, batch.here) for batch, _ in parts)
    if not join:
        connection.execute("begin immediate")
    try:
        for batch, rows in parts:
            sql, order = _for_one_row(batch, stands_for)
            given = [sqlite_args(order, row) for row in rows] if order or not batch.columns else rows
            if not batch.returns:
                connection.executemany(sql, given).close()
                continue
            ids = found[batch.name]
            for row in given:
                ids += [_uuid(each["id"]) for each in connection.execute(sql, row).fetchall()]
            if batch.stop and (batch.stop == "found") == bool(ids):
                if not join:
                    connection.execute("rollback")
                return found
        if not join:
            connection.execute("commit")
    except BaseException:
        if not join and connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("rollback")
        raise
    return found


def _uuid(value: UUID | str) -> UUID:
    """An id that is taken from the arguments and not from a table has lost its type."""
    return value if isinstance(value, UUID) else UUID(value)


@cache
def _for_one_row(batch: Batch, stands_for: tuple[tuple[str, str], ...]) -> tuple[str, tuple[int, ...] | None]:
    """The statement for one row on SQLite, and the order of its arguments."""
    names = [column.split()[0] for column in batch.columns.split(",")] if batch.columns else []
    row = ", ".join(f"${n} as {name}" for n, name in enumerate(names, 1))
    meant = {**dict(stands_for), "rows": f"(select {row}) as u"}
    return for_sqlite(_REFERENCE.sub(lambda found: meant[found[1]], batch.sql))
