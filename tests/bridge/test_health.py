"""Alive, ready, and not ready."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from novukit.store import Database, workers

pytestmark = pytest.mark.anyio


async def test_a_process_that_answers_is_alive(anonymous: httpx.AsyncClient) -> None:
    """No key, no look at the database."""
    answer = await anonymous.get("/v1/health/live")

    assert (200, {"status": "ok"}) == (answer.status_code, answer.json())


async def test_ready_tells_of_workers_and_plugins(anonymous: httpx.AsyncClient, database: Database) -> None:
    """Workers are those whose lease still runs."""
    now = database.clock.now()
    await workers.enlist(database, database.new_id(), host="a", pid=1, lease_until=now + timedelta(seconds=10))
    await workers.enlist(database, database.new_id(), host="b", pid=2, lease_until=now - timedelta(seconds=1))

    answer = await anonymous.get("/v1/health/ready")

    body = answer.json()
    assert 200 == answer.status_code
    assert ("ok", database.dialect, 1) == (body["status"], body["database"], body["workers"])
    assert body["problem"] is None
    assert {"smtp"} <= {name for plugin in body["plugins"] for name in plugin["providers"]}


async def test_an_outdated_schema_is_not_ready(anonymous: httpx.AsyncClient, database: Database) -> None:
    """The answer says what to run."""
    undone = "0000_never"
    await database.fetch("update novukit_schema_migration set id = $1 where id = '0001_spine'", undone)
    try:
        answer = await anonymous.get("/v1/health/ready")
    finally:
        await database.fetch("update novukit_schema_migration set id = '0001_spine' where id = $1", undone)

    assert 503 == answer.status_code
    assert "unavailable" == answer.json()["status"]
    assert undone in answer.json()["problem"]


async def test_a_database_that_is_gone_is_not_ready(anonymous: httpx.AsyncClient, database: Database) -> None:
    """Whatever the driver says of it stays inside."""
    await database.close()

    answer = await anonymous.get("/v1/health/ready")

    assert 503 == answer.status_code
    assert "The database does not answer." == answer.json()["problem"]
