"""Wait: the action steps. A delay and a digest are met twice: first to go to sleep, then, awake, for their result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ..errors import StepFailed, StepMisuse
from ..model import (
    ActivityKind,
    Checkpoint,
    DelayInput,
    Digest,
    DigestEvent,
    DigestInput,
    ExecutionStatus,
    Reason,
    StepCall,
    StepStatus,
    Throttled,
    ThrottleInput,
)  # fmt: skip
from ..store import digests, throttles
from ..store.entries import Entry, Settle
from . import schedule
from .frame import Frame, finish
from .unwind import Merged, Stop, Suspend

LONGEST = timedelta(days=365)


async def delay(frame: Frame, call: StepCall, row: Checkpoint | None) -> None:
    """Sleep for a while, or until a moment. The execution leaves memory meanwhile."""
    assert isinstance(call.inputs, DelayInput)
    if row is not None:
        frame.record(frame.told(finish(row, StepStatus.COMPLETED, frame.now())))
        return
    checkpoint, asked, now = frame.fresh(call), call.inputs, frame.now()
    wake_at = asked.until if asked.until is not None else now + (asked.duration or (now - now))
    if wake_at > now + LONGEST:
        raise StepMisuse(
            f"Step {call.name!r}: until={wake_at.isoformat()} is more than {LONGEST.days} days ahead.",
            hint="Wait in several steps, or schedule the trigger itself later.",
        )
    late = asked.until is not None and wake_at < now
    if asked.extend_to_schedule and (not late or asked.if_past == "now"):
        wake_at = await schedule.extended(frame, max(wake_at, now))
    if wake_at > now:
        frame.record(frame.told(replace(checkpoint, wake_at=wake_at)))
        raise Suspend(call.name, wake_at)
    if late and asked.if_past == "fail":
        frame.record(frame.told(finish(checkpoint, StepStatus.FAILED, now, Reason.PAST_DATE, wake_at.isoformat())))
        raise StepFailed(call.name, Reason.PAST_DATE, wake_at.isoformat())
    if late and asked.if_past == "skip":
        frame.record(frame.told(finish(checkpoint, StepStatus.SKIPPED, now, Reason.LATE)))
        raise Stop(call.name, Reason.LATE)
    frame.record(frame.told(finish(checkpoint, StepStatus.COMPLETED, now, Reason.LATE if late else None)))


async def digest(frame: Frame, call: StepCall, row: Checkpoint | None) -> Digest[Any]:
    """Gather the events of one key: the first opens a window and sleeps, later ones join it and end as merged.

    Joining, opening and closing are decided under one lock and recorded in the same commit, so each event is in
    exactly one digest whatever crashes.
    """
    assert isinstance(call.inputs, DigestInput)
    execution = frame.execution
    place = digests.Place(execution.workflow_id, call.id, execution.subscriber_uuid, call.inputs.by)
    lock = place.lock_name(execution.environment_id)
    if row is not None:
        return await _close(frame, place, lock, row)
    checkpoint, asked, scope = frame.fresh(call), call.inputs, frame.scope

    async def decide() -> tuple[tuple[StepStatus, datetime | None], Sequence[Entry]]:
        now = frame.now()
        if asked.look_back is not None and not await digests.recent(scope, place, asked.look_back, execution.id):
            await digests.pass_by(scope, place, execution.id, asked.look_back)
            done = finish(checkpoint, StepStatus.COMPLETED, now, Reason.DIGEST_FIRST, result=[own_event(frame)])
            return (StepStatus.COMPLETED, None), frame.told(done)
        joined = await digests.join(scope, place, execution.id, execution.event_id, asked.look_back)
        if joined is not None and not joined.own:
            merged = finish(checkpoint, StepStatus.MERGED, now, Reason.DIGEST_MERGED)
            settled = Settle(
                execution.id, execution.environment_id, ExecutionStatus.MERGED, now, step=call.name,
                reason=Reason.DIGEST_MERGED, version=frame.workflow.spec().version,
                runs=execution.runs, workflow_id=execution.workflow_id,
            )  # fmt: skip
            line = frame.line(ActivityKind.EXECUTION_MERGED, merged)
            return (StepStatus.MERGED, None), [*frame.told(merged, settled), line]
        if joined is not None:
            closes_at = joined.closes_at
        else:
            closes_at = closing_time(asked, now, execution.subscriber.timezone if execution.subscriber else None)
            if asked.extend_to_schedule:
                closes_at = await schedule.extended(frame, closes_at)
            await digests.open(scope, place, execution.id, execution.event_id, closes_at, asked.look_back)
        opened = replace(checkpoint, wake_at=closes_at)
        return (StepStatus.WAITING, closes_at), frame.told(opened)

    status, closes_at = await frame.decide(lock, decide)
    if status is StepStatus.MERGED:
        raise Merged(call.name)
    if closes_at is not None:
        raise Suspend(call.name, closes_at)
    return gathered([own_event(frame)])


async def _close(frame: Frame, place: digests.Place, lock: str, row: Checkpoint) -> Digest[Any]:
    async def decide() -> tuple[list[dict[str, Any]], Sequence[Entry]]:
        # Nothing there: the digest was handed over when this one had failed, and now it was resumed with its own event.
        events = await digests.close(frame.scope, place, frame.execution.id) or [own_event(frame)]
        return events, frame.told(finish(row, StepStatus.COMPLETED, frame.now(), result=events))

    return gathered(await frame.decide(lock, decide))


def own_event(frame: Frame) -> dict[str, Any]:
    """The event of this execution, as a digest keeps it."""
    execution = frame.execution
    return {
        "id": execution.transaction_id, "time": execution.triggered_at.isoformat(), "payload": execution.payload,
    }  # fmt: skip


def gathered(events: list[dict[str, Any]]) -> Digest[Any]:
    """A digest's result out of its record; ``Step.digest`` gives the payloads their type."""
    return Digest(tuple(DigestEvent[Any].model_validate(e) for e in events))


async def throttle(frame: Frame, call: StepCall, _: Checkpoint | None) -> Throttled:
    """Let at most ``limit`` executions of one key pass in a sliding window; the others stop here."""
    assert isinstance(call.inputs, ThrottleInput)
    execution, asked, scope = frame.execution, call.inputs, frame.scope
    at = throttles.Turnstile(execution.workflow_id, call.id, execution.subscriber_uuid, asked.by)
    checkpoint = frame.fresh(call)

    async def decide() -> tuple[Throttled, Sequence[Entry]]:
        answer = await throttles.ask(scope, at, execution.id, limit=asked.limit, window=asked.window)
        result = Throttled(
            throttled=not answer.passed, count=answer.count, limit=asked.limit, window_start=answer.window_start
        )
        reason = Reason.THROTTLED if result.throttled else None
        done = finish(checkpoint, StepStatus.COMPLETED, frame.now(), reason, result=result.model_dump(mode="json"))
        return result, frame.told(done)

    result: Throttled = await frame.decide(at.lock_name(execution.environment_id), decide)
    if result.throttled and asked.on_limit == "stop":
        raise Stop(call.name, Reason.THROTTLED)
    return result


def closing_time(asked: DigestInput, now: datetime, zone: str | None) -> datetime:
    """When a digest that opens now closes: after its window, or at the next slot of its cron in the subscriber's zone.

    A slot in the hour that the clocks skip runs at the first moment after it; one in the hour that comes twice runs
    once, at the first (the rule of Debian's cron, which ``cronsim`` follows).
    """
    if asked.window is not None:
        return now + asked.window
    assert asked.cron is not None
    local = now.astimezone(ZoneInfo(zone or "UTC"))
    return next(CronSim(asked.cron, local)).astimezone(now.tzinfo)
