"""What ``novukit doctor`` looks at in the work: is anything stuck, and does anything wait for a person?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

from .check import Check
from .values import count, span

if TYPE_CHECKING:
    from ..store import Database

LATE = timedelta(seconds=30)
"""What should have moved for longer than this is stuck: the lease and the sweep are shorter."""
SLOW = timedelta(minutes=10)
"""How long it may take to turn the members of a large topic into executions."""


async def work(database: Database) -> AsyncIterator[Check]:
    """Due and not taken, owned by the dead, not expanded; parked and unknown. Of all environments."""
    from ..store import backlog

    now, stuck = await backlog.read(database), await backlog.stuck(database, LATE)
    slow = await backlog.stuck(database, SLOW)
    if now.workers:
        yield Check("Workers", "ok", f"{now.workers} alive")
    else:
        fix = "Start one with `novukit dev` or `novukit worker`."
        yield Check("Workers", "failed" if stuck.overdue else "warning", "No worker is running.", fix)
    if stuck.overdue and now.oldest_due is not None:
        late = span(database.clock.now() - now.oldest_due)
        finding = f"Work has been due for {late}, and nobody takes it ({_many(stuck.overdue, 'execution')})."
        fix = "Do the workers have the code of these workflows, and room?" if now.workers else "Start a worker."
        yield Check("Due work", "failed", finding, fix)
    else:
        yield Check("Due work", "ok", f"nothing is late; {now.due} due, {now.running} running, {now.waiting} waiting")
    if stuck.orphaned:
        finding = f"{_many(stuck.orphaned, 'execution')} belong to workers that are gone, and nobody takes them over."
        yield Check("Taking over", "failed", finding, "Start a worker: it frees them within seconds.")
    if slow.unexpanded:
        finding = f"{_many(slow.unexpanded, 'event')} still have members to come after {span(SLOW)}."
        fix = "Large topics take their time: look again." if now.workers else "Start a worker."
        yield Check("Fan-out", "warning" if now.workers else "failed", finding, fix)
    if now.parked:
        fix = "`novukit executions list --status parked` shows them, `novukit executions resume` goes on."
        yield Check("Parked", "warning", f"{_many(now.parked, 'execution')} wait for a person.", fix)
    if now.unknown:
        finding = f"Of {_many(now.unknown, 'execution')} nobody knows whether the message went out."
        fix = "Ask the provider, then say it: `novukit executions resolve`."
        yield Check("Unknown", "warning", finding, fix)


def _many(number: int, noun: str) -> str:
    from ..store.backlog import CAP

    return f"{CAP} or more {noun}s" if number >= CAP else count(number, noun)
