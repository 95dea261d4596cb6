"""Outage: tell a database that is away, full, locked or read-only from a statement that is wrong."""

from __future__ import annotations

import socket
import sqlite3
from typing import cast

from ..errors import DatabaseUnavailable

_SQLSTATES = ("08", "53", "57P", "25006", "25P03", "28", "40001", "40P01", "58")
"""Connection, resources, shutdown, read-only, log-in, serialisation, deadlock, disk (PostgreSQL, «Error Codes»)."""
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    }
)  # fmt: skip

_GONE = ("InterfaceError", "InternalClientError")


def outage(err: BaseException) -> DatabaseUnavailable | None:
    """``err`` in plain words if the same call may succeed once the database is well again, else None.

    Looks at what caused it and into exception groups, too. The store itself raises the driver's own errors, so that
    the journal can tell a lost answer from a refusal; whoever answers a person asks here.
    """
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [err]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        if isinstance(one, DatabaseUnavailable):
            return one
        if _is_outage(one):
            said = str(one).strip().rstrip(".").splitlines()
            return DatabaseUnavailable(
                f"The database cannot serve now ({said[0][:200] if said else type(one).__name__}).",
                hint="Try again in a moment; `novukit doctor` tells more.",
            )
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("tuple[BaseException, ...]", one.exceptions)
    return None


def _is_outage(err: BaseException) -> bool:
    if isinstance(err, sqlite3.Error):
        return getattr(err, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    if sqlstate := getattr(err, "sqlstate", None):
        return str(sqlstate).startswith(_SQLSTATES)
    # asyncpg's names for a connection that is gone, and one that the server just closes; it need not be installed.
    gone = type(err).__module__.startswith("asyncpg") and type(err).__name__ in _GONE
    # A name that is not found, or several addresses of which none answers: a plain OSError.
    unreachable = isinstance(err, ConnectionError | TimeoutError | socket.gaierror) or type(err) is OSError
    return gone or unreachable
