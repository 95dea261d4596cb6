"""The servers of a session: one Postgres with its default durability and one Redis, and what they use."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from tests import servers

from . import process


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers of this session are, and which processes they are."""

    postgres: str
    redis: str
    postmaster: int
    redis_pid: int

    def database(self, name: str) -> str:
        """The URL of a database of that name."""
        return f"{self.postgres.rpartition('/')[0]}/{name}"

    async def create(self, name: str) -> str:
        """Make a database anew; returns its URL."""
        connection = await asyncpg.connect(self.postgres)
        try:
            await connection.execute(f'drop database if exists "{name}" with (force)')
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()
        return self.database(name)

    async def settle(self) -> None:
        """Clear away what all have left behind, and put what is dirty on disk, so that no measurement pays for the one
        before it. Autovacuum would do it a minute later, in the midst of whoever has the turn then.
        """
        connection = await asyncpg.connect(self.postgres)
        try:
            names = await connection.fetch("select datname from pg_database where not datistemplate")
            for (name,) in names:
                there = await asyncpg.connect(self.database(name))
                try:
                    await there.execute("vacuum (analyze)", timeout=600)
                finally:
                    await there.close()
            await connection.execute("checkpoint")
        finally:
            await connection.close()

    async def log_statements(self, on: bool) -> Path:
        """Have Postgres write down every statement, or no longer; returns the log that it writes to."""
        connection = await asyncpg.connect(self.postgres)
        try:
            await connection.execute(f"alter system set log_min_duration_statement = {0 if on else -1}")
            await connection.execute("select pg_reload_conf()")
            return Path(await connection.fetchval("show data_directory")).parent / "log"
        finally:
            await connection.close()

    async def describe(self) -> dict[str, str]:
        """The settings that say how durable a commit is."""
        connection = await asyncpg.connect(self.postgres)
        try:
            names = ("server_version", "fsync", "synchronous_commit", "wal_sync_method", "shared_buffers")
            return {name: str(await connection.fetchval(f"show {name}")) for name in names}
        finally:
            await connection.close()


@contextmanager
def started() -> Iterator[Servers]:
    """Start both servers, with ``fsync=on`` and ``synchronous_commit=on``, and take them away afterwards."""
    for name in ("NOVUKIT_TEST_POSTGRES", "NOVUKIT_TEST_REDIS"):  # not ours, nor of known settings
        os.environ.pop(name, None)
    with servers.postgres(fsync=True) as postgres, servers.redis() as redis:
        yield Servers(
            postgres, redis,
            process.owner_of("-D", "-p", str(urlsplit(postgres).port)),
            _redis_pid(urlsplit(redis).port),
        )  # fmt: skip


def _redis_pid(port: int | None) -> int:
    """Redis writes its own title over its command line: ``redis-server 127.0.0.1:port``."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            line = process._read(f"/proc/{folder.name}/cmdline")
            if line.startswith(("redis-server", "/")) and f":{port}" in line and "redis" in line:
                return int(folder.name)
    raise LookupError(f"no Redis at port {port}")


def pace() -> float:
    """Milliseconds of CPU that a fixed piece of Python takes here and now, about half of one.

    A neighbour on the same core makes it up to twice as long, and all that is measured at that time with it.
    """
    began, seen = time.process_time(), dict[int, str]()
    for n in range(4000):
        seen[n & 255] = str(n)
    return 1000 * (time.process_time() - began)


def describe() -> dict[str, str]:
    """What this machine is, as far as figures depend on it."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in process._read("/proc/cpuinfo").splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cpus": str(os.cpu_count()), "cpu": model, "python": sys.version.split()[0], "system": platform.release(),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }  # fmt: skip
