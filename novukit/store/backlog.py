"""What lies there now, of all environments: due, waiting, running, stuck; counted up to a cap, by small indexes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .database import Database

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
    """Look once, in one statement of a few milliseconds at most."""
    row = (
        await database.fetch(
            "select "
            f"{_counted('novukit_execution', _DUE)} as due, "
            f"(select min(wake_at) from novukit_execution where {_DUE}) as oldest_due, "
            f"{_counted('novukit_execution', _ASLEEP)} as waiting, "
            f"{_counted('novukit_execution', 'worker_id is not null')} as running, "
            f"{_counted('novukit_execution', f'environment_id in ({_ALL}) and {_PARKED}')} as parked, "
            f"{_counted('novukit_execution', f'environment_id in ({_ALL}) and {_UNKNOWN}')} as unknown, "
            f"{_counted('novukit_event', _EXPANDING)} as expanding, "
            "(select count(*) from novukit_worker where lease_until >= $1) as workers",
            database.clock.now(),
        )
    )[0]
    return Backlog(
        row["due"], moment(row["oldest_due"]), row["waiting"], row["running"], row["parked"], row["unknown"],
        row["expanding"], row["workers"],
    )  # fmt: skip


async def stuck(database: Database, patience: timedelta) -> Stuck:
    """What has stood still for longer than ``patience``."""
    row = (
        await database.fetch(
            "select "
            f"{_counted('novukit_execution', _DUE)} as overdue, "
            f"{_counted(_OWNED, _ORPHANED)} as orphaned, "
            f"{_counted('novukit_event', f'{_EXPANDING} and created_at < $1')} as unexpanded",
            database.clock.now() - patience,
        )
    )[0]
    return Stuck(row["overdue"], row["orphaned"], row["unexpanded"])


_DUE = "status in ('pending', 'waiting') and wake_at <= $1"
_ASLEEP = "status in ('pending', 'waiting') and wake_at > $1"
_ALL = "select id from novukit_environment"
_PARKED = "status = 'parked'"
_UNKNOWN = "reason = 'outcome_unknown' and status in ('parked', 'failed')"
_EXPANDING = "status = 'expanding'"
_OWNED = "novukit_execution x left join novukit_worker w on w.id = x.worker_id"
_ORPHANED = "x.worker_id is not null and (w.id is null or w.lease_until < $1)"


def _counted(table: str, condition: str) -> str:
    return f"(select count(*) from (select 1 from {table} where {condition} limit {CAP}) as part)"


def moment(value: datetime | str | None) -> datetime | None:
    """A time out of ``min()``: SQLite forgets there that it was one."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
