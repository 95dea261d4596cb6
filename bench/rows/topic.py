"""A topic of 100 000 subscribers becomes executions, beside one INSERT … SELECT of the same rows: row 9."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg

from .. import fill
from ..figures import Bar, Row, Spread, count, number
from ..peers import same_rows
from ..peers.same_rows import EXECUTION, Values
from ..process import Program, resident
from ..session import Session
from ..store import Meter, server_pids

MEGABYTE = 1 << 20


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Alternate one trigger of the topic with one bare statement, on the same tables."""
    made = await session.project("topic")
    size = session.pick(20_000, 100_000)
    rounds: list[dict[str, Any]] = []
    async with made.program("feed") as feeder:
        await feeder.ask(workflow="custom", n=1)  # one subscriber and one execution to copy
    connection = await fill.opened(made.database)
    await _topics(connection, {"small": size // 10, "large": size})
    async with made.program("fanout") as program:
        await _novukit(session, connection, program, "small", size // 10)
        for _round in range(session.rounds or session.pick(2, 3)):
            ours = await _novukit(session, connection, program, "large", size)
            bare = await _bare(session, connection, UUID(ours.pop("event")), size) if session.compare else None
            session.tell(
                f"topic of {size}: {ours['seconds']:.2f} s, +{ours['grown_mb']:.0f} MB; bare {bare or 0:.2f} s"
            )
            rounds.append({**ours, "bare": bare})
    await connection.close()
    seconds = Spread.of([r["seconds"] for r in rounds])
    grown = max(r["grown_mb"] for r in rounds)
    costs = Spread.of([1000 * r["cpu_ms"] for r in rounds])
    ratio, against = None, "one INSERT … SELECT: left out"
    if session.compare:
        ratio = Spread.of([r["seconds"] / r["bare"] for r in rounds])
        against = f"one INSERT … SELECT: {Spread.of([r['bare'] for r in rounds]).text(' s')}"
    novukit = f"{seconds.text(' s')}, {costs.text(' µs CPU')} each, memory +{number(grown)} MB"
    return [Row("9", f"Topic of {count(size)}: all executions durable", Bar(2, 1.3, at_least=False), novukit,
                against, ratio, {"rounds": rounds})]  # fmt: skip


async def _topics(connection: asyncpg.Connection, sizes: dict[str, int]) -> None:
    """Subscribers, and topics that hold the first of them."""
    types = (await same_rows.last(connection, "custom", "pending")).types
    one = await same_rows.one(connection, "select * from novukit_subscriber limit 1")
    table = "novukit_subscriber"
    others = {"id": f"bench_uuid7(g, {fill.BASE}, 's')", "subscriber_id": "'member-' || g"}
    await fill.copies(connection, types[table], table, one, max(sizes.values()), others)
    now, environment = one["created_at"], one["environment_id"]
    for key, size in sizes.items():
        topic = same_rows.uuid7()
        await connection.execute(
            "insert into novukit_topic (id, environment_id, key, created_at, updated_at) values ($1, $2, $3, $4, $4)",
            topic, environment, key, now,
        )  # fmt: skip
        row: Values = {
            "id": None, "environment_id": environment, "topic_id": topic, "subscriber_uuid": None, "identifier": None,
            "created_at": now, "updated_at": now,
        }  # fmt: skip
        others = {
            "id": f"bench_uuid7(g, {fill.BASE}, '{key}')", "subscriber_uuid": f"bench_uuid7(g, {fill.BASE}, 's')",
            "identifier": "'membership-' || g",
        }  # fmt: skip
        table = "novukit_topic_subscription"
        await fill.copies(connection, types[table], table, row, size, others)
    await fill.tidy(connection)


async def _novukit(
    session: Session, connection: asyncpg.Connection, program: Program, topic: str, size: int
) -> dict[str, Any]:
    await _clear(connection)
    await session.servers.settle()
    before = peak = resident(program.pid)
    meter = Meter(size, connection, {"program": program.pid, **server_pids(session.servers)})
    await meter.start()
    asking = asyncio.ensure_future(program.ask(topic=topic))
    while not asking.done():
        await asyncio.wait({asking}, timeout=0.02)
        peak = max(peak, resident(program.pid))
    cost = await meter.stop()
    answer = asking.result()
    event = UUID(answer["event"])
    made = await connection.fetchval("select count(*) from novukit_execution where event_id = $1", event)
    assert made == size, f"{made} executions of {size}"
    return {
        "seconds": answer["seconds"], "cpu_ms": cost.milliseconds, "grown_mb": (peak - before) / MEGABYTE,
        "wal_bytes": cost.wal / size, "event": answer["event"],
    }  # fmt: skip


async def _bare(session: Session, connection: asyncpg.Connection, event: UUID, size: int) -> float:
    """Write what novukit has just written, once more for another event, with one statement."""
    row = await same_rows.one(connection, "select * from novukit_execution where event_id = $1 limit 1", event)
    pattern_types = (await same_rows.last(connection, "custom", row["status"])).types[EXECUTION]
    row = {column: row[column] for column in pattern_types}
    others = {"id": f"bench_uuid7(n, {time.time_ns() // 1_000_000}, 'x')", "subscriber_uuid": "u", "subscriber_id": "s"}
    parts: list[str] = []
    args: list[Any] = []
    for column, value in {**row, "event_id": same_rows.uuid7()}.items():
        if column not in others:
            args.append(value)
        parts.append(others.get(column) or f"${len(args)}::{pattern_types[column]}")
    await _clear(connection)
    await session.servers.settle()
    await connection.execute("set synchronous_commit = on")
    began = time.monotonic()
    done = await connection.execute(
        f"insert into {EXECUTION} ({', '.join(row)}) select {', '.join(parts)} from ("
        "select m.subscriber_uuid as u, s.subscriber_id as s, row_number() over (order by m.id) as n "
        "from novukit_topic_subscription m join novukit_subscriber s on s.id = m.subscriber_uuid "
        "join novukit_topic t on t.id = m.topic_id where t.key = 'large') members",
        *args, timeout=600,
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert done == f"INSERT 0 {size}", done
    await connection.execute("set synchronous_commit = off")
    return seconds


async def _clear(connection: asyncpg.Connection) -> None:
    """Every turn begins with an empty table: none pays for the rows of the one before."""
    await connection.execute(f"truncate {EXECUTION}")
