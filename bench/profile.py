"""Where a worker's time goes: one load under cProfile or py-spy, printed by own time."""

from __future__ import annotations

import argparse
import asyncio
import pstats
import shutil
import signal
import subprocess
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
from rich.console import Console

from . import machine, project
from .peers import install
from .process import Program
from .project import Project
from .store import Drain

WARM = 500


async def profile(options: argparse.Namespace, folder: Path, console: Console) -> None:
    """Run one load and print the functions that used most time themselves."""
    spy = install.python(console).with_name("py-spy") if options.spy else None
    with machine.started() as servers:
        if options.sqlite:
            made = project.make(folder / "profile", "sqlite:///novukit.db", "memory://")
        else:
            made = project.make(
                folder / "profile", await servers.create("bench_profile"), servers.redis, ("processes=1",)
            )
        await project.prepare(made)
        out = made.folder / "profile.out"
        rate = await (_embedded if options.sqlite else _worker)(options, made, out, spy)
    console.print(f"{options.workflow}: {rate:,.0f} executions/s, the profiler's own cost included")
    if spy:
        _draw_samples(out, options.lines, console)
    else:
        pstats.Stats(str(out)).sort_stats("tottime").print_stats(options.lines)


async def _worker(options: argparse.Namespace, made: Project, out: Path, spy: Path | None) -> float:
    async with AsyncExitStack() as stack:
        words = [] if spy else [out]
        running = made.worker() if spy else made.program("profiled", *words)
        worker = await stack.enter_async_context(running)
        feeder = await stack.enter_async_context(made.program("feed"))
        connection = await asyncpg.connect(made.database)
        drain = Drain(connection)
        await drain.mark()
        await feeder.ask(workflow=options.workflow, n=WARM)
        await drain.empty()
        sampler = await _sample(spy, worker, out)
        if not spy:
            worker.signal(signal.SIGUSR1)
        began = asyncio.get_running_loop().time()
        await feeder.ask(workflow=options.workflow, n=options.n)
        await drain.empty()
        seconds = asyncio.get_running_loop().time() - began
        await _end(sampler)
        if not spy:
            worker.signal(signal.SIGUSR2)
        await connection.close()
    return options.n / seconds


async def _embedded(options: argparse.Namespace, made: Project, out: Path, spy: Path | None) -> float:
    async with made.program("embedded", *([] if spy else [out])) as program:
        await program.ask(workflow=options.workflow, n=WARM)
        sampler = await _sample(spy, program, out)
        answer = await program.ask(workflow=options.workflow, n=options.n)
        await _end(sampler)
    return options.n / answer["seconds"]


async def _sample(spy: Path | None, program: Program, out: Path) -> asyncio.subprocess.Process | None:
    if spy is None:
        return None
    words = [spy, "record", "--pid", program.pid, "--rate", 500, "--format", "raw", "--output", out, "--duration", 600]
    return await asyncio.create_subprocess_exec(*map(str, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _end(sampler: asyncio.subprocess.Process | None) -> None:
    if sampler is not None:
        sampler.send_signal(signal.SIGINT)
        await sampler.wait()


def _draw_samples(out: Path, lines: int, console: Console) -> None:
    """py-spy's raw format has a stack and a count in each line; the last frame is where the time was spent."""
    own: Counter[str] = Counter()
    for line in out.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        own[stack.rpartition(";")[2]] += int(count)
    total = own.total() or 1
    width = shutil.get_terminal_size().columns - 10
    for frame, count in own.most_common(lines):
        console.print(f"{100 * count / total:6.2f} % {frame[:width]}", markup=False)
