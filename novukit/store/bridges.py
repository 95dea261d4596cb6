"""Bridges: where each environment's application is, and which workflows run there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..model import WorkflowSpec
from . import workflows
from .database import Database, Row, Scope, in_list


@dataclass(frozen=True, slots=True)
class Bridge:
    """The application of one environment. ``key_id`` is the secret key that it knows, where that was told."""

    url: str
    key_id: UUID | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """That a workflow runs elsewhere. ``stamp`` is another one after each change of the workflow or its bridge."""

    environment_id: UUID
    workflow_id: str
    stamp: str


async def get(scope: Scope) -> Bridge | None:
    """The environment's bridge."""
    rows = await scope.database.fetch(
        "select url, key_id, updated_at from novukit_bridge where environment_id = $1", scope.environment_id
    )
    return Bridge(rows[0]["url"], rows[0]["key_id"], rows[0]["updated_at"]) if rows else None


async def save(scope: Scope, url: str, key_id: UUID | None) -> None:
    """Remember where the application is, and which key it knows."""
    await scope.database.fetch(
        "insert into novukit_bridge (environment_id, url, key_id, updated_at) values ($1, $2, $3, $4) "
        "on conflict (environment_id) do update set url = excluded.url, key_id = excluded.key_id, "
        "updated_at = excluded.updated_at",
        scope.environment_id, url, key_id, scope.now(),
    )  # fmt: skip


async def apply(
    scope: Scope, *, create: Sequence[WorkflowSpec], change: Sequence[WorkflowSpec], delete: Sequence[str]
) -> None:
    """Store what an application declares, as :func:`workflows.apply`, and mark that it runs there."""
    async with scope.database.transaction():
        await workflows.apply(scope, create=create, change=change, delete=delete)
        if names := [spec.id for spec in create]:
            await scope.database.fetch(
                "update novukit_workflow set remote = true where environment_id = $1 "
                f"and workflow_id in {in_list(names, 2)}",
                scope.environment_id, *names,
            )  # fmt: skip


async def marks(database: Database) -> list[Mark]:
    """All workflows that run elsewhere, in every environment."""
    rows = await database.fetch(
        "select w.environment_id, w.workflow_id, w.version, w.updated_at, b.updated_at as moved_at "
        "from novukit_workflow w left join novukit_bridge b on b.environment_id = w.environment_id where w.remote "
        "order by w.environment_id, w.workflow_id"
    )
    return [_mark(row) for row in rows]


def _mark(row: Row) -> Mark:
    stamp = f"{row['version']} {row['updated_at']} {row['moved_at']}"
    return Mark(row["environment_id"], row["workflow_id"], stamp)
