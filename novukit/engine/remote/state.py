"""State: what came of the earlier steps, in the shapes that the framework gives to the workflow's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ...model import Digest, Sent, StepKind, StepSpec, Throttled
from ...store import Scope, messages
from .answer import Answer
from .perform import Case, span


@dataclass(frozen=True, slots=True)
class Done:
    """An earlier step: what the application had said of it, and what came of it."""

    spec: StepSpec
    answer: Answer
    result: Any = None


async def state_of(scope: Scope, done: Sequence[Done], case: Case) -> list[dict[str, Any]]:
    """The ``state`` of a call, nearest step first, the trigger last. What was seen or read is as of now."""
    entries = [await _entry(scope, one, case) for one in reversed(done)]
    return [*entries, _told("trigger", case.payload, "completed")]


async def _entry(scope: Scope, one: Done, case: Case) -> dict[str, Any]:
    skipped = one.answer.skipped is not None or (isinstance(one.result, Sent) and one.result.skipped)
    return _told(one.spec.id, await _outputs(scope, one, case), "skipped" if skipped else "completed")


def _told(step: str, outputs: Mapping[str, Any], status: str) -> dict[str, Any]:
    return {"stepId": step, "outputs": dict(outputs), "state": {"status": status, "error": None}}


async def _outputs(scope: Scope, one: Done, case: Case) -> dict[str, Any]:
    match one.spec.kind:
        case StepKind.IN_APP:
            return await _marks(scope, one.result)
        case StepKind.DIGEST:
            events = _events(one.result)
            return {"events": events, "eventCount": len(events)}
        case StepKind.DELAY:
            lasted = 0.0 if one.answer.skipped else span(one.spec.id, one.answer, case).total_seconds()
            return {"duration": int(lasted * 1000)}
        case StepKind.THROTTLE:
            return _throttled(one.result)
        case StepKind.CUSTOM:
            return one.result or {}
        case _:
            return {}


async def _marks(scope: Scope, sent: Any) -> dict[str, Any]:
    message = None
    if isinstance(sent, Sent) and sent.message_id is not None:
        message = await messages.get(scope, UUID(sent.message_id))
    seen_at, read_at = (message.seen_at, message.read_at) if message else (None, None)
    return {
        "seen": seen_at is not None, "read": read_at is not None, "lastSeenDate": _iso(seen_at),
        "lastReadDate": _iso(read_at),
    }  # fmt: skip


def _events(digest: Any) -> list[dict[str, Any]]:
    if not isinstance(digest, Digest):
        return []
    return [{"id": e.id, "time": _iso(e.time), "payload": e.payload} for e in digest.events]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]


def _throttled(result: Any) -> dict[str, Any]:
    if not isinstance(result, Throttled):
        return {"throttled": False}
    return {
        "throttled": result.throttled, "executionCount": result.count, "threshold": result.limit,
        "windowStart": _iso(result.window_start),
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    """In UTC with milliseconds, as JavaScript writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
