"""Resolve: a person says what became of a message whose outcome was unknown, and the execution goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ..model import Resolution
from ..store import Scope, activities, outcomes
from ..store.activities import Line
from .runtime import Runtime

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of it: how many go on ``now``.

    Of those ``before`` the same had been said earlier, of those ``otherwise`` something else, and the ``others`` stand
    at no such step; none of these is changed.
    """

    now: int = 0
    before: tuple[UUID, ...] = ()
    otherwise: tuple[tuple[UUID, Resolution], ...] = ()
    others: tuple[UUID, ...] = ()

    def __add__(self, more: Resolved) -> Resolved:
        return Resolved(
            self.now + more.now, self.before + more.before, self.otherwise + more.otherwise, self.others + more.others
        )


async def resolve(
    rt: Runtime, scope: Scope, ids: Sequence[UUID], resolution: Resolution, *, by: str, note: str = "",
    step: str | None = None,
) -> Resolved:  # fmt: skip
    """Let the executions ``ids`` go on as if the answer to their message had been ``resolution``.

    ``sent``: the step is complete. ``not_sent``: the recorded message is sent again under the same key, with all its
    attempts before it. ``failed``: the step fails as if the provider had refused it, and the workflow may fall back.
    Said again, it changes nothing. ``by`` is who says so, ``note`` their remark; with ``step`` only executions that
    stand at the step of this name are meant.
    """
    done = Resolved()
    for start in range(0, len(ids), CHUNK):
        done += await _some(rt, scope, ids[start : start + CHUNK], resolution, f"{by}: {note}" if note else by, step)
    if done.now:
        await rt.ring(scope.environment_id)
    return done


async def _some(
    rt: Runtime, scope: Scope, ids: Sequence[UUID], resolution: Resolution, told: str, step: str | None
) -> Resolved:
    async with scope.database.transaction():
        those = [one for one in await outcomes.unknown(scope, ids) if step in (None, one.step)]
        await outcomes.settle(scope, those, resolution, told)
        await activities.write(
            scope.database,
            [
                Line(
                    id=rt.new_id(), environment_id=scope.environment_id, kind=outcomes.KINDS[resolution],
                    at=rt.clock.now(), event_id=one.event_id, execution_id=one.execution_id, step=one.step, detail=told,
                    message_id=one.message_id,
                )
                for one in those
            ],
        )  # fmt: skip
        touched = {one.execution_id for one in those}
        rest = [each for each in dict.fromkeys(ids) if each not in touched]
        before = await outcomes.said(scope, rest)
    return Resolved(
        len(those),
        tuple(each for each in rest if before.get(each) is resolution),
        tuple((each, before[each]) for each in rest if before.get(each, resolution) is not resolution),
        tuple(each for each in rest if each not in before),
    )
