"""Retention: what ended long ago goes, in small transactions; what has not ended, or may still be asked for, stays.

Each batch is all or nothing, and an execution leaves together with what belongs to it. A sweep that is killed leaves
nothing half there: the next one goes on. Several at once share the work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from .database import Database

BATCH = 500
"""Executions, events or rows that one transaction takes away."""
MOST = 100_000
"""Further than this a survey does not count: somebody waits for it."""
ANSWERS_KEPT = timedelta(hours=48)
"""How long the answer under an idempotency key is kept at least; it is promised for 24 hours."""
OLDEST = UUID(int=0)

_ENDED = "('completed', 'merged', 'cancelled', 'failed')"
"""Parked executions wait for a person, and are kept for one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes: that which ended before ``before``, in one environment or in all.

    In-app messages stay in their inboxes, unless ``in_app``.
    """

    before: datetime
    environment_id: UUID | None = None
    in_app: bool = False


Gone = Counter[str]
"""How many rows went, by what they are: executions, messages, events, …"""


async def sweep(database: Database, rule: Rule, batch: int = BATCH) -> AsyncIterator[Gone]:
    """Delete what ``rule`` says, and tell after each commit what it took away. The caller may rest in between."""
    for environment_id in await _environments(database, rule):
        async for gone in _executions(database, environment_id, rule, batch):
            yield gone
        async for gone in _events(database, environment_id, rule, batch):
            yield gone
        if rule.in_app:
            async for gone in _in_app(database, environment_id, rule, batch):
                yield gone
        for name, table, key, condition in _BY_THEMSELVES:
            async for gone in _by_itself(database, environment_id, rule, batch, name, table, key, condition):
                yield gone


async def survey(database: Database, rule: Rule) -> Gone:
    """What a sweep would take away now, without doing it; of each kind at most :data:`MOST` in an environment."""
    found: Gone = Counter()
    kept = "" if rule.in_app else "and m.channel <> 'in_app' "
    for environment_id in await _environments(database, rule):
        spared = list(await _members_of_open_digests(database, environment_id, rule))
        found += await _count(
            database,
            {
                "executions": _GOING,
                "messages": f"select 1 from ({_GOING} limit {MOST}) x join novukit_message m "
                f"on m.environment_id = $1 and m.execution_id = x.id {kept}",
                "events": "select 1 from novukit_event e where environment_id = $1 and id < $4 and created_at < $2 "
                # A count, which Postgres asks event by event, through the index: joined, it would read all executions.
                "and status <> 'expanding' and (select count(*) from novukit_execution x "
                "where x.environment_id = e.environment_id and x.event_id = e.id "
                f"and (finished_at is null or not ({_OLD}))) = 0",
            },
            environment_id, rule.before, spared, _first_id(rule.before),
        )  # fmt: skip
        if rule.in_app:
            left = f"select 1 from novukit_message m where {_LEFT_BEHIND}"
            found += await _count(database, {"messages": left}, environment_id, rule.before)
        for name, table, _, condition in _BY_THEMSELVES:
            old = f"select 1 from {table} where environment_id = $1 and {condition}"
            found += await _count(database, {name: old}, environment_id, _cut(database, rule, name))
    return found


_OLD = f"finished_at < $2 and status in {_ENDED} and not (x.id = any($3::uuid[]))"
_GOING = f"select x.id from novukit_execution x where x.environment_id = $1 and x.id < $4 and {_OLD}"


async def _count(database: Database, selects: dict[str, str], *args: object) -> Gone:
    counts = ", ".join(
        f"(select count(*) from ({select} limit {MOST}) as part) as {name}" for name, select in selects.items()
    )
    row = (await database.fetch_hot(f"select {counts}", *args))[0]
    return Counter({name: int(row[name]) for name in selects})


async def _environments(database: Database, rule: Rule) -> list[UUID]:
    if rule.environment_id is not None:
        return [rule.environment_id]
    return [row["id"] for row in await database.fetch("select id from novukit_environment order by id")]


async def _members_of_open_digests(database: Database, environment_id: UUID, rule: Rule) -> set[UUID]:
    """Merged executions whose event a digest that is still open will ask for. Usually none: few digests last so long.

    Asked once for a sweep: a window that opens later has no members that ended so long ago.
    """
    rows = await database.fetch(
        "select m.execution_id from novukit_digest_window w "
        "join novukit_digest_member m on m.environment_id = w.environment_id and m.window_id = w.id "
        "join novukit_execution x on x.environment_id = m.environment_id and x.id = m.execution_id "
        "where w.environment_id = $1 and w.status = 'open' and w.opened_at < $2 and x.finished_at < $2",
        environment_id, rule.before,
    )  # fmt: skip
    return {row["execution_id"] for row in rows}


async def _executions(database: Database, environment_id: UUID, rule: Rule, batch: int) -> AsyncIterator[Gone]:
    """Executions with their checkpoints, messages and activity, in the order in which they came."""
    spared = await _members_of_open_digests(database, environment_id, rule)
    kept = "" if rule.in_app else " and channel <> 'in_app'"
    after, more = OLDEST, True
    while more:
        async with database.transaction():
            rows = await database.fetch(
                "select id from novukit_execution where environment_id = $1 and id > $2 and id < $3 "
                f"and finished_at < $4 and status in {_ENDED} order by id limit $5 for update skip locked",
                environment_id, after, _first_id(rule.before), rule.before, batch,
            )  # fmt: skip
            more = len(rows) == batch
            after = rows[-1]["id"] if rows else after
            ids = [row["id"] for row in rows if row["id"] not in spared]
            gone: Gone = Counter(executions=len(ids))
            if ids:
                for table in ("checkpoint", "activity"):
                    await database.fetch(
                        f"delete from novukit_{table} where environment_id = $1 and execution_id = any($2::uuid[])",
                        environment_id, ids,
                    )  # fmt: skip
                sent = await database.fetch(
                    "delete from novukit_message where environment_id = $1 and execution_id = any($2::uuid[])"
                    f"{kept} returning id",
                    environment_id, ids,
                )  # fmt: skip
                gone["messages"] = len(sent)
                await database.fetch(
                    "delete from novukit_execution where environment_id = $1 and id = any($2::uuid[])",
                    environment_id, ids,
                )  # fmt: skip
        if +gone:
            yield gone


async def _events(database: Database, environment_id: UUID, rule: Rule, batch: int) -> AsyncIterator[Gone]:
    """Events of which no execution is left, with the lines about the event itself."""
    after, more = OLDEST, True
    while more:
        async with database.transaction():
            rows = await database.fetch(
                "select id, status, exists (select 1 from novukit_execution x where "
                "x.environment_id = e.environment_id and x.event_id = e.id) as needed from novukit_event e "
                "where environment_id = $1 and id > $2 and id < $3 and created_at < $4 order by id limit $5 "
                "for update of e skip locked",
                environment_id, after, _first_id(rule.before), rule.before, batch,
            )  # fmt: skip
            more = len(rows) == batch
            after = rows[-1]["id"] if rows else after
            ids = [row["id"] for row in rows if not row["needed"] and row["status"] != "expanding"]
            if ids:
                await database.fetch(
                    "delete from novukit_activity where environment_id = $1 and execution_id is null "
                    "and event_id = any($2::uuid[])",
                    environment_id, ids,
                )  # fmt: skip
                await database.fetch("delete from novukit_event where id = any($1::uuid[])", ids)
        if ids:
            yield Counter(events=len(ids))


_LEFT_BEHIND = (
    "m.environment_id = $1 and m.channel = 'in_app' and m.created_at < $2 and not exists (select 1 from "
    "novukit_execution x where x.environment_id = m.environment_id and x.id = m.execution_id)"
)


async def _in_app(database: Database, environment_id: UUID, rule: Rule, batch: int) -> AsyncIterator[Gone]:
    """In-app messages whose executions went in an earlier sweep, which kept them."""
    after, more = OLDEST, True
    while more:
        async with database.transaction():
            rows = await database.fetch(
                f"select m.id from novukit_message m where {_LEFT_BEHIND} and m.id > $3 and m.id < $4 "
                "order by m.id limit $5 for update of m skip locked",
                environment_id, rule.before, after, _first_id(rule.before), batch,
            )  # fmt: skip
            more = len(rows) == batch
            if rows:
                after = rows[-1]["id"]
                await database.fetch(
                    "delete from novukit_message where environment_id = $1 and id = any($2::uuid[])",
                    environment_id, [row["id"] for row in rows],
                )  # fmt: skip
        if rows:
            yield Counter(messages=len(rows))


_BY_THEMSELVES = (
    ("digest_windows", "novukit_digest_window", "id",
     "status <> 'open' and last_event_at < $2 and (expires_at is null or expires_at < $2)"),
    ("delivery_events", "novukit_delivery_event", "id", "received_at < $2 and look_at is null"),
    ("outbox", "novukit_outbox", "id", "delivered_at < $2"),
    ("throttle_passes", "novukit_throttle_pass", "environment_id, execution_id, step_id, step_key", "expires_at < $2"),
    ("idempotency_keys", "novukit_idempotency", "environment_id, key", "created_at < $2"),
)  # fmt: skip
"""What goes by its own age: name, table, its key, and what makes a row old. The members of a window go with it."""


async def _by_itself(
    database: Database, environment_id: UUID, rule: Rule, batch: int, name: str, table: str, key: str, condition: str
) -> AsyncIterator[Gone]:
    cut, after = _cut(database, rule, name), OLDEST
    # By id where there is one: a search from the beginning would meet what the batches before have taken.
    onward, order = ("and id > $4", "order by id") if key == "id" else ("and $4::uuid is not null", "")
    while True:
        rows = await database.fetch(
            f"delete from {table} where ({key}) in (select {key} from {table} where environment_id = $1 {onward} "
            f"and {condition} {order} limit $3 for update skip locked) returning {key}",
            environment_id, cut, batch, after,
        )  # fmt: skip
        if rows:
            yield Counter({name: len(rows)})
        if len(rows) < batch:
            return
        if key == "id":
            after = max(row["id"] for row in rows)


def _cut(database: Database, rule: Rule, name: str) -> datetime:
    """Answers under idempotency keys are of no use after their time, however long all else is kept, nor gone before."""
    return database.clock.now() - ANSWERS_KEPT if name == "idempotency_keys" else rule.before


def _first_id(at: datetime) -> UUID:
    """The least id that can be made at ``at``, or a minute later: ids begin with the millisecond (RFC 9562 §5.7).

    It only narrows the search; what counts is the row's own time.
    """
    milliseconds = int((at + timedelta(minutes=1)).timestamp() * 1000)
    return UUID(int=milliseconds << 80) if milliseconds > 0 else OLDEST
