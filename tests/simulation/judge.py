"""``Judge``: the promises, held against every commit, every call to a provider and every answer to a client.

I0 to I14 are those of safety: they hold at each moment, whatever fails. A promise that is broken ends the world.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from novukit.engine.shift import MARGIN

from .disk import Change
from .mirror import Mirror, Moment, Row
from .workflows import LIMIT, SPAN

if TYPE_CHECKING:
    from .post import Call
    from .site import Site
    from .world import World

FINAL = {"completed", "merged", "cancelled", "failed", "parked"}
ENDED = {"completed", "skipped", "merged", "failed"}
"""Steps that are never begun again."""
WAYS = {
    "pending": {"running", "cancelled"},
    "running": {"pending", "waiting", *FINAL},
    "waiting": {"running", "cancelled"},
    "merged": {"waiting"},
    "failed": {"pending"},
    "parked": {"pending"},
}
"""I7: where an execution may go. A merged one wakes when it inherits a digest; failed and parked ones are resumed."""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Judge:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self.world, self.mirror = world, Mirror()
        self.commits = 0
        self.seen = Counter[str]()
        """What has happened, so that a world in which little happens can be told from a good one."""
        self.owners: dict[str, tuple[Site, int]] = {}
        """Which process took which lease."""
        self.members: dict[tuple[str, str], set[str]] = {}
        """Whom a transaction may reach: by environment and transaction id."""
        self.resumed = set[str]()
        self._transactions: set[tuple[str, str]] = set()
        self._recipients: set[tuple[str, str]] = set()
        self._digested: dict[tuple[str, str, str], str] = {}
        self._stopping: set[str] = set()

    def broken(self, promise: str, said: str) -> None:
        self.world.broken(promise, said)

    # What is committed.

    def committed(self, site: Site, changes: Sequence[Change]) -> None:
        """One transaction of ``site`` is durable."""
        self.commits += 1
        steps = {_execution_of(change) for change in changes if change[0] == "checkpoint"}
        owned = {one: self._owner_of(one) for one in steps}
        stopping = set[str]()
        touched = dict[str, None]()
        for change in changes:
            one = self.mirror.apply(change)
            match one.table:
                case "event":
                    self._event(one)
                case "execution":
                    self._execution(site, one, stopping)
                    touched[(one.after or one.before or {})["id"]] = None
                case "checkpoint":
                    self._checkpoint(site, one, owned)
                    touched[(one.after or one.before or {})["execution_id"]] = None
                case "message":
                    self._message(one)
                case "worker":
                    self._worker(site, one)
                case "throttle_pass":
                    self._throttle(one)
                case _:
                    pass
        for execution_id in touched:
            self._in_order(execution_id)
        self._stopping |= stopping

    def _event(self, one: Moment) -> None:
        row = one.after
        if row is None or one.before is not None:
            return
        here = row["environment_id"], row["transaction_id"]
        if here in self._transactions:
            self.broken("I0", f"transaction {row['transaction_id']} began two events")
        self._transactions.add(here)

    def _execution(self, site: Site, one: Moment, stopping: set[str]) -> None:
        row, before = one.after, one.before
        if row is None:
            self.broken("P1", f"execution {one.before} is gone")
            return
        event = self.mirror.event.get(row["event_id"])
        if before is None:
            self._new_execution(row, event)
            return
        name, was, now = self.world.short(row["id"]), before["status"], row["status"]
        if was == now:
            if was == "running" and row["worker_id"] != before["worker_id"]:
                self.broken("I11", f"{name} went from one owner straight to another")
        elif now not in WAYS.get(was, ()):
            self.broken("I7", f"{name} went from {was} to {now}")
        self._note(row, before, site)
        if row["runs"] < before["runs"]:
            self.broken("I7", f"the runs of {name} went from {before['runs']} to {row['runs']}")
        if now in ("cancelled", "failed", "parked") and not row["reason"]:
            self.broken("I13", f"{name} is {now} without a reason")
        if was == "running" and now not in ("running", "pending"):
            owner = self.owners.get(before["worker_id"])
            if owner != (site, site.lives):
                self.broken("I11", f"{site} settled {name} as {now}, which {_who(owner)} owns")
        if now == "running" and was != "running":
            if was == "waiting" and before["wake_at"] and moment(before["wake_at"]) > site.clock.now():
                self.broken("I10", f"{name} woke before its time")
            if row["worker_id"] not in self.mirror.worker:
                self.broken("I11", f"{name} was claimed by a worker without a lease")
        if row["cancel_requested_at"]:
            stopping.add(row["id"])

    def _note(self, row: Row, before: Row, site: Site) -> None:
        was, now = before["status"], row["status"]
        if was != now:
            self.seen[now] += 1
        if (was, now) in (("failed", "pending"), ("parked", "pending")):
            self.seen["resumed"] += 1
            self.resumed.add(row["id"])
            self._stopping.discard(row["id"])
        if (was, now) == ("running", "pending"):
            other = self.owners.get(before["worker_id"]) != (site, site.lives)
            self.seen["taken over" if other else "given back"] += 1
        if (was, now) == ("merged", "waiting"):
            self.seen["digest inherited"] += 1
        if row["cancel_requested_at"] and not before["cancel_requested_at"]:
            self.seen["cancelling"] += 1

    def _new_execution(self, row: Row, event: Row | None) -> None:
        name = self.world.short(row["id"])
        if event is None or event["environment_id"] != row["environment_id"]:
            self.broken("I8", f"{name} is not in the environment of its event")
            return
        who = row["event_id"], row["subscriber_id"]
        if who in self._recipients:
            self.broken("I0", f"{row['subscriber_id']} has two executions of event {event['transaction_id']}")
        self._recipients.add(who)
        meant = self.members.get((event["environment_id"], event["transaction_id"]), set())
        if row["subscriber_id"] not in meant:
            self.broken("I12", f"{name}: {row['subscriber_id']} was not meant by {event['transaction_id']}")
        if event["status"] == "cancelled":
            self.broken("P6", f"{name} began after its event was cancelled")

    def _owner_of(self, execution_id: str) -> tuple[Site, int] | None:
        row = self.mirror.execution.get(execution_id)
        return self.owners.get(row["worker_id"]) if row else None

    def _checkpoint(self, site: Site, one: Moment, owned: dict[str, tuple[Site, int] | None]) -> None:
        row, before = one.after, one.before
        if row is None:
            self.broken("I7", f"the record of a step is gone: {before}")
            return
        one_of, was, now = row["execution_id"], before["status"] if before else None, row["status"]
        stands, name = self.mirror.execution[one_of]["status"], f"{self.world.short(one_of)} {row['step_id']}"
        heir = (was, now) == ("merged", "waiting")
        resumed = now == "retrying" and one_of in self.resumed and stands == "pending"
        changed = now != was or row["result"] != (before or {})["result"]
        # A throttle that asks again, for its answer was lost, may count others that came meanwhile.
        counted_anew = (was, now, row["kind"]) == ("completed", "completed", "throttle")
        if was in ENDED and changed and not (heir or resumed or counted_anew):
            self.broken("I7", f"{name} went from {was} to {now}, or has another result")
        by_others = heir or resumed or (now in ("skipped", "unknown") and stands == "cancelled")
        if owned[one_of] != (site, site.lives) and not by_others:
            self.broken("I11", f"{site} recorded {name} as {now}, but {_who(owned[one_of])} owns it")
        if before and row["attempts"] < before["attempts"] and not resumed:
            self.broken("I7", f"the attempts at {name} went from {before['attempts']} to {row['attempts']}")
        if now in ("failed", "skipped", "unknown", "retrying") and not (row["reason"] or resumed):
            self.broken("I13", f"{name} is {now} without a reason")
        if now == "calling":
            self._intent(row, name, first=before is None)
        slept = now == "completed" and row["kind"] in ("delay", "digest") and before and before["wake_at"]
        if slept and moment(slept) > site.clock.now():
            self.broken("I10", f"{name} ended before its time")
        if row["kind"] == "digest" and now == "completed" and was != "completed":
            self._digest(row, name)

    def _intent(self, row: Row, name: str, *, first: bool) -> None:
        execution = self.mirror.execution[row["execution_id"]]
        if row["execution_id"] in self._stopping:
            self.broken("I4", f"{name} is about to be sent after its execution was told to stop")
        at = execution["environment_id"], execution["subscriber_uuid"], execution["workflow_id"]
        if first and not self.mirror.allows(*at, row["kind"]):
            self.broken("I14", f"{name} is about to be sent through a channel that was switched off")

    def _digest(self, row: Row, name: str) -> None:
        for event in json.loads(row["result"]):
            here = row["environment_id"], event["id"], self.mirror.execution[row["execution_id"]]["subscriber_uuid"]
            if (other := self._digested.get(here)) is not None:
                self.broken("I5", f"event {event['id']} is in the digest of {name} and in that of {other}")
            self._digested[here] = name

    def _message(self, one: Moment) -> None:
        row, before = one.after, one.before
        if row is None:
            self.broken("P11", f"a message is gone: {before}")
        elif before and before["status"] == "sent" and row["status"] != "sent":
            self.broken("I7", f"a message went from sent to {row['status']}")
        elif before and before["idempotency_key"] != row["idempotency_key"]:
            self.broken("I3", "a message got another key")

    def _worker(self, site: Site, one: Moment) -> None:
        if one.before is None and one.after is not None:
            self.owners[one.after["id"]] = (site, site.lives)
        elif one.after is None and one.before is not None:
            owner = self.owners[one.before["id"]]
            left = moment(one.before["lease_until"]) - self.world.now()
            if owner != (site, site.lives) and left > timedelta(seconds=MARGIN):
                self.broken("I11", f"{site} reaped {_who(owner)}, whose lease had {left} left")

    def _throttle(self, one: Moment) -> None:
        row = one.after
        if row is None or one.before is not None:
            return
        turnstile = [row[name] for name in ("environment_id", "step_id", "subscriber_uuid", "throttle_key")]
        at, window = moment(row["at"]), SPAN - timedelta(seconds=MARGIN)
        passed = [
            other for other in self.mirror.throttle_pass.values()
            if at - window < moment(other["at"]) <= at
            and turnstile == [other[name] for name in ("environment_id", "step_id", "subscriber_uuid", "throttle_key")]
        ]  # fmt: skip
        if len(passed) > LIMIT:
            self.broken("throttle", f"{len(passed)} passed within the window, {LIMIT} may")

    def _in_order(self, execution_id: str) -> None:
        """I6: a step begins when all before it have ended. And the inbox holds what the record says."""
        rows = sorted(self.mirror.steps[execution_id].values(), key=lambda row: row["position"])
        for earlier, later in pairwise(rows):
            if earlier["status"] not in ENDED:
                name = self.world.short(execution_id)
                self.broken("I6", f"{name} {later['step_id']} began while {earlier['step_id']} is {earlier['status']}")
        if [row["position"] for row in rows] != list(range(1, len(rows) + 1)):
            steps = [f"{row['position']} {row['step_id']}" for row in rows]
            self.broken("I6", f"{self.world.short(execution_id)} has a gap in its steps: {', '.join(steps)}")
        for row in rows:
            if row["kind"] == "in_app" and row["status"] == "completed":
                message = self.mirror.message.get(row["message_id"])
                if message is None or message["status"] != "sent":
                    self.broken("P11", f"{self.world.short(execution_id)} is done, and nothing is in the inbox")

    # What leaves the workers.

    def call_begins(self, call: Call, earlier: Sequence[Call]) -> None:
        """A provider is about to be called."""
        name = f"{self.world.short(call.execution)} {call.step}"
        execution = self.mirror.execution.get(call.execution)
        if execution is None:
            self.broken("I1", f"{name} is sent, and there is no such execution on record")
            return
        row = self.mirror.steps[call.execution].get((call.step, ""))
        if row is not None and row["status"] in ENDED:
            self.broken("I2", f"{name} is sent by {call.site}, and is on record as {row['status']}")
        if execution["status"] != "running" or self._owner_of(call.execution) != (call.site, call.life):
            owner = _who(self._owner_of(call.execution))
            said = f"{name} is sent by {call.site}, while it is {execution['status']} and {owner} owns it"
            self.broken("I4" if execution["status"] == "cancelled" else "I2", said)
        if row is None or row["status"] != "calling":
            self.broken("P4", f"{name} is sent without an intent on record")
        else:
            message = self.mirror.message.get(row["message_id"])
            if message is None or message["idempotency_key"] != call.key:
                self.broken("I3", f"{name} is sent with another key than the one on record")
        if any((other.key, other.body) != (call.key, call.body) for other in earlier):
            self.broken("I3", f"{name} is sent again with another key or other words")
        self.seen["called again" if earlier else "called"] += 1
        for other in earlier:
            knew = (other.site, other.life) == (call.site, call.life) and self.world.reliable
            if other.answered == "accepted" and knew:
                self.broken("I3", f"{name} is sent again, though the first answer was heard")

    def function_begins(self, site: Site, execution_id: str, step: str) -> None:
        """The author's function is about to run."""
        row = self.mirror.steps[execution_id].get((step, ""))
        if row is not None and row["status"] in ENDED:
            self.broken("I2", f"the function of {self.world.short(execution_id)} {step} runs again in {site}")

    # What clients are told.

    def accepted(self, environment_id: str, transaction_id: str, event_id: str, direct: Sequence[str]) -> None:
        """A client was told that a trigger is accepted."""
        event = self.mirror.event.get(event_id)
        if event is None or (event["environment_id"], event["transaction_id"]) != (environment_id, transaction_id):
            self.broken("I1", f"transaction {transaction_id} was accepted and is not on record")
            return
        there = {row["subscriber_id"] for row in self.mirror.executions_of(event_id)}
        if missing := set(direct) - there:
            self.broken("I1", f"transaction {transaction_id} was accepted without executions for {sorted(missing)}")

    def cancelled(self, environment_id: str, transaction_id: str, cancelling: int) -> None:
        """A client was told that a transaction is cancelled; with ``cancelling`` 0 all of it is."""
        for event in self.mirror.event.values():
            if (event["environment_id"], event["transaction_id"]) != (environment_id, transaction_id) or cancelling:
                continue
            if event["status"] == "expanding":
                self.broken("I4", f"{transaction_id} is cancelled and goes on expanding")
            self.all_cancelled(row["id"] for row in self.mirror.executions_of(event["id"]))

    def all_cancelled(self, ids: Iterable[str]) -> None:
        """A client was told that nothing of these executions goes on."""
        for one in ids:
            row = self.mirror.execution[one]
            if row["status"] not in FINAL and one not in self.resumed:
                self.broken("I4", f"{self.world.short(one)} is {row['status']}, and its cancel was answered")

    def digested(self, environment_id: str, transaction_id: str, subscriber_uuid: str) -> bool:
        return (environment_id, transaction_id, subscriber_uuid) in self._digested


def _execution_of(change: Change) -> Any:
    return change[2][1]


def _who(owner: tuple[Site, int] | None) -> str:
    return f"{owner[0].name}.{owner[1]}" if owner else "nobody"
