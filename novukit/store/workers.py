"""Workers and leases: a worker owns executions while its row is there; whoever reaps the row takes them back."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ..model import ActivityKind
from . import activities, snoozes
from .database import Database, Row, in_list, moment

Blocked = AbstractSet[tuple[UUID, str]]
"""Environments and workflows of which a worker wants nothing for now."""


def blocked_of(blocked: Blocked, number: int) -> tuple[str, list[list[str]]]:
    """The condition that leaves out what is blocked, as the argument ``number``: nothing where nothing is."""
    if not blocked:
        return "", []
    names = [f"{environment_id}/{workflow_id}" for environment_id, workflow_id in blocked]
    return f" and not ((x.environment_id::text || '/' || x.workflow_id) = any(${number}::text[]))", [names]


@dataclass(frozen=True, slots=True)
class Found:
    """What one look finds: whether a lease has lapsed, an event has members to come, a vendor's event may find its
    message now; when work comes due, and when the next snooze ends."""

    lapsed: bool
    expanding: bool
    told: bool
    due: datetime | None
    returning: datetime | None


MISHAPS = 3
"""From how many workers in a row that died while they ran it an execution is under suspicion."""

_FOUND = (
    "exists (select 1 from novukit_worker w where w.lease_until < $1) as lapsed, "
    "exists (select 1 from novukit_event v where v.status = 'expanding') as expanding, "
    "exists (select 1 from novukit_delivery_event d where d.look_at <= $1) as told, "
    # In each environment the first one of an index; a minimum over all of them would have to see them all.
    "(select min((select x.wake_at from novukit_execution x where x.environment_id = e.id "
    "and x.status in ('pending', 'waiting') and x.workflow_id = any($2::text[]){but} order by x.wake_at limit 1)) "
    f"from novukit_environment e) as due, {snoozes.NEXT} as returning_at"
)


async def look(database: Database, workflows: Sequence[str], blocked: Blocked = frozenset()) -> Found:
    """What there is to do, of executions those of ``workflows`` that are not ``blocked``. It changes nothing."""
    without, names = blocked_of(blocked, 3)
    sql = f"select {_FOUND}".replace("{but}", without)
    rows = await database.fetch_hot(sql, database.clock.now(), list(workflows), *names)
    return _found(rows[0])


async def look_and_extend(
    database: Database, workflows: Sequence[str], worker_id: UUID, lease_until: datetime, blocked: Blocked = frozenset()
) -> Found | None:
    """As :func:`look`, and extend a worker's lease in the same statement. None when the worker was reaped."""
    without, names = blocked_of(blocked, 5)
    sql = (
        "update novukit_worker set lease_until = case when lease_until > $4 then lease_until else $4 end "
        f"where id = $3 returning {_FOUND}"
    ).replace("{but}", without)
    rows = await database.fetch_hot(sql, database.clock.now(), list(workflows), worker_id, lease_until, *names)
    return _found(rows[0]) if rows else None


def _found(row: Row) -> Found:
    due, returning = row["due"], row["returning_at"]
    return Found(
        bool(row["lapsed"]), bool(row["expanding"]), bool(row["told"]), moment(due) if due else None,
        moment(returning) if returning else None,
    )  # fmt: skip


async def enlist(database: Database, worker_id: UUID, *, host: str, pid: int, lease_until: datetime) -> None:
    """Make a worker known, with a lease until ``lease_until``."""
    await database.fetch(
        "insert into novukit_worker (id, host, pid, lease_until, started_at) values ($1, $2, $3, $4, $5)",
        worker_id, host, pid, lease_until, database.clock.now(),
    )  # fmt: skip


async def extend(database: Database, worker_id: UUID, lease_until: datetime) -> bool:
    """Extend a lease. False when the worker was reaped: all that it still does is void.

    Within a transaction this is the fence: the row stays locked until the commit, so a reaper waits or has won.
    """
    rows = await database.fetch(
        # Never back: an extension that waited long must not shorten one that did not.
        "update novukit_worker set lease_until = case when lease_until > $2 then lease_until else $2 end "
        "where id = $1 returning id",
        worker_id,
        lease_until,
    )
    return bool(rows)


async def reap(database: Database) -> list[UUID]:
    """Free the work of every worker whose lease has lapsed, so that anyone may claim it.

    Returns the environment of each execution that was freed.
    """
    now = database.clock.now()
    async with database.transaction():
        dead = await database.fetch("select id from novukit_worker where lease_until < $1 for update skip locked", now)
        return await _release(database, [row["id"] for row in dead], ActivityKind.EXECUTION_TAKEN_OVER)


async def leave(database: Database, worker_id: UUID) -> list[UUID]:
    """Give back what a stopping worker still owns, and forget the worker.

    Returns the environment of each execution that was given back.
    """
    async with database.transaction():
        return await _release(database, [worker_id], None)


async def alive(database: Database) -> int:
    """How many workers hold a lease now."""
    rows = await database.fetch(
        "select count(*) as n from novukit_worker where lease_until >= $1", database.clock.now()
    )
    return int(rows[0]["n"])


def rest(execution_id: UUID, takeovers: int) -> timedelta:
    """How long an execution rests after so many workers in a row died while they ran it.

    Two may happen to anyone. From the third on it is twice as long each time, up to a minute, and another for each
    execution: so that those who only ran beside the one that kills get to run without it.
    """
    if takeovers < MISHAPS:
        return timedelta()
    share = 0.5 + (execution_id.int & 0xFFFF) / 0x1FFFF  # a UUIDv7 ends in random bits
    return timedelta(seconds=min(2.0 ** (takeovers - MISHAPS), 60.0) * share)


async def _release(database: Database, workers: list[UUID], kind: ActivityKind | None) -> list[UUID]:
    if not workers:
        return []
    now = database.clock.now()
    died = ", takeovers = takeovers + 1" if kind else ""
    released = await database.fetch(
        f"update novukit_execution set status = 'pending', wake_at = $1, worker_id = null{died} "
        f"where worker_id in {in_list(workers, 2)} returning id, environment_id, event_id, takeovers",
        now, *workers,
    )  # fmt: skip
    if kind:
        await database.execute_many(
            "update novukit_execution set wake_at = $3 where environment_id = $1 and id = $2",
            [
                (row["environment_id"], row["id"], now + rest(row["id"], row["takeovers"]))
                for row in released
                if row["takeovers"] >= MISHAPS
            ],
        )
    await database.fetch(f"delete from novukit_worker where id in {in_list(workers)}", *workers)
    if kind:
        await activities.write(
            database,
            [
                activities.Line(
                    id=database.new_id(), environment_id=row["environment_id"], kind=kind, at=now,
                    event_id=row["event_id"], execution_id=row["id"],
                )
                for row in released
            ],
        )  # fmt: skip
    return [row["environment_id"] for row in released]
