"""From a trigger on an idle system to its third step on disk: row 6."""

from __future__ import annotations

from .. import project
from ..figures import Bar, Row, Spread, percentile
from ..session import Session

WARM = 20


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Alternate one trigger through novukit and one raw chain of the same commits, with pauses between them."""
    ours = await session.project("latency")
    chain_url = await session.servers.create("bench_chain")
    await project.prepare(session.write("chain", chain_url, session.servers.redis))
    async with ours.worker(), ours.program("latency", chain_url) as program:
        await program.ask(n=WARM)
        n, rounds = session.pick(50, 150), session.rounds or session.pick(1, 3)
        answers = [await program.ask(n=n) for _ in range(rounds)]
    halves = [[1000 * percentile(a[who], 0.5) for a in answers] for who in ("novukit", "chain")]
    slow = [[1000 * percentile(a[who], 0.99) for a in answers] for who in ("novukit", "chain")]
    ratios = [mine / raw for mine, raw in zip(*halves, strict=True)]
    p50, p99 = Spread.of(halves[0]), Spread.of(slow[0])
    session.tell(
        f"latency: p50 {p50.median:.2f} ms, p99 {p99.median:.2f} ms, {Spread.of(ratios).median:.2f}x the chain"
    )
    figures = {"p50_ms": halves[0], "p99_ms": slow[0], "chain_p50_ms": halves[1], "chain_p99_ms": slow[1]}
    raw50, raw99 = Spread.of(halves[1]), Spread.of(slow[1])
    title = "Idle latency, trigger to third step durable (Redis bell)"
    return [
        Row("6", f"{title}: p50", Bar(4, 2.5, at_least=False), f"{p50.text(' ms')}",
            f"raw chain of the same commits: {raw50.text(' ms')}", Spread.of(ratios), figures),
        Row("6", f"{title}: p99", Bar(30, 15, "ms", at_least=False), f"{p99.text(' ms')}",
            f"raw chain: {raw99.text(' ms')}", p99, figures),
    ]  # fmt: skip
