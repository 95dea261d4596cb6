"""What providers answer, by what they know of keys: how often each is asked, how often a person gets the message.

No process dies here; the unknown outcome comes from the provider alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..proof.record import Record
from .matrix import WAYS
from .stage import TRIALS, Stage, Trial, staged
from .test_matrix import ran_of


@dataclass(frozen=True)
class Ends:
    """How a message ends: requests, deliveries, its status, whether it is a possible duplicate."""

    requests: int
    delivered: int
    message: str = "sent"
    doubtful: bool = False
    status: str = "completed"


SENT = Ends(1, 1)
AGAIN = Ends(2, 1)
NOT_KNOWN_0, NOT_KNOWN_1 = (Ends(1, n, "unknown", status="parked") for n in (0, 1))
REFUSED = Ends(1, 0, "failed", status="failed")

ANSWERS: dict[tuple[str, ...], dict[str, Ends]] = {
    ("ok",): dict.fromkeys(WAYS, SENT),
    ("cut",): dict.fromkeys(WAYS, SENT),
    ("429:0", "ok"): dict.fromkeys(WAYS, AGAIN),
    ("503", "ok"): dict.fromkeys(WAYS, AGAIN),
    ("400", "ok"): dict.fromkeys(WAYS, REFUSED),
    ("timeout-after", "ok"): {
        "native": AGAIN, "lookup": SENT, "retry": Ends(2, 2, doubtful=True), "park": NOT_KNOWN_1,
    },
    ("timeout-before", "ok"): {
        "native": AGAIN, "lookup": Ends(2, 1, doubtful=True), "retry": Ends(2, 1, doubtful=True), "park": NOT_KNOWN_0,
    },
    ("reset-after", "ok"): {
        "native": AGAIN, "lookup": SENT, "retry": Ends(2, 2, doubtful=True), "park": NOT_KNOWN_1,
    },
    ("reset-before", "ok"): {
        "native": AGAIN, "lookup": Ends(2, 1, doubtful=True), "retry": Ends(2, 1, doubtful=True), "park": NOT_KNOWN_0,
    },
    ("garbage", "ok"): {
        "native": AGAIN, "lookup": SENT, "retry": Ends(2, 2, doubtful=True), "park": NOT_KNOWN_1,
    },
    ("500", "ok"): {
        "native": AGAIN, "lookup": Ends(2, 1, doubtful=True), "retry": Ends(2, 1, doubtful=True), "park": NOT_KNOWN_0,
    },
    # Refused for good after nobody knew: the first one may have arrived, and the record must not say that it failed.
    ("timeout-after", "400"): {
        "native": Ends(2, 1, "unknown", status="failed"),
        "lookup": Ends(1, 1, status="failed"),  # the second message is refused
        "retry": Ends(2, 1, "unknown", doubtful=True, status="failed"), "park": NOT_KNOWN_1,
    },
}  # fmt: skip


def test_every_answer_ends_as_the_provider_makes_possible(database_url: str, tmp_path: Path) -> None:
    """One delivery where keys or a look-up allow it; where they do not, the record admits it or a person is asked."""
    with staged(database_url, tmp_path) as stage:
        cast: list[tuple[tuple[str, ...], str, Trial]] = []
        for number, (answers, ends) in enumerate(ANSWERS.items()):
            cast += [
                (answers, way, Trial(f"a{number}-{way}-{n}", payload=WAYS[way] | {"hasty": hasty_for(answers)}))
                for way in ends
                for n in range(min(TRIALS, 3))  # more bad answers at a time, and the integration is given a rest
            ]
        trials = stage.admit(trial for _, _, trial in cast)
        for answers, _, trial in cast:
            stage.book.behave(f"{trial.id}@", *answers)
        stage.recover(trials)  # nothing was asked yet: one clean process asks for all of it, and works
        record = stage.record()
        said = stage.judge(record)
        for answers, way, trial in cast:
            said += deviations(stage, f"{'+'.join(answers)}, {way}", trial, ANSWERS[answers][way], record)
        assert not said, "\n".join(said)


def hasty_for(answers: tuple[str, ...]) -> str:
    """Only who is never answered is to give up soon; the others wait, however busy the machine is."""
    return "-hasty" if answers[0].startswith("timeout") else ""


def deviations(stage: Stage, where: str, trial: Trial, ends: Ends, record: Record) -> list[str]:
    """What is otherwise than the table says."""
    calls = stage.calls(trial)
    (ran,) = ran_of(trial, record)
    message = next(message for message in ran.messages if message["name"] == "first")
    found = Ends(
        len(calls), sum(call.delivered for call in calls), message["status"], bool(message["possible_duplicate"]),
        ran.status,
    )  # fmt: skip
    return [] if found == ends else [f"{where}: {found}, not {ends} ({ran.row['reason']}: {ran.row['detail']})"]
