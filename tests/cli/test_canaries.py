"""P18: a server and a worker that log all they can, through every fault at hand: no secret and no payload is told."""

from __future__ import annotations

import asyncio
import json
import os
import time
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from .conftest import Project
from .test_operate import running

WORD = "CANARY9f3a"

WORKFLOWS = """
from pydantic import BaseModel

from novukit import Context, workflow


class Secret(BaseModel):
    word: str


@workflow("sends")
async def sends(ctx: Context[Secret]) -> None:
    await ctx.step.email("mail", subject=ctx.payload.word, body=ctx.payload.word)


@workflow("raises")
async def raises(ctx: Context[Secret]) -> None:
    await ctx.step.in_app("inbox", body=ctx.payload.word)
    raise ValueError(ctx.payload.word)


@workflow("keeps")
async def keeps(ctx: Context[Secret]) -> None:
    async def bad() -> object:
        return object()

    await ctx.step.custom("bad", bad)
"""

TOML = """
workflows = ["{module}"]

[worker]
sweep = 0.2

[[integrations]]
identifier = "mail"
provider = "smtp"
credentials = {{ from = "a@example.com", host = "127.0.0.1", port = 1, user = "u", password = {{ env = "MAIL_WORD" }} }}
"""


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def secrets(project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project in which every secret is a word that can be looked for; gives those words."""
    role, password = f"novukit_{uuid4().hex[:8]}", f"{WORD}-dsn"
    asyncio.run(execute(empty_postgres, f"create role {role} login superuser password '{password}'"))
    parts = urlsplit(empty_postgres)
    url = urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))
    master = project.ok("keys", "master").out.strip()
    for name, value in {
        "NOVUKIT_DATABASE": url, "NOVUKIT_MASTER_KEY": master, "MAIL_WORD": f"{WORD}-mail", "NOVUKIT_LOG": "json",
        "NOVUKIT_METRICS_TOKEN": f"{WORD}-scrape", "NOVUKIT_LOG_LEVEL": "debug",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    project.workflows(WORKFLOWS)
    project.write("novukit.toml", TOML.format(module=project.module))
    project.run("db", "upgrade")
    project.run("sync")
    key = project.json("keys")["secretKey"]
    return [WORD, key, key.removeprefix("nk_"), master, master.rpartition(":")[2]]


def test_nothing_secret_is_logged(project: Project, secrets: list[str], empty_postgres: str) -> None:
    """Failing providers, authors' errors, wrong keys and bodies, a database that goes away, or refuses the password."""
    key, role = secrets[1], urlsplit(os.environ["NOVUKIT_DATABASE"]).username
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'novukit_%'"
    with running(project, "server", "--port", "0") as server, running(project, "worker") as worker:
        url = server.until("serving")["url"]
        worker.until("working")
        with httpx.Client(base_url=url, timeout=30) as client:
            ours = {"authorization": f"ApiKey {key}"}
            person = {"subscriberId": WORD, "email": f"{WORD}@example.com", "phone": "+4915112345678"}
            for round_ in range(2):
                for name in ("sends", "raises", "keeps"):
                    body = {"name": name, "to": person, "payload": {"word": WORD}}
                    client.post("/v1/events/trigger", json=body, headers=ours)
                client.post(
                    "/v1/events/trigger", json={"name": "sends", "to": person, "payload": {"word": 1}}, headers=ours
                )
                client.post("/v1/events/trigger", content=f'{{"{WORD}', headers=ours)
                client.get(f"/v2/subscribers/{WORD}", headers={"authorization": f"ApiKey nk_{WORD}{'x' * 30}"})
                client.get("/metrics", headers={"authorization": f"Bearer {WORD}-scrape"})
                asyncio.run(execute(empty_postgres, cut))
                if round_ == 1:
                    asyncio.run(execute(empty_postgres, f"alter role {role} password 'other'", cut))
                    client.get("/v2/subscribers", headers=ours)
                    time.sleep(1.5)  # both processes meet it
                    asyncio.run(execute(empty_postgres, f"alter role {role} password '{WORD}-dsn'"))
        told = [process.end()[1] for process in (server, worker)]

    lines = [json.loads(line) for text in told for line in text.splitlines()]
    assert lines, "nothing was logged: this proves nothing"
    assert any("password authentication" in json.dumps(line) for line in lines)
    assert [word for word in secrets if any(word in text for text in told)] == []
