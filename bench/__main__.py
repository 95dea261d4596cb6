"""``python -m bench`` measures novukit and its peers; ``python -m bench profile`` shows where a worker's time goes."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from . import machine, table
from .figures import Row
from .process import ProgramFailedError
from .session import Session

FAMILIES = {
    "custom": "throughput", "messages": "throughput", "sqlite": "sqlite", "latency": "latency", "http": "http",
    "topic": "topic", "growth": "growth", "inbox": "inbox", "sleepers": "sleepers", "crash": "crash",
}  # fmt: skip
"""What ``--only`` may name, and the module of ``bench.rows`` that measures it."""

WIDTH = 160
"""Columns when what we print is not for a terminal."""

Measure = Callable[[Session, set[str]], Awaitable[list[Row]]]


def main() -> None:
    """Read the command line and do as it says."""
    parser = argparse.ArgumentParser("python -m bench", description="Measure novukit beside its peers.")
    commands = parser.add_subparsers(dest="command")
    profiling = commands.add_parser("profile", help="run the worker under a profiler and print the top by own time")
    profiling.add_argument("workflow", choices=["custom", "messages"])
    profiling.add_argument("--sqlite", action="store_true", help="one process over SQLite in place of Postgres")
    profiling.add_argument("--spy", action="store_true", help="sample with py-spy in place of cProfile")
    profiling.add_argument("--n", type=int, default=3000, help="executions")
    profiling.add_argument("--lines", type=int, default=45, help="lines to print")
    parser.add_argument("--short", action="store_true", help="fewer and smaller rounds: a few minutes in all")
    parser.add_argument("--only", default=",".join(FAMILIES), help=f"some of {', '.join(FAMILIES)}")
    parser.add_argument("--no-peers", action="store_true", help="novukit alone, without ratios")
    parser.add_argument("--worker", default="", help="settings of the worker, such as concurrency=500; else as shipped")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each row")
    options = parser.parse_args()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    with tempfile.TemporaryDirectory(prefix="novukit-bench-") as folder:
        if options.command == "profile":
            from . import profile

            asyncio.run(profile.profile(options, Path(folder), console))
            return
        wanted = set(options.only.split(","))
        if unknown := wanted - FAMILIES.keys():
            parser.error(f"--only knows {', '.join(FAMILIES)}; not {', '.join(sorted(unknown))}")
        asyncio.run(measure(options, wanted, Path(folder), console))


async def measure(options: argparse.Namespace, wanted: set[str], folder: Path, console: Console) -> None:
    """Measure the wanted families in turn, and print and keep what came out."""
    peers = None
    if not options.no_peers:
        from .peers import install

        peers = install.python(console)
    began = time.monotonic()
    kind = "short" if options.short else "full"
    path = table.result(kind)
    rows: list[Row] = []
    failed: list[str] = []
    with machine.started() as servers:
        about = {**machine.describe(), **await servers.describe()}
        worker = tuple(options.worker.split(",")) if options.worker else ()
        about |= {"worker": " ".join(worker) or "as shipped"}
        session = Session(
            servers, folder, options.short, not options.no_peers, peers, options.rounds, worker,
            lambda said: console.print(f"[dim]{time.monotonic() - began:6.1f} s[/] {said}"),
        )  # fmt: skip
        for module in dict.fromkeys(FAMILIES[name] for name in FAMILIES if name in wanted):
            family: Measure = import_module(f".rows.{module}", __package__).measure
            try:
                rows += await family(session, wanted)
                table.keep(path, rows, about, time.monotonic() - began, kind)  # a session may be cut off
            except (ProgramFailedError, AssertionError, TimeoutError) as err:
                failed.append(module)
                console.print(f"[bold red]{module} failed[/]: {escape(str(err) or type(err).__name__)}")
    seconds = time.monotonic() - began
    table.draw(console, rows, about, seconds)
    if failed:
        raise SystemExit(f"Not measured: {', '.join(failed)}.")
    console.print(f"Figures: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}", style="dim")


if __name__ == "__main__":
    main()
