"""``Database``: the one way to a SQLite file or a Postgres server; ``Scope``: the one way to an environment's rows."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from piccolo.engine.base import Engine
from piccolo.query.base import Query
from pydantic import BaseModel
from pydantic_core import to_json

from ..clock import Clock, NewId
from ..errors import DatabaseUnavailable, ExtraMissing, NotSerialisable, SettingsInvalid
from .sqlite import Synchronous, WalEngine
from .tables import TABLES

T = TypeVar("T")
Dialect = Literal["sqlite", "postgres"]
Row = Mapping[str, Any]

# Made once: json.dumps makes a new encoder for each call that asks for anything of its own.
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

_EMPTY = {dict: "{}", list: "[]", type(None): "null"}

_then: ContextVar[list[Callable[[], None]] | None] = ContextVar("novukit_after_commit", default=None)
_engine: ContextVar[Engine[Any]] = ContextVar("novukit_engine")

_PLACEHOLDERS = re.compile(r"\$(\d+)")
_CASTS = re.compile(r"::\w+(\[\])?")
_LOCKS = re.compile(r" for (update|no key update|share|key share)( of \w+)?( skip locked)?")
_ANY = re.compile(r"= any\((\$\d+)(::\w+\[\])?\)")
_NUMBERED = re.compile(r"unnest\((\$\d+)::\w+\[\]\) with ordinality as (\w+)\((\w+), (\w+)\)")


class _CurrentEngine:
    """What Piccolo's tables take for their engine: the one of the database that runs the query.

    Tables are classes, hence global; this lets several databases live in one process.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(_engine.get(), name)


for _table in TABLES:
    _table._meta.db = cast("Any", _CurrentEngine())


def encode(value: Any) -> str:
    """JSON text of ``value`` for a ``jsonb`` column.

    Raises :class:`NotSerialisable` for NaN, infinity, NUL characters, lone surrogates and whatever JSON cannot hold:
    SQLite would keep some of these silently and Postgres refuse them late.
    """
    if not value and (short := _EMPTY.get(type(value))):  # as most overrides and sources are
        return short
    if type(value) is int:
        return str(value)
    try:
        text = _to_json(value)
        text.encode()  # half a surrogate pair is a ValueError here, and no text to either engine
    except (TypeError, ValueError, RecursionError) as err:
        raise NotSerialisable(f"A value cannot be kept as JSON: {err}.") from None
    if "\\u0000" in text and "\x00" in _strings(value):
        raise NotSerialisable("A text contains the NUL character, which a database cannot keep.")
    return text


def as_json(content: BaseModel) -> str:
    """JSON text of a model for a ``jsonb`` column; as :func:`encode`, by the model's own writer, which is faster."""
    try:
        # Its serializer: ``model_dump_json`` takes as long again to call it.
        text = content.__pydantic_serializer__.to_json(content).decode()
    except ValueError as err:  # half a surrogate pair
        raise NotSerialisable(f"A value cannot be kept as JSON: {err}.") from None
    return encode(content.model_dump(mode="json")) if "\\u0000" in text else text


def encode_plain(value: Any) -> str:
    """As :func:`encode`, for plain JSON values that pydantic has made: by its own writer, in a fifth of the time."""
    try:
        text = to_json(value).decode()
    except ValueError as err:  # half a surrogate pair
        raise NotSerialisable(f"A value cannot be kept as JSON: {err}.") from None
    return encode(value) if "\\u0000" in text or "NaN" in text or "Infinity" in text else text


def _strings(value: Any) -> str:
    """All text within ``value`` in one string."""
    match value:
        case str():
            return value
        case dict():
            return "".join(_strings(k) + _strings(v) for k, v in value.items())
        case list() | tuple():
            return "".join(map(_strings, value))
        case _:
            return ""


def plain(text: str, limit: int = 2000) -> str:
    """``text`` as every database keeps it: without NUL and lone surrogates, cut to ``limit`` characters.

    For words that come from elsewhere, such as a provider's answer: they must not fail the commit that they are in.
    """
    if text.isascii() and text.isprintable():  # as most are, or empty
        return text[:limit]
    return text[:limit].encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def moment(value: datetime | str) -> datetime:
    """A time out of a subquery, whose type SQLite does not know."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def decode(text: str | None) -> Any:
    """The value of a ``jsonb`` column."""
    if text == "{}":  # most overrides and much of the data
        return {}
    return None if text is None else json.loads(text)


@cache
def for_sqlite(sql: str) -> tuple[str, tuple[int, ...] | None]:
    """The same statement for SQLite, and which argument each ``?`` takes; None when they come as they are.

    Without the casts and row locks that only Postgres needs; ``= any($1)`` becomes a look into a JSON list, and
    ``unnest($1::uuid[]) with ordinality`` its numbered rows. Python's sqlite3 gives up numbered placeholders in 3.14.
    """
    sql = _NUMBERED.sub(r"(select value as \3, key + 1 as \4 from json_each(\1)) as \2", sql)
    sql = _ANY.sub(r"in (select value from json_each(\1))", sql)
    sql = _LOCKS.sub("", _CASTS.sub("", sql))
    order = tuple(int(number) - 1 for number in _PLACEHOLDERS.findall(sql))
    return _PLACEHOLDERS.sub("?", sql), None if order == tuple(range(len(order))) else order


def sqlite_args(order: tuple[int, ...] | None, args: Sequence[Any]) -> Sequence[Any]:
    """``args`` in the order of their ``?``; a list, which only ``any`` and ``unnest`` take, as JSON."""
    plain_args = [json.dumps([str(each) for each in arg]) if isinstance(arg, list) else arg for arg in args]
    return plain_args if order is None else [plain_args[n] for n in order]


@dataclass(frozen=True, slots=True)
class Scope:
    """One environment of one database. Every store function about an environment's rows takes one."""

    database: Database
    environment_id: UUID

    def now(self) -> datetime:
        return self.database.clock.now()

    def new_id(self) -> UUID:
        return self.database.new_id()


class Database:
    """A SQLite file (``sqlite:///novukit.db``) or a Postgres database (``postgres://user:password@host/name``).

    Statements are written once, in Postgres' words with ``$1`` placeholders; for SQLite row locks and casts, which it
    does not need, are left out.
    """

    def __init__(
        self, url: str, *, clock: Clock, new_id: NewId, synchronous: Synchronous = "FULL", inline: bool = False
    ) -> None:
        self.url, self.clock, self.new_id = url, clock, new_id
        self.dialect, self._engine = _engine_for(url, synchronous, inline)

    @property
    def engine(self) -> Any:
        """Piccolo's engine, for the store's own modules."""
        return self._engine

    def scope(self, environment_id: UUID) -> Scope:
        """The walls of one environment."""
        return Scope(self, environment_id)

    async def open(self) -> None:
        """Open the pool, or the file.

        Raises :class:`DatabaseUnavailable` with host, port and name, or the file, when that cannot be done.
        """
        if self.dialect == "postgres":
            await _open_pool(self._engine, self.url)
        else:
            await _open_file(self._engine, sqlite_path(self.url))

    async def close(self) -> None:
        """Close every connection."""
        if self.dialect == "postgres":
            await self._engine.close()
        else:
            await self._engine.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """One transaction around the block; nested ones join it.

        No ``gather`` and no ``create_task`` inside, and no bell: that rings :meth:`after_commit`.
        """
        if self.in_transaction:
            async with self._engine.transaction():
                yield
            return
        then: list[Callable[[], None]] = []
        token = _then.set(then)
        try:
            async with self._engine.transaction():
                yield
        finally:
            _then.reset(token)
        for each in then:
            each()

    def after_commit(self, do: Callable[[], None]) -> None:
        """Do something once the transaction that is open here is durable; at once where there is none."""
        then = _then.get()
        if then is None or not self.in_transaction:
            do()
        else:
            then.append(do)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction of the caller's is open here."""
        return self._engine.current_transaction.get() is not None

    async def run(self, query: Query[Any, T]) -> T:
        """Run a Piccolo query here."""
        token = _engine.set(self._engine)
        try:
            return await query
        finally:
            _engine.reset(token)

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one SQL statement with ``$1`` placeholders and give its rows."""
        if self.dialect == "sqlite":
            sql, order = for_sqlite(sql)
            return await self._engine.execute(sql, sqlite_args(order, args))
        return await self._engine.execute(sql, args)

    async def fetch_hot(self, sql: str, *args: Any) -> list[Row]:
        """As :meth:`fetch`, for what runs all the time over few rows of large tables: Postgres must use its indexes."""
        if self.dialect == "sqlite":
            return await self.fetch(sql, *args)
        return await self._engine.execute_hot(sql, args)

    async def write(self, sql: str, *args: Any) -> int:
        """Run one SQL statement that gives no rows; returns how many it wrote. Needs a transaction."""
        connection = self._engine.current_transaction.get().connection
        if self.dialect == "sqlite":
            sql, order = for_sqlite(sql)
            return await connection.write(sql, sqlite_args(order, args))
        return int((await connection.execute(sql, *args)).rpartition(" ")[2])

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one SQL statement for each row of arguments, in one round trip. Needs a transaction."""
        if not rows:
            return
        connection = self._engine.current_transaction.get().connection
        if self.dialect == "sqlite":
            sql, order = for_sqlite(sql)
            await connection.execute_many(sql, rows if order is None else [[row[n] for n in order] for row in rows])
        else:
            await connection.executemany(sql, rows)

    async def lock(self, name: str) -> None:
        """Let nobody else hold ``name`` until this transaction ends. On SQLite the transaction itself does that."""
        if self.dialect == "postgres":
            await self.fetch("select pg_advisory_xact_lock(hashtextextended($1, 7226001))", name)

    async def lossy_settings(self) -> list[str]:
        """The settings of the server that let an acknowledged commit be lost in an outage."""
        if self.dialect == "sqlite":
            return []
        rows = await self.fetch(
            "select name from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') "
            "and setting = 'off' order by name"
        )
        return [row["name"] for row in rows]

    async def now(self) -> datetime:
        """The time by the database's own clock."""
        if self.dialect == "sqlite":
            return datetime.now(UTC)
        return (await self.fetch("select clock_timestamp() as now"))[0]["now"]


def in_list(values: Sequence[Any], start: int = 1) -> str:
    """``($1, $2, …)`` for a list that is not empty; both engines take the same text."""
    assert values, "an empty IN list"
    return f"({', '.join(f'${n}' for n in range(start, start + len(values)))})"


def sqlite_path(url: str) -> Path:
    """The file that a ``sqlite:///relative.db`` or ``sqlite:////absolute.db`` URL names."""
    return Path(url.removeprefix("sqlite:///"))


def _engine_for(url: str, synchronous: Synchronous, inline: bool) -> tuple[Dialect, Any]:
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///") and ":memory:" not in url:
        return "sqlite", WalEngine(str(sqlite_path(url)), synchronous=synchronous, inline=inline)
    if url.startswith(("postgres://", "postgresql://")) and _has_good_port(url):
        try:
            from .postgres import PoolEngine
        except ImportError:
            raise ExtraMissing("Postgres needs a driver.", hint="Run: pip install 'novukit[postgres]'") from None
        return "postgres", PoolEngine({"dsn": url})
    raise SettingsInvalid(
        f"{url.rpartition('@')[2][:64]!r} is not a database URL.",
        hint="Use sqlite:///novukit.db or postgres://user:password@host:5432/name (with %2F for / in a password).",
    )


def _has_good_port(url: str) -> bool:
    """Whether the port is one, or none is given. A ``/``, ``#`` or ``?`` in a password ends up here too."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


async def _open_file(engine: WalEngine, path: Path) -> None:
    try:
        await engine.writer.execute("select 1 from sqlite_master")
    except sqlite3.Error as err:
        await engine.close()
        if not path.parent.is_dir():
            hint = f"There is no folder {str(path.parent)!r}."
        else:
            hint = "Is it a SQLite file, and may it and its folder be written?"
        raise DatabaseUnavailable(f"The SQLite file {str(path)!r} cannot be opened: {err}.", hint=hint) from None


async def _open_pool(engine: Any, url: str) -> None:
    import asyncpg

    parts = urlsplit(url)
    where = f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"
    try:
        await engine.open()
    except asyncpg.InvalidPasswordError:
        raise DatabaseUnavailable(
            f"Postgres at {where} refuses the password of user {parts.username!r}.", hint="Check the database URL."
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise DatabaseUnavailable(
            f"Postgres at {where}: there is no database of this name.", hint=f"Create it: createdb {parts.path[1:]}"
        ) from None
    except asyncpg.PostgresError as err:
        raise DatabaseUnavailable(f"Postgres at {where} refuses: {err}.", hint="Check the database URL.") from None
    except (OSError, TimeoutError, asyncpg.InterfaceError) as err:
        raise DatabaseUnavailable(
            f"Postgres does not answer at {where} ({type(err).__name__}).", hint="Is it running, and is the URL right?"
        ) from None
