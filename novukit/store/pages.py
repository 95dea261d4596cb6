"""Pages of a long list, by keyset: no row is repeated or left out while others come and go."""

from __future__ import annotations

import hashlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from ..errors import InvalidInput, Issue
from .database import Row, Scope
from .where import Where

T = TypeVar("T")
U = TypeVar("U")

LARGEST_LIMIT = 100
COUNTED = 50_000
"""A total is counted up to here and no further: beyond it a page would cost more to count than to read."""

_SEAL_BYTES = 7
_CURSOR_BYTES = 1 + 16 + _SEAL_BYTES


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. ``next`` and ``previous`` are cursors, ``None`` where the list ends."""

    data: list[T]
    next: str | None
    previous: str | None
    total: int
    capped: bool

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """The same page of other things."""
        return self.of([change(item) for item in self.data])

    def of(self, data: list[U]) -> Page[U]:
        """The same place in the list, with ``data`` for its rows."""
        return Page(data, self.next, self.previous, self.total, self.capped)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page: ``limit`` rows (1 to 100) ``after`` or ``before`` a cursor, newest first unless ``ascending``.

    ``include_cursor`` makes the cursor's own row part of the page.
    """

    after: str | None = None
    before: str | None = None
    limit: int = 10
    ascending: bool = False
    include_cursor: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What is paged: ``columns`` of ``source`` (a table or joined tables) that meet ``where``, in the order of ``key``.

    ``key`` is a column of UUIDv7. ``name`` is sealed into the cursors, so that one list does not take another's.
    """

    name: str
    columns: str
    source: str
    key: str
    where: Where


async def read(scope: Scope, listing: Listing, query: PageQuery) -> Page[Row]:
    """One page of rows; they must have the key as their column ``id``.

    Raises :class:`InvalidInput` for a limit out of range and for a cursor that was not made for this list.
    """
    _check(query)
    backwards = query.before is not None
    cursor = query.before if backwards else query.after
    place = _open(scope, listing, query, cursor) if cursor is not None else None

    # Towards the page's end the rows rise in key when we read an ascending list forwards or a descending one backwards.
    rising = query.ascending != backwards
    condition, args = str(listing.where), list(listing.where.args)
    if place is not None:
        sign = (">" if rising else "<") + ("=" if query.include_cursor else "")
        args.append(place)
        condition += f" and {listing.key} {sign} ${len(args)}"
    args.append(query.limit + 1)
    rows = await scope.database.fetch(
        f"select {listing.columns} from {listing.source} where {condition} "
        f"order by {listing.key} {'asc' if rising else 'desc'} limit ${len(args)}",
        *args,
    )
    more, rows = len(rows) > query.limit, list(rows[: query.limit])
    behind, total = await _surroundings(scope, listing, rows[0]["id"] if rows and place else None, rising)
    if backwards:
        rows.reverse()
    has_next, has_previous = (behind, more) if backwards else (more, behind)
    return Page(
        data=rows,
        next=_seal(scope, listing, query, rows[-1]["id"]) if rows and has_next else None,
        previous=_seal(scope, listing, query, rows[0]["id"]) if rows and has_previous else None,
        total=min(total, COUNTED),
        capped=total > COUNTED,
    )


async def _surroundings(scope: Scope, listing: Listing, first: UUID | None, rising: bool) -> tuple[bool, int]:
    """Whether a row lies behind the first one that was read, and how many there are in all."""
    args = [*listing.where.args, COUNTED + 1]
    columns = (
        f"(select count(*) from (select 1 from {listing.source} where {listing.where} limit ${len(args)}) as counted) "
        "as total"
    )
    if first is not None:
        args.append(first)
        columns += (
            f", exists (select 1 from {listing.source} where {listing.where} "
            f"and {listing.key} {'<' if rising else '>'} ${len(args)}) as behind"
        )
    row = (await scope.database.fetch(f"select {columns}", *args))[0]
    return first is not None and bool(row["behind"]), row["total"]


def _check(query: PageQuery) -> None:
    if not 1 <= query.limit <= LARGEST_LIMIT:
        raise InvalidInput(
            f"limit must be from 1 to {LARGEST_LIMIT}, not {query.limit}.",
            issues=[Issue("/limit", "out_of_range", f"limit must be from 1 to {LARGEST_LIMIT}, not {query.limit}.")],
        )
    if query.after is not None and query.before is not None:
        raise InvalidInput(
            "after and before exclude each other.",
            hint="Leave one of them out.",
            issues=[Issue("/before", "excluded", "after and before exclude each other.", "Leave one of them out.")],
        )


def _tag(scope: Scope, listing: Listing, body: bytes) -> bytes:
    text = b"\0".join([listing.name.encode(), scope.environment_id.bytes, body])
    return hashlib.blake2s(text, digest_size=_SEAL_BYTES).digest()


def _seal(scope: Scope, listing: Listing, query: PageQuery, key: UUID) -> str:
    body = (b"a" if query.ascending else b"d") + key.bytes
    return urlsafe_b64encode(body + _tag(scope, listing, body)).decode()


def _open(scope: Scope, listing: Listing, query: PageQuery, cursor: str) -> UUID:
    try:
        raw = b64decode(cursor, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    body, tag = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
    if len(raw) != _CURSOR_BYTES or tag != _tag(scope, listing, body):
        raise _refused(query, "This is not a cursor of this list.", "Start again without a cursor.")
    if (body[:1] == b"a") != query.ascending:
        made = "ASC" if body[:1] == b"a" else "DESC"
        raise _refused(
            query, f"This cursor was made for orderDirection={made}.", f"Send orderDirection={made} with it."
        )
    return UUID(bytes=body[1:])


def _refused(query: PageQuery, message: str, hint: str) -> InvalidInput:
    path = "/before" if query.before is not None else "/after"
    return InvalidInput(message, hint=hint, issues=[Issue(path, "invalid_cursor", message, hint)])


def contains(text: str) -> str:
    """The condition that the SQL expression ``text`` contains a value (not an empty one), minding the case.

    ``like`` minds it on Postgres only.
    """
    return f"replace({text}, ?, '') <> {text}"


def parted(items: Sequence[T], size: int = 500) -> list[Sequence[T]]:
    """``items`` in pieces of at most ``size``: what one statement may carry."""
    return [items[at : at + size] for at in range(0, len(items), size)]
