"""Suppressions: addresses that are not written to any more; added by vendors and people, released by people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ..model import SuppressibleChannel, Suppression, SuppressionLine, SuppressionReason, address_of
from .database import Row, Scope, plain
from .pages import Listing, Page, PageQuery, read
from .where import Where

LONGEST_ADDRESS = 320
"""Characters; an e-mail address has at most 64 before its ``@`` and 255 after it (RFC 5321 §4.5.3.1)."""

_COLUMNS = "id, environment_id, channel, address, reason, detail, created_at, released_at"


async def suppress(
    scope: Scope, channel: SuppressibleChannel, address: str, reason: SuppressionReason, *, by: str, detail: str = "",
    as_of: datetime | None = None,
) -> Suppression | None:  # fmt: skip
    """Write no more to ``address``; ``None`` when that changes nothing.

    It changes nothing where the address is suppressed for as strong a reason (all are stronger than
    ``unsubscribed``), and where it was released after ``as_of``: what a vendor tells late is no news.
    """
    address = plain(address_of(channel, address), LONGEST_ADDRESS)
    now, new_id = scope.now(), scope.new_id()
    async with scope.database.transaction():
        # Locked by being written: who comes at the same time waits.
        await scope.database.fetch(
            f"insert into novukit_suppression ({_COLUMNS}) values ($1, $2, $3, $4, $5, '', $6, $6) "
            "on conflict (environment_id, channel, address) do update set detail = novukit_suppression.detail",
            new_id, scope.environment_id, channel, address, reason.value, now,
        )  # fmt: skip
        old = await _by_address(scope, channel, address)
        assert old is not None
        if old.released_at is None:
            if old.reason is not SuppressionReason.UNSUBSCRIBED or reason is SuppressionReason.UNSUBSCRIBED:
                return None
        elif old.id != new_id and as_of is not None and as_of <= old.released_at:
            return None
        await scope.database.fetch(
            "update novukit_suppression set reason = $3, detail = $4, released_at = null "
            "where environment_id = $1 and id = $2",
            scope.environment_id, old.id, reason.value, plain(detail),
        )  # fmt: skip
        await _write_line(scope, old.id, "added", reason, by, detail)
        return await get(scope, old.id)


async def release(scope: Scope, id: UUID, *, by: str, detail: str = "") -> Suppression | None:
    """Let the address be written to again. Released again, it changes nothing; ``None`` when there is none of this id.

    A bounce or complaint that happens after this suppresses it anew.
    """
    async with scope.database.transaction():
        rows = await scope.database.fetch(
            "update novukit_suppression set released_at = $3 "
            "where environment_id = $1 and id = $2 and released_at is null returning reason",
            scope.environment_id, id, scope.now(),
        )  # fmt: skip
        for row in rows:
            await _write_line(scope, id, "released", SuppressionReason(row["reason"]), by, detail)
        return await get(scope, id)


async def get(scope: Scope, id: UUID) -> Suppression | None:
    """One suppression, in force or released."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_suppression where environment_id = $1 and id = $2", scope.environment_id, id
    )
    return _suppression(rows[0]) if rows else None


async def in_force(scope: Scope, channel: str, address: str) -> Suppression | None:
    """Why ``address`` is not written to, if it is not."""
    found = await _by_address(scope, channel, address_of(channel, address))
    return found if found and found.released_at is None else None


async def page(
    scope: Scope,
    query: PageQuery,
    *,
    channel: SuppressibleChannel | None = None,
    address: str | None = None,
    reason: SuppressionReason | None = None,
    released: bool = False,
) -> Page[Suppression]:
    """A page of those in force, or of those that were ``released``."""
    where = Where("environment_id = ?", scope.environment_id)
    where.add(f"released_at is {'not ' if released else ''}null")
    where.among("channel", [channel] if channel else [])
    where.among("reason", [reason.value] if reason else [])
    if address is not None:
        where.among("address", sorted({address_of(each, address) for each in ("email", "sms")}))
    listing = Listing("suppressions", _COLUMNS, "novukit_suppression", "id", where)
    return (await read(scope, listing, query)).map(_suppression)


async def history(scope: Scope, id: UUID) -> Sequence[SuppressionLine]:
    """Every change of a suppression, oldest first."""
    rows = await scope.database.fetch(
        "select id, kind, reason, said_by, detail, at from novukit_suppression_line "
        "where environment_id = $1 and suppression_id = $2 order by id",
        scope.environment_id, id,
    )  # fmt: skip
    return [SuppressionLine(**{name: row[name] for name in SuppressionLine.model_fields}) for row in rows]


async def _by_address(scope: Scope, channel: str, address: str) -> Suppression | None:
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_suppression where environment_id = $1 and channel = $2 and address = $3",
        scope.environment_id, channel, address,
    )  # fmt: skip
    return _suppression(rows[0]) if rows else None


async def _write_line(
    scope: Scope, id: UUID, kind: str, reason: SuppressionReason, by: str, detail: str
) -> None:  # fmt: skip
    await scope.database.fetch(
        "insert into novukit_suppression_line (id, environment_id, suppression_id, kind, reason, said_by, detail, at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        scope.new_id(), scope.environment_id, id, kind, reason.value, plain(by, 200), plain(detail), scope.now(),
    )  # fmt: skip


def _suppression(row: Row) -> Suppression:
    return Suppression(**{name: row[name] for name in Suppression.model_fields})
