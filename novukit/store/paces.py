"""Paces: the moments at which the messages of an integration may go out, given out once among all workers."""

from __future__ import annotations

from uuid import UUID

from .database import Scope


async def take(scope: Scope, integration_id: UUID, width: float) -> float:
    """Take the next ``width`` seconds of an integration's time. Gives when they begin, in seconds since 1970.

    They begin now, or where the last ones end: what nobody used while there was nothing to send is not made up for.
    """
    now = scope.now().timestamp()
    rows = await scope.database.fetch(
        "insert into novukit_pace (integration_id, environment_id, free_at) values ($1, $2, $3) "
        "on conflict (environment_id, integration_id) do update set free_at = "
        "case when novukit_pace.free_at > $4 then novukit_pace.free_at + $5 else $3 end "
        "returning free_at",
        integration_id, scope.environment_id, now + width, now, width,
    )  # fmt: skip
    return rows[0]["free_at"] - width
