"""Fan-out: the members of a topic, or everyone, become executions by pages under the event's durable cursor."""

from __future__ import annotations

from ..crash import crash_point
from ..model import ActivityKind
from ..store import activities, events, recipients
from ..store.activities import Line
from .heed import heed
from .runtime import Runtime

PAGE = 5000


async def expand(rt: Runtime) -> bool:
    """Turn one page of members into executions, and move the cursor in the same transaction.

    A crash resumes at the cursor; a member who is in several lists, or whose page runs twice, has one execution still.
    Returns whether there was anything to do.
    """
    async with rt.database.transaction():
        event = await events.next_expanding(rt.database)
        if event is None:
            return False
        scope = rt.scope(event.environment_id)
        window = await heed(scope, event, PAGE)
        left = await recipients.left(scope, event, PAGE)
        # One more than there are to come: if that one is used, others have joined meanwhile and there is another page.
        ids = [rt.new_id() for _ in range(min(left + 1, PAGE))]
        opened, cursor = await recipients.open_executions(scope, event, ids, window)
        sources = event.sources if cursor else event.sources[1:]
        await events.advance(scope, event.id, sources, cursor, opened)
        if not sources:
            line = Line(
                id=rt.new_id(), environment_id=event.environment_id, kind=ActivityKind.TRIGGER_EXPANDED,
                at=rt.clock.now(), event_id=event.id,
            )  # fmt: skip
            await activities.write(rt.database, [line])
        crash_point("fanout.mid")
    crash_point("fanout.after")
    await rt.ring(event.environment_id)
    return True
