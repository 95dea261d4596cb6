"""Sweep: what must happen without anybody's asking. Any number of sweepers may run; each takes what no other has."""

from __future__ import annotations

from ..store import workers
from .fanout import expand
from .runtime import Runtime

PAGES_A_SWEEP = 20


async def sweep(rt: Runtime) -> bool:
    """Take over the work of workers whose lease has lapsed, and turn members of topics into executions.

    Due executions need no sweep: every worker looks for them by itself. Returns whether there was work.
    """
    worked = await workers.reap(rt.database) > 0
    for _ in range(PAGES_A_SWEEP):
        if not await expand(rt):
            break
        worked = True
    return worked
