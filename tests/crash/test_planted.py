"""The matrix can say no: with each promise taken out of novukit, it finds what is broken, and says which promise.

A promise without a planted fault that turns its test red counts as untested.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from .letters import DELAY
from .living import Job
from .matrix import WAYS
from .mutants import MUTANTS
from .stage import Stage, Trial, staged

TIRED = 3.0
"""Seconds for which a process tries to recover what cannot be."""


@dataclass(frozen=True)
class Plot:
    """What is played with a fault planted, and what the judge must say."""

    mutant: str
    says: str
    play: Callable[[Stage, list[Trial], str], None]
    trial: Trial
    answers: tuple[str, ...] = ()
    database: str = "some_database"
    trials: int = 2


def dies(at: str) -> Callable[[Stage, list[Trial], str], None]:
    """The process dies at a crash point, and another one recovers."""

    def play(stage: Stage, trials: list[Trial], mutant: str) -> None:
        stage.together(lambda trial: stage.die(trial, at, mutant=mutant), trials)
        stage.recover(mutant=mutant, patience=TIRED if mutant == "no_reaper" else 60.0)

    return play


def lives(stage: Stage, trials: list[Trial], mutant: str) -> None:
    """Nothing happens to the process."""
    stage.recover(mutant=mutant)


def sleeps(stage: Stage, trials: list[Trial], mutant: str) -> None:
    """The process is frozen beyond its lease, between intent and call."""
    frozen = stage.together(lambda trial: stage.freeze(trial, "intent.after", mutant=mutant), trials)
    stage.recover()
    for child in frozen:
        os.kill(child.pid, signal.SIGCONT)
        child.wait()


def is_cancelled(stage: Stage, trials: list[Trial], mutant: str) -> None:
    """It is cancelled while the process is about to call."""
    frozen = stage.together(lambda trial: stage.freeze(trial, "intent.after", lease=60.0), trials)
    for trial in trials:
        stage.run(trial.job(ask=False, work=False, cancels=trial.transactions, mutant=mutant))
    for child in frozen:
        os.kill(child.pid, signal.SIGCONT)
        child.wait()


def comes_late(stage: Stage, trials: list[Trial], mutant: str) -> None:
    """A last event comes when the digest has been sent."""
    for trial in trials:
        *early, late = trial.asks
        known = ((trial.scenario, trial.id),)
        sent = [ask.transaction_id for ask in early if ask.transaction_id]
        stage.run(Job(known, asks=early, until=sent, mutant=mutant))
        stage.run(Job(known, asks=[late], until=trial.transactions, mutant=mutant))


def of(way: str, scenario: str = "letters", hasty: str = "", **more: int) -> Trial:
    """A trial to make others from."""
    return Trial("", scenario, WAYS[way] | {"hasty": hasty}, **more)


PLOTS = [
    Plot("answer_before_commit", "P1", dies("trigger.mid"), of("native")),
    Plot("forgotten_transaction", "P1", dies("trigger.after"), of("native")),
    # The heart notices, too, that the lease is lost. On Postgres a call is the quicker of the two often enough.
    Plot("no_self_check", "P3", sleeps, of("native"), database="postgres_database", trials=6),
    Plot("done_again", "P3", dies("email.completed.after"), of("native")),
    Plot("no_intent", "P4", dies("call.after"), of("retry")),
    Plot("checkpoint_before_call", "P4", dies("email.completed.after"), of("native")),
    Plot("another_key", "P4", dies("call.after"), of("native")),
    Plot("unknown_as_refusal", "P4", lives, of("park", hasty="-hasty"), ("timeout-after", "ok")),
    Plot("refusal_as_success", "P4", lives, of("native"), ("503", "ok")),
    Plot("goes_back", "P4", dies("call.after:2"), of("native", "handed"), ("429:120", "ok")),
    Plot("no_look_up", "P4", dies("call.after"), of("lookup")),
    Plot("unadmitted", "P4", dies("call.after"), of("retry")),
    Plot("no_reaper", "P5", dies("claim.after"), of("native")),
    Plot("cancelled_while_calling", "P6", is_cancelled, of("native")),
    Plot("window_left_open", "P7", comes_late, of("native", "gathered", events=3)),
    Plot("early_timer", "P8", lives, of("native", "later")),
    Plot("cursor_before_page", "P17", dies("fanout.after"), of("native", members=7)),
    Plot("no_reason", "P22", lives, of("native"), ("400",)),
]


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.mutant)
def test_a_planted_fault_is_found(plot: Plot, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The judge names the promise that the fault breaks."""
    with staged(request.getfixturevalue(plot.database), tmp_path) as stage:
        trials = stage.admit(replace(plot.trial, id=f"m{n}") for n in range(plot.trials))
        if plot.answers:
            stage.book.behave("", *plot.answers)
        plot.play(stage, trials, plot.mutant)
        said = stage.judge(stage.record(), delays={"wait": DELAY})
        assert plot.says in {line.split()[0] for line in said}, said


def test_every_fault_is_planted() -> None:
    """No fault is only written down."""
    assert set(MUTANTS) == {plot.mutant for plot in PLOTS}


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
