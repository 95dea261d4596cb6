"""CK: a machine whose wall clock is an hour wrong takes nobody's work, and wakes nothing early or late."""

from __future__ import annotations

from pathlib import Path

import pytest

from .letters import DELAY
from .living import LEASE, Job
from .matrix import WAYS
from .stage import TRIALS, Stage, Trial, await_true, staged
from .test_matrix import ran_of

HOUR = 3600.0


def beside(stage: Stage, trials: list[Trial], ahead: float) -> None:
    """A process with the wrong clock works beside one with the right clock, which has asked and begun."""
    known = tuple((trial.scenario, trial.id) for trial in trials)
    until = tuple(transaction_id for trial in trials for transaction_id in trial.transactions)
    asks = tuple(ask for trial in trials for ask in trial.asks)
    right = stage.start(Job(known, asks=asks, until=until))
    await_true(lambda: sum(what == "ok" for what, _, _ in right.told) == len(asks), "the triggers")
    wrong = stage.start(Job(known, until=until, ahead=ahead))
    assert (0, 0) == (right.wait(), wrong.wait())


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_ck_a_wrong_clock_steals_no_lease(ahead: float, postgres_database: str, tmp_path: Path) -> None:
    """The call of the right one is slow; the wrong one must not believe that its lease is over."""
    with staged(postgres_database, tmp_path) as stage:
        trials = stage.admit(Trial(f"ck-lease-{n}", payload=WAYS["retry"]) for n in range(TRIALS))
        stage.book.behave("", f"ok:{1.5 * LEASE}")
        beside(stage, trials, ahead)
        record = stage.record()
        said = stage.judge(record)
        assert not said, "\n".join(said)
        assert [1] * len(trials) == [len(stage.calls(trial)) for trial in trials]
        assert [] == [ran.name for ran in record.executions for line in ran.lines if "taken_over" in line["kind"]]


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_ck_a_wrong_clock_moves_no_timer(ahead: float, postgres_database: str, tmp_path: Path) -> None:
    """Delays last what they were asked to, whichever of the two puts them to sleep or wakes them."""
    with staged(postgres_database, tmp_path) as stage:
        trials = stage.admit(Trial(f"ck-timer-{n}", "later") for n in range(4 * TRIALS))
        beside(stage, trials, ahead)
        record = stage.record()
        said = stage.judge(record, delays={"wait": DELAY})
        assert not said, "\n".join(said)
        asked = {one.op: one.oks[0].at for one in stage.history.operations()}
        for trial in trials:
            (ran,), (call,) = ran_of(trial, record), stage.calls(trial)
            assert call.at >= asked[ran.transaction_id] + DELAY - 0.1, trial.id
