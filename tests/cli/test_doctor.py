"""`novukit doctor`: what it finds in Redis, in the settings of Postgres, and in the work; and who refuses to start."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from novukit.app import App
from novukit.queue.broker import QUEUE
from novukit.settings import Settings

from ..rows import Rows
from .conftest import Project
from .test_operate import running


@pytest.fixture
def broker(redis_url: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Redis database of one's own, and the project that uses it."""
    url = redis_url.rpartition("/")[0] + "/9"
    monkeypatch.setenv("NOVUKIT_BROKER", url)
    redis(url, lambda client: client.flushdb())
    return url


def redis(url: str, work: Callable[[Any], Awaitable[Any]]) -> None:
    """Do something with a Redis."""

    async def main() -> None:
        client = Redis.from_url(url)
        try:
            await work(client)
        finally:
            await client.aclose()

    asyncio.run(main())


def found(project: Project, subject: str) -> list[dict[str, Any]]:
    """What the doctor says of one subject."""
    return [one for one in project.json("doctor")["data"] if one["subject"] == subject]


def into(project: Project, work: Callable[[Rows], Awaitable[Any]]) -> None:
    """Put rows into the project's database."""

    async def main() -> None:
        async with App(Settings.load(project.folder)) as app:
            await work(Rows(app.runtime.scope(await app.bootstrap()), app.runtime.new_id()))

    asyncio.run(main())


def test_a_redis_that_is_fit(broker: str, project: Project) -> None:
    """Its version, and how many rings lie there; it is left as it was."""
    assert ["ok"] == [one["status"] for one in found(project, "Broker")]
    assert "0 rings waiting, nobody has listened yet" in found(project, "Broker")[0]["finding"]

    async def ring(client: Any) -> None:
        await client.xgroup_create(QUEUE, QUEUE, mkstream=True)
        await client.xadd(QUEUE, {"data": "x"})

    redis(broker, ring)
    assert found(project, "Broker")[0]["finding"].endswith("1 ring waiting")

    async def ring_on(client: Any) -> None:
        for _ in range(99):
            await client.xadd(QUEUE, {"data": "x"})

    redis(broker, ring_on)
    assert "100 rings wait and nobody hears them" in found(project, "Broker")[0]["finding"]


def test_a_key_of_the_wrong_type_is_named(broker: str, project: Project) -> None:
    """IN18: no ring can be left there."""
    redis(broker, lambda client: client.set(QUEUE, "theirs"))
    result = project.run("doctor", "--json")

    one = next(one for one in result.json["data"] if one["subject"] == "Broker")
    assert (3, "failed") == (result.code, one["status"])
    assert f"the key '{QUEUE}' is a string" in one["finding"]
    assert f"redis-cli del {QUEUE}" in one["fix"]


def test_a_redis_that_evicts_is_told(broker: str, project: Project) -> None:
    """IN17: rings may go; slower, not lost."""
    redis(broker, lambda client: client.config_set("maxmemory-policy", "allkeys-lru"))
    try:
        checks = found(project, "Broker")
    finally:
        redis(broker, lambda client: client.config_set("maxmemory-policy", "noeviction"))

    assert ["warning", "ok"] == [one["status"] for one in checks]
    assert "allkeys-lru" in checks[0]["finding"]


def test_what_is_no_redis(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """IN15: something else listens on the port; the password in the URL is not told."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        port = listening.getsockname()[1]
    monkeypatch.setenv("NOVUKIT_BROKER", f"redis://:hush@127.0.0.1:{port}/0")
    result = project.run("doctor")

    assert 3 == result.code
    assert f"127.0.0.1:{port}" in result.out
    assert "hush" not in result.out


def test_stuck_work_is_found(synced: Project) -> None:
    """Overdue, of dead workers, and events whose members do not come: exit code 3, each with a remedy."""

    async def stick(rows: Rows) -> None:
        long_ago = rows.scope.now() - timedelta(hours=1)
        await rows.execution(status="pending", wake_at=long_ago)
        await rows.execution(status="running", worker_id=rows.scope.new_id())
        await rows.event(status="expanding", created_at=long_ago)

    into(synced, stick)
    result = synced.run("doctor", "--json")

    wrong = {one["subject"]: one for one in result.json["data"] if one["status"] == "failed"}
    assert (3, {"Workers", "Due work", "Taking over", "Fan-out"}) == (result.code, set(wrong))
    assert [] == [one["subject"] for one in wrong.values() if not one["fix"]]
    assert "1 execution" in wrong["Due work"]["finding"]


def test_what_waits_for_a_person_is_told(synced: Project) -> None:
    """Parked, and of unknown outcome: to look at, but nothing is broken."""

    async def park(rows: Rows) -> None:
        await rows.execution(status="parked", reason="outcome_unknown")
        await rows.execution(status="parked", reason="replay_diverged")

    into(synced, park)
    result = synced.run("doctor", "--json")

    told = {one["subject"]: one for one in result.json["data"]}
    assert (0, "warning", "warning") == (result.code, told["Parked"]["status"], told["Unknown"]["status"])
    assert "2 executions" in told["Parked"]["finding"]
    assert "1 execution" in told["Unknown"]["finding"]


def test_the_doctor_names_the_setting_and_where_it_is_set(
    project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IN20: exit code 3."""
    monkeypatch.setenv("NOVUKIT_DATABASE", f"{empty_postgres}?synchronous_commit=off")
    project.run("db", "upgrade")
    result = project.run("doctor", "--json")

    one = next(one for one in result.json["data"] if one["subject"] == "Durability" and "synchronous" in one["finding"])
    assert (3, "failed") == (result.code, one["status"])
    assert "in the database URL" in one["finding"]
    assert "take synchronous_commit out of the database URL" == one["fix"]


def test_before_the_first_start_on_postgres_the_master_key_is_looked_for(
    project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server that would make the environments does not start without it."""
    monkeypatch.setenv("NOVUKIT_DATABASE", empty_postgres)
    project.run("db", "upgrade")
    missing = project.run("doctor", "--json")
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())
    there = project.run("doctor", "--json")

    one = next(one for one in missing.json["data"] if one["subject"] == "Master key")
    assert (3, "failed") == (missing.code, one["status"])
    assert "NOVUKIT_MASTER_KEY" in one["finding"]
    assert not any(one["subject"] == "Master key" for one in there.json["data"])


def test_an_integration_that_cannot_be_used_here_is_named(project: Project) -> None:
    """What serves in development need not do so elsewhere; its first message would be the one to tell."""
    toml = (project.folder / "novukit.toml").read_text()
    project.write("novukit.toml", toml.replace('"hello@example.com"', '"hello@example.com", folder = "mail"'))
    project.run("sync")
    project.run("sync", "--environment", "production")
    assert not any("Integration" in one["finding"] for one in found(project, "Channels"))

    result = project.run("doctor", "--environment", "production", "--json")
    (one,) = [one for one in result.json["data"] if one["subject"] == "Channels" and one["status"] == "failed"]
    assert 3 == result.code
    assert one["finding"].startswith("Integration 'mail': A catcher writes into a folder only in development")
    assert "folder" in one["fix"]


@pytest.mark.parametrize("command", ["server", "worker"])
def test_a_database_that_loses_is_refused_outside_development(
    project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """IN20: exit code 5, naming the promise that is void; with a flag it starts all the same, and says so."""
    monkeypatch.setenv("NOVUKIT_DATABASE", f"{empty_postgres}?synchronous_commit=off")
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())
    project.run("db", "upgrade")
    where = ["--port", "0"] if command == "server" else []

    refused = project.run(command, *where, "--environment", "production")
    with running(project, command, *where, "--environment", "production", "--accept-data-loss") as process:
        process.until("serving" if command == "server" else "working")
        code, err = process.end(signal.SIGTERM)

    assert 5 == refused.code
    assert "--accept-data-loss" in refused.err
    assert "answered 201 can be lost" in refused.err
    assert 0 == code
    assert "synchronous_commit is off" in err


def test_in_development_a_loss_is_only_told(
    project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loudly."""
    monkeypatch.setenv("NOVUKIT_DATABASE", f"{empty_postgres}?synchronous_commit=off")
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())
    project.run("db", "upgrade")
    with running(project, "server", "--port", "0") as process:
        process.until("serving")
        code, err = process.end(signal.SIGTERM)

    assert 0 == code
    assert "synchronous_commit is off (set in the database URL)" in err
