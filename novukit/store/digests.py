"""Digest windows: opened by the first execution, joined by later ones, closed once, handed over when their owner ends.

Every function runs in the caller's transaction, with the window's lock held (``lock_name``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .database import Scope, decode


@dataclass(frozen=True, slots=True)
class Place:
    """Which digest: a workflow's step, for one subscriber, by one key."""

    workflow_id: str
    step_id: str
    subscriber_uuid: UUID
    key: str

    def lock_name(self, environment_id: UUID) -> str:
        return f"digest/{environment_id}/{self.workflow_id}/{self.step_id}/{self.subscriber_uuid}/{self.key}"

    def args(self, environment_id: UUID) -> tuple[UUID, str, str, UUID, str]:
        return environment_id, self.workflow_id, self.step_id, self.subscriber_uuid, self.key


_HERE = "environment_id = $1 and workflow_id = $2 and step_id = $3 and subscriber_uuid = $4 and digest_key = $5"


@dataclass(frozen=True, slots=True)
class Joined:
    """The open window that an execution is in; ``own`` if it is the one that will close it."""

    own: bool
    closes_at: datetime


async def join(
    scope: Scope, place: Place, execution_id: UUID, event_id: UUID, look_back: timedelta | None = None
) -> Joined | None:
    """Add an execution to the open window, if there is one. Joining twice is joining once.

    Its own window, too, for the commit that opened it may have been lost on its way back. For ``look_back`` from now
    the window will be asked for: see :func:`recent`.
    """
    rows = await scope.database.fetch(
        "update novukit_digest_window set last_event_at = $6, expires_at = $7 "
        f"where {_HERE} and status = 'open' returning id, owner_execution_id, closes_at",
        *place.args(scope.environment_id), scope.now(), _until(scope, look_back),
    )  # fmt: skip
    if not rows:
        return None
    await _add(scope, rows[0]["id"], execution_id, event_id)
    return Joined(rows[0]["owner_execution_id"] == execution_id, rows[0]["closes_at"])


async def open(  # noqa: A001
    scope: Scope, place: Place, execution_id: UUID, event_id: UUID, closes_at: datetime,
    look_back: timedelta | None = None,
) -> None:  # fmt: skip
    """Open a window that ``execution_id`` owns and closes."""
    window = await _insert(scope, place, execution_id, "open", closes_at, look_back)
    await _add(scope, window, execution_id, event_id)


async def pass_by(scope: Scope, place: Place, execution_id: UUID, look_back: timedelta) -> None:
    """Note that an event went on at once, for the look-back of those that follow."""
    await _insert(scope, place, execution_id, "passed", scope.now(), look_back)


async def recent(scope: Scope, place: Place, look_back: timedelta, execution_id: UUID | None = None) -> bool:
    """Whether another event came within ``look_back``.

    An execution that asks again, for the answer of its commit was lost, is told the same: what it has left itself says.
    """
    rows = await scope.database.fetch(
        f"select owner_execution_id, status from novukit_digest_window where {_HERE} "
        "and (last_event_at > $6 or owner_execution_id = $7) order by (owner_execution_id = $7) desc limit 1",
        *place.args(scope.environment_id), scope.now() - look_back, execution_id,
    )  # fmt: skip
    if rows and rows[0]["owner_execution_id"] == execution_id:
        return rows[0]["status"] != "passed"
    return bool(rows)


async def close(scope: Scope, place: Place, execution_id: UUID) -> list[dict[str, Any]]:
    """Close the window that ``execution_id`` owns and give its events, oldest first. The members are frozen by this.

    Closing twice is closing once: the answer is the same.
    """
    rows = await scope.database.fetch(
        "update novukit_digest_window set status = 'closed', closed_at = coalesce(closed_at, $6) "
        f"where {_HERE} and status <> 'passed' and owner_execution_id = $7 returning id",
        *place.args(scope.environment_id), scope.now(), execution_id,
    )  # fmt: skip
    if not rows:
        return []
    members = await scope.database.fetch(
        "select e.transaction_id, e.payload, e.created_at from novukit_digest_member m "
        "join novukit_event e on e.id = m.event_id "
        "where m.environment_id = $1 and m.window_id = $2 order by m.joined_at, e.id",
        scope.environment_id, rows[0]["id"],
    )  # fmt: skip
    return [
        {"id": m["transaction_id"], "time": m["created_at"].isoformat(), "payload": decode(m["payload"])}
        for m in members
    ]


@dataclass(frozen=True, slots=True)
class Handed:
    """A digest that got a new owner."""

    execution_id: UUID
    event_id: UUID
    step_id: str
    closes_at: datetime


async def hand_over(scope: Scope, owner: UUID) -> list[Handed]:
    """Give each open window of an execution that has ended to its oldest other member, which sleeps until the close.

    A window without another member is closed. The owner's own event leaves with it.
    """
    handed: list[Handed] = []
    windows = await scope.database.fetch(
        "select id, step_id, closes_at from novukit_digest_window "
        "where environment_id = $1 and owner_execution_id = $2 and status = 'open' for update",
        scope.environment_id, owner,
    )  # fmt: skip
    for window in windows:
        await scope.database.fetch(
            "delete from novukit_digest_member where environment_id = $1 and window_id = $2 and execution_id = $3",
            scope.environment_id, window["id"], owner,
        )  # fmt: skip
        heirs = await scope.database.fetch(
            "select m.execution_id, m.event_id from novukit_digest_member m "
            "join novukit_execution x on x.id = m.execution_id and x.environment_id = m.environment_id "
            "where m.environment_id = $1 and m.window_id = $2 and x.status = 'merged' "
            "order by m.joined_at, m.execution_id limit 1",
            scope.environment_id, window["id"],
        )  # fmt: skip
        if not heirs:
            await scope.database.fetch(
                "update novukit_digest_window set status = 'closed', closed_at = $2 "
                "where environment_id = $3 and id = $1",
                window["id"], scope.now(), scope.environment_id,
            )  # fmt: skip
            continue
        heir = Handed(heirs[0]["execution_id"], heirs[0]["event_id"], window["step_id"], window["closes_at"])
        await _promote(scope, window["id"], heir)
        handed.append(heir)
    return handed


async def _promote(scope: Scope, window_id: UUID, heir: Handed) -> None:
    await scope.database.fetch(
        "update novukit_digest_window set owner_execution_id = $3 where environment_id = $1 and id = $2",
        scope.environment_id,
        window_id,
        heir.execution_id,
    )
    await scope.database.fetch(
        "update novukit_checkpoint set status = 'waiting', reason = null, wake_at = $4, finished_at = null "
        "where environment_id = $1 and execution_id = $2 and step_id = $3 and status = 'merged'",
        scope.environment_id, heir.execution_id, heir.step_id, heir.closes_at,
    )  # fmt: skip
    await scope.database.fetch(
        "update novukit_execution set status = 'waiting', wake_at = $3, step = $4, reason = null, finished_at = null "
        "where environment_id = $1 and id = $2 and status = 'merged'",
        scope.environment_id, heir.execution_id, heir.closes_at, heir.step_id,
    )  # fmt: skip


def _until(scope: Scope, look_back: timedelta | None) -> datetime | None:
    """When nothing looks back any more at an event of now; from then on retention may take the window."""
    return scope.now() + look_back if look_back is not None else None


async def _insert(
    scope: Scope, place: Place, owner: UUID, status: str, closes_at: datetime, look_back: timedelta | None
) -> UUID:
    window_id, now = scope.new_id(), scope.now()
    await scope.database.fetch(
        "insert into novukit_digest_window (environment_id, workflow_id, step_id, subscriber_uuid, digest_key, id, "
        "status, owner_execution_id, opened_at, closes_at, last_event_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11)",
        *place.args(scope.environment_id), window_id, status, owner, now, closes_at, _until(scope, look_back),
    )  # fmt: skip
    return window_id


async def _add(scope: Scope, window_id: UUID, execution_id: UUID, event_id: UUID) -> None:
    await scope.database.fetch(
        "insert into novukit_digest_member (environment_id, window_id, execution_id, event_id, joined_at) "
        "values ($1, $2, $3, $4, $5) on conflict do nothing",
        scope.environment_id, window_id, execution_id, event_id, scope.now(),
    )  # fmt: skip
