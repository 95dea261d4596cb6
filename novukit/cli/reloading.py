"""Reloading: a parent process watches the files; its child does the work and is started again when one changes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import Change, DefaultFilter, awatch  # pyright: ignore[reportUnknownVariableType]

from .failure import FAILED, INTERRUPTED, OK, UNREACHABLE, USAGE, Stopped
from .output import Output, sign

if TYPE_CHECKING:
    from ..settings import Settings

WAITED_FOR = (FAILED, USAGE)
"""Exit codes after which the next change may help: the author's code, or the settings, were wrong."""
PATIENCE = 30.0
"""Seconds that a child may take to stop before it is killed."""


class _Sources(DefaultFilter):
    """Python files of the project, everything in the folders of templates, and the settings."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(ignore_paths=[settings.root / ".novukit"])
        self._templates = tuple(f"{folder.resolve()}{os.sep}" for folder in settings.templates)
        self._settings = str(settings.file)

    def __call__(self, change: Change, path: str) -> bool:
        wanted = path.endswith(".py") or path == self._settings or path.startswith(self._templates)
        return wanted and super().__call__(change, path)


async def watch(settings: Settings, output: Output, arguments: Sequence[str]) -> int:
    """Run the child, and again after each change, until it is told to stop. Gives the exit code."""
    stop = asyncio.Event()
    interrupted = False

    def heard(number: int) -> None:
        nonlocal interrupted
        interrupted = interrupted or number == signal.SIGINT
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, heard, number)
    changes = _changes(settings, stop)
    next_change = asyncio.ensure_future(anext(changes, None))
    try:
        while not stop.is_set():
            child = await _start(arguments)
            ended = asyncio.ensure_future(child.wait())
            await asyncio.wait({ended, next_change}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not stop.is_set():
                if ended.result() not in WAITED_FOR:
                    return ended.result()
                output.note(("  Waiting for a change.", "dim"))
            changed = await next_change
            await _end(child, ended, heard_it=interrupted)
            if changed is None:
                break
            next_change = asyncio.ensure_future(anext(changes, None))
            output.note(("", ""))
            output.note((f"{sign('→')} ", "cyan"), (f"{_named(changed, settings.root)} changed", "dim"))
    finally:
        stop.set()
        next_change.cancel()
        await asyncio.gather(next_change, return_exceptions=True)
    return INTERRUPTED if interrupted else OK


async def _changes(settings: Settings, stop: asyncio.Event) -> AsyncIterator[set[str]]:
    folders = {settings.root.resolve(), *(folder.resolve() for folder in settings.templates if folder.is_dir())}
    outermost = [one for one in folders if not any(one != other and one.is_relative_to(other) for other in folders)]
    watched = awatch(*outermost, watch_filter=_Sources(settings), stop_event=stop, debounce=300, step=50)
    async for found in watched:
        yield {path for _, path in found}


async def _start(arguments: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novukit.cli",
        *arguments,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.PIPE,
    )


async def _end(child: asyncio.subprocess.Process, ended: asyncio.Future[int], *, heard_it: bool) -> None:
    """Stop the child gracefully. A Ctrl-C at the terminal has reached it already."""
    if heard_it:
        await asyncio.wait({ended}, timeout=1)
    if not ended.done():
        with suppress(ProcessLookupError):
            child.terminate()
        await asyncio.wait({ended}, timeout=PATIENCE)
    if not ended.done():
        with suppress(ProcessLookupError):
            child.kill()
        await ended


def _named(paths: set[str], root: Path) -> str:
    first = Path(min(paths))
    shown = first.relative_to(root.resolve()) if first.is_relative_to(root.resolve()) else first
    return f"{shown} and {len(paths) - 1} more" if len(paths) > 1 else str(shown)


@contextmanager
def only_one(root: Path) -> Generator[None]:
    """Hold ``.novukit/dev.pid`` while the block runs. Raises :class:`Stopped` with the pid of whoever holds it.

    The lock is the system's own, so it goes with the process, however that ends.
    """
    folder = root / ".novukit"
    try:
        folder.mkdir(exist_ok=True)
        if not (ignore := folder / ".gitignore").exists():
            ignore.write_text("*\n")
        file = (folder / "dev.pid").open("a+")
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise Stopped(f"{folder} cannot be written ({reason}).", FAILED, hint="Make the folder writable.") from None
    with file:
        if not _locked(file.fileno()):
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise Stopped(
                f"`novukit dev` is running in this folder already (process {pid}).",
                UNREACHABLE,
                hint=f"Use that one, or stop it: kill {pid}",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def _locked(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two may run; the second finds the port in use
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
