"""The database dies, or its answer is lost, while a process stands at a named moment. The process itself lives on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from ..chaos.machines import Postgres
from ..conftest import _migrate
from ..proof.wire import Wire, wire
from .matrix import WAYS
from .stage import TRIALS, Child, Stage, Trial, staged
from .test_matrix import ran_of

LOST = {"its answer": True, "itself": False}


@pytest.fixture
def wired(postgres_database: str) -> Iterator[tuple[str, Wire]]:
    """A Postgres database behind a wire."""
    parts = urlsplit(postgres_database)
    with wire(parts.hostname or "", parts.port or 0) as it:
        account = parts.netloc.rpartition("@")[0]
        yield urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{it.port}")), it


def lose(stage: Stage, it: Wire, trial: Trial, at: str, marker: bytes, *, answer: bool) -> int:
    """Let a process that stands at ``at`` lose its next statement with ``marker``, or the answer; its exit code."""
    child, before = stage.freeze(trial, at), it.lost
    it.lose(marker, answer=answer)
    os.kill(child.pid, signal.SIGCONT)
    code = child.wait()
    assert it.lost == before + 1, f"{trial.id}: nothing was lost"
    return code


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("at", ["email.calling.before", "email.completed.before", "execution.completed.before"])
def test_k11b_a_commit_whose_fate_is_unknown_is_no_second_call(
    at: str, lost: str, wired: tuple[str, Wire], tmp_path: Path
) -> None:
    """The worker looks what became of it, and goes on: one call, and nobody has to be asked."""
    url, it = wired
    with staged(url, tmp_path) as stage:
        trials = stage.admit(Trial(f"k11b-{n}", payload=WAYS["park"]) for n in range(TRIALS))
        for trial in trials:
            # Each of these writes says at which step of whose workflow it is, or how it ended (with the word's length
            # before it, for statements have that word too); the heart beats without such words.
            marker = b"\0\0\0\x09completed" if at.startswith("execution") else b"first"
            assert lose(stage, it, trial, at, marker, answer=LOST[lost]) == 0
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert [1] * len(trials) == [len(stage.calls(trial)) for trial in trials]
        assert {"completed"} == {ran.status for ran in record.executions}


@pytest.mark.parametrize("lost", LOST)
def test_k2_a_trigger_whose_commit_is_lost_is_asked_again(lost: str, wired: tuple[str, Wire], tmp_path: Path) -> None:
    """The client hears an error and asks again under the same transaction id: one event, one execution."""
    url, it = wired
    with staged(url, tmp_path) as stage:
        trials = stage.admit(Trial(f"k2-{n}") for n in range(TRIALS))
        for trial in trials:
            lose(stage, it, trial, "trigger.mid", b"commit", answer=LOST[lost])
        known = {key for key, event in stage.record().events.items() if event}
        assert len(known) == (len(trials) if LOST[lost] else 0), "the wire did not do what it was told"
        stage.recover()
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert [1] * len(trials) == [len(stage.calls(trial)) for trial in trials]


@pytest.mark.parametrize("lost", LOST)
def test_k15_a_digest_whose_close_is_lost_is_closed_once(lost: str, wired: tuple[str, Wire], tmp_path: Path) -> None:
    """The window is decided again under its lock, and decides the same."""
    url, it = wired
    with staged(url, tmp_path) as stage:
        trials = stage.admit(Trial(f"k15-{n}", "gathered", events=3) for n in range(TRIALS))
        for trial in trials:
            assert lose(stage, it, trial, "digest.completed.mid", b"commit", answer=LOST[lost]) == 0
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert [["[0, 1, 2]"]] * len(trials) == [[call.subject for call in stage.calls(trial, "[")] for trial in trials]


STANDING = (
    "trigger.mid", "trigger.after", "claim.after", "intent.after", "call.after", "email.completed.before",
    "email.completed.after", "execution.completed.before",
)  # fmt: skip
EACH = min(TRIALS, 2)
"""Processes that stand at each: all of them at once have to find a connection."""


def test_an_immediate_restart_of_postgres_is_survived_at_every_moment(tmp_path: Path) -> None:
    """Postgres is stopped at once and started again while a process stands at each of these moments. All go on by
    themselves, without a restart of their own."""
    machine = Postgres(tmp_path)
    try:
        url = asyncio.run(_new_database(machine))
        with staged(url, tmp_path) as stage:
            trials = stage.admit(
                Trial(f"r-{at.replace('.', '-')}-{n}", payload=WAYS["retry"]) for at in STANDING for n in range(EACH)
            )
            frozen: list[Child] = stage.together(
                lambda trial: stage.freeze(trial, STANDING[trials.index(trial) // EACH]), trials
            )
            asyncio.run(_restart(machine))
            for child in frozen:
                os.kill(child.pid, signal.SIGCONT)
            for trial, child in zip(trials, frozen, strict=True):
                # Whose trigger was cut hears so, and is the client's to ask again.
                assert child.wait() == 0 or trial.id.startswith("r-trigger-mid"), f"{trial.id} did not go on"
            stage.recover()
            record = stage.record()
            said = stage.judge(record)
            assert not said, "\n".join(said)
            assert {"completed"} == {ran.status for trial in trials for ran in ran_of(trial, record)}
    finally:
        machine.end()


async def _new_database(machine: Postgres) -> str:
    await machine.up()
    connection = await machine.connect()
    await connection.execute("create database novukit")
    await connection.close()
    await asyncio.to_thread(_migrate, machine.url("novukit"))
    return machine.url("novukit")


async def _restart(machine: Postgres) -> None:
    await machine.stop_at_once()
    await machine.up()


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
