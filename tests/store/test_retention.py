"""Retention: what ended long ago goes with all that belongs to it; what has not ended, or is still asked for, stays."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from novukit.model import ActivityKind
from novukit.store import Database, deliveries, digests, tables, throttles
from novukit.store.digests import Place
from novukit.store.retention import Gone, Rule, survey, sweep
from novukit.store.throttles import Turnstile
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

AGE = timedelta(days=90)
UNFINISHED = ("pending", "running", "waiting", "parked")
ENDED = ("completed", "merged", "cancelled", "failed")


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def whole(rows: Rows, status: str = "completed", channel: str = "email", event: UUID | None = None) -> UUID:
    """An execution with a step, a message and a line of activity, that ended now unless its status says otherwise."""
    event_id = event or await rows.event()
    ended = None if status in UNFINISHED[:3] else rows.scope.now()
    made = await rows.execution(event_id, status=status, finished_at=ended)
    await rows.checkpoint(made, step_id="mail", kind=channel)
    await rows.message(execution_id=made, step_id="mail", channel=channel)
    await rows.line(ActivityKind.EXECUTION_COMPLETED, made, event_id)
    if event is None:
        await rows.line(ActivityKind.TRIGGER_ACCEPTED, None, event_id)
    return made


async def sweep_all(rows: Rows, batch: int = 500, **rule: Any) -> Gone:
    """Sweep away what ended ``AGE`` ago, and tell all that went."""
    database, gone = rows.scope.database, Counter[str]()
    async for some in sweep(database, Rule(rows.scope.now() - AGE, **rule), batch):
        gone += some
    return gone


async def left(rows: Rows) -> Counter[str]:
    """How many rows each table holds, but those that are not about what happened."""
    counted = Counter[str]()
    for table in (tables.Execution, tables.Checkpoint, tables.Message, tables.Activity, tables.Event):
        found = await rows.scope.database.fetch(f"select count(*) as n from {table._meta.tablename}")
        counted[table._meta.tablename.removeprefix("novukit_")] = found[0]["n"]
    return +counted


async def test_what_ended_goes_with_all_that_belongs_to_it(rows: Rows, clock: VirtualClock) -> None:
    """Execution, checkpoints, messages, activity, then the event; younger ones stay untouched."""
    for status in ENDED:
        await whole(rows, status)
    clock.advance(AGE + timedelta(seconds=1))
    await whole(rows)

    assert {"executions": 4, "messages": 4, "events": 4} == await sweep_all(rows)
    assert {"execution": 1, "checkpoint": 1, "message": 1, "activity": 2, "event": 1} == await left(rows)


@pytest.mark.parametrize("status", UNFINISHED)
async def test_what_has_not_ended_stays(rows: Rows, clock: VirtualClock, status: str) -> None:
    """However old: with its checkpoints, message, activity and event. Parked ones wait for a person."""
    await whole(rows, status)
    before = await left(rows)
    clock.advance(AGE * 10)

    assert not await sweep_all(rows, in_app=True)
    assert before == await left(rows)


async def test_an_execution_that_ended_late_stays(rows: Rows, clock: VirtualClock) -> None:
    """The age counts from the end and not from the trigger."""
    made = await rows.execution(status="completed", finished_at=clock.now() + AGE)
    clock.advance(AGE + timedelta(days=1))

    assert not await sweep_all(rows)
    assert made


async def test_an_event_stays_as_long_as_one_of_its_executions(rows: Rows, clock: VirtualClock) -> None:
    """Its payload is needed to run the one that waits."""
    event = await rows.event(executions=2)
    await whole(rows, event=event)
    waiting = await rows.execution(event, "bob", status="waiting")
    clock.advance(AGE + timedelta(seconds=1))

    assert {"executions": 1, "messages": 1} == await sweep_all(rows)
    assert 1 == (await left(rows))["event"]

    await rows.scope.database.fetch(
        "update novukit_execution set status = 'completed', finished_at = $1 where id = $2", clock.now(), waiting
    )
    clock.advance(AGE + timedelta(seconds=1))
    assert {"executions": 1, "events": 1} == await sweep_all(rows)


async def test_an_event_that_expands_stays(rows: Rows, clock: VirtualClock) -> None:
    """Its members are not executions yet."""
    await rows.event(status="expanding", executions=0)
    await rows.event(status="expanded", executions=0)
    clock.advance(AGE + timedelta(seconds=1))

    assert {"events": 1} == await sweep_all(rows)


async def test_inboxes_keep_their_messages_unless_asked(rows: Rows, clock: VirtualClock) -> None:
    """In-app messages stay when their executions go; a later sweep that is asked to takes those left behind, too."""
    await whole(rows, channel="in_app")
    clock.advance(AGE + timedelta(seconds=1))
    assert {"executions": 1, "events": 1} == await sweep_all(rows)
    assert {"message": 1} == await left(rows)

    await whole(rows, channel="in_app")
    assert {"messages": 1} == await sweep_all(rows, in_app=True)
    clock.advance(AGE + timedelta(seconds=1))
    assert {"executions": 1, "messages": 1, "events": 1} == await sweep_all(rows, in_app=True)
    assert not await left(rows)


async def test_another_environment_stays(rows: Rows, clock: VirtualClock, database: Database) -> None:
    """With an environment named, only its rows go."""
    other = await Rows.environment(database, "staging")
    await whole(rows)
    await whole(other)
    clock.advance(AGE + timedelta(seconds=1))

    assert 1 == (await sweep_all(rows, environment_id=rows.scope.environment_id))["executions"]
    assert [other.scope.environment_id] == [
        row["environment_id"] for row in await database.fetch("select environment_id from novukit_execution")
    ]


async def test_a_member_of_an_open_digest_stays_with_its_event(rows: Rows, clock: VirtualClock) -> None:
    """The digest will ask for the event, and may make the merged execution its owner; once closed, all goes."""
    scope = rows.scope
    owner, merged = await whole(rows, "waiting"), await whole(rows, "merged")
    events = {row["id"]: row["event_id"] for row in await scope.database.fetch("select * from novukit_execution")}
    place = Place("welcome", "digest", await rows.subscriber(), "")
    await digests.open(scope, place, owner, events[owner], clock.now() + AGE * 2)
    await digests.join(scope, place, merged, events[merged])
    clock.advance(AGE + timedelta(seconds=1))

    assert not await survey(scope.database, Rule(clock.now() - AGE))
    assert not await sweep_all(rows)
    assert 2 == len(await digests.close(scope, place, owner))
    assert {"executions": 1, "messages": 1, "events": 1, "digest_windows": 1} == await sweep_all(rows)
    assert not await scope.database.fetch("select 1 from novukit_digest_member")


async def test_what_a_digest_looks_back_at_stays(rows: Rows, clock: VirtualClock) -> None:
    """An event that passed by counts until the end of the look-back, however short the retention is."""
    scope, place = rows.scope, Place("welcome", "digest", await rows.subscriber(), "")
    await digests.pass_by(scope, place, scope.new_id(), AGE * 2)
    clock.advance(AGE + timedelta(seconds=1))
    assert not await sweep_all(rows)
    assert await digests.recent(scope, place, AGE * 2)

    clock.advance(AGE * 2)
    assert {"digest_windows": 1} == await sweep_all(rows)


async def test_a_throttle_keeps_count_through_a_sweep(rows: Rows, clock: VirtualClock) -> None:
    """A pass stays to the end of the throttle's window, and the retention's age longer."""
    scope, at = rows.scope, Turnstile("welcome", "throttle", await rows.subscriber(), "")
    await throttles.ask(scope, at, scope.new_id(), limit=1, window=AGE * 2)
    clock.advance(AGE + timedelta(seconds=1))

    assert not await sweep_all(rows)
    assert not (await throttles.ask(scope, at, scope.new_id(), limit=1, window=AGE * 2)).passed

    clock.advance(AGE * 2)
    assert {"throttle_passes": 1} == await sweep_all(rows)


async def test_answers_and_the_outbox_go_by_their_own_age(rows: Rows, clock: VirtualClock) -> None:
    """Answers under idempotency keys after 48 hours, whatever the retention; of the outbox only what was delivered."""
    insert_answer = (
        "insert into novukit_idempotency (environment_id, key, fingerprint, created_at) values ($1, $2, '', $3)"
    )
    for key, age in (("old", 49), ("young", 47)):
        at = clock.now() - timedelta(hours=age)
        await rows.scope.database.fetch(insert_answer, rows.scope.environment_id, key, at)
    for delivered in (clock.now() - AGE * 2, clock.now(), None):
        await rows.scope.database.fetch(
            "insert into novukit_outbox (id, environment_id, kind, body, deliver_at, delivered_at, created_at) "
            "values ($1, $2, 'x', '{}', $3, $4, $3)",
            rows.scope.new_id(), rows.scope.environment_id, clock.now() - AGE * 2, delivered,
        )  # fmt: skip

    assert {"idempotency_keys": 1, "outbox": 1} == await sweep_all(rows)
    assert ["young"] == [row["key"] for row in await rows.scope.database.fetch("select key from novukit_idempotency")]


async def test_what_vendors_told_goes_by_its_own_age(rows: Rows, clock: VirtualClock) -> None:
    """But not while its message is still looked for, however short the retention is."""
    now = clock.now()

    def told(name: str, at: datetime) -> deliveries.Told:
        return deliveries.Told(
            rows.scope.new_id(), rows.scope.environment_id, rows.scope.new_id(), name, "delivered", "re-1", None, None,
            False, (), "", at, at,
        )  # fmt: skip

    old, sought, young = told("old", now - AGE * 2), told("sought", now - AGE * 2), told("young", now)
    async with rows.scope.database.transaction():
        await deliveries.keep(rows.scope, [old, sought, young])
        for one in (old, young):
            await deliveries.settle(rows.scope, one, rows.scope.new_id())

    assert {"delivery_events": 1} == await sweep_all(rows)
    left = await rows.scope.database.fetch("select event_id from novukit_delivery_event order by event_id")
    assert ["sought", "young"] == [row["event_id"] for row in left]


async def test_a_sweep_that_is_killed_is_taken_up_again(rows: Rows, clock: VirtualClock) -> None:
    """After any commit: what is left is whole, and the next sweep takes the rest. As many batches as it needs."""
    for _ in range(5):
        await whole(rows)
    clock.advance(AGE + timedelta(seconds=1))
    database, rule = rows.scope.database, Rule(clock.now() - AGE)

    killed = sweep(database, rule, 2)
    assert {"executions": 2, "messages": 2} == await anext(killed)
    await killed.aclose()
    assert {"execution": 3, "checkpoint": 3, "message": 3, "activity": 8, "event": 5} == await left(rows)

    assert {"executions": 3, "messages": 3, "events": 5} == await sweep_all(rows, batch=2)
    assert not await left(rows)


async def test_a_survey_says_what_a_sweep_will_take(rows: Rows, clock: VirtualClock) -> None:
    """And takes nothing."""
    event = await rows.event(executions=2)
    await whole(rows, event=event)
    await rows.execution(event, "bob", status="waiting")
    for status in (*ENDED, *UNFINISHED):
        await whole(rows, status)
    await whole(rows, channel="in_app")
    clock.advance(AGE + timedelta(seconds=1))
    before, database = await left(rows), rows.scope.database

    for in_app in (False, True):
        foreseen = await survey(database, Rule(clock.now() - AGE, in_app=in_app))
        assert {"executions": 6, "messages": 6 if in_app else 5, "events": 5} == foreseen
    assert before == await left(rows)
    assert foreseen == await sweep_all(rows, in_app=True)
