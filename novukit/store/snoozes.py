"""Snoozes: notifications that stay away until a moment, and then come back by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from .database import Database, moment

NEXT = "(select min(z.snoozed_until) from novukit_message z where z.snoozed_until is not null)"
"""When the next snooze ends, as a part of a query: the first entry of an index that holds only what is snoozed."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A notification that has come back."""

    environment_id: UUID
    subscriber_uuid: UUID
    message_id: UUID


async def next_end(database: Database) -> datetime | None:
    """When the next snooze ends, in any environment."""
    rows = await database.fetch_hot(f"select {NEXT} as at")
    return moment(rows[0]["at"]) if rows[0]["at"] else None


async def end(database: Database, limit: int) -> list[Returned]:
    """Bring back up to ``limit`` notifications whose snooze is over, unread and unseen, the longest due first.

    One statement; of several callers each gets what no other has.
    """
    rows = await database.fetch_hot(
        "with due as materialized (select environment_id as due_environment, id as due_id from novukit_message "
        "where snoozed_until <= $1 order by snoozed_until limit $2 for update skip locked) "
        "update novukit_message as m set snoozed_until = null, returned_at = $1, updated_at = $1, "
        "seen_at = null, read_at = null, archived_at = null "
        "from due where m.environment_id = due_environment and m.id = due_id "
        "returning environment_id, subscriber_uuid, id",
        database.clock.now(), limit,
    )  # fmt: skip
    return [Returned(row["environment_id"], row["subscriber_uuid"], row["id"]) for row in rows]
