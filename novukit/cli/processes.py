"""More processes for a worker: Python runs one workflow at a time in each, on one core."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from .failure import FAILED

log = logging.getLogger("novukit.cli")

MOST = 4
"""Processes unless somebody says how many: each may open a dozen connections, and Postgres takes a hundred."""
LONGEST_REST = 30.0
"""Seconds before a process that ended is replaced, at most: 1, 2, 4, … while it ends again and again."""
WELL = 60.0
"""Seconds after which a process that ends counts as one that ran well."""
LATE = 10.0
"""Seconds beyond its grace after which a process that does not stop is killed."""


def usual(database: str) -> int:
    """How many processes a worker has unless somebody says: one for each core; SQLite has one writer, so one there."""
    if database.startswith("sqlite:"):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST)


@asynccontextmanager
async def beside(commands: Sequence[Sequence[str]], grace: float) -> AsyncGenerator[Callable[[], None]]:
    """Run each of ``commands`` (words after ``novukit``) in a process of its own while the block runs.

    It begins when each of them has said its first line, or has ended; what they print after it is printed here.

    One that ends is begun again. They are told to stop (SIGTERM) when the block ends, or earlier by the function that
    it is given, and have ``grace`` seconds and a little more to do so. They end with this process too, even by kill -9:
    see :func:`die_with_parent`.
    """
    up = [asyncio.Event() for _ in commands]
    tasks = [asyncio.create_task(_keep(*each, grace)) for each in zip(commands, up, strict=True)]
    told = False

    def stop() -> None:
        nonlocal told
        if not told:  # a second cancel would cut off the wait for their end
            told = True
            for task in tasks:
                task.cancel()

    try:
        for one in up:
            await one.wait()
        yield stop
    finally:
        stop()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(command: Sequence[str], up: asyncio.Event, grace: float) -> None:
    """Keep one process running until cancelled."""
    loop, rest = asyncio.get_running_loop(), 1.0
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "novukit.cli", *command, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        began = loop.time()
        printing = asyncio.create_task(_print(process, up))
        try:
            code = await process.wait()
        finally:
            up.set()
            await asyncio.shield(_end(process, grace))
            await printing
        rest = 1.0 if loop.time() - began > WELL else min(rest * 2, LONGEST_REST)
        log.warning("a process of this worker ended with %d; another takes its place in %g s", code, rest)
        await asyncio.sleep(rest)


async def _print(process: asyncio.subprocess.Process, up: asyncio.Event) -> None:
    """Hear the first line of a process, and pass on all the others."""
    assert process.stdout is not None
    if await process.stdout.readline():
        up.set()
    while some := await process.stdout.read(1 << 16):
        sys.stdout.buffer.write(some)
        sys.stdout.buffer.flush()


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    """Stop a process gracefully, in bounded time."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(grace + LATE):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def die_with_parent() -> None:
    """In the child: end at once when the parent is gone, even by kill -9, so that nobody works or holds a port unseen.

    The pipe at our standard input is open as long as the parent lives. What runs here goes on from its record.
    """

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(FAILED)

    threading.Thread(target=wait, daemon=True, name="novukit-parent").start()
