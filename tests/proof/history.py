"""What a client asked for and heard, written by the client itself: invoke, then ok, fail, or info (nobody knows).

One operation is one thing that is wanted, however often it is asked for: whoever hears nothing asks again under the
same id. A trigger's id is its transaction id ::

    history = History(folder / "history.jsonl")
    history.invoke("tx-1", "trigger", to=["ada"])            # members=[…] for a topic's; workflow="…" if you like
    history.ok("tx-1", event_id="…", executions=1)           # or fail("tx-1", "422 …"), or info("tx-1", "cut off")
    history.invoke("c-1", "cancel", transaction_id="tx-1")
    history.ok("c-1", cancelled=1, cancelling=0)             # leave both out where the answer did not say
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """How one attempt ended: ``state`` is ok, fail or info."""

    state: str
    at: float
    facts: dict[str, Any]


@dataclass
class Operation:
    """One thing that a client wanted."""

    op: str
    kind: str
    facts: dict[str, Any]
    invoked: list[float] = field(default_factory=list[float])
    answers: list[Answer] = field(default_factory=list[Answer])

    @property
    def state(self) -> str:
        """ok if any attempt was; else what the last one heard."""
        states = [answer.state for answer in self.answers]
        return "ok" if "ok" in states else states[-1] if states else "info"

    @property
    def oks(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.state == "ok"]


class History:
    """Appends to a file; times are wall time in seconds."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._out = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)

    def invoke(self, op: str, kind: str, **facts: Any) -> None:
        """``op`` is asked for now (again)."""
        self._write(op=op, kind=kind, state="invoke", facts=facts)

    def ok(self, op: str, **answer: Any) -> None:
        """It was answered."""
        self._write(op=op, state="ok", facts=answer)

    def fail(self, op: str, why: str) -> None:
        """It was plainly refused: nothing happened."""
        self._write(op=op, state="fail", facts={"why": why})

    def info(self, op: str, why: str) -> None:
        """Nobody knows whether it happened."""
        self._write(op=op, state="info", facts={"why": why})

    def close(self) -> None:
        os.close(self._out)

    def operations(self) -> list[Operation]:
        """All so far, in order of their first asking."""
        return read_history(self.file)

    def _write(self, **line: Any) -> None:
        os.write(self._out, json.dumps(line | {"at": time.time()}, ensure_ascii=False).encode() + b"\n")


def read_history(file: Path) -> list[Operation]:
    """The operations of a history."""
    return _operations(json.loads(line) for line in file.read_text("utf-8").splitlines())


def _operations(lines: Iterable[dict[str, Any]]) -> list[Operation]:
    found: dict[str, Operation] = {}
    for line in lines:
        if line["state"] == "invoke":
            one = found.setdefault(line["op"], Operation(line["op"], line["kind"], line["facts"]))
            one.invoked.append(line["at"])
        else:
            found[line["op"]].answers.append(Answer(line["state"], line["at"], line["facts"]))
    return list(found.values())
