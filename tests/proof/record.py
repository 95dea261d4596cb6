"""What the database says at the end: every execution with its steps, messages and activity lines."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from novukit.clock import SystemClock, uuid7_source
from novukit.store import Database
from novukit.store.database import decode, in_list

CHUNK = 200


@dataclass
class Ran:
    """One execution, with all that belongs to it. Rows are as the tables have them."""

    row: dict[str, Any]
    transaction_id: str
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def name(self) -> str:
        """How a verdict names it."""
        return f"{self.transaction_id} → {self.row['subscriber_id']} ({self.row['id']})"

    @property
    def status(self) -> str:
        return self.row["status"]

    def completed_at(self, step: str) -> float | None:
        """When a step (``email``, ``email[2]``) became complete, in seconds of wall time."""
        found = [each for each in self.steps if each["name"] == step and each["status"] == "completed"]
        return seconds(found[0]["finished_at"]) if found else None


@dataclass
class Record:
    """The events (by transaction id) and what they began."""

    events: dict[str, dict[str, Any]]
    executions: list[Ran]


async def read_record(database: Database, prefix: str = "") -> Record:
    """Read everything of the transactions that begin with ``prefix``, in whatever environment."""
    fetch = database.fetch
    events = [dict(e) for e in await fetch("select * from novukit_event where transaction_id like $1", f"{prefix}%")]
    by_id = {event["id"]: event for event in events}
    ran: dict[Any, Ran] = {}
    for ids in _chunks(list(by_id)):
        for row in await fetch(f"select * from novukit_execution where event_id in {in_list(ids)} order by id", *ids):
            ran[row["id"]] = Ran(dict(row), by_id[row["event_id"]]["transaction_id"])
    for ids in _chunks(list(ran)):
        among = in_list(ids)
        for row in await fetch(
            f"select * from novukit_checkpoint where execution_id in {among} order by position", *ids
        ):
            ran[row["execution_id"]].steps.append({**row, "result": decode(row["result"]), "name": _name(row)})
        for row in await fetch(f"select * from novukit_message where execution_id in {among}", *ids):
            ran[row["execution_id"]].messages.append({**row, "name": _name(row)})
        for row in await fetch(f"select * from novukit_activity where execution_id in {among} order by id", *ids):
            ran[row["execution_id"]].lines.append(dict(row))
    return Record({event["transaction_id"]: event for event in events}, list(ran.values()))


async def record_of(url: str, prefix: str = "") -> Record:
    """``read_record`` of a database that this opens and closes."""
    clock = SystemClock()
    database = Database(url, clock=clock, new_id=uuid7_source(clock, random.Random()))
    await database.open()
    try:
        return await read_record(database, prefix)
    finally:
        await database.close()


def seconds(at: datetime | str) -> float:
    """Wall time in seconds."""
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).timestamp()


def _name(row: Any) -> str:
    return f"{row['step_id']}[{row['step_key']}]" if row["step_key"] else row["step_id"]


def _chunks(ids: list[Any]) -> list[list[Any]]:
    return [ids[n : n + CHUNK] for n in range(0, len(ids), CHUNK)]
