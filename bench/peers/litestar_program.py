"""A bare Litestar handler over asyncpg: it inserts the rows of a trigger one by one in a transaction, and answers.

No key, no checks, no dedupe, no bell: a floor that promises less than novukit does. Served by the same uvicorn.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from litestar import Litestar, post
from litestar.datastructures import State

from bench.peers import same_rows
from bench.peers.same_rows import ACTIVITY, EVENT, EXECUTION, Pattern
from bench.wire import say

KNOWN = "select id from novukit_subscriber where environment_id = $1 and subscriber_id = $2"
SUBSCRIBER = "novukit_subscriber"


class Writer:
    """Writes triggers of a pattern."""

    def __init__(self, pool: asyncpg.Pool, pattern: Pattern, subscriber: dict[str, Any]) -> None:
        self._pool, self._pattern, self._subscriber = pool, pattern, subscriber

    async def write(self, who: str) -> str:
        """One trigger for one subscriber; durable when this returns."""
        pattern, old = self._pattern, self._subscriber
        async with self._pool.acquire() as connection, connection.transaction():
            subscriber = await connection.fetchval(KNOWN, old["environment_id"], who)
            if subscriber is None:
                subscriber = same_rows.uuid7()
                row = {**old, "id": subscriber, "subscriber_id": who}
                await connection.execute(pattern.insert(SUBSCRIBER), *pattern.values(SUBSCRIBER, row))
            rows = pattern.again({old["id"]: subscriber, old["subscriber_id"]: who})
            begin = same_rows.phases(rows)[0]
            for table in (EVENT, EXECUTION, ACTIVITY):
                for row in begin[table]:
                    await connection.execute(pattern.insert(table), *pattern.values(table, row))
        return rows[EVENT][0]["transaction_id"]


@post("/v1/events/trigger")
async def trigger(data: dict[str, Any], state: State) -> dict[str, Any]:
    transaction_id = await state.writer.write(data["to"]["subscriberId"])
    return {"acknowledged": True, "status": "processed", "transactionId": transaction_id}


def app(source_url: str, target_url: str) -> Litestar:
    @asynccontextmanager
    async def lifespan(made: Litestar) -> AsyncIterator[None]:
        source = await asyncpg.connect(source_url)
        pattern = await same_rows.last(source, "custom", "pending")
        subscriber_id = pattern.rows[EXECUTION][0]["subscriber_uuid"]
        subscriber = await same_rows.one(source, "select * from novukit_subscriber where id = $1", subscriber_id)
        await source.close()
        async with asyncpg.create_pool(target_url, min_size=10, max_size=10) as pool:
            # Subscribers belong to an environment that is there: this database's own.
            here = await pool.fetchval("select id from novukit_environment where slug = 'development'")
            for rows in pattern.rows.values():
                for row in rows:
                    row["environment_id"] = here
            known = {column: subscriber[column] for column in pattern.types[SUBSCRIBER]}
            made.state.writer = Writer(pool, pattern, {**known, "environment_id": here})
            yield

    return Litestar([trigger], lifespan=[lifespan], openapi_config=None)


class Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets is not None
        say(port=sockets[0].getsockname()[1])


def main(source_url: str, target_url: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    made = app(source_url, target_url)
    config = uvicorn.Config(made, log_config=None, access_log=False, server_header=False)
    Server(config).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
