"""IN24: `novukit prune` under kill -9: whenever it dies, what is left is whole, and the next one takes the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from novukit.store import Database
from novukit.store.secrets import generate_master_key
from novukit.testing.clock import VirtualClock

from ..queue.conftest import until
from ..rows import Rows

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
ENDED = 4000
KILLS = 2
NO_EXECUTION = "not exists (select 1 from novukit_execution x where x.environment_id = o.environment_id and x.id = "
ORPHANS = {
    "checkpoint": f"novukit_checkpoint o where {NO_EXECUTION} o.execution_id)",
    "message": f"novukit_message o where {NO_EXECUTION} o.execution_id)",
    "line": f"novukit_activity o where execution_id is not null and {NO_EXECUTION} o.execution_id)",
    "execution without its step": "novukit_execution o where not exists (select 1 from novukit_checkpoint c "
    "where c.environment_id = o.environment_id and c.execution_id = o.id)",
    "execution without its event": "novukit_execution o where not exists "
    "(select 1 from novukit_event e where e.id = o.event_id)",
}
"""What must never be there, for an execution goes with all that belongs to it."""


async def count(database: Database, what: str = "novukit_execution") -> int:
    return int((await database.fetch(f"select count(*) as n from {what}"))[0]["n"])


async def fill(database: Database, clock: VirtualClock) -> None:
    """Executions that ended long ago, every tenth asleep; each with a step, a message and a line."""
    rows = await Rows.environment(database)
    env, now, who = rows.scope.environment_id, clock.now(), await rows.subscriber()
    made = [(rows.scope.new_id(), rows.scope.new_id(), number) for number in range(ENDED)]
    async with database.transaction():
        many = database.execute_many
        await many(
            "insert into novukit_event (id, environment_id, transaction_id, workflow_id, workflow_version, payload, "
            "overrides, fingerprint, status, executions, created_at) values ($1, $2, $3, 'w', 'v', '{}', '{}', '', "
            "'expanded', 1, $4)",
            [(event, env, str(event), now) for event, _, _ in made],
        )
        await many(
            "insert into novukit_execution (id, environment_id, event_id, workflow_id, subscriber_uuid, subscriber_id, "
            "status, wake_at, created_at, finished_at) values ($1, $2, $3, 'w', $4, 'ada', $5, $6, $7, $8)",
            [
                (x, env, e, who, *(("waiting", now + timedelta(days=9000), now, None) if n % 10 == 0 else
                 ("completed", None, now, now)))
                for e, x, n in made
            ],
        )  # fmt: skip
        await many(
            "insert into novukit_checkpoint (environment_id, execution_id, step_id, kind, status) "
            "values ($1, $2, 'mail', 'email', 'completed')",
            [(env, x) for _, x, _ in made],
        )
        await many(
            "insert into novukit_message (id, environment_id, execution_id, event_id, transaction_id, workflow_id, "
            "subscriber_uuid, subscriber_id, step_id, channel, status, content, idempotency_key, tags, created_at, "
            "updated_at) values ($1, $2, $3, $4, '', 'w', $5, 'ada', 'mail', 'email', 'sent', '{}', '', '[]', $6, $6)",
            [(rows.scope.new_id(), env, x, e, who, now) for e, x, _ in made],
        )
        await many(
            "insert into novukit_activity (id, environment_id, event_id, execution_id, kind, at) "
            "values ($1, $2, $3, $4, 'execution.completed', $5)",
            [(rows.scope.new_id(), env, e, x, now) for e, x, _ in made],
        )


async def orphans(database: Database) -> dict[str, int]:
    found = {name: await count(database, what) for name, what in ORPHANS.items()}
    return {name: number for name, number in found.items() if number}


def prune(url: str, folder: Path) -> subprocess.Popen[str]:
    """Start the command."""
    environ = {
        **os.environ, "PYTHONPATH": str(ROOT), "NOVUKIT_DATABASE": url, "NOVUKIT_MASTER_KEY": generate_master_key(),
    }  # fmt: skip
    command = [sys.executable, "-m", "novukit.cli", "prune", "--older-than", "1d", "--yes", "--json"]
    return subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)


async def test_killed_again_and_again(
    database_url: str, database: Database, clock: VirtualClock, tmp_path: Path
) -> None:
    """What has not ended is there in the end with all that it had; nothing is left half."""
    await fill(database, clock)
    (tmp_path / "novukit.toml").write_text("")
    killed = 0
    for _ in range(KILLS):
        before = await count(database)
        process = prune(database_url, tmp_path)

        async def moved(before: int = before, process: subprocess.Popen[str] = process) -> bool:
            return process.poll() is not None or await count(database) < before

        await until(moved, what="a batch")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert {} == await orphans(database)
    last = prune(database_url, tmp_path)
    out, _ = last.communicate()

    assert 0 == last.returncode, out
    assert killed >= 1
    for table in ("execution", "event", "checkpoint", "message", "activity"):
        assert ENDED // 10 == await count(database, f"novukit_{table}"), table
    assert {} == await orphans(database)
