"""Postgres under Piccolo: a pool with time limits, and transactions that leak no connection.

Piccolo's own transaction keeps its connection when a COMMIT is refused or the task is cancelled; this one always
gives it back, and throws it away when its state is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from . import arrays

ACQUIRE_SECONDS = 5.0
STATEMENT_SECONDS = 30.0
STANDSTILL_SECONDS = 5.0
"""How long a process may stand still within a transaction. Frozen or cut off for longer, it loses the session: what it
has locked, its own lease among it, would keep every other worker from going on."""


HOT = "set plan_cache_mode = force_generic_plan; " + "".join(
    f"set {name} = off; "
    for name in ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_material", "jit")
)
"""For the few statements that run all the time: their plans are kept, and must not be those of an empty table. What is
left is a look into an index for each row, however old the statistics are. Left to itself Postgres takes a list's length
for a reason to plan anew each time, which is a tenth of its work, to come to the same plan."""


class PooledConnection(asyncpg.Connection):  # type: ignore[misc, type-arg]
    """A connection that needs no cleaning when it goes back to its pool: that would be a round trip for each query.

    Nothing here outlives its transaction: no session locks, no LISTEN, no cursors.
    """

    def get_reset_query(self) -> str:
        return ""


class PoolTransaction(PostgresTransaction):
    """A transaction that gives its connection back whatever happens."""

    engine: PoolEngine

    async def commit(self) -> None:
        """COMMIT. Once a statement has failed Postgres makes a ROLLBACK of it, and says so only in passing."""
        if await self.connection.execute("commit") != "COMMIT":
            self._rolled_back = True
            raise asyncpg.InFailedSQLTransactionError("a statement of this transaction failed; nothing was kept")
        self._committed = True

    async def rollback(self) -> None:
        await self.connection.execute("rollback")
        self._rolled_back = True

    async def __aenter__(self) -> Self:
        if self._parent is not None:
            return self._parent  # type: ignore[return-value]
        self.connection = await self.engine.acquire()
        try:
            await self.connection.execute("begin")
        except BaseException:
            await self._give_back(broken=True)
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._parent is not None:
            return error is None
        self.engine.current_transaction.reset(self.context)
        broken = True
        try:
            if error is not None:
                if not self._rolled_back:
                    await self.rollback()
            elif not self._committed and not self._rolled_back:
                await self.commit()
            broken = False
        except asyncio.CancelledError:
            raise
        except Exception:
            # A COMMIT that the server refused (deferred constraint, serialisation) was rolled back there.
            with suppress(asyncpg.InterfaceError):  # raised where the server closed it and the pool knows already
                broken = self.connection.is_closed() or self.connection.is_in_transaction()
            if error is None:
                raise  # otherwise the first error is the one worth seeing
        finally:
            await self._give_back(broken=broken)
        return error is None

    async def _give_back(self, *, broken: bool) -> None:
        if broken:
            with suppress(asyncpg.InterfaceError):
                self.connection.terminate()
        await self.engine.free.give(self.connection, sound=not broken)


_started: set[asyncio.Future[Any]] = set()


def start(work: Any) -> None:
    """Let ``work`` run by itself."""
    task = asyncio.ensure_future(work)
    _started.add(task)  # the loop itself keeps only a weak reference
    task.add_done_callback(_started.discard)


class Free:
    """The connections of a pool that nobody uses now. What goes in and out here costs no task and no timer.

    asyncpg's own way back is a task for each query, which takes longer than a small query does.
    """

    def __init__(self, pool: Any) -> None:
        self._pool, self._idle, self._waiting = pool, list[Any](), 0

    async def take(self) -> Any:
        """A connection, or an error after five seconds rather than a wait without end."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                return await self._acquire()
        finally:
            self._waiting -= 1

    async def _acquire(self) -> Any:
        """Ask the pool. Who is cancelled meanwhile does not cut a connection off while it is being made."""
        task = asyncio.ensure_future(self._pool.acquire())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._unwanted)
            raise

    def _unwanted(self, task: asyncio.Future[Any]) -> None:
        if not task.cancelled() and task.exception() is None:
            start(self._pool.release(task.result()))

    async def give(self, connection: Any, *, sound: bool) -> None:
        """Give one back; unless it is ``sound``, and nobody waits at the pool, the pool sees to it."""
        if sound and not self._waiting and not connection.is_closed():
            self._idle.append(connection)
        else:
            await self._pool.release(connection)  # it shields itself

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        """Run one statement."""
        connection, sound = await self.take(), False
        try:
            rows = await connection.fetch(sql, *args)
            sound = True
            return rows
        finally:
            await self.give(connection, sound=sound)

    async def close(self) -> None:
        """Give all back and close the pool."""
        while self._idle:
            await self._pool.release(self._idle.pop())
        await self._pool.close()


class PoolEngine(PostgresEngine):
    """Piccolo's Postgres engine that always works through its pool."""

    async def check_version(self) -> None:
        """Nothing: Piccolo would connect in the constructor to look."""

    async def prep_database(self) -> None:
        """Nothing: novukit needs no extension."""

    free: Free
    hot: Free

    async def open(self) -> None:
        """Open the pools: one for all, and a small one for what runs all the time."""
        options: dict[str, Any] = {
            "timeout": ACQUIRE_SECONDS, "command_timeout": STATEMENT_SECONDS, "connection_class": PooledConnection,
        }  # fmt: skip
        await self.start_connection_pool(min_size=1, max_size=10, init=_limit, **options)
        self.free = Free(self.pool)
        self.hot = Free(await asyncpg.create_pool(**self.config, min_size=0, max_size=3, init=_heat, **options))

    async def close(self) -> None:
        """Close the pools."""
        if self.pool:
            await self.free.close()
            await self.hot.close()
            self.pool = None

    async def acquire(self) -> Any:
        """A connection of the pool for all."""
        assert self.pool is not None, "the database is not open"
        return await self.free.take()

    async def execute_hot(self, sql: str, args: Sequence[Any]) -> list[Any]:
        """Run one statement where plans go by index; in the current transaction, if there is one."""
        if current := self.current_transaction.get():
            return await current.connection.fetch(sql, *args)
        assert self.pool is not None, "the database is not open"
        return await self.hot.fetch(sql, args)

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        """Run one statement: in the current transaction, else on a connection of the pool."""
        if current := self.current_transaction.get():
            return await current.connection.fetch(sql, *args)
        assert self.pool is not None, "the database is not open"
        return await self.free.fetch(sql, args)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> list[Any]:
        return await self.execute(query, args or ())

    def transaction(self, allow_nested: bool = True) -> PoolTransaction:
        return PoolTransaction(self, allow_nested=allow_nested)


async def _limit(connection: Any) -> None:
    # Said on the connection: a pooler before Postgres refuses settings that it does not know at the start.
    await connection.execute(f"set idle_in_transaction_session_timeout = '{STANDSTILL_SECONDS:g}s'")
    arrays.speak(connection)


async def _heat(connection: Any) -> None:
    await connection.execute(HOT)
    arrays.speak(connection)
