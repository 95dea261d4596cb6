"""kill -9 of the whole process while executions run: nothing is lost, and no finished step runs again.

The truth about what was sent is a real SMTP server and a ledger file that live outside the process that is killed.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from novukit.app import App
from novukit.engine import sync, trigger
from novukit.model import ActivityKind, ExecutionStatus, MessageStatus, Subscriber, Trigger
from novukit.settings import Settings
from novukit.store import history, timeline
from novukit.store.history import ExecutionFilter

from ..servers import free_port

EXECUTIONS, KILLS, PATIENCE = 200, 5, 90.0
STEPS = ("begin", "first", "second", "end")

WORKFLOWS = '''
"""Workflows that leave a trace of everything they do."""

import time
from datetime import timedelta
from pathlib import Path

from novukit import Context, workflow

LEDGER = Path(__file__).with_name("ledger")


async def note(name: str) -> str:
    with LEDGER.open("a") as out:
        out.write(f"{time.time()} {name}\\n")
    return name


@workflow("trace")
async def trace(ctx: Context[None]) -> None:
    name = ctx.subscriber.subscriber_id
    await ctx.step.custom("begin", note, f"begin {name}")
    await ctx.step.email("first", subject=f"first {name}", body="-")
    await ctx.step.delay("wait", timedelta(milliseconds=300))
    await ctx.step.email("second", subject=f"second {name}", body="-")
    await ctx.step.custom("end", note, f"end {name}")
'''

TOML = """
workflows = ["traced"]
database = "sqlite:///novukit.db"
port = 0

[worker]
lease = 2.0
sweep = 0.2

[[integrations]]
identifier = "mail"
provider = "smtp"
credentials = {{ host = "127.0.0.1", port = {port}, from = "novukit@example.com" }}
"""


class Ledger:
    """Every mail that the server acknowledged: Message-ID, subject, when it came."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, float]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        import email

        message = email.message_from_bytes(envelope.content)
        self.mails.append((str(message["Message-ID"]), str(message["Subject"]), time.time()))
        await asyncio.sleep(0.01)  # a window in which a kill leaves the outcome unknown
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Ledger, int]]:
    ledger = Ledger()
    port = free_port()
    controller = Controller(ledger, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield ledger, port
    finally:
        controller.stop()


class Dev:
    """`novukit dev`. Its child, which does the work, dies with it."""

    def __init__(self, folder: Path) -> None:
        self.log = (folder / "dev.log").open("ab")
        command = [sys.executable, "-m", "novukit.cli", "dev"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=self.log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()


async def test_a_killed_process_loses_nothing_and_repeats_no_finished_step(tmp_path: Path, anyio_backend: str) -> None:
    """200 executions with e-mail steps over SMTP, the process killed at random moments, and everything completes."""
    rng = random.Random(int(os.environ.get("NOVUKIT_SEED", "1")))
    with mail_server() as (ledger, port):
        (tmp_path / "traced.py").write_text(WORKFLOWS)
        (tmp_path / "novukit.toml").write_text(TOML.format(port=port))
        async with App(Settings.load(tmp_path / "novukit.toml")) as app:
            scope = app.runtime.scope(await app.bootstrap())
            await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
            for n in range(EXECUTIONS):
                to = Subscriber(subscriber_id=f"s{n}", email=f"s{n}@example.com")
                await trigger(app.runtime, scope, Trigger(workflow="trace", to=(to,)))
            for _ in range(KILLS):
                dev, begun = Dev(tmp_path), len(ledger.mails)
                while len(ledger.mails) < begun + rng.randrange(5, 60):
                    assert dev.process.poll() is None, (tmp_path / "dev.log").read_text()
                    await asyncio.sleep(0.01)
                    if await _finished(scope) == EXECUTIONS:
                        break
                dev.kill()
            last = Dev(tmp_path)
            try:
                deadline = time.monotonic() + PATIENCE
                while await _finished(scope) < EXECUTIONS:
                    assert time.monotonic() < deadline, (tmp_path / "dev.log").read_text()[-4000:]
                    await asyncio.sleep(0.2)
            finally:
                last.kill()
            await _judge(scope, ledger, tmp_path / "ledger")


async def _finished(scope: Any) -> int:
    done = ExecutionFilter(status=(ExecutionStatus.COMPLETED,))
    return len(await history.matching_ids(scope, done))


async def _judge(scope: Any, ledger: Ledger, notes: Path) -> None:
    """Nothing lost, nothing done again after it was finished, and a mail that came twice admits it.

    A step is finished once, by the record; every trace that it left outside is from before that moment.
    """
    traces = [(name, at) for _, name, at in ledger.mails]
    traces += [(name, float(at)) for at, _, name in (line.partition(" ") for line in notes.read_text().splitlines())]
    assert {f"{which} s{n}" for n in range(EXECUTIONS) for which in STEPS} == {name for name, _ in traces}
    finished: dict[str, float] = {}
    admitted: set[str | None] = set()
    for one in await history.matching_ids(scope, ExecutionFilter()):
        execution = await history.execution(scope, one)
        assert execution is not None
        for line in await timeline.of_execution(scope, one):
            if line.kind is ActivityKind.STEP_COMPLETED and line.step in STEPS:
                name = f"{line.step} {execution.subscriber_id}"
                assert name not in finished, f"{name} was finished twice"
                finished[name] = line.at.timestamp()
        for message in await history.messages_of(scope, one):
            assert MessageStatus.SENT is message.status
            admitted |= {message.provider_message_id} if message.possible_duplicate else set()
    assert [] == [name for name, at in traces if at > finished[name]], "done again after it was finished"
    arrived = Counter(key for key, _, _ in ledger.mails)
    assert 2 * EXECUTIONS == len(arrived), "a message has one key, however often it was sent"
    assert {key for key, times in arrived.items() if times > 1} <= admitted, "it came twice, and does not admit it"


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
