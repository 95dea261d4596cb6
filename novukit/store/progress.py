"""Progress: how far an event has come: its executions by status, and how many members are still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..model import EventStatus, ExecutionStatus
from .database import Scope, decode
from .where import Where


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an event has come.

    ``to_come`` counts the members that have no execution yet; one who is in several of its topics counts for each.
    """

    event_id: UUID
    transaction_id: str
    workflow_id: str
    status: EventStatus
    statuses: dict[ExecutionStatus, int]
    to_come: int

    @property
    def executions(self) -> int:
        """How many executions there are by now."""
        return sum(self.statuses.values())

    @property
    def expected(self) -> int:
        """How many there will be, at most."""
        return self.executions + self.to_come


async def read(scope: Scope, transaction_id: str) -> Progress | None:
    """How far the event of this transaction id has come; None when there is none."""
    rows = await scope.database.fetch(
        "select id, workflow_id, status, recipients, cursor from novukit_event "
        "where environment_id = $1 and transaction_id = $2",
        scope.environment_id, transaction_id,
    )  # fmt: skip
    if not rows:
        return None
    event, status = rows[0], EventStatus(rows[0]["status"])
    counted = await scope.database.fetch(
        "select status, count(*) as n from novukit_execution where environment_id = $1 and event_id = $2 "
        "group by status",
        scope.environment_id, event["id"],
    )  # fmt: skip
    sources: list[dict[str, Any]] = decode(event["recipients"]) or []
    to_come = 0
    if status is EventStatus.EXPANDING:
        for number, source in enumerate(sources):
            to_come += await _members(scope, source, event["cursor"] if number == 0 else None)
    statuses = {ExecutionStatus(row["status"]): int(row["n"]) for row in counted}
    return Progress(event["id"], transaction_id, event["workflow_id"], status, statuses, to_come)


async def _members(scope: Scope, source: dict[str, Any], after: UUID | None) -> int:
    """How many members a topic, or the environment, has after ``after``."""
    if "topic" not in source:
        where = Where("environment_id = ?", scope.environment_id)
        if after is not None:
            where.add("id > ?", after)
        return await _count(scope, "novukit_subscriber", where)
    where = Where("m.environment_id = ? and m.topic_id = ?", scope.environment_id, UUID(source["topic"]))
    if after is not None:
        where.add("m.subscriber_uuid > ?", after)
    exclude: Sequence[str] = source["exclude"]
    if not exclude:
        return await _count(scope, "novukit_topic_subscription m", where)
    where.add(f"s.subscriber_id not in ({', '.join('?' * len(exclude))})", *exclude)
    joined = "novukit_topic_subscription m join novukit_subscriber s on s.id = m.subscriber_uuid"
    return await _count(scope, joined, where)


async def _count(scope: Scope, table: str, where: Where) -> int:
    return int((await scope.database.fetch(f"select count(*) as n from {table} where {where}", *where.args))[0]["n"])
