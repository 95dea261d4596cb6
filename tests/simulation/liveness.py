"""What must be so when the faults have ended and time has passed: all has ended, and all is told truly."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from novukit.store import messages

from .disk import TABLES
from .judge import ENDED, FINAL
from .mirror import Mirror

if TYPE_CHECKING:
    from .world import World


def under_way(world: World, clients: Sequence[asyncio.Task[None]]) -> list[str]:
    """What has not ended yet."""
    mirror = world.judge.mirror
    return [
        *("a client still waits for an answer" for client in clients if not client.done()),
        *(
            f"event {e['transaction_id']} is still expanding"
            for e in mirror.event.values()
            if e["status"] == "expanding"
        ),
        *(
            f"{world.short(e['id'])} ({e['workflow_id']}) is {e['status']} at {e['step']}, due {e['wake_at']}, "
            f"owned by {_owner(world, e['worker_id'])}"
            for e in mirror.execution.values()
            if e["status"] not in FINAL
        ),
    ]


def _owner(world: World, worker_id: Any) -> str:
    owner = world.judge.owners.get(worker_id)
    return f"{owner[0].name}.{owner[1]}" if owner else "nobody"


async def check(world: World) -> None:
    """All of it, once everything is at rest."""
    mirror = world.judge.mirror
    _leases(world, mirror)
    _outcomes(world, mirror)
    _recipients(world, mirror)
    _digests(world, mirror)
    _deliveries(world, mirror)
    _same(world, mirror)
    await _unread(world, mirror)


def _leases(world: World, mirror: Mirror) -> None:
    for row in mirror.execution.values():
        if row["worker_id"]:
            world.broken("L3", f"{world.short(row['id'])} is {row['status']} and still owned")


def _outcomes(world: World, mirror: Mirror) -> None:
    """P22: nothing of what has ended is still on its way."""
    for (execution, step, _), row in mirror.checkpoint.items():
        message = mirror.message.get(row["message_id"])
        said = f"{row['status']}, its message {message['status']}" if message else row["status"]
        if row["status"] not in {*ENDED, "unknown"} or (message and message["status"] in ("calling", "retrying")):
            ended = mirror.execution[execution]["status"]
            world.broken("P22", f"{world.short(execution)} is {ended}, and {step} is {said}")


def _recipients(world: World, mirror: Mirror) -> None:
    events = {(e["environment_id"], e["transaction_id"]): e for e in mirror.event.values()}
    for sent in world.sent:
        event = events.get((str(sent.environment), sent.ask.transaction_id or ""))
        if event is None:
            world.broken("I1", f"{sent.ask.transaction_id} was accepted and is gone")
            continue
        there = {row["subscriber_id"] for row in mirror.executions_of(event["id"])}
        if event["status"] == "expanded" and there != sent.meant:
            world.broken("I12", f"{sent.ask.transaction_id} reached {sorted(there)}, not {sorted(sent.meant)}")


def _digests(world: World, mirror: Mirror) -> None:
    """I5: each event is in one digest, unless what held it was cancelled or failed."""
    for row in mirror.execution.values():
        if row["workflow_id"] not in ("gather", "lull") or row["status"] in ("cancelled", "failed"):
            continue
        transaction = mirror.event[row["event_id"]]["transaction_id"]
        if not world.judge.digested(row["environment_id"], transaction, row["subscriber_uuid"]):
            world.broken("I5", f"event {transaction} of {world.short(row['id'])} ({row['status']}) is in no digest")
    for window in mirror.digest_window.values():
        if window["status"] == "open":
            world.broken("L2", f"a digest of {world.short(window['owner_execution_id'])} is still open")


def _deliveries(world: World, mirror: Mirror) -> None:
    """P4: what a provider that can tell has delivered twice, and what nobody delivered though the record says so."""
    kinds = {"email": "native", "sms": "lookup", "push": "none"}
    for (execution, step, _), row in mirror.checkpoint.items():
        kind = kinds.get(row["kind"])
        if kind is None:
            continue
        times = world.ledger.delivered.get((execution, step), 0)
        name = f"{world.short(execution)} {step} ({kind})"
        if row["status"] == "completed" and not times:
            world.broken("P4", f"{name} is on record as sent, and was not delivered")
        if kind in ("native", "lookup") and times > 1:
            world.broken("P4", f"{name} was delivered {times} times")
        if row["status"] == "skipped" and row["reason"] != "cancelled" and times:
            world.broken("P16", f"{name} is on record as skipped, and was delivered")
        careful = mirror.execution[execution]["workflow_id"] in ("alarm", "turnstile")
        if kind == "none" and times > 1 and careful and execution not in world.judge.resumed:
            world.broken("P4", f"{name} was delivered {times} times, though its outcome is to be parked")


def _same(world: World, mirror: Mirror) -> None:
    """The mirror told the truth: it is the same as the database."""
    with contextlib.closing(sqlite3.connect(world.file)) as connection:
        for table, columns in TABLES.items():
            there = {row[1] for row in connection.execute(f"pragma table_info(novukit_{table})")}
            wanted = ", ".join(name if name in there else "null" for name in columns)
            rows = sorted(connection.execute(f"select {wanted} from novukit_{table}"), key=str)
            told = sorted((tuple(row[name] for name in columns) for row in getattr(mirror, table).values()), key=str)
            if rows != told:
                world.broken("mirror", f"{table} is not as it was told: {set(rows) ^ set(told)}"[:500])


async def _unread(world: World, mirror: Mirror) -> None:
    """I9: the unread counter is the number of unread messages."""
    while not world.apis[0].ready:  # noqa: ASYNC110 - it is just being started
        await asyncio.sleep(0.1)
    rt = world.apis[0].rt
    for (environment, who), uuid in world.base.people.items():
        told = await messages.unread(rt.scope(environment), uuid)
        counted = sum(
            row["subscriber_uuid"] == str(uuid) and row["channel"] == "in_app" and row["status"] == "sent"
            and not row["read_at"] and not row["archived_at"]
            for row in mirror.message.values()
        )  # fmt: skip
        if sum(told.values()) != counted and told.get("total") != counted:
            world.broken("I9", f"{who} has {counted} unread messages, and is told {told}")
