"""Throttle passes: who was let through, and when. Runs in the caller's transaction, with the throttle's lock held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from .database import Scope


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Which throttle: a workflow's step, for one subscriber, by one key."""

    workflow_id: str
    step_id: str
    subscriber_uuid: UUID
    key: str

    def lock_name(self, environment_id: UUID) -> str:
        return f"throttle/{environment_id}/{self.workflow_id}/{self.step_id}/{self.subscriber_uuid}/{self.key}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether an execution may pass; ``count`` is how many have passed in the window, itself included."""

    passed: bool
    count: int
    window_start: datetime


async def ask(scope: Scope, at: Turnstile, execution_id: UUID, *, limit: int, window: timedelta) -> Answer:
    """Let an execution through if fewer than ``limit`` passed within the last ``window``. Asking twice counts once."""
    now = scope.now()
    rows = await scope.database.fetch(
        "select execution_id, at from novukit_throttle_pass where environment_id = $1 and workflow_id = $2 "
        "and step_id = $3 and subscriber_uuid = $4 and throttle_key = $5 and at > $6 order by at limit $7",
        scope.environment_id, at.workflow_id, at.step_id, at.subscriber_uuid, at.key, now - window, limit,
    )  # fmt: skip
    start = rows[0]["at"] if rows else now
    if execution_id in {row["execution_id"] for row in rows}:
        return Answer(True, len(rows), start)
    if len(rows) >= limit:
        return Answer(False, len(rows), start)
    await scope.database.fetch(
        "insert into novukit_throttle_pass (environment_id, execution_id, step_id, step_key, workflow_id, "
        "subscriber_uuid, throttle_key, at, expires_at) values ($1, $2, $3, '', $4, $5, $6, $7, $8) "
        "on conflict do nothing",
        scope.environment_id, execution_id, at.step_id, at.workflow_id, at.subscriber_uuid, at.key, now, now + window,
    )  # fmt: skip
    return Answer(True, len(rows) + 1, start)
