"""Wake: notifications whose snooze is over come back, and their inboxes are told."""

from __future__ import annotations

from uuid import UUID

from ..store import snoozes
from .runtime import Notice, Runtime, start

BATCH = 500


async def wake(rt: Runtime) -> bool:
    """Bring back what is due, one batch of it. Returns whether there was any."""
    returned = await snoozes.end(rt.database, BATCH)
    notices: dict[UUID, list[Notice]] = {}
    for one in returned:
        notices.setdefault(one.environment_id, []).append((one.subscriber_uuid, one.message_id))
    for environment_id, several in notices.items():
        start(rt.publish(environment_id, several))
    return bool(returned)
