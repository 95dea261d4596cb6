"""The judge: reads what clients heard, what the provider was asked and what the database says; names what is broken.

``broken(operations, calls, record)`` is a pure function and gives sentences, each beginning with the promise (P1 … P22)
and naming the ids; an empty list is a pass. ``hand_down(database_url, history_file, ledger_file)`` reads the three and
does the same; from a shell ::

    python -m tests.proof.judge <database url> <history.jsonl> <ledger.jsonl>

Give it the record of a system at rest: all faults healed, and time enough to end. Fewer than 90 % of operations that
ended ``ok`` fail as well (``share``), for a system that refuses everything breaks no promise.

What operations may say (see ``tests.proof.history``): ``trigger``: ``to`` (subscriber ids), ``members`` (ids that its
topics and broadcasts expand to); ``cancel``: ``transaction_id``. ``delays`` are the seconds that steps must wait, by
step id. ``clocks=False`` leaves out what compares the database's times with the ledger's (a test that jumps clocks).
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from .history import Operation, read_history
from .ledger import REFUSING, Call, read_calls
from .record import Ran, Record, record_of, seconds

FINAL = {"completed", "merged", "cancelled", "failed", "parked"}
DONE = {"completed", "skipped", "merged", "failed", "unknown"}
SHARE = 0.9
SLACK = 0.05
"""Seconds by which the clocks of two processes may differ: each takes the database's time over a round trip."""


def broken(
    operations: Sequence[Operation], calls: Sequence[Call], record: Record, *, share: float = SHARE,
    delays: Mapping[str, float] | None = None, clocks: bool = True,
) -> list[str]:  # fmt: skip
    """Every promise that does not hold, in sentences; none if all do."""
    by_key: dict[str, list[Call]] = {}
    for call in calls:
        by_key.setdefault(call.key, []).append(call)
    said = [
        *_enough(operations, share),
        *_kept(operations, record),
        *_ended(record),
        *_known_keys(by_key, record),
        *_digests(record),
        *(line for ran in record.executions for line in _sends(ran, by_key)),
        *(line for ran in record.executions for line in _outcomes(ran)),
    ]
    if clocks:
        said += [
            *(line for ran in record.executions for line in _once_finished(ran, by_key)),
            *(line for ran in record.executions for line in _in_order(ran, by_key)),
            *_silent(operations, by_key, record),
            *_never_early(record, delays or {}),
        ]
    return said


async def hand_down(database: str, history: Path, ledger: Path, prefix: str = "", **how: Any) -> list[str]:
    """``broken`` of what a database, a history and a ledger hold; with ``prefix`` of those transactions only."""
    operations = [one for one in read_history(history) if one.op.startswith(prefix)]
    record = await record_of(database, prefix)
    ours = {message["idempotency_key"] for ran in record.executions for message in ran.messages}
    calls = [call for call in read_calls(ledger) if not prefix or call.key in ours]
    return broken(operations, calls, record, **how)


def _enough(operations: Sequence[Operation], share: float) -> Iterator[str]:
    well = sum(operation.state == "ok" for operation in operations)
    if not operations or well < share * len(operations):
        yield f"TOO LITTLE: {well} of {len(operations)} operations ended ok; a run that does nothing proves nothing."


def _kept(operations: Iterable[Operation], record: Record) -> Iterator[str]:
    """P1, P2, P17: accepted means kept; one transaction, one event, one execution for each recipient."""
    begun: dict[str, Counter[str]] = {}
    for ran in record.executions:
        begun.setdefault(ran.transaction_id, Counter())[ran.row["subscriber_id"]] += 1
    for one in operations:
        if one.kind != "trigger":
            continue
        wanted = {*one.facts.get("to", ()), *one.facts.get("members", ())}
        found = begun.get(one.op, Counter())
        promise = "P17" if one.facts.get("members") else "P1"
        if one.state == "ok" and one.op not in record.events:
            yield f"P1 {one.op}: it was accepted, and the database does not know it."
        elif one.state == "ok" and (missing := wanted - set(found)):
            yield f"{promise} {one.op}: accepted, and {len(missing)} recipients have no execution: {_some(missing)}."
        if one.state == "fail" and one.op in record.events:
            yield f"P24 {one.op}: it was refused, and the database has it."
        if twice := {who for who, times in found.items() if times > 1}:
            yield f"{promise} {one.op}: more than one execution for {_some(twice)}."
        if strangers := set(found) - wanted:
            yield f"{promise} {one.op}: executions for {_some(strangers)}, who are no recipients."
        if len(answers := {answer.facts["event_id"] for answer in one.oks if answer.facts.get("event_id")}) > 1:
            yield f"P2 {one.op}: the same question began {len(answers)} events: {_some(answers)}."


def _ended(record: Record) -> Iterator[str]:
    """P5: nothing stays stuck."""
    for ran in record.executions:
        if ran.status not in FINAL:
            yield f"P5 {ran.name}: it is still {ran.status}, at step {ran.row['step']!r}, due {ran.row['wake_at']}."
        elif ran.row["worker_id"] is not None:
            yield f"P5 {ran.name}: it is {ran.status}, and a worker still owns it."
    for transaction_id, event in record.events.items():
        if event["status"] == "expanding":
            yield f"P5 {transaction_id}: its recipients are still being expanded."


def _known_keys(by_key: Mapping[str, Sequence[Call]], record: Record) -> Iterator[str]:
    """P4: no send without its record; hence also: no second key for a message."""
    known = {message["idempotency_key"] for ran in record.executions for message in ran.messages}
    for key in sorted(by_key.keys() - known):
        call = by_key[key][0]
        yield f"P4 request {call.n} to {call.to}: sent with the key {key}, which no message on record has."


def _sends(ran: Ran, by_key: Mapping[str, Sequence[Call]]) -> Iterator[str]:
    """P4 and P7: how often each message went out, and whether the record admits it."""
    resumed = any(line["kind"] == "execution.resumed" for line in ran.lines)
    for message in ran.messages:
        if message["channel"] == "in_app":
            continue
        calls = by_key.get(message["idempotency_key"], ())
        where, status = f"{ran.name}, step {message['name']}", message["status"]
        delivered = sum(call.delivered for call in calls)
        numbers = ", ".join(str(call.n) for call in calls)
        if status == "sent" and not delivered:
            yield f"P4 {where}: the record says sent, and nobody got it (requests {numbers or 'none'})."
        if status == "failed" and any(call.accepted for call in calls):
            yield f"P4 {where}: the record says failed, and the provider accepted it (requests {numbers})."
        if len(calls) > message["attempts"] and not resumed:
            said = f"{len(calls)} requests ({numbers}) on {message['attempts']} recorded attempts"
            yield f"P4 {where}: {said}: one of them was not on record before it left."
        if len({call.hash for call in calls}) > 1:
            yield f"P4 {where}: one key, several contents (requests {numbers})."
        providers = [kind for kind, _ in groupby(call.kind for call in calls)]
        if len(set(providers)) < len(providers):
            yield f"P4 {where}: it was handed on and went back: {', '.join(providers)} (requests {numbers})."
        if calls and calls[0].kind == "lookup" and delivered > 1:
            yield f"P4 {where}: delivered {delivered} times (requests {numbers}); the provider could have been asked."
        doubtful = [call for call in calls if call.did.partition(":")[0] not in REFUSING]
        if delivered > 1 and not message["possible_duplicate"]:
            yield f"P4 {where}: delivered {delivered} times (requests {numbers}), and the record does not admit it."
        if delivered > 1 and status == "unknown" and ran.status == "parked":
            yield f"P4 {where}: it was to be parked, and was delivered {delivered} times (requests {numbers})."
        if message["possible_duplicate"] and len(calls) == 1 and not doubtful:
            yield f"P4 {where}: called a possible duplicate after nothing but a refusal (request {numbers})."


def _outcomes(ran: Ran) -> Iterator[str]:
    """P22: every step of an execution that has ended says how it ended."""
    if ran.status not in FINAL:
        return
    for step in ran.steps:
        if step["status"] not in DONE and not (ran.status == "parked" and step["status"] == "retrying"):
            yield f"P22 {ran.name}: it is {ran.status}, and its step {step['name']} is still {step['status']}."
        if step["status"] in ("skipped", "failed", "unknown") and not step["reason"]:
            yield f"P22 {ran.name}: its step {step['name']} is {step['status']}, and nobody knows why."
    for message in ran.messages:
        if message["status"] in ("calling", "retrying"):
            yield f"P22 {ran.name}: it is {ran.status}, and its message {message['name']} is {message['status']}."


def _once_finished(ran: Ran, by_key: Mapping[str, Sequence[Call]]) -> Iterator[str]:
    """P3: no request for a step begins after the step's completion was told."""
    for message in ran.messages:
        at = ran.completed_at(message["name"])
        for call in by_key.get(message["idempotency_key"], ()):
            if at is not None and call.at > at + SLACK:
                late = f"request {call.n} began {(call.at - at) * 1000:.0f} ms after it was complete"
                yield f"P3 {ran.name}, step {message['name']}: {late}."


def _in_order(ran: Ran, by_key: Mapping[str, Sequence[Call]]) -> Iterator[str]:
    """P15: steps call in the written order."""
    keys = {message["name"]: message["idempotency_key"] for message in ran.messages}
    last, before = 0.0, ""
    for step in sorted(ran.steps, key=lambda step: step["position"]):
        calls = by_key.get(keys.get(step["name"], ""), ())
        if not calls:
            continue
        if (first := min(call.at for call in calls)) < last:
            yield f"P15 {ran.name}: step {step['name']} called before step {before} did."
        last, before = first, step["name"]


def _silent(operations: Iterable[Operation], by_key: Mapping[str, Sequence[Call]], record: Record) -> Iterator[str]:
    """P6: nothing begins after «cancelled»."""
    cancels = [one for one in operations if one.kind == "cancel"]
    told: dict[str, float] = {}
    for one in cancels:
        for answer in one.oks:
            if answer.facts.get("cancelling") == 0:
                transaction_id = one.facts["transaction_id"]
                told[transaction_id] = min(answer.at, told.get(transaction_id, answer.at))
    for ran in record.executions:
        ends = [told[ran.transaction_id]] if ran.transaction_id in told else []
        if ran.status == "cancelled":
            ends.append(seconds(ran.row["finished_at"]) + SLACK)
        for message in ran.messages:
            for call in by_key.get(message["idempotency_key"], ()):
                if ends and call.at > min(ends):
                    late = f"request {call.n} began {(call.at - min(ends)) * 1000:.0f} ms after «cancelled»"
                    yield f"P6 {ran.name}, step {message['name']}: {late}."


def _digests(record: Record) -> Iterator[str]:
    """P7: each event of a digest step is in exactly one digest."""
    places: dict[tuple[str, str, str], Counter[str]] = {}
    members: dict[tuple[str, str, str], set[str]] = {}
    for ran in record.executions:
        for step in ran.steps:
            if step["kind"] != "digest":
                continue
            place = (ran.row["workflow_id"], step["name"], str(ran.row["subscriber_uuid"]))
            gathered = places.setdefault(place, Counter())
            if ran.status not in ("cancelled", "failed"):
                members.setdefault(place, set()).add(ran.transaction_id)
            if step["status"] == "completed":
                gathered.update(event["id"] for event in step["result"])
    for place, gathered in places.items():
        where = f"{place[0]}, step {place[1]}, subscriber {place[2]}"
        if missing := members.get(place, set()) - set(gathered):
            yield f"P7 {where}: events in no digest: {_some(missing)}."
        if twice := {event for event, times in gathered.items() if times > 1}:
            yield f"P7 {where}: events in several digests: {_some(twice)}."


def _never_early(record: Record, delays: Mapping[str, float]) -> Iterator[str]:
    """P8: a delay lasts at least as long as it was asked to."""
    for ran in record.executions:
        for step in ran.steps:
            if step["name"] in delays and step["status"] == "completed":
                lasted = seconds(step["finished_at"]) - seconds(step["started_at"])
                if lasted + SLACK < (asked := delays[step["name"]]):
                    yield f"P8 {ran.name}: its delay {step['name']} lasted {lasted:.3f} s, not {asked:g} s."


def _some(names: Iterable[str], most: int = 5) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


if __name__ == "__main__":
    verdict = asyncio.run(hand_down(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
    sys.stdout.write("".join(f"{line}\n" for line in verdict) or "All promises hold.\n")
    sys.exit(bool(verdict))
