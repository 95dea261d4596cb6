"""Lists of keys are looked up one by one, also by plans that are made while a table is empty."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from novukit.clock import NewId
from novukit.model import ExecutionStatus, MessageStatus, Subscriber
from novukit.store import Database, Scope, migrations, preferences, subscribers, workers
from novukit.store.entries import Settle, UpdateMessage
from novukit.store.journal import Addressed, Journal, Preferred, Run
from novukit.store.postgres import PoolEngine
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def young(empty_postgres: str, clock: VirtualClock, new_id: NewId) -> AsyncIterator[Database]:
    """A database of its own, just migrated: of others that were emptied Postgres knows that they are empty."""
    database = Database(empty_postgres, clock=clock, new_id=new_id, synchronous="OFF")
    await database.open()
    await migrations.upgrade(database)
    yield database
    await database.close()


async def _look(scope: Scope) -> None:
    await subscribers.look(scope, [Subscriber(subscriber_id="ada"), Subscriber(subscriber_id="bob")])


async def _by_uuids(scope: Scope) -> None:
    await subscribers.by_uuids(scope, [scope.new_id(), scope.new_id()])


async def _addresses(scope: Scope) -> None:
    await subscribers.addresses(scope, [scope.new_id(), scope.new_id()])


async def _preferences(scope: Scope) -> None:
    await preferences.of_many(scope, {(scope.new_id(), "welcome"), (scope.new_id(), "welcome")})


async def _journal(scope: Scope) -> None:
    """Everything that a commit looks at, and the updates in it, for two executions."""
    database, now = scope.database, scope.now()
    worker_id, environment_id = database.new_id(), scope.environment_id
    await workers.enlist(database, worker_id, host="", pid=0, lease_until=now + timedelta(minutes=1))
    journal = Journal(database, worker_id, timedelta(minutes=1))
    puts: list[Awaitable[Any]] = []
    for n in range(2):
        message_id, run = scope.new_id(), Run(environment_id, scope.new_id(), 1)
        puts.append(
            journal.put(
                UpdateMessage(message_id, environment_id, MessageStatus.SENT, n + 1, now),
                Settle(run.execution_id, environment_id, ExecutionStatus.COMPLETED, now, runs=1), run=run,
                unless_cancelled=True, preferred=Preferred(scope.new_id(), "welcome", None, None),
                addressed=Addressed(message_id, "email", f"{n}@example.com", critical=False),
            )
        )  # fmt: skip
    for put in puts:
        await put


@pytest.mark.parametrize("ask", [_look, _by_uuids, _addresses, _preferences, _journal])
async def test_no_index_is_read_by_environment_alone(
    ask: Callable[[Scope], Awaitable[None]], young: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where nothing is known of any table, as in the first minute of a new novukit."""
    rows = await Rows.environment(young)
    plans: list[str] = []
    execute = PoolEngine.execute_hot

    async def explained(engine: PoolEngine, sql: str, args: Any) -> list[Any]:
        plan = await execute(engine, f"explain {sql}", args)
        plans.append("\n".join(row[0] for row in plan))
        return await execute(engine, sql, args)

    monkeypatch.setattr(PoolEngine, "execute_hot", explained)
    await ask(rows.scope)

    assert plans
    for plan in plans:
        conditions = re.findall(r"Index Cond: (.+)", plan)
        assert conditions, plan
        astray = [one for one in conditions if "AND" not in one and not re.search(r"\bid = |subscriber_id = ", one)]
        assert [] == astray, plan
        large = re.findall(r"Scan using (\w+) on novukit_(?:execution|message) ", plan)
        assert [] == [index for index in large if not index.endswith(("_pkey", "_stopping"))], plan
        assert "Join Filter" not in plan, plan
        assert "Seq Scan" not in plan, plan


async def test_what_became_of_a_message_needs_no_index_anew(young: Database) -> None:
    """Postgres writes a row's new version into its own page and into no index if no indexed column has changed; else
    into all of them. What is known of each message that goes out must be none.
    """
    rows = await young.fetch(
        "select distinct a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid "
        "where i.indrelid = 'novukit_message'::regclass and (a.attnum = any(i.indkey::int[]) "
        "or pg_get_expr(i.indpred, i.indrelid) ~ ('\\m' || a.attname || '\\M'))"
    )
    changed = {"status", "attempts", "updated_at", "provider_message_id", "possible_duplicate", "error", "sent_at"}
    indexed = {row["name"] for row in rows}
    assert {"id", "callback_id", "doubtful_key", "read_at"} <= indexed
    assert not changed & indexed
