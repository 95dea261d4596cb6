"""Circuits: which integrations are given a rest, and by which workers. A worker's own memory decides; this shows it."""

from __future__ import annotations

from uuid import UUID

from .database import Scope


async def begin(scope: Scope, integration_id: UUID, worker_id: UUID, detail: str) -> None:
    """Put on record that a worker sends nothing through an integration for a while, and why."""
    await scope.database.fetch(
        "insert into novukit_circuit (integration_id, worker_id, environment_id, opened_at, detail) "
        "values ($1, $2, $3, $4, $5) on conflict (environment_id, integration_id, worker_id) "
        "do update set detail = excluded.detail",
        integration_id, worker_id, scope.environment_id, scope.now(), detail,
    )  # fmt: skip


async def end(scope: Scope, integration_id: UUID, worker_id: UUID) -> None:
    """It sends again."""
    await scope.database.fetch(
        "delete from novukit_circuit where environment_id = $1 and integration_id = $2 and worker_id = $3",
        scope.environment_id, integration_id, worker_id,
    )  # fmt: skip


async def resting(scope: Scope) -> dict[UUID, tuple[int, str]]:
    """How many workers give each integration a rest, and why one of them does. Workers that are gone do not count."""
    rows = await scope.database.fetch(
        "select c.integration_id as id, count(*) as n, max(c.detail) as detail from novukit_circuit c "
        "join novukit_worker w on w.id = c.worker_id "
        "where c.environment_id = $1 and w.lease_until >= $2 group by c.integration_id",
        scope.environment_id, scope.now(),
    )  # fmt: skip
    return {row["id"]: (row["n"], row["detail"]) for row in rows}
