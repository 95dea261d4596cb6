"""The judge says no to each broken promise, and to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from .history import History
from .judge import broken
from .ledger import Call
from .record import Ran, Record

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Case:
    """A run in which all went well: one trigger, an e-mail step that was called once, and a delay. To be spoilt."""

    history: History
    event: dict[str, Any] = field(default_factory=lambda: {"status": "expanded"})
    execution: dict[str, Any] = field(
        default_factory=lambda: {
            "id": UUID(int=1),
            "workflow_id": "w",
            "subscriber_id": "ada",
            "subscriber_uuid": UUID(int=2),
            "step": None,
            "status": "completed",
            "wake_at": None,
            "worker_id": None,
            "finished_at": at(5),
        }
    )
    step: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "mail",
            "kind": "email",
            "status": "completed",
            "reason": None,
            "position": 1,
            "result": None,
            "started_at": at(1),
            "finished_at": at(2),
        }
    )
    message: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "mail",
            "channel": "email",
            "status": "sent",
            "attempts": 1,
            "possible_duplicate": False,
            "idempotency_key": "k",
        }
    )
    calls: list[Call] = field(default_factory=lambda: [call()])
    steps: list[dict[str, Any]] = field(default_factory=list)
    more: list[Ran] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(
        default_factory=lambda: [{"kind": "step.completed", "step": "mail", "at": at(2)}]
    )

    def said(self, **how: Any) -> list[str]:
        ran = Ran(self.execution, "tx", [self.step, *self.steps], [self.message], self.lines)
        record = Record({"tx": self.event} if self.event else {}, [ran, *self.more] if self.execution else self.more)
        return broken(self.history.operations(), self.calls, record, **how)


def call(**otherwise: Any) -> Call:
    facts = {
        "n": 1, "at": at(1.5).timestamp(), "key": "k", "to": "ada@example.com", "hash": "h", "subject": "mail",
        "kind": "none", "did": "ok", "accepted": True, "delivered": True, "pid": 1,
    }  # fmt: skip
    return Call(**facts | otherwise)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    history = History(tmp_path / "history.jsonl")
    history.invoke("tx", "trigger", to=["ada"])
    history.ok("tx", event_id="e")
    return Case(history)


def test_a_good_run_is_acquitted(case: Case) -> None:
    """Nothing is said of a run in which all went well."""
    assert [] == case.said(delays={})


def digest(status: str, *events: str) -> dict[str, Any]:
    return {
        "name": "gather", "kind": "digest", "status": status, "reason": None, "position": 0,
        "result": [{"id": event} for event in events], "started_at": at(0), "finished_at": at(1),
    }  # fmt: skip


def lost_event(case: Case) -> None:
    case.event = {}
    case.execution = {}
    case.calls = []


def no_execution(case: Case) -> None:
    case.execution = {}
    case.calls = []


def other_event(case: Case) -> None:
    case.history.invoke("tx", "trigger", to=["ada"])
    case.history.ok("tx", event_id="another")


def stranger(case: Case) -> None:
    case.execution["subscriber_id"] = "eve"


def twice(case: Case) -> None:
    case.more = [Ran(case.execution | {"id": UUID(int=9)}, "tx")]


def late_request(case: Case) -> None:
    case.calls.append(call(n=2, at=at(3).timestamp(), delivered=False))
    case.message["attempts"] = 2


def unrecorded(case: Case) -> None:
    case.calls.append(call(n=2, delivered=False))


def unknown_key(case: Case) -> None:
    case.calls.append(call(n=2, key="other"))


def unadmitted(case: Case) -> None:
    case.calls.append(call(n=2))
    case.message["attempts"] = 2


def not_asked(case: Case) -> None:
    case.calls = [call(kind="lookup"), call(n=2, kind="lookup")]
    case.message |= {"attempts": 2, "possible_duplicate": True}


def never_sent(case: Case) -> None:
    case.calls = []


def two_bodies(case: Case) -> None:
    case.calls.append(call(n=2, hash="other", delivered=False))
    case.message["attempts"] = 2


def denied(case: Case) -> None:
    case.message["status"] = "failed"


def stuck(case: Case) -> None:
    case.execution["status"] = "running"


def owned(case: Case) -> None:
    case.execution["worker_id"] = UUID(int=5)


def expanding(case: Case) -> None:
    case.event["status"] = "expanding"


def not_silent(case: Case) -> None:
    case.history.invoke("cancel tx", "cancel", transaction_id="tx")
    case.history.ok("cancel tx", cancelled=1, cancelling=0)
    case.calls[0] = call(at=datetime.now(UTC).timestamp() + 60)
    case.lines = []


def cancelled_before(case: Case) -> None:
    case.execution |= {"status": "cancelled", "finished_at": at(1)}
    case.lines = []


def dropped_event(case: Case) -> None:
    case.steps = [digest("completed", "another")]


def doubled_event(case: Case) -> None:
    case.steps = [digest("completed", "tx", "tx")]


def early(case: Case) -> None:
    case.steps = [
        {"name": "wait", "kind": "delay", "status": "completed", "reason": None, "position": 0, "result": None,
         "started_at": at(0), "finished_at": at(0.5)}
    ]  # fmt: skip


def silent_failure(case: Case) -> None:
    case.step |= {"status": "failed", "reason": None}


def left_calling(case: Case) -> None:
    case.message["status"] = "calling"


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        (lost_event, "P1"), (no_execution, "P1"), (stranger, "P1"), (twice, "P1"), (other_event, "P2"),
        (late_request, "P3"), (unrecorded, "P4"), (unknown_key, "P4"), (unadmitted, "P4"), (not_asked, "P4"),
        (never_sent, "P4"), (two_bodies, "P4"), (denied, "P4"), (stuck, "P5"), (owned, "P5"), (expanding, "P5"),
        (not_silent, "P6"), (cancelled_before, "P6"), (dropped_event, "P7"), (doubled_event, "P7"), (early, "P8"),
        (silent_failure, "P22"), (left_calling, "P22"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_named(case: Case, spoil: Callable[[Case], None], promise: str) -> None:
    """One thing is spoilt, and its promise is named, with the transaction or the step."""
    spoil(case)
    said = case.said(delays={"wait": 1.0})
    assert promise in {line.split()[0] for line in said}, said
    assert all(any(name in line for name in ("tx", "step", "ada@example.com")) for line in said), said


def test_p17_names_the_members_who_were_forgotten(case: Case) -> None:
    """A topic's trigger has one execution for each member."""
    case.history.invoke("topic", "trigger", members=["ada", "bob"])
    case.history.ok("topic")
    ran = Ran(case.execution | {"id": UUID(int=9)}, "topic")
    case.more = [ran]
    record = Record({"tx": case.event, "topic": case.event}, [ran])
    assert any(line.startswith("P17 topic") and "bob" in line for line in broken(case.history.operations(), [], record))


def test_p24_a_refused_trigger_leaves_nothing(case: Case) -> None:
    """What was answered with a refusal is not in the database."""
    case.history.invoke("no", "trigger", to=["ada"])
    case.history.fail("no", "422")
    said = broken(case.history.operations(), [], Record({"tx": case.event, "no": case.event}, []), share=0)
    assert any(line.startswith("P24 no") for line in said)


def test_p15_steps_call_in_their_order(case: Case) -> None:
    """A later step that called first is named."""
    second = case.message | {"name": "later", "idempotency_key": "k2"}
    steps = [case.step, case.step | {"name": "later", "position": 2}]
    ran = Ran(case.execution, "tx", steps, [case.message, second], [])
    calls = [call(), call(n=2, key="k2", at=at(1).timestamp())]
    said = broken(case.history.operations(), calls, Record({"tx": case.event}, [ran]))
    assert [True] == [line.startswith("P15 tx") for line in said]


def test_a_run_that_does_nothing_proves_nothing(case: Case) -> None:
    """Fewer than nine in ten operations that ended ok are too few."""
    case.history.invoke("down", "trigger", to=["ada"])
    case.history.info("down", "cut off")
    assert [True] == [line.startswith("TOO LITTLE") for line in case.said()]
    assert [] == case.said(share=0.5)
