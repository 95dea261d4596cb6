"""Writes executions of a pattern in groups of 500: accepted, claimed, each step, ended, every group one commit.

Each row of novukit is written once, in its last state, by one UNNEST of its table; the execution is inserted, claimed
and ended, as three states need three writes. No intent before a message, no fence, no look-up, no rendering: a floor
that promises less than novukit does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import asyncpg

from bench.peers import same_rows
from bench.peers.same_rows import EXECUTION, Pattern, Values
from bench.wire import coming, say

GROUP, CONNECTIONS = 500, 2
CLAIM = (
    "update novukit_execution set status = 'running', worker_id = $3, wake_at = null, started_at = now() "
    "where environment_id = $1 and id = any($2::uuid[])"
)
END = (
    "update novukit_execution set status = 'completed', worker_id = null, finished_at = now() "
    "where environment_id = $1 and id = any($2::uuid[])"
)
BY_KEY = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"
"""As a careful programmer would: a plan for unnest() or any() must not read a whole table."""


class Group:
    """The arguments of a group of executions, made before the clock starts."""

    def __init__(self, pattern: Pattern, size: int) -> None:
        parts: list[dict[str, list[Values]]] = []
        self.environment: UUID = pattern.rows[EXECUTION][0]["environment_id"]
        self.ids: list[UUID] = []
        for _ in range(size):
            rows = pattern.again()
            self.ids.append(rows[EXECUTION][0]["id"])
            for n, phase in enumerate(same_rows.phases(rows)):
                if n == len(parts):
                    parts.append({})
                for table, found in phase.items():
                    parts[n].setdefault(table, []).extend(found)
        self.phases: list[list[tuple[str, list[list[Any]]]]] = [
            [(pattern.insert_many(t), pattern.arrays(t, rows)) for t, rows in part.items() if rows] for part in parts
        ]

    async def write(self, connection: asyncpg.Connection, worker: UUID) -> None:
        """Each phase is one commit, and is durable before the next begins."""
        begin, *steps, end = self.phases
        async with connection.transaction():
            await _insert(connection, begin)
        await connection.execute(CLAIM, self.environment, self.ids, worker)
        for step in steps:
            async with connection.transaction():
                await _insert(connection, step)
        async with connection.transaction():
            await _insert(connection, end)
            await connection.execute(END, self.environment, self.ids)


async def _insert(connection: asyncpg.Connection, statements: list[tuple[str, list[list[Any]]]]) -> None:
    for sql, arrays in statements:
        await connection.execute(sql, *arrays)


async def main(source_url: str, target_url: str) -> None:
    source = await asyncpg.connect(source_url)
    pattern = await same_rows.last(source, "messages")
    await source.close()
    connections = [await asyncpg.connect(target_url) for _ in range(CONNECTIONS)]
    for connection in connections:
        await connection.execute(BY_KEY)
    worker = same_rows.uuid7()
    groups: list[Group] = []

    async def write(connection: asyncpg.Connection, mine: list[Group]) -> None:
        for group in mine:
            await group.write(connection, worker)

    say(ready=True)
    async for ask in coming():
        if ask["do"] == "make":
            groups = [Group(pattern, GROUP) for _ in range(ask["n"] // GROUP)]
        else:
            parts: list[Coroutine[Any, Any, None]] = [
                write(connection, groups[n::CONNECTIONS]) for n, connection in enumerate(connections)
            ]
            await asyncio.gather(*parts)
        say(done=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
