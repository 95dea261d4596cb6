"""What is snoozed comes back when its time is over, once, and as if it were new."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from novukit.store import Database, messages, snoozes
from novukit.store.messages import InboxFilter
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def test_a_snooze_ends_at_its_time(rows: Rows, clock: VirtualClock) -> None:
    """Not before; then the notification is unread and unseen, and tells when it came back."""
    database = rows.scope.database
    message = await rows.message()
    who, ids = message.subscriber_uuid, [message.id]
    assert None is await snoozes.next_end(database)
    await messages.mark(rows.scope, who, ids, archived=True, at=clock.now())
    until = clock.now() + timedelta(hours=1)
    await messages.snooze(rows.scope, who, message.id, until, at=clock.now())

    assert until == await snoozes.next_end(database)
    assert [] == await snoozes.end(database, 10)
    clock.advance(timedelta(hours=1))
    assert [(who, message.id)] == [(one.subscriber_uuid, one.message_id) for one in await snoozes.end(database, 10)]
    assert [] == await snoozes.end(database, 10)

    found = await messages.notification(rows.scope, who, message.id)
    assert found is not None
    assert (None, None, None, None) == (
        found.message.snoozed_until, found.message.read_at, found.message.seen_at, found.message.archived_at,
    )  # fmt: skip
    assert until == found.message.returned_at
    assert None is await snoozes.next_end(database)


async def test_many_come_back_in_batches_each_once(rows: Rows, clock: VirtualClock) -> None:
    """However many sweepers there are, and of every environment."""
    other = await Rows.environment(rows.scope.database)
    for place in (rows, other):
        for _ in range(10):
            message = await place.message()
            until = clock.now() + timedelta(minutes=1)
            await messages.snooze(place.scope, message.subscriber_uuid, message.id, until, at=clock.now())
    clock.advance(timedelta(minutes=2))

    several = await asyncio.gather(*(snoozes.end(rows.scope.database, 8) for _ in range(4)))

    returned = [one.message_id for batch in several for one in batch]
    assert len(returned) == len(set(returned)) == 20
    who = await rows.subscriber()
    assert 10 == await messages.count(rows.scope, who, InboxFilter(snoozed=False, read=False))


async def test_nobody_pays_for_snoozes_where_there_are_none(database: Database, rows: Rows) -> None:
    """The look of the sweep goes by an index that holds only what is snoozed, however many messages there are."""
    for _ in range(3):
        await rows.message()
    explain = "explain query plan" if database.dialect == "sqlite" else "explain"
    plan = await database.fetch_hot(f"{explain} select {snoozes.NEXT} as at")
    assert "novukit_message_snoozed" in str([dict(line) for line in plan])
