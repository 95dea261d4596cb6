"""``run`` for batches on SQLite: one visit to the writer's thread, with many rows in a statement.

A statement for each row costs Python's sqlite3 more than SQLite itself: a call for each id and time, to make a text of
it, and the interpreter's lock for each row, for which the event loop contends.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from .database import Database, for_sqlite, sqlite_args
from .uuids import uuid_from

if TYPE_CHECKING:
    from .batch import Batch, Part

_REFERENCE = re.compile(r"\{(\w+)\}")
SIZES = (64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement: any number takes few statements, and each of them is prepared once."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """One batch as SQLite takes it: statements with their arguments, in order."""

    batch: Batch
    statements: Sequence[tuple[str, Sequence[Any]]]


async def run(database: Database, parts: Sequence[Part]) -> Mapping[str, list[UUID]]:
    """Run ``parts`` in order, all or nothing, and give the ids that each returned. Joins a transaction that is open."""
    stands_for = tuple((batch.name, batch.here) for batch, _ in parts)
    ready = [_Ready(batch, list(_statements(batch, rows, stands_for))) for batch, rows in parts]
    return await database.engine.in_writer(lambda connection, join: _visit(connection, ready, join))


def _visit(connection: sqlite3.Connection, ready: Sequence[_Ready], join: bool) -> dict[str, list[UUID]]:
    """In the writer's thread; with ``join`` inside the transaction that is open there."""
    found: dict[str, list[UUID]] = {each.batch.name: [] for each in ready if each.batch.returns}
    if not join:
        connection.execute("begin immediate")
    try:
        for each in ready:
            batch = each.batch
            for sql, args in each.statements:
                rows = connection.execute(sql, args).fetchall()
                if batch.returns:
                    found[batch.name] += [_uuid(row["id"]) for row in rows]
            if batch.stop and (batch.stop == "found") == bool(found[batch.name]):
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
    return value if isinstance(value, UUID) else uuid_from(value)


Names = tuple[tuple[str, str], ...]
"""What stands for another batch of the same call."""


def _statements(batch: Batch, rows: Sequence[Sequence[Any]], stands_for: Names) -> Iterator[tuple[str, Sequence[Any]]]:
    if not batch.columns:
        sql, order = for_sqlite(_meant(batch, stands_for, ""))
        yield sql, sqlite_args(order, rows[0])
        return
    values, width = _flat(batch, rows), len(rows[0])
    done = 0
    for size in SIZES:
        for _ in range((len(rows) - done) // size):
            yield _for_rows(batch, stands_for, size), values[done * width : (done + size) * width]
            done += size


def _flat(batch: Batch, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The values of ``rows`` one after another, ids and times as texts: a time is ``2026-01-31T12:00:00Z``."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for n in batch.places("uuid"):
        columns[n] = [None if value is None else str(value) for value in columns[n]]
    for n in batch.places("timestamptz"):
        moments = columns[n]
        if any(at is not None and at.tzinfo is not UTC for at in moments):
            moments = [None if at is None else at.astimezone(UTC) for at in moments]
        columns[n] = to_jsonable_python(moments)  # in half the time that their own writer takes
    return list(chain.from_iterable(zip(*columns, strict=True)))


@cache
def _for_rows(batch: Batch, stands_for: Names, size: int) -> str:
    """The statement for ``size`` rows."""
    columns = [column.split() for column in batch.columns.split(",")]
    row = ", ".join(f"{_column(n, kind)} as {name}" for n, (name, kind) in enumerate(columns, 1))
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * size)
    return for_sqlite(_meant(batch, stands_for, f"(select {row} from (values {marks})) as u"))[0]


def _column(number: int, kind: str) -> str:
    """One value of a row; a time as it is stored."""
    value = f"column{number}"
    return f"replace(replace({value}, 'T', ' '), 'Z', '+00:00')" if kind == "timestamptz" else value


def _meant(batch: Batch, stands_for: Names, rows: str) -> str:
    meant = {**dict(stands_for), "rows": rows}
    return _REFERENCE.sub(lambda found: meant[found[1]], batch.sql)
