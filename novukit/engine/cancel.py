"""Cancel: nothing of an execution begins after the answer «cancelled»; one that a worker is running is «cancelling»."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ..crash import crash_point
from ..model import ActivityKind
from ..store import Scope, activities, digests, events, executions
from ..store.activities import Line
from ..store.executions import Touched
from .runtime import Runtime


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What a cancel found. ``cancelling`` ones stop before their next effect and are ``cancelled`` then."""

    found: bool
    cancelled: int = 0
    cancelling: int = 0


async def cancel(rt: Runtime, scope: Scope, transaction_id: str) -> CancelAnswer:
    """Cancel everything of a transaction that has not ended. Asking again is harmless."""
    async with scope.database.transaction():
        seen = await events.seen(scope, transaction_id)
        if seen is None:
            return CancelAnswer(found=False)
        event_id = seen[0]
        await events.stop_expanding(scope, event_id)
        await executions.hold_still(scope, event_id=event_id)
        idle = await executions.cancel_idle(scope, event_id=event_id)
        busy = await executions.ask_to_cancel(scope, event_id=event_id)
        await _tell(rt, scope, idle)
        line = Line(
            id=rt.new_id(), environment_id=scope.environment_id, kind=ActivityKind.TRIGGER_CANCELLED,
            at=rt.clock.now(), event_id=event_id, detail=f"{len(idle)} cancelled, {len(busy)} cancelling",
        )  # fmt: skip
        await activities.write(scope.database, [line])
        crash_point("cancel.mid")
    crash_point("cancel.after")
    return CancelAnswer(found=True, cancelled=len(idle), cancelling=len(busy))


async def cancel_executions(rt: Runtime, scope: Scope, ids: Sequence[UUID]) -> CancelAnswer:
    """Cancel single executions, whatever their transaction."""
    if not ids:
        return CancelAnswer(found=False)
    async with scope.database.transaction():
        found = bool(await executions.statuses(scope, ids))
        await executions.hold_still(scope, ids=ids)
        idle = await executions.cancel_idle(scope, ids=ids)
        busy = await executions.ask_to_cancel(scope, ids=ids)
        await _tell(rt, scope, idle)
    return CancelAnswer(found=found, cancelled=len(idle), cancelling=len(busy))


async def _tell(rt: Runtime, scope: Scope, cancelled: Sequence[Touched]) -> None:
    """End what the cancelled ones waited for, hand over the digests that they held open, and write their lines."""
    lines: list[Line] = []
    await executions.end_steps(scope, [one.id for one in cancelled])
    for one in cancelled:
        heirs = await digests.hand_over(scope, one.id)
        kinds = [ActivityKind.EXECUTION_CANCELLED, *[ActivityKind.DIGEST_HANDED_OVER for _ in heirs]]
        lines += [
            Line(
                id=rt.new_id(), environment_id=scope.environment_id, kind=kind, at=rt.clock.now(),
                event_id=one.event_id, execution_id=one.id,
            )
            for kind in kinds
        ]  # fmt: skip
        if heirs:  # they may be due sooner than anyone looks
            rt.ring_after_commit(scope.environment_id)
    await activities.write(scope.database, lines)
