"""Executions a second on SQLite with ``synchronous=FULL``, one process on each side: row 4."""

from __future__ import annotations

from typing import Any

from .. import project
from ..figures import Bar, Row, Spread
from ..peers import dbos_queue
from ..session import Session

WARM = 500


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """A fresh file and a fresh process for each round, DBOS in between."""
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    tuned: list[dict[str, Any]] = []
    for number in range(session.rounds or session.pick(1, 5)):
        ours.append(await _novukit(session, number, session.pick(2000, 10_000)))
        if session.peers:
            theirs.append(await dbos_queue.on_sqlite(session, number, session.pick(100, 500)))
            tuned.append(await dbos_queue.on_sqlite(session, number, session.pick(100, 500), wal=True))
    rates, costs = [a["rate"] for a in ours], [a["cpu_ms"] for a in ours]
    novukit = f"{Spread.of(rates).text('/s')}, {Spread.of(costs).text(' ms CPU')}"
    ratio, against = None, "DBOS on SQLite: left out"
    if theirs:
        ratio = Spread.of([mine["rate"] / peer["rate"] for mine, peer in zip(ours, theirs, strict=True)])
        against = f"DBOS on SQLite: {Spread.of([a['rate'] for a in theirs]).text('/s')}"
        against += f"; its file set to WAL by hand: {Spread.of([a['rate'] for a in tuned]).text('/s')}"
    title = "3 custom steps on SQLite, synchronous=FULL, one process"
    return [
        Row("4", title, Bar(50, 150), novukit, against, ratio, {"novukit": ours, "dbos": theirs, "dbos_wal": tuned})
    ]


async def _novukit(session: Session, number: int, n: int) -> dict[str, Any]:
    made = session.write(f"sqlite-{number}", "sqlite:///novukit.db", "memory://")
    await project.prepare(made)
    async with made.program("embedded") as program:
        await program.ask(workflow="custom", n=WARM)
        answer = await program.ask(workflow="custom", n=n)
    assert answer["statuses"] == {"completed": WARM + n}, answer
    figures = {"n": n, "rate": n / answer["seconds"], "cpu_ms": 1000 * answer["cpu"] / n}
    session.tell(f"novukit, custom, SQLite: {figures['rate']:,.0f}/s, {figures['cpu_ms']:.3f} ms")
    return figures
