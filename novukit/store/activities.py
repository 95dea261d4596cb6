"""Activity lines: written in the transaction of the change that they tell of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..model import ActivityKind
from .database import Database, plain


@dataclass(frozen=True, slots=True)
class Line:
    """One activity line, ready to be written."""

    id: UUID
    environment_id: UUID
    kind: ActivityKind
    at: datetime
    event_id: UUID | None = None
    execution_id: UUID | None = None
    step: str = ""
    reason: str | None = None
    detail: str = ""
    message_id: UUID | None = None


_INSERT = (
    "insert into novukit_activity "
    "(id, environment_id, event_id, execution_id, kind, step, reason, detail, message_id, at) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing"
)


async def write(database: Database, lines: list[Line]) -> None:
    """Append ``lines``, inside the caller's transaction. Written twice, a line is there once."""
    await database.execute_many(
        _INSERT,
        [
            (
                line.id, line.environment_id, line.event_id, line.execution_id, line.kind.value, line.step,
                line.reason, plain(line.detail), line.message_id, line.at,
            )
            for line in lines
        ],
    )  # fmt: skip
