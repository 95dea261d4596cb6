"""kill -9 at every named moment of an execution's life, real databases, a provider that writes everything down.

NOVUKIT_TRIALS is how often each row is tried: 3 for every commit, 20 in a soak.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ..proof.record import Ran, Record
from .matrix import CANCELLING, ELSEWHERE, FAMILIES, PLANNED, WAYS, Row
from .stage import TRIALS, Stage, Trial, staged


def trials_of(row: Row, folder: Path) -> list[Trial]:
    """The trials of one row. Their executions write their traces into a file of their own."""
    payload = WAYS[row.way] | {"traces": str(folder / f"{row.name}.traces")} | row.payload
    return [
        Trial(f"{row.name}-{n}", row.scenario, payload, row.events, row.members) for n in range(TRIALS)
    ]  # fmt: skip


def perform(stage: Stage, rows: Sequence[Row], folder: Path) -> dict[str, list[Trial]]:
    """Let the processes of all ``rows`` die as their row says."""
    cast = {row.name: trials_of(row, folder) for row in rows}
    stage.admit(trial for trials in cast.values() for trial in trials)
    for row in rows:
        if row.answers:
            for trial in cast[row.name]:
                stage.book.behave(f"{trial.id}@", *row.answers)

    def end(of: tuple[Row, Trial]) -> None:
        row, trial = of
        if row.at:
            stage.die(trial, row.at)
        else:
            stage.kill_in_call(trial)

    stage.together(end, [(row, trial) for row in rows for trial in cast[row.name]])
    return cast


@pytest.mark.parametrize("family", FAMILIES)
def test_a_killed_process_breaks_no_promise(family: str, database_url: str, tmp_path: Path) -> None:
    """Whatever was done last: after the recovery the record and the ledger agree, and say what the row says."""
    rows = FAMILIES[family]
    with staged(database_url, tmp_path) as stage:
        cast = perform(stage, rows, tmp_path)
        stage.recover(workers=2)
        record = stage.record()
        said = stage.judge(record)
        for row in rows:
            for trial in cast[row.name]:
                said += deviations(stage, row, trial, record)
        assert not said, "\n".join(said)


@pytest.mark.parametrize("row", CANCELLING, ids=lambda row: row.name)
def test_a_cancel_that_dies_can_be_asked_again(row: Row, database_url: str, tmp_path: Path) -> None:
    """The second answer is «cancelled», too, and nothing is sent."""
    with staged(database_url, tmp_path) as stage:
        trials = stage.admit(trials_of(row, tmp_path))
        stage.together(lambda trial: stage.run(trial.job(work=False)), trials)

        def cancel(trial: Trial) -> None:
            stage.die(trial, row.at, ask=False, work=False, cancels=trial.transactions)
            stage.run(trial.job(ask=False, work=False, cancels=trial.transactions))

        stage.together(cancel, trials)
        stage.recover(workers=2)
        record = stage.record()
        assert [] == [*stage.judge(record), *(w for trial in trials for w in deviations(stage, row, trial, record))]


def test_who_takes_over_may_die_as_well(database_url: str, tmp_path: Path) -> None:
    """Three processes in a row die with the provider's answer in hand: four requests, one key, one delivery."""
    with staged(database_url, tmp_path) as stage:
        trials = stage.admit(Trial(f"again-{n}") for n in range(TRIALS))

        def die_thrice(trial: Trial) -> None:
            for ask in (True, False, False):
                stage.die(trial, "call.after", ask=ask)

        stage.together(die_thrice, trials)
        stage.recover(workers=2)
        record = stage.record()
        row = Row("K9", "the answer was read, three times", "call.after", calls=(4, 4))
        assert [] == [*stage.judge(record), *(w for trial in trials for w in deviations(stage, row, trial, record))]


def deviations(stage: Stage, row: Row, trial: Trial, record: Record) -> list[str]:
    """What is otherwise than the row says."""
    where = f"{row.id} ({row.at or row.answers[0]}, {row.way}) {trial.id}"
    calls = stage.calls(trial, "[" if row.scenario == "gathered" else "first")
    found: list[tuple[str, Any, Any]] = []
    asked = tuple(call.kind for call in calls)
    found.append(("requests", row.calls, len(calls)))
    found.append(("deliveries", row.delivered, sum(call.delivered for call in calls)))
    if row.traces:
        file = Path(trial.payload["traces"])
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        mine = {str(ran.row["id"]).replace("-", "") for ran in ran_of(trial, record)}
        found.append(("traces", row.traces, sum(line["execution"] in mine for line in lines)))
    off = [f"{where}: {n} {what}, not {least}–{most}" for what, (least, most), n in found if not least <= n <= most]
    if row.kinds and asked != row.kinds:
        off.append(f"{where}: {asked} were asked, not {row.kinds}")
    off += [f"{where}: {said}" for ran in ran_of(trial, record) for said in _ended_otherwise(row, ran)]
    return off


def _ended_otherwise(row: Row, ran: Ran) -> list[str]:
    wanted = {row.status, "merged"} if row.events > 1 else {row.status}
    off = [] if ran.status in wanted else [f"it is {ran.status} ({ran.row['reason']}: {ran.row['detail']})"]
    if ran.status == "parked" and ran.row["step"] != row.step:
        off.append(f"it is parked at {ran.row['step']}")
    firsts = [message for message in ran.messages if message["name"] == "first"]
    wrong = [message for message in firsts if bool(message["possible_duplicate"]) != row.doubtful]
    return off + [f"possible_duplicate is {message['possible_duplicate']}" for message in wrong]


def ran_of(trial: Trial, record: Record) -> list[Ran]:
    """The executions of a trial."""
    return [ran for ran in record.executions if ran.transaction_id in trial.transactions]


def test_every_planned_row_is_there_or_says_why_not() -> None:
    """No row of the plan is left out in silence."""
    there = {row.id for rows in FAMILIES.values() for row in rows} | {row.id for row in CANCELLING}
    assert [] == [row for row in PLANNED if row not in there and row not in ELSEWHERE]


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
