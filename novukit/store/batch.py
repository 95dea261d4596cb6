"""``Batch``: one statement for many rows. ``together`` runs several in one transaction and one round trip.

On Postgres they become one statement (a ``with`` list over ``unnest``), on SQLite one visit to the writer's thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from uuid import UUID

from . import batch_sqlite
from .database import Database

_REFERENCE = re.compile(r"\{(\w+)\}")
_PLACEHOLDER = re.compile(r"\$(\d+)")


@dataclass(frozen=True)
class Batch:
    """One statement in Postgres' words, for any number of rows or for one set of arguments.

    With ``columns`` (``id uuid, at timestamptz``), ``{rows}`` stands for a table ``u`` of them, one line for each row;
    without, ``$1`` and the like are arguments. ``{other}`` names the rows that another batch of the same call returned;
    as SQLite runs the batches one after another, the other's ``here`` stands for it there. A batch that ``returns``
    gives a column ``id``. ``stop`` says when nothing at all is to be written: if it returned none, or if it did.
    """

    name: str
    sql: str
    columns: str = ""
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
        return await batch_sqlite.run(database, parts)
    sql, told = _one_statement(tuple(batch for batch, _ in parts))
    args: list[Any] = []
    for batch, rows in parts:
        args += _columns(rows) if batch.columns else rows[0]
    found = await database.engine.execute_hot(sql, args)
    return {name: list(found[0][name] or ()) for name in told}


def _columns(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True))


@cache
def _one_statement(batches: tuple[Batch, ...]) -> tuple[str, tuple[str, ...]]:
    """The ``with`` list of ``batches`` and the names of those that return something."""
    taken, parts = 0, list[str]()
    for batch in batches:
        text, takes = _over_unnest(batch, taken)
        parts.append(f"{batch.name} as {'materialized ' if text.startswith('select') else ''}({text})")
        taken += takes
    told = tuple(batch.name for batch in batches if batch.returns)
    wanted = ", ".join(f"(select array_agg(id) from {name}) as {name}" for name in told) or "1"
    return f"with {', '.join(parts)} select {wanted}", told


def _over_unnest(batch: Batch, taken: int) -> tuple[str, int]:
    """The statement with its arguments numbered after those ``taken``, and how many it takes."""
    columns = [column.split() for column in batch.columns.split(",")] if batch.columns else []
    arrays = ", ".join(f"${taken + n}::{kind}[]" for n, (_, kind) in enumerate(columns, 1))
    rows = f"unnest({arrays}) as u({', '.join(name for name, _ in columns)})"
    sql = _REFERENCE.sub(lambda found: rows if found[1] == "rows" else found[1], batch.sql)
    if columns:
        return sql, len(columns)
    numbers = {int(number) for number in _PLACEHOLDER.findall(sql)}
    return _PLACEHOLDER.sub(lambda found: f"${taken + int(found[1])}", sql), max(numbers, default=0)
