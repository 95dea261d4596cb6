"""What came of a chaos run: the judge's sentences and those that only this run can say, with the schedule."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..proof import judge as proof
from ..proof.history import Operation, read_history
from ..proof.ledger import Call, read_calls
from ..proof.record import Record, record_of
from .faults import FREEZE, Fault, Hurt
from .machines import Kept, Life
from .workflows import DELAY

if TYPE_CHECKING:
    from .clients import Clients
    from .run import Place

MOST = 40
"""Sentences that are shown."""
MOMENT = 0.5
"""Seconds after SIGCONT in which a request counts as begun before the freeze."""
ENDINGS = {"completed", "merged", "cancelled"}


@dataclass
class Verdict:
    """A run, and what it broke."""

    seed: int
    schedule: list[Fault]
    hurt: list[Hurt] = field(default_factory=list[Hurt])
    began: float = 0.0
    healed: float = 0.0
    answered: float = 0.0
    """Seconds from healing until all was up, and all clients had their answers."""
    settled: float = 0.0
    """Seconds from then until nothing was under way."""
    under_way: int | None = None
    broken: list[str] = field(default_factory=list[str])
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    excused: list[str] = field(default_factory=list[str])
    """What the documented window explains: a freeze between a worker's last look at its lease and the write."""
    slopes: str = ""
    logs: list[str] = field(default_factory=list[str])
    """The end of what each program said on stderr."""

    def __str__(self) -> str:
        """All that one needs to look into it: seed, schedule, figures, sentences."""
        lines = [f"seed {self.seed}", "", *[self._line(fault) for fault in self.schedule], ""]
        lines += [f"{name}: {value}" for name, value in self.figures.items()]
        lines += [self.slopes] if self.slopes else []
        lines += ["", *(self.broken[:MOST] or ["All promises hold."])]
        lines += [f"… and {len(self.broken) - MOST} more"] if len(self.broken) > MOST else []
        lines += self.logs if self.broken else []
        return "\n".join(lines)

    def _line(self, fault: Fault) -> str:
        done = next((hurt for hurt in self.hurt if hurt.fault is fault), None)
        if done is None:
            return f"{fault}  (nobody was there to be hurt)"
        of = f"  pid {done.pid}" if done.pid else ""
        return f"{fault}  done from {done.began - self.began:.2f} to {done.ended - self.began:.2f} s{of}"


async def judge(said: Verdict, place: Place, clients: Clients) -> None:
    """Read what clients, provider and database know, and write down what is broken."""
    operations, calls = read_history(place.folder / "history.jsonl"), read_calls(place.book.file)
    await place.postgres.up()
    record = await record_of(place.postgres.url("chaos"))
    said.broken = _excuse(said, proof.broken(operations, calls, record, delays={"wait": DELAY}), calls)
    said.broken += clients.complaints
    said.broken += [line for program in place.programs for line in program.complaints]
    said.logs = [f"\n— the end of {program.name}.log —\n{program.tail(2000)}" for program in place.programs]
    said.broken += _lost(record)
    said.broken += _traced(place, record)
    statuses = Counter(ran.status for ran in record.executions)
    keys, delivered = Counter(call.key for call in calls), Counter(call.key for call in calls if call.delivered)
    ok = sum(one.state == "ok" for one in operations)
    said.figures = {
        "operations": f"{ok} of {len(operations)} ok, {dict(Counter(one.kind for one in operations))}",
        "answers": dict(clients.answers),
        "slowest answer by status (s)": {status: round(took, 2) for status, took in clients.slowest.items()},
        "asked until ok (s)": _spread(clients.waits),
        "executions": dict(statuses),
        "provider requests": f"{len(calls)}, {len(keys)} keys, {sum(n > 1 for n in keys.values())} of them repeated",
        "requests by behaviour": dict(Counter(call.did.partition(":")[0] for call in calls)),
        "delivered twice, admitted": sum(n > 1 for n in delivered.values()),
        "begun as a frozen worker woke": said.excused,
        **{
            f"lives of {program.name}": "; ".join(_life(life, said.began) for life in program.lives)
            for program in place.programs
        },
        "faults": dict(Counter(hurt.fault.what for hurt in said.hurt)),
        "taken over": sum(
            line["kind"] == "execution.taken_over" for ran in record.executions for line in ran.lines
        ),
        "first ok after Postgres was back, where the server lived on (s)": _resumed(said, place.server, operations),
        "after healing all was answered (s)": round(said.answered, 1),
        "and at rest (s)": round(said.settled, 1),
    }  # fmt: skip


def _excuse(said: Verdict, broken: list[str], calls: Sequence[Call]) -> list[str]:
    """``broken`` without the one request that each frozen worker may have begun the moment it woke (P3's window)."""
    thaws = [hurt for hurt in said.hurt if hurt.fault.what == FREEZE]
    by_number = {call.n: call for call in calls}
    for line in list(broken):
        found = re.match(r"P[36] .*request (\d+) began", line)
        call = by_number[int(found[1])] if found else None
        for thaw in thaws:
            if call is not None and call.pid == thaw.pid and -0.1 < call.at - thaw.ended < MOMENT:
                thaws.remove(thaw)
                broken.remove(line)
                said.excused.append(line)
                break
    return broken


def _lost(record: Record) -> list[str]:
    """With a provider that recovers and thirty attempts, nothing has a reason to fail."""
    found: list[str] = []
    for ran in record.executions:
        asked_to_park = record.events[ran.transaction_id]["payload"]
        park = json.loads(asked_to_park)["on_unknown"] == "park"
        if ran.status in proof.FINAL - ENDINGS and not (ran.status == "parked" and park):
            found.append(f"P1 {ran.name}: it is {ran.status} ({ran.row['reason']}: {ran.row['detail']}).")
    return found


def _traced(place: Place, record: Record) -> list[str]:
    """The author's function ran, never after its result was on record, and at most once in each run."""
    traces: dict[str, list[float]] = {}
    file = place.folder / "traces.jsonl"
    for line in file.read_text().splitlines() if file.exists() else ():
        one = json.loads(line)
        traces.setdefault(one["execution"], []).append(one["at"])
    found: list[str] = []
    for ran in record.executions:
        done, times = ran.completed_at("trace"), traces.pop(str(ran.row["id"]), [])
        if done is not None and not times:
            found.append(f"P3 {ran.name}: its function is complete on record, and never ran.")
        if done is not None and any(at > done for at in times):
            found.append(f"P3 {ran.name}: its function ran again after it was complete.")
        if len(times) > ran.row["runs"]:
            found.append(f"P3 {ran.name}: its function ran {len(times)} times in {ran.row['runs']} runs.")
    if traces:
        found.append(f"P1: functions of {len(traces)} executions ran that no record knows.")
    return found


def _resumed(said: Verdict, server: Kept, operations: Sequence[Operation]) -> list[float]:
    oks = sorted(answer.at for one in operations for answer in one.oks)
    found: list[float] = []
    for back in [hurt.ended for hurt in said.hurt if hurt.fault.what == "immediate stop of Postgres"]:
        first = next((at for at in oks if at > back), None)
        lived = any(life.up and life.ended and life.up < back and life.ended > (first or back) for life in server.lives)
        if first is not None and lived:
            found.append(round(first - back, 1))
    return found


def _life(life: Life, began: float) -> str:
    moments = [f"{at - began:.1f}" if at else "-" for at in (life.began, life.up, life.ended)]
    return f"{life.pid}: began {moments[0]}, up {moments[1]}, {life.asked or 'ended'} {moments[2]} ({life.code})"


def _spread(values: list[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    at = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 1)]
    return "median {:.3f}, 95 % {:.2f}, longest {:.2f}".format(*at)
