"""Z1, Z2 and cancels: a process that is frozen (SIGSTOP) beyond its lease while another one takes over, then wakes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from novukit.store.postgres import STANDSTILL_SECONDS

from .living import LEASE
from .matrix import WAYS
from .stage import TRIALS, Child, Stage, Trial, staged
from .test_matrix import ran_of


def freeze_all(stage: Stage, at: str, trials: Sequence[Trial]) -> list[Child]:
    """Let one process for each trial stand still at a crash point."""
    return stage.together(lambda trial: stage.freeze(trial, at), trials)


def wake(frozen: Sequence[Child]) -> None:
    """Let them go on, and wait until they have ended well."""
    asleep = [child for child in frozen if child.alive]
    assert asleep
    for child in asleep:
        os.kill(child.pid, signal.SIGCONT)
    assert [0] * len(asleep) == [child.wait() for child in asleep]


@pytest.mark.parametrize("at", ["claim.after", "intent.after", "call.before"])
def test_z1_who_slept_past_its_lease_does_not_call(at: str, database_url: str, tmp_path: Path) -> None:
    """Another one took the work over and finished it; the sleeper wakes, sees that its lease is over, and gives up."""
    with staged(database_url, tmp_path) as stage:
        trials = stage.admit(
            Trial(f"z1-{at.replace('.', '-')}-{way}-{n}", payload=WAYS[way]) for way in WAYS for n in range(TRIALS)
        )
        frozen = freeze_all(stage, at, trials)
        stage.recover(trials)
        before = len(stage.book.calls())
        wake(frozen)
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert before == len(stage.book.calls()), "a sleeper called after it woke"
        intended = at != "claim.after"
        for trial in trials:
            # From the record an intent looks like a call: to park is to leave it to a person, though nothing was sent.
            parked = intended and trial.payload.get("on_unknown") == "park"
            assert ["parked" if parked else "completed"] == [ran.status for ran in ran_of(trial, record)], trial.id
            assert (0 if parked else 1) == len(stage.calls(trial)), trial.id


def test_z2_who_sleeps_between_the_check_and_the_write_sends_under_the_same_key(
    database_url: str, tmp_path: Path
) -> None:
    """The one window that is left: a second request, with the same key, and the record admits it.

    It is narrow: if the heart notices first that the lease is lost, the call is dropped before a byte has left.
    """
    with staged(database_url, tmp_path) as stage:
        trials = stage.admit(
            Trial(f"z2-{way}-{n}", payload=WAYS[way]) for way in ("native", "retry") for n in range(TRIALS)
        )
        frozen = freeze_all(stage, "send.before", trials)
        stage.recover(trials)
        wake(frozen)
        record = stage.record()
        # What the plan allows here, and nowhere else: the sleeper's request begins after the step is complete, and
        # makes one more than the attempts on record.
        said = [line for line in stage.judge(record) if "was complete" not in line and "recorded attempts" not in line]
        assert not said, "\n".join(said)
        for trial in trials:
            calls = stage.calls(trial)
            assert len(calls) in (1, 2), trial.id
            assert len({call.key for call in calls}) == 1, trial.id
            native = trial.payload["kind"] == "native"
            assert (1 if native else len(calls)) == sum(call.delivered for call in calls), trial.id


def test_p5_who_sleeps_within_a_transaction_holds_nobody_up(postgres_database: str, tmp_path: Path) -> None:
    """Frozen with rows and a window locked: Postgres ends the session, another worker goes on, the sleeper gives up."""
    with staged(postgres_database, tmp_path) as stage:
        trials = stage.admit(Trial(f"p5-{n}", "gathered", events=3) for n in range(TRIALS))
        frozen = freeze_all(stage, "digest.completed.mid", trials)
        began = time.monotonic()
        stage.recover(trials)
        assert time.monotonic() - began < STANDSTILL_SECONDS + LEASE + 20.0
        wake(frozen)
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert [["[0, 1, 2]"]] * len(trials) == [[call.subject for call in stage.calls(trial, "[")] for trial in trials]


@pytest.mark.parametrize("at", ["claim.after", "intent.after", "call.after"])
def test_p6_a_cancel_of_a_frozen_execution_says_cancelling(at: str, database_url: str, tmp_path: Path) -> None:
    """The worker may be about to call: nobody is told «cancelled» before it has stopped; then nothing more begins."""
    with staged(database_url, tmp_path) as stage:
        trials = stage.admit(Trial(f"p6-{at.replace('.', '-')}-{n}") for n in range(TRIALS))
        # A long lease: nobody takes the work over, the sleeper itself must hear of the cancel when it wakes.
        frozen = stage.together(lambda trial: stage.freeze(trial, at, lease=60.0), trials)
        stage.together(lambda trial: stage.run(trial.job(ask=False, work=False, cancels=trial.transactions)), trials)
        answers = [one.oks[0].facts for one in stage.history.operations() if one.kind == "cancel"]
        assert [{"cancelled": 0, "cancelling": 1}] * len(trials) == answers
        wake(frozen)
        stage.recover(trials)
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        for trial in trials:
            assert ["cancelled"] == [ran.status for ran in ran_of(trial, record)]
            assert (0 if at == "claim.after" else 1) == len(stage.calls(trial)), "only what was under way may end"
            assert [] == stage.calls(trial, "second")


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
