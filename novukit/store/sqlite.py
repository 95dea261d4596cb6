"""SQLite under Piccolo: one writer and a few readers on standing connections, WAL, safe under cancellation.

Piccolo's own engine opens a connection and a thread for each query, and a ``BEGIN IMMEDIATE`` that times out leaks
both; this one keeps its connections and never leaves a statement half awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from uuid import UUID

from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory

from .uuids import NativeUUID, uuid_from

T = TypeVar("T")
Synchronous = Literal["FULL", "NORMAL", "OFF"]
BUSY_SECONDS = 10.0

# Piccolo's own go through a Python function each, and through Decimal for a whole number: these are twice as fast.
sqlite3.register_adapter(UUID, str)
sqlite3.register_adapter(NativeUUID, str)
sqlite3.register_converter("INTEGER", int)
sqlite3.register_converter("UUID", lambda text: uuid_from(text.decode()))
sqlite3.register_converter("TIMESTAMPTZ", lambda text: datetime.fromisoformat(text.decode()))


async def settle(work: Awaitable[T]) -> T:
    """Await ``work`` to its end even when cancelled (SQLite's thread cannot be stopped), then pass the cancel on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise


class Connection:
    """One SQLite connection with a thread of its own, or, ``inline``, none at all (tests and simulation)."""

    def __init__(self, path: str, synchronous: Synchronous, inline: bool) -> None:
        self._path, self._synchronous = path, synchronous
        self._thread = None if inline else ThreadPoolExecutor(1, thread_name_prefix="novukit-sqlite")
        self._sqlite: sqlite3.Connection | None = None
        self.failed = False
        """Whether a statement failed since the last BEGIN."""

    def _connection(self) -> sqlite3.Connection:
        if self._sqlite is None:
            self._sqlite = sqlite3.connect(
                self._path,
                timeout=BUSY_SECONDS,
                detect_types=sqlite3.PARSE_DECLTYPES,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            self._sqlite.row_factory = dict_factory
            self._sqlite.executescript(
                f"pragma journal_mode = wal; pragma synchronous = {self._synchronous}; pragma foreign_keys = on;"
            )
        return self._sqlite

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` on the connection, in one hop."""
        if self._thread is None:
            return work(self._connection())
        return await settle(asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._connection())))

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one statement and give all its rows."""

        def work(connection: sqlite3.Connection) -> list[dict[str, Any]]:
            cursor = connection.execute(sql, args)
            try:
                return cursor.fetchall()
            finally:
                cursor.close()

        return await self.noting_failure(work)

    async def write(self, sql: str, args: Sequence[Any]) -> int:
        """Run one statement and say how many rows it wrote."""
        return await self.noting_failure(lambda connection: connection.execute(sql, args).rowcount)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, in one hop."""
        await self.noting_failure(lambda connection: connection.executemany(sql, rows).close())

    async def noting_failure(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As :meth:`call`, inside a transaction: once something has failed there, it must not be committed."""
        try:
            return await self.call(work)
        except sqlite3.Error:
            self.failed = True
            raise

    @property
    def in_transaction(self) -> bool:
        return self._sqlite is not None and self._sqlite.in_transaction

    async def close(self) -> None:
        """Close the connection and end its thread."""
        if self._sqlite is not None:
            await self.call(lambda connection: connection.close())
            self._sqlite = None
        if self._thread is not None:
            self._thread.shutdown()


class WalTransaction(SQLiteTransaction):
    """A transaction on the one writer: it begins IMMEDIATE, and always gives the writer back."""

    engine: WalEngine
    connection: Connection

    async def __aenter__(self) -> Self:
        if self._parent is not None:
            return self._parent  # type: ignore[return-value]
        await self.engine.writing.acquire()
        self.connection = self.engine.writer
        try:
            await self.connection.execute("begin immediate")
            self.connection.failed = False
        except BaseException:
            await self._give_back()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def commit(self) -> None:
        """COMMIT, but nothing once a statement has failed: as Postgres has it, so that tests here tell the truth."""
        if self.connection.failed:
            raise sqlite3.OperationalError("a statement of this transaction failed; nothing was kept")
        await self.connection.execute("commit")
        self._committed = True

    async def rollback(self) -> None:
        await self.connection.execute("rollback")
        self._rolled_back = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._parent is not None:
            return error is None
        self.engine.current_transaction.reset(self.context)
        try:
            if error is None and not self._committed and not self._rolled_back:
                await self.commit()
        finally:
            await self._give_back()
        return error is None

    async def _give_back(self) -> None:
        """Roll back whatever is still open and let the next writer in."""
        try:
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    await self.connection.execute("rollback")
        finally:
            self.engine.writing.release()


class WalEngine(SQLiteEngine):
    """Piccolo's SQLite engine on standing connections.

    ``synchronous`` FULL keeps an acknowledged commit through a power loss; NORMAL through a crash of the process.
    """

    def __init__(self, path: str, *, synchronous: Synchronous = "FULL", readers: int = 2, inline: bool = False) -> None:
        super().__init__(path=path)
        self.writer = Connection(path, synchronous, inline)
        self.writing = asyncio.Lock()
        self._readers = [Connection(path, synchronous, inline) for _ in range(1 if inline else readers)]
        self._idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for reader in self._readers:
            self._idle.put_nowait(reader)

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one statement: in the current transaction, else a SELECT on a reader and all else on the writer."""
        if current := self.current_transaction.get():
            return await current.connection.execute(sql, args)
        if sql.lstrip()[:6].lower() == "select":
            reader = await self._idle.get()
            try:
                return await reader.execute(sql, args)
            finally:
                self._idle.put_nowait(reader)
        async with self.writing:
            return await self.writer.execute(sql, args)

    async def in_writer(self, work: Callable[[sqlite3.Connection, bool], T]) -> T:
        """Run ``work`` on the writer in one hop; it is told whether it joins a transaction that is open here."""
        if current := self.current_transaction.get():
            return await current.connection.noting_failure(lambda connection: work(connection, True))
        async with self.writing:
            return await self.writer.call(lambda connection: work(connection, False))

    async def _run_in_new_connection(
        self, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> list[dict[str, Any]]:
        return await self.execute(query, args or ())

    async def _run_in_existing_connection(
        self, connection: Any, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> list[dict[str, Any]]:
        return await connection.execute(query, args or ())

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> WalTransaction:
        return WalTransaction(self, transaction_type=TransactionType.immediate, allow_nested=allow_nested)

    async def close(self) -> None:
        """Close every connection; an open one would keep the process alive."""
        for connection in (self.writer, *self._readers):
            await connection.close()
