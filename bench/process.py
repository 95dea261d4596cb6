"""Child processes of the bench, and what the kernel says they used."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from .wire import LINE

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
ROOT = Path(__file__).parents[1]
PATIENCE = 300.0
"""Seconds within which a program must answer."""
START = 60.0
"""Seconds within which it must be up."""


class ProgramFailedError(Exception):
    """A measured program ended or said nothing; the message holds the end of what it wrote."""


class Program:
    """A running child: commanded with JSON lines, or left alone."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, log: Path) -> None:
        self._process, self._name, self._log = process, name, log
        self.said: dict[str, Any] = {}
        """The first thing that it said: that it is ready, and perhaps where."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, seconds: float = PATIENCE, **what: Any) -> dict[str, Any]:
        """Send a command and wait for the answer, for at most ``seconds``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        with suppress(ConnectionError):
            await self._process.stdin.drain()
        return await self.hear(seconds)

    async def hear(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next line that the program says. Raises :class:`ProgramFailedError` when none comes."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ProgramFailedError(f"{self._name} said nothing for {seconds:.0f} s\n{self.written()}") from None
        if not line:
            await self._process.wait()
            raise ProgramFailedError(f"{self._name} ended with {self._process.returncode}\n{self.written()}")
        return json.loads(line)

    def written(self) -> str:
        """The end of what it wrote to stderr."""
        return self._log.read_text("utf-8", "replace")[-3000:]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        self.signal(signal.SIGKILL)

    async def stop(self, seconds: float = 30.0) -> None:
        """Close its input, ask it to end, and see that it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(
    name: str, words: Sequence[object], *, folder: Path, environ: dict[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run a program until the block ends, which begins when it has said its first line, ``said``.

    Its stderr goes to a log in ``folder``, which is also where it runs.
    """
    log = folder / f"{name.replace(' ', '-')}.log"
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *map(str, words), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=out, cwd=folder,
            env=surroundings() | (environ or {}), limit=LINE,
        )  # fmt: skip
    program = Program(process, name, log)
    try:
        program.said = await program.hear(START)
        yield program
    finally:
        await program.stop()


def surroundings() -> dict[str, str]:
    """This process's environment without what would change a novukit, and with the way to the bench."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NOVUKIT_")}
    return {**plain, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def used(pids: Iterable[int]) -> float:
    """Seconds of CPU that processes and their children have used, also the children that have ended."""
    ticks = 0
    for pid in pids:
        ticks += sum(_stat(pid)[11:15])
        for child in children(pid):
            ticks += sum(_stat(child)[11:13])
    return ticks / TICK


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(_read(f"/proc/{pid}/statm").split()[1]) * PAGE


def children(pid: int) -> list[int]:
    """The processes whose parent is ``pid``."""
    folders = (folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return [int(name) for name in folders if _stat(int(name))[1] == pid]


def owner_of(*words: str) -> int:
    """The process that was started with all of ``words``. Raises :class:`LookupError` when there is none."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            asked = _read(f"/proc/{folder.name}/cmdline").split("\0")
            if all(word in asked for word in words):
                return int(folder.name)
    raise LookupError(f"no process was started with {words}")


def _stat(pid: int) -> list[int]:
    """The fields of ``/proc/<pid>/stat`` after the name, all but the state as numbers; zeros when it has ended."""
    text = _read(f"/proc/{pid}/stat")
    if not text:
        return [0] * 20
    return [0, *(int(word) for word in text.rpartition(")")[2].split()[1:20])]


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def tail(path: Path, start: int) -> str:
    """A file from its byte ``start`` on."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")
