"""What lies there now, of all environments: due, waiting, running, stuck; counted up to a cap, by small indexes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .database import Database, moment

CAP = 10_000
"""Nothing is counted further: whether there are ten thousand or a million due makes no difference to what is done."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Executions by what they wait for, and workers. A count of :data:`CAP` means that many or more.

    ``unknown`` are executions that ended, or were parked, because nobody knows whether a message went out;
    ``expanding`` are events whose members are still being turned into executions.
    """

    due: int
    oldest_due: datetime | None
    waiting: int
    running: int
    parked: int
    unknown: int
    expanding: int
    workers: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """What does not move although it should. Each is a count up to :data:`CAP`."""

    overdue: int
    """Due for longer than was asked, and nobody takes it."""
    orphaned: int
    """Owned by workers that are gone, and nobody takes it over."""
    unexpanded: int
    """Events accepted longer ago than was asked that still have members to come."""


async def read(database: Database) -> Backlog:
    """Look once, in one statement of a few milliseconds."""
    row = (
        await database.fetch_hot(
            f"select {_in_each(_DUE)} as due, {_first_due()} as oldest_due, {_in_each(_ASLEEP)} as waiting, "
            f"{_counted('novukit_execution', 'worker_id is not null')} as running, "
            f"{_in_each(_PARKED)} as parked, {_in_each(_UNKNOWN)} as unknown, "
            f"{_counted('novukit_event', _EXPANDING)} as expanding, "
            "(select count(*) from novukit_worker where lease_until >= $1) as workers",
            database.clock.now(),
        )
    )[0]
    oldest = moment(row["oldest_due"]) if row["oldest_due"] else None
    return Backlog(
        _capped(row["due"]), oldest, _capped(row["waiting"]), row["running"], _capped(row["parked"]),
        _capped(row["unknown"]), row["expanding"], row["workers"],
    )  # fmt: skip


async def stuck(database: Database, patience: timedelta) -> Stuck:
    """What has stood still for longer than ``patience``."""
    row = (
        await database.fetch_hot(
            f"select {_in_each(_DUE)} as overdue, {_counted(_OWNED, _ORPHANED)} as orphaned, "
            f"{_counted('novukit_event', f'{_EXPANDING} and created_at < $1')} as unexpanded",
            database.clock.now() - patience,
        )
    )[0]
    return Stuck(_capped(row["overdue"]), row["orphaned"], row["unexpanded"])


_DUE = "x.status in ('pending', 'waiting') and x.wake_at <= $1"
_ASLEEP = "x.status in ('pending', 'waiting') and x.wake_at > $1"
_PARKED = "x.status = 'parked'"
_UNKNOWN = "x.reason = 'outcome_unknown' and x.status in ('failed', 'parked')"
_EXPANDING = "status = 'expanding'"
_OWNED = "novukit_execution x left join novukit_worker w on w.id = x.worker_id"
_ORPHANED = "x.worker_id is not null and (w.id is null or w.lease_until < $1)"


def _in_each(condition: str) -> str:
    """How many executions fit, environment by environment: that is how the indexes are sorted."""
    return (
        "(select coalesce(sum(n), 0) from (select (select count(*) from (select 1 from novukit_execution x "
        f"where x.environment_id = e.id and {condition} limit {CAP}) as part) as n from novukit_environment e) as each)"
    )


def _first_due() -> str:
    return (
        "(select min(first) from (select (select x.wake_at from novukit_execution x where x.environment_id = e.id "
        f"and {_DUE} order by x.wake_at limit 1) as first from novukit_environment e) as each)"
    )


def _counted(table: str, condition: str) -> str:
    return f"(select count(*) from (select 1 from {table} where {condition} limit {CAP}) as part)"


def _capped(sum_: Any) -> int:
    return min(int(sum_), CAP)
