"""Sweep: what must happen without anybody's asking. Any number of sweepers may run; each takes what no other has."""

from __future__ import annotations

from ..store import workers
from . import callback
from .fanout import expand
from .runtime import Runtime
from .wake import wake

PAGES_A_SWEEP = 20


async def sweep(rt: Runtime) -> bool:
    """Take over the work of workers whose lease has lapsed, turn members of topics into executions, take up what
    vendors told of messages before those were on record, and bring back what is not snoozed any more.

    Due executions need no sweep: every worker looks for them by itself. Returns whether there was work.
    """
    found = await workers.look(rt.database, ())
    worked = found.lapsed and await _take_over(rt)
    for _ in range(PAGES_A_SWEEP if found.expanding else 0):
        if not await expand(rt):
            break
        worked = True
    if found.told:
        worked |= await callback.take_up(rt)
    if found.returning and found.returning <= rt.clock.now():
        worked |= await wake(rt)
    return worked


async def _take_over(rt: Runtime) -> bool:
    freed = await workers.reap(rt.database)
    for environment_id in set(freed):
        await rt.ring(environment_id)
    if freed and rt.observer is not None:
        rt.observer.taken_over(len(freed))
    return bool(freed)
