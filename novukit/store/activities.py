"""Activity lines: written in the transaction of the change that they tell of.

Three kinds are not written, for a row tells of them by itself and for good: that a trigger was accepted, that a step
is complete, that an execution is. To write them as well would be a sixth of what an execution costs. ``timeline`` puts
them in their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from ..model import ActivityKind
from .batch import Batch, Part, together
from .database import Database, plain


@dataclass(slots=True)
class Line:
    """One activity line, ready to be written. Without an execution it is about the event itself.

    Never changed once made, as all entries of the journal.
    """

    id: UUID
    environment_id: UUID
    kind: ActivityKind
    at: datetime
    event_id: UUID
    execution_id: UUID | None = None
    step: str = ""
    reason: str | None = None
    detail: str = ""
    message_id: UUID | None = None


@cache
def _batch(condition: str, again: bool) -> Batch:
    return Batch(
        "told",
        "insert into novukit_activity (id, environment_id, event_id, execution_id, kind, step, reason, detail, "
        "message_id, at) select u.id, u.environment_id, u.event_id, u.execution_id, u.kind, u.step, u.reason, "
        f"u.detail, u.message_id, u.at from {{rows}} where {condition}{' on conflict do nothing' if again else ''}",
        columns="id uuid, environment_id uuid, event_id uuid, execution_id uuid, kind text, step text, reason text, "
        "detail text, message_id uuid, at timestamptz",
        steady="environment_id reason detail message_id",
    )


def writing(lines: Sequence[Line], condition: str = "true", *, again: bool = False) -> Part:
    """The statement that appends ``lines``; written ``again``, a line is there once."""
    return _batch(condition, again), [
        (
            line.id, line.environment_id, line.event_id, line.execution_id, str(line.kind), line.step, line.reason,
            plain(line.detail), line.message_id, line.at,
        )
        for line in lines
    ]  # fmt: skip


async def write(database: Database, lines: Sequence[Line]) -> None:
    """Append ``lines``, inside the caller's transaction."""
    if lines:
        await together(database, [writing(lines)])
