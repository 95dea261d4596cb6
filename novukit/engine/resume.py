"""Resume: failed and parked executions go on at the step where they ended, one or many."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ..model import ActivityKind
from ..store import Scope, activities, executions
from ..store.activities import Line
from .runtime import Runtime

CHUNK = 500


async def resume(rt: Runtime, scope: Scope, ids: Sequence[UUID]) -> int:
    """Make ``ids`` due again, as far as they failed or are parked; returns how many. No finished step runs again."""
    resumed = 0
    for start in range(0, len(ids), CHUNK):
        async with scope.database.transaction():
            touched = await executions.resume(scope, ids[start : start + CHUNK])
            await activities.write(
                scope.database,
                [
                    Line(
                        id=rt.new_id(), environment_id=scope.environment_id, kind=ActivityKind.EXECUTION_RESUMED,
                        at=rt.clock.now(), event_id=one.event_id, execution_id=one.id,
                    )
                    for one in touched
                ],
            )  # fmt: skip
        resumed += len(touched)
    if resumed:
        await rt.ring(scope.environment_id)
    return resumed
