"""Triggers accepted over HTTP, one by one and in bulk, beside a bare handler that inserts the same rows: 7 and 8."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from .. import project
from ..figures import Bar, Row, Spread
from ..process import Program, running
from ..session import Session
from ..store import Cost, Meter

CONNECTIONS, BULK = 32, 100
PEOPLE = 1000
HANDLER = "bench.peers.litestar_program"


async def measure(session: Session, wanted: set[str]) -> list[Row]:
    """Both servers are up; each round asks novukit one by one, novukit in bulk, and the bare handler."""
    url = await session.servers.create("bench_http")
    ours = session.write("http", url, session.servers.redis)
    key = (await project.prepare(ours))["key"]
    rounds: list[dict[str, Cost]] = []
    sent = 0
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ours.server())
        client = await stack.enter_async_context(ours.program("load", key))
        connection = await asyncpg.connect(url)
        stack.push_async_callback(connection.close)
        asking = _Asking(session, client, connection)
        port = urlsplit(server.said["url"]).port
        await asking.ask(server.pid, port, PEOPLE, 1)
        sent += PEOPLE
        bare = bare_port = None
        if session.compare:
            bare = await stack.enter_async_context(_bare(session, url, await _same_schema(session)))
            bare_port = bare.said["port"]
            await asking.ask(bare.pid, bare_port, PEOPLE, 1)
        for _ in range(session.rounds or session.pick(2, 5)):
            n, bulks = session.pick(1500, 5000), session.pick(30, 150)
            costs = {"single": await asking.ask(server.pid, port, n, 1)}
            costs["bulk"] = await asking.ask(server.pid, port, bulks, BULK)
            sent += n + bulks * BULK
            if bare:
                costs["bare"] = await asking.ask(bare.pid, bare_port, n, 1)
            session.tell(
                "http: " + ", ".join(f"{name} {c.rate:,.0f}/s {c.milliseconds:.2f} ms" for name, c in costs.items())
            )
            rounds.append(costs)
        durable = await connection.fetchval("select count(*) from novukit_execution")
        assert durable == sent, f"{durable} executions of {sent} triggers"
    return _rows(rounds, asking.waits)


class _Asking:
    """Sends requests, and reads what they cost."""

    def __init__(self, session: Session, client: Program, connection: asyncpg.Connection) -> None:
        self._session, self._client, self._connection = session, client, connection
        self.waits: list[dict[str, Any]] = []

    async def ask(self, pid: int, port: int | None, n: int, bulk: int) -> Cost:
        """``n`` requests of ``bulk`` events each, over 32 connections."""
        await self._client.ask(do="make", n=n, bulk=bulk)
        await self._session.servers.settle()
        pids = {"server": pid, "postgres": self._session.servers.postmaster}
        meter = Meter(n * bulk, self._connection, pids)
        await meter.start()
        answer = await self._client.ask(do="load", port=port, connections=CONNECTIONS)
        cost = await meter.stop()
        self.waits.append({"bulk": bulk, "pid": pid, "p50_ms": 1000 * answer["p50"], "p99_ms": 1000 * answer["p99"]})
        return cost


async def _same_schema(session: Session) -> str:
    url = await session.servers.create("bench_http_bare")
    await project.prepare(session.write("http-bare", url, session.servers.redis))
    return url


def _bare(session: Session, source: str, target: str) -> Any:
    words = [sys.executable, "-m", HANDLER, source, target]
    return running("bare handler", words, folder=session.folder)


def _rows(rounds: list[dict[str, Cost]], waits: list[dict[str, Any]]) -> list[Row]:
    def rate(name: str) -> str:
        return Spread.of([costs[name].rate for costs in rounds]).text("/s")

    def ratio(name: str, times: float) -> Spread | None:
        if "bare" not in rounds[0]:
            return None
        return Spread.of([times * costs[name].rate / costs["bare"].rate for costs in rounds])

    bare = f"bare Litestar + asyncpg: {rate('bare') if 'bare' in rounds[0] else 'left out'}"
    figures = {name: [costs[name].as_json() for costs in rounds] for name in rounds[0]} | {"waits": waits}
    return [
        Row("7", "Triggers/s accepted over HTTP, 32 connections", Bar(80, 200, "%"), rate("single"), bare,
            ratio("single", 100), figures),
        Row("8", "Bulk triggers of 100 events, events/s", Bar(5, 15), rate("bulk"), bare, ratio("bulk", 1)),
    ]  # fmt: skip
