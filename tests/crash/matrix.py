"""The crash matrix: the last thing that was done before the process died, and what must be so after the recovery.

Rows K0 … K22, Z1, Z2 and CK are those of the reliability plan. ``at`` is a crash point of ``novukit.crash``; where it
is empty the process is killed from outside, while the provider has its request and has not answered (``answers``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Span = tuple[int, int]

WAYS: dict[str, dict[str, Any]] = {
    "native": {"kind": "native"},
    "lookup": {"kind": "lookup"},
    "retry": {"kind": "none"},
    "park": {"kind": "none", "on_unknown": "park"},
}
"""Provider without and with idempotency, and what the workflow wants done when nobody knows."""


@dataclass(frozen=True)
class Row:
    """One line of the matrix. ``calls`` are the requests for the step ``first`` in the end, ``delivered`` the messages
    that a person got; ``traces`` how often the custom step's function ran."""

    id: str
    says: str
    at: str
    scenario: str = "letters"
    way: str = "native"
    calls: Span = (1, 1)
    delivered: Span = (1, 1)
    status: str = "completed"
    step: str = "first"
    """The step at which it is parked."""
    doubtful: bool = False
    """Whether the message must be marked as a possible duplicate."""
    traces: Span | None = None
    events: int = 1
    members: int = 0
    answers: tuple[str, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    """The classes of the providers that were asked, in order; not looked at where empty."""

    @property
    def name(self) -> str:
        """For test ids and for the trials of the row."""
        return f"{self.id}-{self.way}-{self.at.replace('.', '-').replace(':', '-').replace('_', '')}".rstrip(
            "-"
        ).lower()


ACCEPTING = [
    Row("K0", "the request was read", "trigger.before"),
    Row("K1", "the transaction of the trigger is open", "trigger.mid"),
    Row("K2", "the trigger is durable, nobody was told", "trigger.after"),
    Row("K3", "the client was told, no worker heard the bell", "answered"),
    Row("K5", "a worker heard the bell", "claim.before"),
    Row("K6", "a worker owns the execution", "claim.after"),
]


def _unknown(id: str, says: str, at: str, *, asked: bool, accepted: bool, answers: tuple[str, ...] = ()) -> list[Row]:
    """The rows of one death between a message's intent and its checkpoint: one for each way."""
    n, got = int(asked), int(accepted)
    again = 1 if accepted else n + 1  # whoever can be asked is asked before it is sent again

    def row(way: str, calls: int, delivered: int = 1, **more: Any) -> Row:
        return Row(
            id, says, at, way=way, calls=(calls, calls), delivered=(delivered, delivered), answers=answers, **more
        )

    return [
        row("native", n + 1),
        row("lookup", again, doubtful=not accepted),
        row("retry", n + 1, got + 1, doubtful=True),
        row("park", n, got, status="parked"),
    ]


CALLING = [
    *_unknown("K6b", "the message is on record, nobody was called", "intent.after", asked=False, accepted=False),
    *_unknown("K6b", "the provider is about to be called", "call.before", asked=False, accepted=False),
    *_unknown("K6b", "the connection stands, nothing left", "send.before", asked=False, accepted=False),
    *_unknown("K7", "the request left", "", asked=True, accepted=False, answers=("timeout-before", "ok")),
    *_unknown("K8", "the provider accepted", "", asked=True, accepted=True, answers=("timeout-after", "ok")),
    *_unknown("K9", "the answer was read", "call.after", asked=True, accepted=True),
    *_unknown("K10", "the answer is about to be recorded", "email.completed.before", asked=True, accepted=True),
    *(Row("K11", "the answer is on record", "email.completed.after", way=way) for way in WAYS if way != "park"),
    # The second message's intent went on record in the same commit: nobody was called for it, and nobody can know.
    Row("K11", "the answer is on record", "email.completed.after", way="park", status="parked", step="second"),
]

STEPPING = [
    Row("K11", "the author's function has not begun", "custom.before", "effect", traces=(1, 1)),
    Row("K11", "the author's function has ended", "custom.after", "effect", traces=(2, 2)),
    Row("K11", "its result is about to be recorded", "custom.completed.before", "effect", traces=(2, 2)),
    Row("K11", "its result is on record", "custom.completed.after", "effect", traces=(1, 1)),
    Row("K12", "the inbox message is about to be recorded", "in_app.completed.before", "inbox"),
    Row("K12", "the inbox message is durable, its hint unsent", "in_app.completed.after", "inbox"),
    Row("K13", "the timer is about to be recorded", "delay.waiting.before", "later"),
    Row("K13", "the timer is durable", "delay.waiting.after", "later"),
    Row("K13", "the execution sleeps", "execution.waiting.after", "later"),
    Row("K13", "the timer is over and about to be recorded so", "delay.completed.before", "later"),
    Row("K17", "the refusal is about to be recorded", "email.retrying.before", calls=(2, 2), answers=("429", "ok")),
    Row("K17", "the refusal is on record", "email.retrying.after", calls=(2, 2), answers=("429", "ok")),
    Row("K17", "the refusal is on record", "email.retrying.after", way="park", calls=(2, 2), answers=("429", "ok")),
    Row("K18", "the end is about to be recorded", "execution.completed.before"),
    Row("K18", "the end is on record", "execution.completed.after"),
]

GATHERING = [
    Row("K14", "a window is open, uncommitted", "digest.waiting.mid", "gathered", events=3),
    Row("K14", "a window is open", "digest.waiting.after", "gathered", events=3),
    Row("K14", "an event joined a window, uncommitted", "digest.merged.mid", "gathered", events=3),
    Row("K14", "an event joined a window", "digest.merged.after", "gathered", events=3),
    Row("K15", "a window is closed, uncommitted", "digest.completed.mid", "gathered", events=3),
    Row("K15", "a window is closed", "digest.completed.after", "gathered", events=3),
    Row("K15", "the digest is on record, nobody was called", "intent.after", "gathered", events=3),
    Row("K15", "the digest was sent", "call.after", "gathered", way="native", events=3, calls=(2, 2)),
]

# Who expands one trial's event may at that moment run another's members: their calls may be cut off, and repeated.
SPREAD: Any = {"members": 7, "calls": (7, 14), "delivered": (7, 7)}
SPREADING = [
    Row("K16", "the first page is written, uncommitted", "fanout.mid:1", **SPREAD),
    Row("K16", "the first page is durable", "fanout.after:1", **SPREAD),
    Row("K16", "the second page is written, uncommitted", "fanout.mid:2", **SPREAD),
    Row("K16", "the last page is durable", "fanout.after:3", **SPREAD),
]

NOTHING: Any = {"scenario": "later", "calls": (0, 0), "delivered": (0, 0), "status": "cancelled"}
CANCELLING = [
    Row("K20", "the cancel is written, uncommitted", "cancel.mid", **NOTHING),
    Row("K20", "the cancel is durable, nobody was told", "cancel.after", **NOTHING),
]

# Refused by the first provider («in two minutes»), the message goes to the second one, which can be asked.
REFUSED: Any = {"scenario": "handed", "answers": ("429:120", "ok"), "calls": (2, 2)}
HANDING_ON = [
    Row("K22", "the next one is about to be chosen", "email.calling.before:2", kinds=("native", "native"), **REFUSED),
    Row(
        "K22",
        "the next one is on record",
        "email.calling.after:2",
        kinds=("native", "lookup"),
        doubtful=True,
        **REFUSED,
    ),
    Row(
        "K22",
        "the next one is about to be called",
        "call.before:2",
        kinds=("native", "lookup"),
        doubtful=True,
        **REFUSED,
    ),
    Row("K22", "the next one has answered", "call.after:2", kinds=("native", "lookup"), **REFUSED),
    Row(
        "K22",
        "the first one accepted, and nobody knows",
        "",
        "handed",
        kinds=("native", "native"),
        calls=(2, 2),
        answers=("timeout-after", "ok"),
    ),
]

FAMILIES = {
    "accepting": ACCEPTING, "calling": CALLING, "stepping": STEPPING, "gathering": GATHERING, "spreading": SPREADING,
    "handing on": HANDING_ON,
}  # fmt: skip

ELSEWHERE = {
    "K4": "A recovering process hears no bell of the dead one, so every row here is a lost bell. FLUSHALL under real "
    "workers: tests/queue and the chaos run.",
    "K10": "On Postgres a group without a lock is one statement: its «transaction open» is on the wire only. "
    "test_outage swallows it and its reply there.",
    "K11b": "test_outage: a proxy swallows the statement, or its reply.",
    "K19": "The bell is acknowledged when it is heard and carries no work, so there is nothing between ack and XDEL "
    "that could be lost. tests/queue.",
    "K20": "The engine's answer, «cancelled» or «cancelling»; the HTTP route says only true.",
    "K21": "There are no outgoing webhooks yet.",
    "Z1": "test_frozen.", "Z2": "test_frozen: the documented window.", "CK": "test_clock.",
}  # fmt: skip
"""Rows that are not, or not only, in the families; and why."""

PLANNED = [
    *(f"K{n}" for n in range(23)), "K6b", "K11b", "Z1", "Z2", "CK",
]  # fmt: skip
