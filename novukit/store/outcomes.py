"""Outcomes: what a person says became of a message that may have gone out; its step, message and execution follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..model import ActivityKind, MessageStatus, Reason, Resolution, Sent, StepStatus
from .database import Scope, encode, in_list

KINDS: dict[Resolution, ActivityKind] = {
    Resolution.SENT: ActivityKind.STEP_RESOLVED_SENT,
    Resolution.NOT_SENT: ActivityKind.STEP_RESOLVED_NOT_SENT,
    Resolution.FAILED: ActivityKind.STEP_RESOLVED_FAILED,
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """The step at which an execution stands because nobody knows whether its message went out."""

    execution_id: UUID
    event_id: UUID
    step_id: str
    step_key: str
    message_id: UUID | None

    @property
    def step(self) -> str:
        """The step's name."""
        return f"{self.step_id}[{self.step_key}]" if self.step_key else self.step_id


STEP = "case when c.step_key = '' then c.step_id else c.step_id || '[' || c.step_key || ']' end"
"""The name of a checkpoint's step, as an execution has it."""


async def unknown(scope: Scope, ids: Sequence[UUID]) -> list[Unknown]:
    """Where executions stand at such a step; they are held still until the caller's transaction ends.

    They have failed there, are parked there, or wait there for the next attempt. One that went on without the message
    has no use for the answer, and is left out.
    """
    if not ids:
        return []
    rows = await scope.database.fetch(
        "select x.id, x.event_id, c.step_id, c.step_key, c.message_id from novukit_execution x "
        "join novukit_checkpoint c on c.environment_id = x.environment_id and c.execution_id = x.id "
        f"where x.environment_id = $1 and x.id in {in_list(ids, 2)} and x.step = {STEP} "
        "and x.status in ('failed', 'parked', 'waiting') and c.status in ('failed', 'unknown', 'retrying') "
        "and c.reason = 'outcome_unknown' order by x.id for no key update of x",
        scope.environment_id, *ids,
    )  # fmt: skip
    return [Unknown(row["id"], row["event_id"], row["step_id"], row["step_key"], row["message_id"]) for row in rows]


async def said(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, Resolution]:
    """What was said last of messages of these executions, by a person or by the vendor."""
    if not ids:
        return {}
    by_kind = {kind.value: resolution for resolution, kind in KINDS.items()}
    by_kind[ActivityKind.STEP_CONFIRMED.value] = Resolution.SENT
    rows = await scope.database.fetch(
        f"select execution_id, kind from novukit_activity where environment_id = $1 and execution_id in "
        f"{in_list(ids, 6)} and kind in ($2, $3, $4, $5) order by id",
        scope.environment_id, *by_kind, *ids,
    )  # fmt: skip
    return {row["execution_id"]: by_kind[row["kind"]] for row in rows}


async def settle(scope: Scope, those: Sequence[Unknown], resolution: Resolution, told: str) -> None:
    """Put the answer on record and make the executions due; the caller's transaction, after :func:`unknown`.

    ``told`` is who said it, and their remark.
    """
    now, env = scope.now(), scope.environment_id
    match resolution:
        case Resolution.SENT:
            step, reason, attempts, finished = StepStatus.COMPLETED, None, "attempts", now
            message, error, sent_at = MessageStatus.SENT, None, now
        case Resolution.NOT_SENT:
            step, reason, attempts, finished = StepStatus.RETRYING, Reason.NOT_SENT, "0", None
            message, error, sent_at = MessageStatus.RETRYING, None, None
        case Resolution.FAILED:
            step, reason, attempts, finished = StepStatus.FAILED, Reason.GIVEN_UP, "attempts", now
            message, error, sent_at = MessageStatus.FAILED, told, None
    await scope.database.execute_many(
        f"update novukit_checkpoint set status = $5, reason = $6, detail = $7, attempts = {attempts}, result = $8, "
        "finished_at = $9, wake_at = $10, way = null "
        "where environment_id = $1 and execution_id = $2 and step_id = $3 and step_key = $4",
        [
            (env, one.execution_id, one.step_id, one.step_key, step.value, reason.value if reason else None, told,
             _result(one, resolution), finished, None if finished else now)
            for one in those
        ],
    )  # fmt: skip
    await scope.database.execute_many(
        "update novukit_message set status = $3, error = $4, sent_at = coalesce($5, sent_at), updated_at = $6 "
        "where environment_id = $1 and id = $2 and status <> 'sent'",
        [(env, one.message_id, message.value, error, sent_at, now) for one in those if one.message_id],
    )
    ids = [one.execution_id for one in those]
    if ids:
        await scope.database.fetch(
            "update novukit_execution set status = 'pending', wake_at = $2, finished_at = null, reason = null, "
            "detail = '', takeovers = 0, "
            "cancel_requested_at = case when status = 'waiting' then cancel_requested_at else null end "
            f"where environment_id = $1 and id in {in_list(ids, 3)} and status in ('failed', 'parked', 'waiting')",
            env, now, *ids,
        )  # fmt: skip


def _result(one: Unknown, resolution: Resolution) -> Any:
    if resolution is not Resolution.SENT:
        return None
    return encode(Sent(message_id=str(one.message_id)).model_dump(mode="json"))
