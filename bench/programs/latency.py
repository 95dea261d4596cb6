"""One trigger at a time on an idle system: how long until the third step is durable, beside the raw chain of commits.

Both ends are timed alike: a trigger of the bench on the checkpoint table notifies when the third step is committed.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from typing import Any

import asyncpg

from bench.peers import same_rows
from bench.peers.same_rows import ACTIVITY, CHECKPOINT, EVENT, EXECUTION, Pattern, Values
from bench.programs.feed import feed
from bench.wire import coming, say
from novukit.app import App
from novukit.settings import Settings
from novukit.store import Scope

TOLD = """
create or replace function bench_told() returns trigger language plpgsql as
$$ begin perform pg_notify('bench', ''); return null; end $$;
create or replace trigger bench_told after insert or update on novukit_checkpoint for each row
when (new.step_id = 'c' and new.status = 'completed') execute function bench_told();
"""
LEAST, MOST = 0.05, 0.25
"""Seconds between two samples: the system has come to rest, and no poll is in step with us."""


class Ear:
    """Hears when a third step is durable."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    async def open(self, url: str) -> None:
        self._connection = connection = await asyncpg.connect(url)  # kept: a connection nobody holds is closed
        await connection.execute(TOLD)
        await connection.add_listener("bench", lambda *_: self._heard.set())

    async def next(self) -> None:
        async with asyncio.timeout(30):
            await self._heard.wait()
        self._heard.clear()


class Chain:
    """The same rows in the same commits over one connection: accepted, claimed, three steps. Nothing else."""

    def __init__(self, connection: asyncpg.Connection, pattern: Pattern) -> None:
        self._connection, self._pattern = connection, pattern

    async def run(self) -> None:
        """Write one execution; each of its five commits is one statement."""
        rows = self._pattern.again()
        begin, *steps, end = same_rows.phases(rows)
        execution = rows[EXECUTION][0]
        await self._write({EVENT: begin[EVENT], EXECUTION: begin[EXECUTION], ACTIVITY: begin[ACTIVITY]})
        await self._connection.fetch(
            "update novukit_execution set status = 'running', worker_id = $2, wake_at = null "
            "where environment_id = $3 and id = $1 returning *",
            execution["id"], same_rows.uuid7(), execution["environment_id"],
        )  # fmt: skip
        for step in steps[:-1]:
            await self._write(step)
        last = {CHECKPOINT: steps[-1][CHECKPOINT], ACTIVITY: steps[-1][ACTIVITY] + end[ACTIVITY]}
        await self._write(last, finish=execution)

    async def _write(self, tables: dict[str, list[Values]], finish: Values | None = None) -> None:
        """One statement that inserts rows of several tables, and may end the execution: one commit."""
        parts: list[str] = []
        args: list[Any] = []
        for table, rows in tables.items():
            for row in rows:
                columns = self._pattern.types[table]
                marks = ", ".join(f"${n}::{kind}" for n, kind in enumerate(columns.values(), len(args) + 1))
                parts.append(f"p{len(parts)} as (insert into {table} ({', '.join(columns)}) values ({marks}))")
                args += self._pattern.values(table, row)
        last = "select 1"
        if finish is not None:
            args += [finish["id"], finish["environment_id"]]
            last = (
                "update novukit_execution set status = 'completed', finished_at = now(), worker_id = null "
                f"where environment_id = ${len(args)} and id = ${len(args) - 1}"
            )
        await self._connection.execute(f"with {', '.join(parts)} {last}", *args)


async def one(app: App, scope: Scope, ear: Ear) -> float:
    began = time.perf_counter()
    await feed(app, scope, "custom", [0], 1)
    await ear.next()
    return time.perf_counter() - began


async def another(chain: Chain, ear: Ear) -> float:
    began = time.perf_counter()
    await chain.run()
    await ear.next()
    return time.perf_counter() - began


async def main(chain_url: str) -> None:
    settings = Settings.load()
    rng = random.Random(1)
    async with App(settings) as app:
        scope = app.runtime.scope(await app.bootstrap())
        ours, theirs = Ear(), Ear()
        await ours.open(settings.database)
        await theirs.open(chain_url)
        say(ready=True)
        async for ask in coming():
            await one(app, scope, ours)
            await asyncio.sleep(0.5)
            source, target = await asyncpg.connect(settings.database), await asyncpg.connect(chain_url)
            chain = Chain(target, await same_rows.last(source, "custom"))
            await another(chain, theirs)
            novukit: list[float] = []
            raw: list[float] = []
            for _ in range(ask["n"]):
                await asyncio.sleep(rng.uniform(LEAST, MOST))
                novukit.append(await one(app, scope, ours))
                await asyncio.sleep(rng.uniform(LEAST, MOST))
                raw.append(await another(chain, theirs))
            await source.close()
            await target.close()
            say(novukit=novukit, chain=raw)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
