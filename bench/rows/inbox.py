"""The inbox at a million messages, for a subscriber who has 50 050 of them: row 11."""

from __future__ import annotations

from uuid import UUID

from .. import fill
from ..figures import Bar, Row, Spread, count, percentile
from ..peers import same_rows
from ..peers.same_rows import MESSAGE
from ..session import Session
from .throughput import Load

HEAVY = 50_050
EACH = 50
"""Messages of everyone else."""


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Ask the store and the bare database in turn."""
    total = session.pick(200_000, 1_000_000)
    load = await Load.make(session, "messages")
    await load.measure(100)
    heavy = await _fill(load.project.database, total)
    session.tell(f"{count(total)} messages are there")
    async with load.project.program("inbox", heavy) as program:
        await program.ask(n=100)
        n = session.pick(200, 500)
        answers = [await program.ask(n=n) for _ in range(session.rounds or session.pick(1, 3))]
    rows: list[Row] = []
    for name, title in (("unread", "unread count"), ("page", "first page of 10")):
        took = {who: [1000 * percentile(a[who], 0.5) for a in answers] for who in (name, f"{name}_sql")}
        slow = Spread.of([1000 * percentile(a[name], 0.99) for a in answers])
        ratio = Spread.of([ours / bare for ours, bare in zip(took[name], took[f"{name}_sql"], strict=True)])
        session.tell(f"inbox, {title}: {Spread.of(took[name]).median:.3f} ms, {ratio.median:.2f}x")
        words = f"Inbox at {count(total)} messages, subscriber with {count(HEAVY)}: {title}"
        rows.append(
            Row("11", words, Bar(3, 1.5, at_least=False),
                f"{Spread.of(took[name]).text(' ms')}, p99 {slow.text(' ms')}",
                f"bare SQL: {Spread.of(took[f'{name}_sql']).text(' ms')}", ratio if session.compare else None, took)
        )  # fmt: skip
    return rows


async def _fill(url: str, total: int) -> UUID:
    """Messages like the last real in-app one; half of them are read. Returns the subscriber who has most."""
    connection = await fill.opened(url)
    pattern = await same_rows.last(connection, "messages")
    message = next(row for row in pattern.rows[MESSAGE] if row["channel"] == "in_app")
    people = await same_rows.one(connection, "select * from novukit_subscriber limit 1")
    heavy, everyone = people["id"], (total - HEAVY) // EACH
    others = {"id": f"bench_uuid7(g, {fill.BASE}, 's')", "subscriber_id": "'reader-' || g"}
    await fill.copies(connection, pattern.types["novukit_subscriber"], "novukit_subscriber", people, everyone, others)
    fresh = {
        "id": f"bench_uuid7(g, {fill.BASE}, 'm')", "execution_id": f"bench_uuid7(g, {fill.BASE}, 'x')",
        "event_id": f"bench_uuid7(g, {fill.BASE}, 'e')", "transaction_id": "'filled-' || g",
        "read_at": "case when g % 2 = 0 then now() end",
    }  # fmt: skip
    # One in so many is the heavy subscriber's, so that their rows lie apart as they would after a year.
    step = total // HEAVY
    theirs = f"g % {step} = 0 and g <= {step * HEAVY}"
    who = f"case when {theirs} then '{heavy}' else bench_uuid7(g % {everyone} + 1, {fill.BASE}, 's') end"
    await fill.copies(connection, pattern.types[MESSAGE], MESSAGE, message, total, {**fresh, "subscriber_uuid": who})
    await fill.tidy(connection)
    await connection.close()
    return heavy
