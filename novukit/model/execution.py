"""An execution: one workflow for one subscriber, and the checkpoints of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from .base import Model
from .step import Reason, StepKind, StepStatus


class ExecutionStatus(StrEnum):
    """Where an execution stands. ``parked`` needs a person: its record no longer fits, or an outcome is unknown."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    MERGED = "merged"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PARKED = "parked"

    @property
    def is_final(self) -> bool:
        return self in (
            ExecutionStatus.COMPLETED, ExecutionStatus.MERGED, ExecutionStatus.CANCELLED,
            ExecutionStatus.FAILED, ExecutionStatus.PARKED,
        )  # fmt: skip

    @property
    def can_resume(self) -> bool:
        return self in (ExecutionStatus.FAILED, ExecutionStatus.PARKED)


class Resolution(StrEnum):
    """What a person says became of a message whose outcome was unknown."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Way:
    """How a step's message has been routed so far, where there is more to say than the message's own integration.

    ``left`` are the integrations that it was taken away from, each with the attempts that had begun by then; ``slot``
    is the moment that its integration's pace keeps for it.
    """

    left: tuple[tuple[UUID, int], ...] = ()
    slot: datetime | None = None

    @property
    def before(self) -> int:
        """How many attempts were made by those that were left."""
        return self.left[-1][1] if self.left else 0


@dataclass(slots=True)
class Checkpoint:
    """The record of one step of one execution. Never changed once made: each change is a new one.

    ``attempts`` counts calls that began; ``position`` is the step's place among those that the run has met.
    """

    step_id: str
    key: str
    kind: StepKind
    status: StepStatus
    result: Any = None
    reason: Reason | None = None
    detail: str = ""
    attempts: int = 0
    args_hash: str = ""
    position: int = 0
    message_id: UUID | None = None
    wake_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    way: Way | None = None


class Execution(Model):
    """One workflow for one subscriber, as the API shows it."""

    id: UUID
    environment_id: UUID
    event_id: UUID
    transaction_id: str
    workflow_id: str
    workflow_version: str | None
    subscriber_id: str
    status: ExecutionStatus
    step: str | None = None
    """The step in which it waits or failed, by name."""
    reason: Reason | None
    detail: str
    runs: int
    wake_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepRecord(Model):
    """One step of an execution, as the API shows it. ``duration_ms`` is the time from begin to end of the step."""

    step_id: str
    key: str
    kind: StepKind
    status: StepStatus
    reason: Reason | None
    detail: str
    attempts: int
    message_id: UUID | None
    wake_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None
    result: Any = None
