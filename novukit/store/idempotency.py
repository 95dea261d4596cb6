"""Answers under idempotency keys: what a key was used for, and what was answered; one row for each, for a day."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from .batch import Batch, Part
from .database import Database, Row, Scope

PROMISED = timedelta(hours=24)
"""How long a key gives its first answer again. After that it is a new one."""
CRASHED = timedelta(minutes=5)
"""How long a key stays taken by a request that began and never ended, because its process died."""

_TABLE = "novukit_idempotency"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on record under a key. ``status`` is None while the first request is still running."""

    fingerprint: str
    status: int | None
    body: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer to be kept with the event that it tells of, in the same commit."""

    event_id: UUID
    environment_id: UUID
    key: str
    kept: Kept


_RECEIPTS = Batch(
    "kept",
    f"insert into {_TABLE} (environment_id, key, fingerprint, status, response, created_at) "
    "select u.environment_id, u.key, u.fingerprint, u.status, u.response, u.at from {rows} "
    "where u.event_id in (select id from {accepted})",
    columns="event_id uuid, environment_id uuid, key text, fingerprint text, status integer, response text, "
    "at timestamptz",
    steady="environment_id status at",
)


def writing(database: Database, receipts: Sequence[Receipt]) -> Part:
    """The part of a statement that accepts events which keeps their answers. :func:`is_taken` tells why it failed."""
    now = database.clock.now()
    return _RECEIPTS, [
        (each.event_id, each.environment_id, each.key, each.kept.fingerprint, each.kept.status, each.kept.body, now)
        for each in receipts
    ]


def is_taken(err: BaseException) -> bool:
    """Whether a statement failed because a key is on record already."""
    if isinstance(err, sqlite3.IntegrityError):
        return f"{_TABLE}.key" in str(err)
    return str(getattr(err, "constraint_name", "")).startswith(_TABLE)


async def claim(scope: Scope, key: str, kept: Kept) -> Kept | None:
    """Take ``key`` for a request that begins, or one that changed nothing and has its answer. None: it is ours; else
    what is on record of an earlier one.

    In a transaction nobody else sees the claim, and whoever wants the same key waits for that transaction to end.
    """
    now = scope.now()
    taken = await scope.database.fetch(
        f"insert into {_TABLE} (environment_id, key, fingerprint, status, response, created_at) "
        "values ($1, $2, $3, $4, $5, $6) on conflict (environment_id, key) do update set "
        "fingerprint = excluded.fingerprint, status = excluded.status, response = excluded.response, "
        f"created_at = excluded.created_at where {_TABLE}.created_at <= $7 "
        f"or ({_TABLE}.status is null and {_TABLE}.created_at <= $8) returning key",
        scope.environment_id, key, kept.fingerprint, kept.status, kept.body, now, now - PROMISED, now - CRASHED,
    )  # fmt: skip
    if taken:
        return None
    rows = await scope.database.fetch(
        f"select fingerprint, status, response from {_TABLE} where environment_id = $1 and key = $2",
        scope.environment_id, key,
    )  # fmt: skip
    # Gone in between: its request failed. Whoever asks again finds the key free.
    return _kept(rows[0]) if rows else Kept(kept.fingerprint, None, "")


async def settle(scope: Scope, key: str, kept: Kept) -> None:
    """Keep the answer under a key that is ours."""
    await scope.database.fetch(
        f"update {_TABLE} set status = $3, response = $4 where environment_id = $1 and key = $2 and fingerprint = $5",
        scope.environment_id, key, kept.status, kept.body, kept.fingerprint,
    )  # fmt: skip


async def give_back(scope: Scope, key: str) -> None:
    """Give back a key that is ours: its request failed, and may come again."""
    await scope.database.fetch(
        f"delete from {_TABLE} where environment_id = $1 and key = $2 and status is null", scope.environment_id, key
    )


async def on_record(database: Database, receipts: Sequence[Receipt]) -> dict[UUID, Kept]:
    """What is on record under the keys of ``receipts``, by event; a key whose day is over is made free."""
    found: dict[UUID, Kept] = {}
    now = database.clock.now()
    for each in receipts:  # few: a key that comes again is rare
        await database.fetch(
            f"delete from {_TABLE} where environment_id = $1 and key = $2 and (created_at <= $3 "
            "or (status is null and created_at <= $4))",
            each.environment_id, each.key, now - PROMISED, now - CRASHED,
        )  # fmt: skip
        rows = await database.fetch(
            f"select fingerprint, status, response from {_TABLE} where environment_id = $1 and key = $2",
            each.environment_id, each.key,
        )  # fmt: skip
        if rows:
            found[each.event_id] = _kept(rows[0])
    return found


def _kept(row: Row) -> Kept:
    return Kept(row["fingerprint"], row["status"], row["response"] or "")
