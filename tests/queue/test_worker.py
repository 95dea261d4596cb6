"""One worker: it hears at once, hands over what it cannot finish, and never spins."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

import pytest

from novukit import Context, workflow
from novukit.engine import Shift
from novukit.model import ExecutionStatus, MessageStatus
from novukit.store import executions, history, preferences
from novukit.store.history import ExecutionFilter

from .conftest import Ledger, Open, Site, until

pytestmark = pytest.mark.anyio
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@workflow("leaves")
async def leaves(ctx: Context[None]) -> None:
    """Tries to take the whole process along."""
    await ctx.step.email("mail", subject="before", body="-")
    sys.exit("goodbye")


@workflow("unwritable")
async def unwritable(ctx: Context[None]) -> None:
    """A message that no database can keep, in the last step."""
    await ctx.step.in_app("inbox", body="a\x00b")


async def _only(site: Site) -> Any:
    (one,) = await history.matching_ids(site.scope, ExecutionFilter())
    return await history.execution(site.scope, one)


async def test_a_trigger_is_heard_at_once(database_url: str, open_site: Open) -> None:
    """With a sweep every 30 seconds it is the bell that brings the e-mail."""
    site = await open_site(database_url, sweep=30.0)
    await until(lambda: site.scope.database.fetch("select 1 from novukit_worker"))
    began = time.monotonic()
    await site.trigger("mail", "ann")
    await until(lambda: site.ledger.calls, 8)
    await until(site.ended, 8)
    assert time.monotonic() - began < 2


@ONLY_SQLITE
async def test_what_a_stop_cannot_finish_is_handed_over(database_url: str, open_site: Open) -> None:
    """A provider that hangs longer than the grace: the next worker goes on, and admits that it may come twice."""
    ledger = Ledger(hang=asyncio.Event())
    first = await open_site(database_url, ledger=ledger, grace=0.2)
    await first.trigger("mail", "ann")
    await until(lambda: ledger.calls)
    await first.stop()
    assert {"pending": 1} == dict(await first.statuses())
    assert [] == list(await first.scope.database.fetch("select 1 from novukit_worker"))
    ledger.hang = None
    second = await open_site(database_url, ledger=ledger)
    await until(second.ended)
    assert {"completed": 1} == dict(await second.statuses())
    (message,) = await history.messages_of(second.scope, (await _only(second)).id)
    assert message.status is MessageStatus.SENT
    assert message.possible_duplicate
    assert 2 == message.attempts
    assert [2] == list(ledger.keys.values()), "the same key both times"


@ONLY_SQLITE
async def test_a_workflow_that_exits_fails_alone(database_url: str, open_site: Open) -> None:
    """``sys.exit`` in a workflow is its failure; the worker works on."""
    site = await open_site(database_url)
    await site.trigger("leaves", "ann")
    await until(site.ended)
    failed = await _only(site)
    assert failed.status is ExecutionStatus.FAILED
    assert "goodbye" in failed.detail
    await site.trigger("mail", "bob")
    await until(site.completed)


async def test_what_cannot_be_written_fails_in_words(database_url: str, open_site: Open) -> None:
    """The last step's message could not be kept: the execution did not complete, and its neighbours did."""
    site = await open_site(database_url)
    await site.trigger("unwritable", "ann", "bob")
    await site.trigger("mail", "cyd", "dan")
    await until(site.ended)
    assert {"failed": 2, "completed": 2} == dict(await site.statuses())
    found = await history.matching_ids(site.scope, ExecutionFilter(status=(ExecutionStatus.FAILED,)))
    one = await history.execution(site.scope, found[0])
    assert one is not None
    assert "NUL" in one.detail


@ONLY_SQLITE
async def test_without_work_a_worker_rests(database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle worker looks once a sweep, a timer far away or not, and claims nothing where nothing is due."""
    looks = claims = 0
    look, claim = Shift.look, executions.claim

    async def looked(shift: Shift) -> Any:
        nonlocal looks
        looks += 1
        return await look(shift)

    async def claimed(*args: Any) -> Any:
        nonlocal claims
        claims += 1
        return await claim(*args)

    monkeypatch.setattr(Shift, "look", looked)
    monkeypatch.setattr(executions, "claim", claimed)
    site = await open_site(database_url, sweep=0.1)
    await until(lambda: looks >= 5)
    tasks = len(asyncio.all_tasks())
    began, before, then = time.monotonic(), looks, claims
    await until(lambda: looks >= before + 5)
    assert time.monotonic() - began > 0.3
    assert claims == then
    assert len(asyncio.all_tasks()) <= tasks + 3
    assert site.worker is not None
    assert 0 == site.worker.busy


@ONLY_SQLITE
async def test_a_claim_that_fails_is_no_hot_loop_and_leaves_nothing_running(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was taken, but not loaded, is given back; meanwhile the worker says so a few times, not thousands."""
    failing, load = True, executions._load

    async def broken(*args: Any) -> None:
        if failing:
            raise ConnectionResetError("the answer was lost")
        await load(*args)

    monkeypatch.setattr(executions, "_load", broken)
    site = await open_site(database_url, sweep=0.1)
    with caplog.at_level(logging.WARNING, logger="novukit"):
        await site.trigger("mail", "ann")
        await until(lambda: len(caplog.records) >= 5)
        began, before = time.monotonic(), len(caplog.records)
        for _n in range(200):
            assert site.worker is not None
            site.worker._wake.set()
            await asyncio.sleep(0)
        await until(lambda: len(caplog.records) >= before + 4)
        assert time.monotonic() - began > 0.3
    failing = False
    await until(site.completed)
    assert 1 == len(site.ledger.calls)


@ONLY_SQLITE
async def test_a_read_that_fails_is_no_failure_of_the_workflow(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database broke off while a step read from it: the execution is given back, and completes later."""
    chosen, broken = preferences.chosen, 3

    async def sometimes(*args: Any) -> Any:
        nonlocal broken
        broken -= 1
        if broken >= 0:
            raise ConnectionResetError("the connection was cut")
        return await chosen(*args)

    monkeypatch.setattr(preferences, "chosen", sometimes)
    site = await open_site(database_url, lease=1.0)
    await site.trigger("mail", "ann")
    await until(site.ended)
    assert {"completed": 1} == dict(await site.statuses())
    assert 1 == len(site.ledger.calls)


@ONLY_SQLITE
async def test_no_hot_loop_when_signing_on_fails(
    database_url: str, open_site: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is away when a shift begins: the bell, which may ring all the time, does not speed that up."""
    from novukit.store import workers

    away, enlist, tries = True, workers.enlist, 0

    async def broken(*args: Any, **more: Any) -> None:
        nonlocal tries
        tries += 1
        if away:
            raise ConnectionRefusedError("nobody there")
        await enlist(*args, **more)

    monkeypatch.setattr(workers, "enlist", broken)
    site = await open_site(database_url, sweep=0.1)
    began = time.monotonic()
    await site.trigger("mail", "ann")
    await until(lambda: tries >= 5)
    assert time.monotonic() - began > 0.3
    away = False
    await until(site.completed)
