"""The journal writes in groups: few commits, one bad put alone, and a connection that breaks costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.engine import Shift
from novukit.errors import LeaseLost, NotSerialisable
from novukit.model import ActivityKind, Checkpoint, StepKind, StepStatus
from novukit.store import workers
from novukit.store.activities import Line
from novukit.store.entries import SaveCheckpoint
from novukit.store.journal import Journal, Run
from novukit.store.postgres import PoolEngine

from .conftest import Ledger, Open, Site, until

pytestmark = pytest.mark.anyio
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
NOTES: Counter[str] = Counter()


async def note(text: str) -> str:
    """Leave a trace."""
    NOTES[text] += 1
    return text


class Number(BaseModel):
    """An event that can be told from the others."""

    n: int


@workflow("trace")
async def trace(ctx: Context[None]) -> None:
    """Four steps with a short sleep among them."""
    who = ctx.subscriber.subscriber_id
    await ctx.step.custom("begin", note, f"begin {who}")
    await ctx.step.email("first", subject=f"first {who}", body="-")
    await ctx.step.delay("wait", timedelta(milliseconds=50))
    await ctx.step.email("second", subject=f"second {who}", body="-")


@workflow("gather")
async def gather(ctx: Context[Number]) -> None:
    """A digest with a short window."""
    digest = await ctx.step.digest("digest", window=timedelta(seconds=1))
    await ctx.step.email("mail", subject=",".join(str(one.n) for one in digest.payloads), body="-")


async def enlisted(site: Site, lease: float = 60.0) -> Journal:
    """A journal of a worker of its own."""
    shift = Shift(site.app.runtime, timedelta(seconds=lease))
    await shift.begin()
    return shift.journal


def line(site: Site, detail: str) -> Line:
    rt = site.app.runtime
    environment_id, kind = site.scope.environment_id, ActivityKind.TRIGGER_ACCEPTED
    return Line(rt.new_id(), environment_id, kind, rt.clock.now(), rt.new_id(), detail=detail)


async def details(site: Site) -> list[str]:
    rows = await site.scope.database.fetch("select detail from novukit_activity where detail like 'line %'")
    return sorted(row["detail"] for row in rows)


def checkpoint(site: Site, result: Any) -> SaveCheckpoint:
    rt = site.app.runtime
    row = Checkpoint(
        step_id="a", key="", kind=StepKind.CUSTOM, status=StepStatus.COMPLETED, args_hash="", position=1,
        started_at=rt.clock.now(), result=result,
    )  # fmt: skip
    return SaveCheckpoint(site.scope.environment_id, rt.new_id(), row)


async def test_many_puts_are_few_commits(database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 000 puts by 1 000 tasks: a commit for each group, no line lost."""
    site = await open_site(database_url, working=False)
    journal = await enlisted(site)
    commits, commit = 0, Journal._commit

    async def counted(self: Journal, *args: Any, **more: Any) -> Any:
        nonlocal commits
        commits += 1
        return await commit(self, *args, **more)

    monkeypatch.setattr(Journal, "_commit", counted)
    await asyncio.gather(*[journal.put(line(site, f"line {n:04}")) for n in range(1000)])
    assert [f"line {n:04}" for n in range(1000)] == await details(site)
    assert commits <= 4


async def test_a_bad_put_fails_alone_with_what_builds_on_it(database_url: str, open_site: Open) -> None:
    """Among 50 puts of one group, one cannot be kept; nor is the one that comes after it."""
    site = await open_site(database_url, working=False)
    journal = await enlisted(site)
    puts = [journal.put(line(site, f"line {n:02}")) for n in range(20)]
    bad = journal.put(line(site, "line bad"), checkpoint(site, "a\x00b"))
    after = journal.put(line(site, "line after"), after=bad)
    puts += [journal.put(line(site, f"line {n:02}")) for n in range(20, 50)]
    results = await asyncio.gather(bad, after, *puts, return_exceptions=True)
    assert [NotSerialisable, NotSerialisable] == [type(result) for result in results[:2]]
    assert [None] * 50 == results[2:]
    assert [f"line {n:02}" for n in range(50)] == await details(site)


async def test_without_a_lease_nothing_is_written(database_url: str, open_site: Open) -> None:
    """Whoever was reaped is told so, group by group."""
    site = await open_site(database_url, working=False)
    journal = await enlisted(site, lease=-1.0)
    assert not await workers.reap(site.scope.database)
    results = await asyncio.gather(*[journal.put(line(site, f"line {n}")) for n in range(5)], return_exceptions=True)
    assert [LeaseLost] * 5 == [type(result) for result in results]
    assert [] == await details(site)


@ONLY_POSTGRES
async def test_a_connection_that_breaks_in_a_commit_costs_nothing(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut before the COMMIT and after it: each line is there once, and nobody hears of it."""
    site = await open_site(database_url, working=False)
    journal = await enlisted(site)
    execute, cut = PoolEngine.execute_hot, []

    async def broken(self: PoolEngine, sql: str, args: Any) -> Any:
        cut.append(None)
        if len(cut) % 3 == 1:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")  # before it
        rows = await execute(self, sql, args)
        if len(cut) % 3 == 2 and not self.current_transaction.get():
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")  # after it
        return rows

    monkeypatch.setattr(PoolEngine, "execute_hot", broken)
    for start in range(0, 30, 10):
        await asyncio.gather(*[journal.put(line(site, f"line {n:02}")) for n in range(start, start + 10)])
    assert [f"line {n:02}" for n in range(30)] == await details(site)
    assert len(cut) >= 5


@ONLY_POSTGRES
async def test_a_digest_survives_lost_answers(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other commit is made and its answer lost: a window that was opened, joined or closed is not so twice."""
    ledger = Ledger()
    site = await open_site(database_url, ledger=ledger)
    commit, commits = Journal._commit, 0

    async def forgetful(self: Journal, *args: Any, **more: Any) -> Any:
        nonlocal commits
        commits += 1
        until_ = await commit(self, *args, **more)
        if commits % 2:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return until_

    monkeypatch.setattr(Journal, "_commit", forgetful)
    for n in range(30):
        await site.trigger("gather", "ann", payload={"n": n})
    await until(site.ended, 80)
    digested = Counter(int(n) for subject in ledger.subjects for n in subject.split(",") if n)
    assert dict.fromkeys(range(30), 1) == dict(digested)
    assert {1} == set(ledger.keys.values())
    assert commits > 5


async def test_what_another_attempt_has_settled_is_not_written_again(database_url: str, open_site: Open) -> None:
    """A run that is no longer this worker's is left out when a commit is repeated; its result stays."""
    site = await open_site(database_url, working=False)
    journal = await enlisted(site)
    await site.trigger("trace", "ann")
    (row,) = await site.scope.database.fetch("select id from novukit_execution")
    tried = 0

    async def work() -> tuple[str, tuple[()]]:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise ConnectionResetError
        return "again", ()

    done = journal.work("x", work, run=Run(site.scope.environment_id, row["id"], 1))
    await done
    assert 1 == tried, "the execution is nobody's: whatever was to be decided has been"


class Outage:
    """A proxy before Postgres that can be taken away and put back."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self.away = False
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(*self._upstream)
        self._open |= {writer, to_server}
        await asyncio.gather(self._pump(reader, to_server), self._pump(from_server, writer))
        self._open -= {writer, to_server}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def cut(self) -> None:
        """Every connection breaks, and no new one is taken."""
        self.away = True
        for writer in self._open:
            writer.transport.abort()

    def heal(self) -> None:
        self.away = False


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[Outage, str]]:
    parts = urlsplit(url)
    outage = Outage(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(outage.handle, "127.0.0.1", 0)
    outage.port = server.sockets[0].getsockname()[1]
    where = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{outage.port}"
    try:
        yield outage, urlunsplit(parts._replace(netloc=where))
    finally:
        outage.cut()
        server.close()
        await until(lambda: not outage._open)


@ONLY_POSTGRES
@pytest.mark.parametrize("away", [2.0, 5.0])
async def test_a_database_that_is_away_for_a_while_fails_nothing(
    database_url: str, open_site: Open, away: float
) -> None:
    """Under load, longer than any single attempt: everything completes, unattended, and nothing is sent twice."""
    NOTES.clear()
    ledger = Ledger(pause=0.02)
    async with proxied(database_url) as (outage, url):
        direct = await open_site(database_url, working=False)
        site = await open_site(url, ledger=ledger, concurrency=20, lease=20.0)
        await direct.trigger("trace", *[f"s{n}" for n in range(100)])
        await until(lambda: len(ledger.calls) > 20)
        outage.cut()
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > away, away + 1)
        outage.heal()
        await until(direct.ended, 80)
        assert {"completed": 100} == dict(await direct.statuses())
        assert {f"{what} s{n}": 1 for n in range(100) for what in ("first", "second")} == dict(Counter(ledger.subjects))
        await site.stop()
    assert 100 == len(NOTES)
