"""The processes of a chaos run, each on a port of its own that it comes back to: Postgres, Redis, and novukit's own.

Whoever hurts one asks ``pid`` for it, which first proves that the process is ours: started here, alive, and at home in
the folder that was made for it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis as RedisClient

from .. import servers

PATIENCE = 60.0
"""Seconds that a process may take to be up. The machine is loaded on purpose."""
GOING = 45.0
"""Seconds that a process may take to end after SIGTERM: its grace, and a database that is away meanwhile."""
UNREACHABLE = 4
"""The exit code of a novukit that cannot reach its database at the start; whoever runs it starts it again."""


class NotOursError(Exception):
    """The process, or the server at that address, is not the one that this run has started: it must not be hurt."""


class Machine:
    """A process that can be started again and again with the same words."""

    def __init__(
        self, name: str, words: Sequence[object], home: Path, log: Path, said: Path | None = None, **how: Any
    ) -> None:
        self.name, self.home, self.log, self.said = name, home, log, said or log
        self._words, self._how = [str(word) for word in words], how
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and do not wait."""
        with self.said.open("ab") as out, self.log.open("ab") as errors:
            how = {"stdout": out, "stderr": errors, "preexec_fn": _die_with_parent} | self._how
            self.process = subprocess.Popen[bytes](self._words, **how)

    @property
    def pid(self) -> int:
        """Its pid. Raises :class:`NotOursError` unless the process is our child, alive, and lives where it should."""
        if self.process is None or self.process.poll() is not None:
            raise NotOursError(f"{self.name} is not running.")
        try:
            at_home = Path(f"/proc/{self.process.pid}/cwd").resolve(strict=True) == self.home.resolve()
            parent = int(Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError as err:
            raise NotOursError(f"{self.name} cannot be proved to be ours: {err}.") from None
        if not at_home or parent != os.getpid():
            raise NotOursError(f"Process {self.process.pid} is not the {self.name} that was started here.")
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to what is proved to be ours."""
        os.kill(self.pid, number)

    async def gone(self, seconds: float) -> int | None:
        """Wait until it has ended; its exit code, or None if it has not after ``seconds``."""
        deadline = time.monotonic() + seconds
        while self.process is not None and self.process.poll() is None:
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(0.02)
        return 0 if self.process is None else self.process.returncode

    def end(self) -> None:
        """Away with it, at the end of the run."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


class Postgres(Machine):
    """A Postgres with its default durability (fsync is on) in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.who = servers._unprivileged()
        self.binaries = servers._postgres_binaries(self.who)
        # Its own user must be able to pass through every folder on the way: not one below a test's.
        self.data, self.port = Path(tempfile.mkdtemp(prefix="novukit-chaos-")) / "data", servers.free_port()
        options = ["-p", self.port, "-h", servers.LOCAL, "-k", "", "-c", "max_connections=100"]
        as_user = {"cwd": "/", "user": self.who, "group": servers._group(self.who)}
        super().__init__(
            "postgres", [self.binaries / "postgres", "-D", self.data, *options], self.data, folder / "postgres.log",
            **as_user,
        )  # fmt: skip
        password = self.data.parent / "password"
        password.write_text(servers.PASSWORD)
        if self.who is not None:
            os.chown(self.data.parent, self.who, -1)
            os.chown(password, self.who, -1)
        access = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C"]
        servers._run([self.binaries / "initdb", "-D", self.data, *access, "--no-sync"], self.who)

    def url(self, database: str) -> str:
        return f"postgres://postgres:{servers.PASSWORD}@{servers.LOCAL}:{self.port}/{database}"

    async def connect(self, database: str = "postgres") -> Any:
        """A connection to what is proved to be our server."""
        connection = await asyncpg.connect(self.url(database), timeout=10)
        if Path(await connection.fetchval("show data_directory")) != self.data:
            raise NotOursError("Another Postgres answers at our port.")
        return connection

    async def up(self) -> None:
        """Start it, and wait until it takes work."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self.process is None or self.process.poll() is not None:
                self.start()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await (await self.connect()).close()
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postgres did not come up:\n{self.log.read_text('utf-8', 'replace')[-4000:]}")
            await asyncio.sleep(0.05)

    def end(self) -> None:
        super().end()
        shutil.rmtree(self.data.parent, ignore_errors=True)

    async def stop_at_once(self) -> None:
        """What ``pg_ctl stop -m immediate`` does: no checkpoint, connections cut, recovery at the next start."""
        if int((self.data / "postmaster.pid").read_text().split()[0]) != self.pid:
            raise NotOursError("Another postmaster runs in our data folder.")
        self.signal(signal.SIGQUIT)
        await self.gone(PATIENCE)


class Redis(Machine):
    """A Redis that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        home = folder / "redis"
        home.mkdir()
        binary = shutil.which("redis-server") or shutil.which("valkey-server") or servers._redis_of_the_wheel()
        if binary is None:
            raise servers.ServerMissingError("install redis-server (or valkey-server)")
        self.port = servers.free_port()
        options = ["--bind", servers.LOCAL, "--port", self.port, "--dir", home, "--save", "", "--appendonly", "no"]
        super().__init__("redis", [binary, *options], home, folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://{servers.LOCAL}:{self.port}/0"

    async def up(self) -> None:
        """Start it, and wait until it answers."""
        self.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(Exception):
                await self.tell("PING")
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not come up:\n{self.log.read_text('utf-8', 'replace')[-4000:]}")
            await asyncio.sleep(0.02)

    async def tell(self, *command: object) -> Any:
        """Run a command on what is proved to be our server."""
        client = RedisClient.from_url(self.url, socket_timeout=5, socket_connect_timeout=2)
        try:
            if (await client.info("server"))["process_id"] != self.pid:
                raise NotOursError("Another Redis answers at our port.")
            return await client.execute_command(*map(str, command))
        finally:
            await client.aclose()


@dataclass
class Life:
    """One life of a process: when it was up, and how it ended."""

    pid: int
    began: float
    up: float | None = None
    ended: float | None = None
    code: int | None = None
    asked: str = ""
    """What we did to end it; empty while it has to live."""


@dataclass
class Kept:
    """A novukit process that is started again whenever it ends, as whoever runs it in earnest would do.

    ``rests`` gives the seconds between an end and the next start. What ends by itself once it was up, or does not
    start for another reason than a database that is away, is told in ``complaints``.
    """

    machine: Machine
    rests: Callable[[], float]
    complaints: list[str] = field(default_factory=list[str])
    lives: list[Life] = field(default_factory=list[Life])
    closing: bool = False

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def is_up(self) -> bool:
        return bool(self.lives) and self.lives[-1].up is not None and self.lives[-1].ended is None

    async def keep(self) -> None:
        """Live, die, live again, until ``closing``."""
        while not self.closing:
            self.machine.said.write_bytes(b"")
            self.machine.start()
            assert self.machine.process is not None
            life = Life(self.machine.process.pid, time.time())
            self.lives.append(life)
            while (code := self.machine.process.poll()) is None:
                if life.up is None and self.machine.said.stat().st_size:
                    life.up = time.time()
                await asyncio.sleep(0.02)
            life.ended, life.code = time.time(), code
            self._judge(life)
            if not self.closing:
                await asyncio.sleep(self.rests())

    def kill(self) -> None:
        """SIGKILL."""
        pid = self.machine.pid
        self.lives[-1].asked = "SIGKILL"
        os.kill(pid, signal.SIGKILL)

    async def roll(self) -> None:
        """SIGTERM, and wait until it has ended by itself."""
        pid, life = self.machine.pid, self.lives[-1]
        life.asked = life.asked or ("SIGTERM" if life.up else "SIGTERM before it was up")
        os.kill(pid, signal.SIGTERM)
        if await self.machine.gone(GOING) is None:
            self.complaints.append(f"P19 {self.name} ({life.pid}): it did not end within {GOING:g} s of SIGTERM.")
            self.kill()

    async def wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.is_up:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not come up:\n{self.tail(4000)}")
            await asyncio.sleep(0.02)

    def tail(self, size: int = 1500) -> str:
        """The end of its log."""
        return self.machine.log.read_text("utf-8", "replace")[-size:] if self.machine.log.exists() else ""

    def _judge(self, life: Life) -> None:
        who = f"{self.name} ({life.pid})"
        if life.asked == "SIGTERM" and life.code != 0:
            self.complaints.append(f"P19 {who}: after SIGTERM it ended with {life.code}.\n{self.tail()}")
        elif not life.asked and life.up is not None:
            self.complaints.append(f"P12 {who}: it ended by itself, with {life.code}.\n{self.tail()}")
        elif not life.asked and life.code != UNREACHABLE:
            self.complaints.append(f"P13 {who}: it did not start, and ended with {life.code}.\n{self.tail()}")


def novukit(
    name: str, words: Sequence[str], folder: Path, environ: Mapping[str, str], rests: Callable[[], float]
) -> Kept:
    """``novukit server`` or ``novukit worker`` of the project in ``folder``."""
    words = [sys.executable, "-m", "novukit.cli", *words, "--json"]
    said, log = folder / f"{name}.said", folder / f"{name}.log"
    return Kept(Machine(name, words, folder, log, said, cwd=folder, env=dict(environ)), rests)


def _die_with_parent() -> None:
    """Nothing of this stays when the run itself is killed (``prctl(PR_SET_PDEATHSIG)``, Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
