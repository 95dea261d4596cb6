"""novukit in one process over SQLite with ``synchronous=FULL``: the worker runs beside the triggers."""

from __future__ import annotations

import asyncio
import cProfile
import sys
import time
from uuid import UUID

from bench.programs.feed import feed
from bench.wire import coming, say
from novukit.app import App
from novukit.cli import loop
from novukit.cli.serving import collect_less
from novukit.settings import Settings
from novukit.store import Scope

LEFT = (
    "select id from novukit_execution where environment_id = $1 and id >= $2 and finished_at is null "
    "order by environment_id, id limit 1"
)
EVERY = 0.01
"""Seconds between two looks."""


async def drained(scope: Scope) -> None:
    """Wait until every execution has ended, looking from the oldest one that had not."""
    rows = await scope.database.fetch(LEFT, scope.environment_id, UUID(int=0))
    while rows:
        await asyncio.sleep(EVERY)
        rows = await scope.database.fetch(LEFT, scope.environment_id, rows[0]["id"])


async def main(path: str | None) -> None:
    """Answer commands; with ``path`` the last one is profiled, and the profile left there."""
    collect_less()  # as ``novukit dev``, which is one process too
    async with App(Settings.load()) as app:
        scope = app.runtime.scope(await app.bootstrap())
        worker = app.worker()
        working = asyncio.create_task(worker.run())
        say(ready=True)
        async for ask in coming():
            profile = cProfile.Profile() if path else None
            if profile:
                profile.enable()
            began, cpu = time.monotonic(), time.process_time()
            await feed(app, scope, ask["workflow"], range(ask["n"]))
            await drained(scope)
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
            if profile:
                profile.dump_stats(str(path))
            rows = await app.database.fetch("select status, count(*) as n from novukit_execution group by status")
            say(seconds=seconds, cpu=cpu, statuses={row["status"]: row["n"] for row in rows})
        worker.stop()
        await working


if __name__ == "__main__":
    loop.run(main(sys.argv[1] if sys.argv[1:] else None))
