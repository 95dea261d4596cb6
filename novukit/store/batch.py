"""``Batch``: one statement for many rows. ``together`` runs several in one transaction and one round trip.

On Postgres they become one statement (a ``with`` list over ``unnest``), on SQLite one visit to the writer's thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal
from uuid import UUID

from . import batch_sqlite
from .database import Database
from .each import ONE_ROW, row_by_row

_REFERENCE = re.compile(r"\{(\w+)\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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

    def places(self, *kinds: str) -> tuple[int, ...]:
        """The places of the columns of these kinds."""
        return _places(self.columns, kinds)


@cache
def _places(columns: str, kinds: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(n for n, column in enumerate(columns.split(",")) if column.split()[1] in kinds)


Part = tuple[Batch, Sequence[Sequence[Any]]]
"""A batch and its rows; for one without columns, its arguments as the only row."""


async def together(database: Database, parts: Sequence[Part]) -> Mapping[str, list[UUID]]:
    """Run ``parts`` in order, all or nothing, and give the ids that each returned. Joins a transaction that is open.

    Batches without rows are left out. On Postgres all of them see what was there before the first.
    """
    parts = [part for part in parts if part[1]]
    if database.dialect == "sqlite":
        return await batch_sqlite.run(database, parts)
    shapes, args = list[Shape](), list[Any]()
    for batch, rows in parts:
        if not batch.columns:
            shapes.append((batch, NONE, NONE))
            args += rows[0]
            continue
        columns: list[Any] = list(zip(*rows, strict=True))
        same = frozenset(n for n in _steady(batch) if _is_one(columns[n]))
        joined = frozenset(n for n in batch.places("text", "jsonb") if n not in same and _join(columns, n))
        for n in batch.places("timestamptz"):
            if n not in same:
                columns[n] = [None if at is None else _microseconds(at - _EPOCH) for at in columns[n]]
        shapes.append((batch, same, joined))
        args += [column[0] if n in same else column for n, column in enumerate(columns)]
    sql, told = _one_statement(tuple(shapes))
    found = await database.engine.execute_hot(sql, args)
    return {name: list(found[0][name] or ()) for name in told}


Shape = tuple[Batch, frozenset[int], frozenset[int]]
"""A batch, which of its columns hold one value this time, and which travel as one text."""
NONE = frozenset[int]()

_SEPARATOR, _NULL = "\x1f", "\x1e"
"""What stands between the texts of a column that travels as one, and for none: the control characters made for it."""


@cache
def _steady(batch: Batch) -> tuple[int, ...]:
    """The places of the columns that are mostly steady."""
    names = [column.split()[0] for column in batch.columns.split(",")]
    return tuple(names.index(name) for name in batch.steady.split())


def _microseconds(since: timedelta) -> int:
    """Whole ones: as a fraction of a second a time would not be kept to the microsecond for ever."""
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _join(columns: list[Any], n: int) -> bool:
    """Make one text of a column, which costs a tenth of an array; not if a text has one of our separators in it."""
    column = columns[n]
    text = _SEPARATOR.join([_NULL if value is None else value for value in column] if None in column else column)
    if not text or text.count(_SEPARATOR) != len(column) - 1 or text.count(_NULL) != column.count(None):
        return False
    columns[n] = text
    return True


def _is_one(column: Sequence[Any]) -> bool:
    """Whether all values are equal. Where they are not, the first and the last mostly differ."""
    return bool(column[0] == column[-1]) and column.count(column[0]) == len(column)


@cache
def _one_statement(shapes: tuple[Shape, ...]) -> tuple[str, tuple[str, ...]]:
    """The ``with`` list of ``shapes`` and the names of those that return something."""
    taken, parts = 0, list[str]()
    for batch, same, joined in shapes:
        text, takes = _over_unnest(batch, same, joined, taken)
        parts.append(f"{batch.name} as {'materialized ' if text.startswith('select') else ''}({text})")
        taken += takes
    told = tuple(batch.name for batch, _, _ in shapes if batch.returns)
    wanted = ", ".join(f"(select array_agg(id) from {name}) as {name}" for name in told) or "1"
    return f"with {', '.join(parts)} select {wanted}", told


def _over_unnest(batch: Batch, same: frozenset[int], joined: frozenset[int], taken: int) -> tuple[str, int]:
    """The statement with its arguments numbered after those ``taken``, and how many it takes."""
    columns = [column.split() for column in batch.columns.split(",")] if batch.columns else []
    values, arrays = list[str](), dict[str, str]()
    for n, (name, kind) in enumerate(columns):
        mark, value = f"${taken + n + 1}", f"each.{name}"
        if n in same:
            value = row_by_row(f"{mark}::{kind}")
        elif n in joined:
            arrays[name] = f"string_to_array({mark}::text, chr(31), chr(30))::{kind}[]"
        elif kind == "timestamptz":  # as a number, which costs asyncpg a third of what a time does
            arrays[name], value = f"{mark}::bigint[]", f"'epoch'::timestamptz + {value} * interval '1 microsecond'"
        else:
            arrays[name] = f"{mark}::{kind}[]"
        values.append(f"{value} as {name}")
    rows = (
        f"(select {', '.join(values)} from unnest({', '.join(arrays.values())}) with ordinality "
        f"as each({', '.join(arrays)}, nth) where {ONE_ROW}) as u"
    )
    sql = _REFERENCE.sub(lambda found: rows if found[1] == "rows" else found[1], batch.sql)
    if columns:
        return sql, len(columns)
    numbers = {int(number) for number in _PLACEHOLDER.findall(sql)}
    return _PLACEHOLDER.sub(lambda found: f"${taken + int(found[1])}", sql), max(numbers, default=0)
