"""Timeline: the activity of executions and events as it is read, oldest first: the lines on record, and between them
those that a row tells by itself (see ``activities``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from math import inf
from typing import Any
from uuid import UUID

from ..model import Activity, ActivityKind, StepStatus
from . import pages
from .database import Row, Scope, in_list, moment
from .outcomes import STEP

_LINE = "id, environment_id, event_id, execution_id, kind, step, reason, detail, message_id, at"
_SAME = {ActivityKind.STEP_COMPLETED: (ActivityKind.STEP_RESOLVED_SENT, ActivityKind.STEP_CONFIRMED)}
"""Lines on record that tell the same as a row: the row is silent then."""


@dataclass(slots=True)
class _Told:
    """What is known of one execution or event."""

    written: list[Activity] = field(default_factory=list[Activity])
    by_rows: list[tuple[Activity, float]] = field(default_factory=list[tuple[Activity, float]])
    """Each with its place: the position of its step. Of one moment, it comes after the lines of earlier places."""
    places: dict[str, float] = field(default_factory=dict[str, float])
    """The positions of the steps."""

    def in_order(self) -> list[Activity]:
        """All lines. A row is silent where a line is on record, as it was for every change at first."""
        lines, known = list(self.written), {(line.kind, line.step) for line in self.written}
        for told, place in self.by_rows:
            if any((kind, told.step) in known for kind in (told.kind, *_SAME.get(told.kind, ()))):
                continue
            when = told.at, place
            later = (n for n, line in enumerate(lines) if (line.at, self.places.get(line.step, -1)) > when)
            lines.insert(next(later, len(lines)), told)
        return lines


async def of_execution(scope: Scope, execution_id: UUID) -> list[Activity]:
    """The lines of one execution."""
    return (await of_executions(scope, [execution_id]))[execution_id]


async def of_executions(scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Activity]]:
    """The lines of several executions."""
    found = {each: _Told() for each in ids}
    for some in pages.parted(ids):
        among = in_list(some, 2)
        for row in await scope.database.fetch(
            f"select {_LINE} from novukit_activity where environment_id = $1 and execution_id in {among} order by id",
            scope.environment_id, *some,
        ):  # fmt: skip
            found[row["execution_id"]].written.append(_activity(row))
        for row in await scope.database.fetch(
            f"select c.execution_id, x.event_id, {STEP} as step, c.status, c.reason, c.detail, c.message_id, "
            "c.finished_at, c.position from novukit_checkpoint c join novukit_execution x "
            "on x.environment_id = c.environment_id and x.id = c.execution_id "
            f"where c.environment_id = $1 and c.execution_id in {among} order by c.position",
            scope.environment_id, *some,
        ):  # fmt: skip
            told = found[row["execution_id"]]
            told.places[row["step"]] = row["position"]
            if row["status"] == StepStatus.COMPLETED and row["finished_at"]:
                told.by_rows.append((_step_completed(scope, row), row["position"]))
        for row in await scope.database.fetch(
            "select id as execution_id, event_id, detail, finished_at from novukit_execution "
            f"where environment_id = $1 and id in {among} and status = 'completed' and finished_at is not null",
            scope.environment_id, *some,
        ):  # fmt: skip
            line = _line(scope, ActivityKind.EXECUTION_COMPLETED, row["finished_at"], row, detail=row["detail"])
            found[row["execution_id"]].by_rows.append((line, inf))
    return {each: told.in_order() for each, told in found.items()}


async def of_event(scope: Scope, event_id: UUID) -> list[Activity]:
    """The lines of an event and of all its executions."""
    begun = await scope.database.fetch(
        "select e.id as event_id, e.workflow_id, e.created_at, x.id from novukit_event e left join novukit_execution x "
        "on x.environment_id = e.environment_id and x.event_id = e.id "
        "where e.environment_id = $1 and e.id = $2 order by x.id",
        scope.environment_id, event_id,
    )  # fmt: skip
    rows = await scope.database.fetch(
        f"select {_LINE} from novukit_activity where environment_id = $1 and event_id = $2 and execution_id is null "
        "order by id",
        scope.environment_id, event_id,
    )  # fmt: skip
    own = _Told([_activity(row) for row in rows])
    for row in begun[:1]:
        line = _line(scope, ActivityKind.TRIGGER_ACCEPTED, row["created_at"], row, detail=row["workflow_id"])
        own.by_rows.append((line, -inf))
    executions = await of_executions(scope, [row["id"] for row in begun if row["id"]])
    return sorted(chain(own.in_order(), *executions.values()), key=lambda line: line.at)


def _step_completed(scope: Scope, row: Row) -> Activity:
    return _line(
        scope, ActivityKind.STEP_COMPLETED, row["finished_at"], row, step=row["step"], reason=row["reason"],
        detail=row["detail"], message_id=row["message_id"],
    )  # fmt: skip


def _line(
    scope: Scope, kind: ActivityKind, at: datetime | str, row: Row, *, step: str = "", reason: str | None = None,
    detail: str = "", message_id: UUID | None = None,
) -> Activity:  # fmt: skip
    """A line that a row tells. Its id is always the same, and like all others a UUIDv7 of its time (RFC 9562)."""
    at, execution_id = moment(at), row.get("execution_id")
    about = hashlib.blake2b(f"{execution_id or row['event_id']}/{kind}/{step}".encode(), digest_size=10).digest()
    stamp = int(at.timestamp() * 1000).to_bytes(6, "big")
    return Activity(
        id=UUID(bytes=stamp + bytes([0x70 | about[0] & 0x0F, about[1], 0x80 | about[2] & 0x3F]) + about[3:]),
        environment_id=scope.environment_id, event_id=row["event_id"], execution_id=execution_id, kind=kind, step=step,
        reason=reason, detail=detail, message_id=message_id, at=at,
    )  # fmt: skip


def _activity(row: Row) -> Activity:
    fields: dict[str, Any] = {name: row[name] for name in Activity.model_fields if name not in ("kind", "data")}
    return Activity(kind=ActivityKind(row["kind"]), **fields)
