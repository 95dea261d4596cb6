"""``Mirror``: what the database holds, row by row, as far as it is watched: brought up to date with each commit."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from .disk import TABLES, Change

Row = dict[str, Any]


@dataclass
class Moment:
    """One change of one row: before and after; None where there is no such row."""

    table: str
    before: Row | None
    after: Row | None


@dataclass
class Mirror:
    """Rows by their key. Values are SQLite's own: ids and times are texts."""

    event: dict[Any, Row] = field(default_factory=dict[Any, Row])
    execution: dict[Any, Row] = field(default_factory=dict[Any, Row])
    checkpoint: dict[Any, Row] = field(default_factory=dict[Any, Row])
    message: dict[Any, Row] = field(default_factory=dict[Any, Row])
    worker: dict[Any, Row] = field(default_factory=dict[Any, Row])
    digest_window: dict[Any, Row] = field(default_factory=dict[Any, Row])
    throttle_pass: dict[Any, Row] = field(default_factory=dict[Any, Row])
    preference: dict[Any, Row] = field(default_factory=dict[Any, Row])
    steps: dict[str, dict[tuple[str, str], Row]] = field(default_factory=lambda: defaultdict(dict))
    """The checkpoints of each execution."""

    def apply(self, change: Change) -> Moment:
        """Take one change in, and say what it was."""
        table, op, values = change
        row = dict(zip(TABLES[table], values, strict=True))
        rows: dict[Any, Row] = getattr(self, table)
        key = _key(table, row)
        before = rows.get(key)
        if op == "d":
            del rows[key]
            return Moment(table, before, None)
        rows[key] = row
        if table == "checkpoint":
            self.steps[row["execution_id"]][row["step_id"], row["step_key"]] = row
        return Moment(table, before, row)

    def executions_of(self, event_id: str) -> list[Row]:
        """The executions of an event."""
        return [row for row in self.execution.values() if row["event_id"] == event_id]

    def allows(self, environment_id: str, subscriber_uuid: str, workflow_id: str, channel: str) -> bool:
        """Whether the subscriber has left a channel on."""
        for which in (workflow_id, ""):
            row = self.preference.get((environment_id, subscriber_uuid, which))
            chosen = json.loads(row["channels"]).get(channel) if row else None
            if chosen is not None:
                return bool(chosen)
        return True


def _key(table: str, row: Row) -> Any:
    match table:
        case "checkpoint":
            return row["execution_id"], row["step_id"], row["step_key"]
        case "throttle_pass":
            return row["execution_id"], row["step_id"]
        case "preference":
            return row["environment_id"], row["subscriber_uuid"], row["workflow_id"]
        case _:
            return row["id"]
