"""Fan-out: the members of a topic, or everyone, become executions by pages under the event's durable cursor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..crash import crash_point
from ..model import ActivityKind
from ..store import Scope, activities, events, subscribers, topics
from ..store.activities import Line
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
        scope, source = rt.scope(event.environment_id), event.sources[0]
        people = await _page(scope, source, event.cursor)
        opened = await events.open_executions(rt.database, [(scope, event)], {event.id: people})
        if len(people) == PAGE:
            sources, cursor = event.sources, people[-1][0]
        else:
            sources, cursor = event.sources[1:], None
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


async def _page(scope: Scope, source: dict[str, Any], after: UUID | None) -> list[tuple[UUID, str]]:
    """The next members after ``after``; a short page is the last one."""
    if "topic" in source:
        return await topics.member_page(scope, UUID(source["topic"]), after, PAGE, source["exclude"])
    return await subscribers.page_ids(scope, after, PAGE)
