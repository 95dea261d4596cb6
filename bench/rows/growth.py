"""What an execution costs when a million have finished before it, and when ten thousand have: row 10."""

from __future__ import annotations

from .. import fill
from ..figures import Bar, Row, Spread, count
from ..session import Session
from ..store import Cost
from .throughput import Load


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Two databases side by side, a turn each in every round."""
    few, many = session.pick((1_000, 50_000), (10_000, 1_000_000))
    small = Load(session, await session.project("small"), "custom")
    large = Load(session, await session.project("large"), "custom")
    for load, so_many in ((small, few), (large, many)):
        await load.measure(100)
        await fill.finished(load.project.database, "custom", so_many)
        load.done += so_many
        session.tell(f"{count(so_many)} finished executions are there")
    rounds: list[tuple[Cost, Cost]] = []
    n = session.pick(1500, 10_000)
    for number in range(session.rounds or session.pick(2, 5)):
        if number % 2:
            after = await large.measure(n)
            rounds.append((await small.measure(n), after))
        else:
            before = await small.measure(n)
            rounds.append((before, await large.measure(n)))
    ratio = Spread.of([after.milliseconds / before.milliseconds for before, after in rounds])
    old = Spread.of([before.milliseconds for before, _ in rounds])
    new = Spread.of([after.milliseconds for _, after in rounds])
    rates = [Spread.of([cost.rate for cost in costs]) for costs in zip(*rounds, strict=True)]
    figures = {"small": [b.as_json() for b, _ in rounds], "large": [a.as_json() for _, a in rounds]}
    return [
        Row("10", f"Cost of an execution after {count(many)} finished ones", Bar(1.15, 1.0, at_least=False),
            f"{new.text(' ms CPU')}, {rates[1].text('/s')}",
            f"after {count(few)}: {old.text(' ms CPU')}, {rates[0].text('/s')}", ratio, figures),
    ]  # fmt: skip
