"""What every test may ask for: a wound clock, ids, and an open, migrated database on SQLite and on Postgres."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from novukit.clock import NewId, uuid7_source
from novukit.store import Database, migrations
from novukit.store.tables import TABLES
from novukit.testing.clock import VirtualClock

from . import servers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """novukit is asyncio only."""
    return "asyncio"


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at 2026-01-01 00:00 UTC until the test winds it."""
    return VirtualClock()


@pytest.fixture
def new_id(clock: VirtualClock) -> NewId:
    """The same ids on every run."""
    return uuid7_source(clock, random.Random(7))


def _server(name: str, start: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The URL of a server for the whole session, or a skip."""
    try:
        with start() as url:
            yield url
    except servers.ServerMissingError as err:
        pytest.skip(f"Tests that need {name} were skipped: {err}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With NOVUKIT_REQUIRE_SERVERS=1, where everything is meant to be there, any skip is a failure."""
    report = yield
    if report.skipped and os.environ.get("NOVUKIT_REQUIRE_SERVERS") == "1":
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason why something was skipped, whichever process skipped it."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2].removeprefix("Skipped: ") for report in skipped}):
        terminalreporter.write_line(reason, yellow=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real Postgres server's maintenance database. Make your own database there (``empty_postgres``)."""
    yield from _server("Postgres", servers.postgres)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a real Redis server. It is shared by the session: use keys of your own."""
    yield from _server("Redis", servers.redis)


def _execute(url: str, *statements: str) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(main())


def _new_postgres(server: str) -> Iterator[str]:
    name = f"novukit_test_{uuid4().hex[:12]}"
    _execute(server, f"create database {name}")
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    _execute(server, f"drop database {name} with (force)")


@pytest.fixture
def empty_postgres(postgres_url: str) -> Iterator[str]:
    """The URL of a Postgres database of one's own with nothing in it."""
    yield from _new_postgres(postgres_url)


def _migrate(url: str) -> None:
    async def main() -> None:
        clock = VirtualClock()
        database = Database(url, clock=clock, new_id=uuid7_source(clock, random.Random(7)), synchronous="OFF")
        await database.open()
        try:
            await migrations.upgrade(database)
        finally:
            await database.close()

    asyncio.run(main())


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_url: str) -> Iterator[tuple[str, str]]:
    """One migrated database for the session, and the statements that empty it.

    DELETE, children first: on tables as small as these it is much faster than TRUNCATE or a database for each test.
    """
    emptying = "; ".join(f"delete from {table._meta.tablename}" for table in reversed(TABLES))
    for url in _new_postgres(postgres_url):
        _migrate(url)
        yield url, emptying


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database: each test that takes it runs on both engines."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "novukit.db")
        return f"sqlite:///{tmp_path / 'novukit.db'}"
    url, emptying = request.getfixturevalue("_migrated_postgres")
    _execute(url, emptying)
    return url


@pytest.fixture
async def database(database_url: str, clock: VirtualClock, new_id: NewId) -> AsyncIterator[Database]:
    """An open, migrated, empty database on the wound clock."""
    database = Database(database_url, clock=clock, new_id=new_id, synchronous="OFF")
    await database.open()
    yield database
    await database.close()
