"""The disk: one real SQLite file for all processes, faults around each commit, and triggers that tell of changes.

Nothing here knows how novukit writes: a transaction is seen where SQLite is told to begin and to commit, and what it
has changed is told by triggers, which speak to :class:`Watched`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from piccolo.engine.sqlite import dict_factory

from novukit.store.sqlite import BUSY_SECONDS, Connection, settle

if TYPE_CHECKING:
    from .site import Site

T = TypeVar("T")

TABLES: dict[str, tuple[str, ...]] = {
    "event": ("id", "environment_id", "transaction_id", "workflow_id", "status", "cursor"),
    "execution": (
        "id", "environment_id", "event_id", "workflow_id", "subscriber_uuid", "subscriber_id", "status", "wake_at",
        "worker_id", "cancel_requested_at", "runs", "step", "reason",
    ),
    "checkpoint": (
        "environment_id", "execution_id", "step_id", "step_key", "kind", "status", "result", "reason", "attempts",
        "position", "message_id", "wake_at",
    ),
    "message": (
        "id", "environment_id", "execution_id", "subscriber_uuid", "step_id", "step_key", "channel", "status",
        "idempotency_key", "attempts", "possible_duplicate", "read_at", "archived_at",
    ),
    "worker": ("id", "lease_until"),
    "digest_window": ("id", "environment_id", "status", "owner_execution_id", "closes_at"),
    "throttle_pass": ("environment_id", "execution_id", "step_id", "subscriber_uuid", "throttle_key", "at"),
    "preference": ("environment_id", "subscriber_uuid", "workflow_id", "channels"),
}  # fmt: skip
"""What is watched: columns of ``novukit_…``. One that a table does not have is told as None."""

MANY = 40_000
"""So many statements no seed needs."""

Change = tuple[str, str, tuple[Any, ...]]
"""Table, ``i``, ``u`` or ``d``, and the row after it (before it, for ``d``)."""


def watch(connection: sqlite3.Connection) -> None:
    """Let every change of the tables be told to ``sim_note``."""
    for table, columns in TABLES.items():
        there = {row[1] for row in connection.execute(f"pragma table_info(novukit_{table})")}
        assert there, f"there is no table novukit_{table}"
        for op, event, row in (("i", "insert", "new"), ("u", "update", "new"), ("d", "delete", "old")):
            told = ", ".join(f"{row}.{name}" if name in there else "null" for name in columns)
            connection.execute(
                f"create trigger sim_{table}_{op} after {event} on novukit_{table} "
                f"begin select sim_note('{table}', '{op}', {told}); end"
            )


def away(said: str, code: int = sqlite3.SQLITE_IOERR) -> sqlite3.OperationalError:
    """The database is out of reach, or an answer of it got lost."""
    error = sqlite3.OperationalError(said)
    error.sqlite_errorcode = code
    return error


class Killed(BaseException):
    """The process ends in the middle of a statement."""


class Watched(sqlite3.Connection):
    """A connection that tells what each commit has changed, and that fails when it is told to.

    ``fate`` is what becomes of the next commit: ``refused`` (nothing is kept, and the transaction is still open),
    ``dropped`` (it is rolled back), ``lost`` (it is kept, and fails all the same), ``killed before``, ``killed after``.
    ``failing`` counts the statements until one fails.
    """

    site: Site
    fate = ""
    failing = -1

    def adopt(self, site: Site) -> None:
        """Tell ``site`` of what is committed here."""
        self.site, self._changes = site, list[Change]()
        self.create_function("sim_note", -1, self._note)

    def _note(self, table: str, op: str, *row: Any) -> None:
        self._changes.append((table, op, row))

    def execute(self, sql: str, args: Any = ()) -> sqlite3.Cursor:  # type: ignore[override]
        if rewrite := self.site.world.rewrite:
            sql = sql.replace(*rewrite)
        verb = sql.lstrip()[:6].lower()
        if verb == "commit":
            return self._commit(lambda: super(Watched, self).execute(sql))
        if verb == "rollba":
            self._changes.clear()
            return super().execute(sql)
        self._may_fail()
        if self.in_transaction or verb in ("select", "begin ", "pragma"):
            return super().execute(sql, args)
        return self._commit(lambda: super(Watched, self).execute(sql, args))

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:  # type: ignore[override]
        self._may_fail()
        if rewrite := self.site.world.rewrite:
            sql = sql.replace(*rewrite)
        assert self.in_transaction, "each row would be a transaction of its own"
        return super().executemany(sql, rows)

    def _may_fail(self) -> None:
        self.site.world.statements += 1
        if self.site.world.statements > MANY:
            self.site.world.broken("L5", f"{MANY} statements: something is tried again and again")
            raise away("simulated: the end of the world")
        self.failing -= 1
        if self.failing == 0:
            self.site.world.happens("statement fails", self.site)
            raise away("simulated: a statement failed")

    def _commit(self, keep: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        """The end of a transaction, or a single statement, which is one by itself."""
        fate, self.fate = self.fate, ""
        if fate:
            self.site.world.happens(f"commit {fate}", self.site)
        if fate in ("refused", "dropped"):
            if fate == "dropped" and self.in_transaction:
                super().execute("rollback")
                self._changes.clear()
            raise away("simulated: nothing was kept")
        if fate == "killed before":
            raise Killed
        cursor = keep()
        changes, self._changes = self._changes, []
        if changes:
            self.site.world.committed(self.site, changes)
        if fate in ("lost", "killed after"):
            cursor.fetchall()
            raise Killed if fate == "killed after" else away("simulated: the answer of a commit was lost")
        return cursor

    def die(self) -> None:
        """As when the process that had it is killed."""
        if self.in_transaction:
            super().execute("rollback")
        self.close()


class Disk:
    """SQLite's write lock, waited for in virtual time."""

    def __init__(self) -> None:
        self.holder: SimConnection | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def turn_of(self, connection: SimConnection) -> None:
        """Wait until nobody else is writing; the error is SQLite's own when that takes too long."""
        if self.holder in (None, connection):
            return
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                while self.holder not in (None, connection):
                    free = asyncio.get_running_loop().create_future()
                    self._waiting.append(free)
                    await free
        except TimeoutError:
            raise away("database is locked", sqlite3.SQLITE_BUSY) from None

    def used_by(self, connection: SimConnection, *, writing: bool) -> None:
        """Whether ``connection`` holds the lock now."""
        if writing:
            assert self.holder in (None, connection), "two writers at once"
            self.holder = connection
        elif self.holder is connection:
            self.holder = None
            waiting, self._waiting = self._waiting, []
            for free in waiting:
                if not free.done():
                    free.set_result(None)


class SimConnection(Connection):
    """novukit's connection of one process, inline, with faults on its way."""

    def __init__(self, site: Site, path: str) -> None:
        super().__init__(path, "OFF", inline=True)
        self.site, self.reads_only = site, False
        site.connections.append(self)

    def _connection(self) -> sqlite3.Connection:
        if self._sqlite is None:
            raw = sqlite3.connect(
                self._path, timeout=0, detect_types=sqlite3.PARSE_DECLTYPES, isolation_level=None, factory=Watched,
                cached_statements=512,
            )  # fmt: skip
            raw.row_factory = dict_factory
            raw.adopt(self.site)
            # Temporary tables and the like in memory; the rest as novukit has it.
            raw.execute("pragma synchronous = off")
            raw.execute("pragma foreign_keys = on")
            raw.execute("pragma temp_store = memory")
            self._sqlite = raw
        return self._sqlite

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await settle(self._call(work))  # as with a thread, which cannot be stopped

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        site = self.site
        if not site.alive:
            raise away("simulated: this process is dead")
        disk = site.world.disk
        await site.on_the_way()
        if not self.reads_only:
            await disk.turn_of(self)
        raw = self._connection()
        assert isinstance(raw, Watched)
        raw.fate, raw.failing = site.fate_of_a_commit(), site.failing_statement()
        try:
            result = work(raw)
        except Killed:
            site.kill()
            await site.never()
            raise AssertionError("unreachable") from None
        finally:
            if site.alive:
                disk.used_by(self, writing=raw.in_transaction)
        await site.on_the_way()
        return result

    async def close(self) -> None:
        self.die()

    def die(self) -> None:
        """Roll back, and let others write."""
        if self._sqlite is not None:
            assert isinstance(self._sqlite, Watched)
            self._sqlite.die()
            self._sqlite = None
        self.site.world.disk.used_by(self, writing=False)
