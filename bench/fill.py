"""Filling tables by ``INSERT … SELECT`` from ``generate_series``: a million copies of what novukit has written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from .peers import same_rows
from .peers.same_rows import EXECUTION, Pattern, Values

CHUNK = 100_000

# In order of g, sixteen to a millisecond, so that they append at the right edge of an index as real ids do.
UUID7 = """
create or replace function bench_uuid7(g bigint, base bigint, salt text) returns uuid
language sql immutable parallel safe as
$$ select (lpad(to_hex(base + g / 16), 12, '0') || '7' || lpad(to_hex(g & 4095), 3, '0') || '8'
           || substr(md5(salt || g::text), 1, 15))::uuid $$
"""
BASE = 1_700_000_000_000
"""Milliseconds: ids of what is filled in are older than all that is measured."""


async def multiply(connection: asyncpg.Connection, pattern: Pattern, count: int) -> None:
    """Write the pattern's rows ``count`` times, each time under new ids."""
    ids = {own: f"bench_uuid7(g, {BASE}, '{n}')" for n, own in enumerate(sorted(pattern.own))}
    said: dict[Any, str] = {**ids, pattern.transaction: "'filled-' || g"}
    for table, rows in pattern.rows.items():
        for row in rows:
            others = {column: said[value] for column, value in row.items() if _is_known(value, said)}
            await copies(connection, pattern.types[table], table, row, count, others)


async def copies(
    connection: asyncpg.Connection, types: Mapping[str, str], table: str, row: Values, count: int,
    others: Mapping[str, str], *, start: int = 1,
) -> None:  # fmt: skip
    """Insert ``row`` ``count`` times; ``others`` are SQL expressions over ``g``, which counts from ``start``."""
    parts: list[str] = []
    args: list[Any] = []
    for column in row:
        if column in others:
            parts.append(others[column])
        else:
            args.append(row[column])
            parts.append(f"${len(args)}::{types[column]}")
    for first in range(start, start + count, CHUNK):
        last = min(first + CHUNK, start + count) - 1
        numbers = f"generate_series({first}::bigint, {last}) g"
        await connection.execute(
            f"insert into {table} ({', '.join(row)}) select {', '.join(parts)} from {numbers}",
            *args, timeout=600,
        )  # fmt: skip


async def opened(url: str) -> asyncpg.Connection:
    """A connection for filling: it waits for no disk, and can make ids."""
    connection = await asyncpg.connect(url)
    await connection.execute("set synchronous_commit = off")
    await connection.execute(UUID7)
    return connection


async def tidy(connection: asyncpg.Connection) -> None:
    """Do what autovacuum would do after a fill, so that it does not do it while we measure.

    A session tells the server now and then what it has written. Told after the vacuum, the server would believe that
    all of it is new, and autovacuum would begin within a minute.
    """
    await connection.execute("select pg_stat_force_next_flush()")
    await connection.execute("vacuum analyze", timeout=600)


async def finished(url: str, workflow: str, count: int) -> None:
    """Add ``count`` finished executions like the last real one of ``workflow``."""
    connection = await opened(url)
    await multiply(connection, await same_rows.last(connection, workflow), count)
    await tidy(connection)
    await connection.close()


async def asleep(url: str, workflow: str, count: int) -> None:
    """Add ``count`` executions that wait like the last real one of ``workflow``."""
    connection = await opened(url)
    pattern = await same_rows.last(connection, workflow, "waiting")
    assert pattern.rows[EXECUTION][0]["wake_at"] is not None
    await multiply(connection, pattern, count)
    await tidy(connection)
    await connection.close()


def _is_known(value: Any, said: Mapping[Any, str]) -> bool:
    return isinstance(value, same_rows.UUID | str) and value in said
