"""Run: take one execution as far as it will go. A resume is the same run with more checkpoints.

What a crash at any line means: what was recorded is given back, what was not is done again, and a provider call whose
answer was not recorded is *unknown* (see ``deliver``). The execution itself stays owned by the worker until it is
settled, or until the worker's lease lapses and someone else takes it over.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..authoring import Context, Step, Workflow
from ..crash import crash_point
from ..errors import LeaseLost, NotSerialisable, PayloadInvalid, ReplayDiverged, StepFailed, StepMisuse
from ..model import (
    ActivityKind,
    Checkpoint,
    EventContext,
    ExecutionStatus,
    MessageStatus,
    Reason,
    StepStatus,
    Subscriber,
)  # fmt: skip
from ..store import digests, executions, preferences
from ..store.entries import Entry, Settle, UpdateMessage
from ..store.executions import Claimed
from ..store.journal import PreferencesChanged
from ..store.outage import outage
from .frame import Frame, finish, name_of
from .observer import Tracer
from .remote import RemoteWorkflow, follow
from .remote.directory import GONE
from .replay import Replay
from .runtime import Runtime
from .shift import Shift
from .unwind import Abandoned, Anew, Cancelled, Merged, Park, Stop, Suspend, Unwind

log = logging.getLogger("novukit.engine")

_LINES = {
    ExecutionStatus.MERGED: ActivityKind.EXECUTION_MERGED,
    ExecutionStatus.CANCELLED: ActivityKind.EXECUTION_CANCELLED,
    ExecutionStatus.FAILED: ActivityKind.EXECUTION_FAILED,
    ExecutionStatus.PARKED: ActivityKind.EXECUTION_PARKED,
}


async def claim(rt: Runtime, shift: Shift, room: int) -> list[Claimed]:
    """Take up to ``room`` due executions for this shift, with what they need to run."""
    await rt.remotes.refresh(rt)
    async with shift.taking():
        crash_point("claim.before")
        blocked = rt.routes.bulkheads.blocked()
        claimed = await executions.claim(rt.database, shift.worker_id, rt.workflow_ids, room, blocked)
        if claimed:
            await rt.routes.refresh(sorted({e.environment_id for e in claimed}))
            await _load(rt, claimed)
        shift.take(claimed)
    if claimed:
        crash_point("claim.after")
        if rt.observer is not None:
            rt.observer.claimed(claimed)
    return claimed


async def _load(rt: Runtime, claimed: list[Claimed]) -> None:
    """Give those whose steps send something the preferences of their subscribers."""
    sending = [e for e in claimed if (w := rt.workflow(e.environment_id, e.workflow_id)) is not None and w.sends]
    for environment_id in {e.environment_id for e in sending}:
        scope, those = rt.scope(environment_id), [e for e in sending if e.environment_id == environment_id]
        choices = await preferences.of_many(scope, {(e.subscriber_uuid, e.workflow_id) for e in those})
        for e in those:
            e.chosen = choices[e.subscriber_uuid, e.workflow_id]


def run(rt: Runtime, shift: Shift, execution: Claimed) -> Coroutine[Any, Any, None]:
    """Run ``execution`` until it waits, ends, or this worker may not go on; then settle it."""
    return _run(rt, shift, execution) if rt.tracer is None else _traced(rt.tracer, rt, shift, execution)


async def _traced(tracer: Tracer, rt: Runtime, shift: Shift, execution: Claimed) -> None:
    with tracer.run(execution):
        await _run(rt, shift, execution)


async def _run(rt: Runtime, shift: Shift, execution: Claimed) -> None:
    workflow = rt.workflow(execution.environment_id, execution.workflow_id)
    frame = Frame(rt, shift, execution, workflow or GONE)
    try:
        ending = await _perform(frame, workflow) if workflow is not None else _gone(frame)
        if ending is not None:
            if rt.tracer is not None:
                rt.tracer.ended(ending.status, ending.reason)
            await _settle_somehow(frame, ending)
        else:
            shift.give_back(execution)
    except LeaseLost:
        log.warning("lease lost while running execution %s; another worker goes on", execution.id)
    except asyncio.CancelledError:
        raise  # the worker is stopping: what is not settled is given back by the shift
    except Exception as err:
        shift.give_back(execution)
        if outage(err) is None:
            log.exception("execution %s could not be settled; it is given back", execution.id)
        else:
            log.warning("execution %s is given back (%s: %s)", execution.id, type(err).__name__, err)
    finally:
        shift.let_go(execution)


async def _perform(frame: Frame, workflow: Workflow[Any]) -> Settle | None:  # noqa: PLR0911, PLR0912 - one for each ending
    """Call the author's function and say how the run ended; None when it is no longer ours to say."""
    execution = frame.execution
    if execution.cancel_requested:
        _own_up(frame)
        return _ending(frame, ExecutionStatus.CANCELLED, reason=Reason.CANCELLED)
    if execution.subscriber is None:
        return _ending(frame, ExecutionStatus.FAILED, reason=Reason.SUBSCRIBER_DELETED)
    if execution.takeovers >= frame.rt.settings.worker.max_takeovers:
        return _poison(frame)
    replay = Replay(frame)
    try:
        try:
            if isinstance(workflow, RemoteWorkflow):
                await follow(frame, replay, workflow)
            else:
                await workflow.run(_context(frame, workflow, replay))
        finally:
            if replay.misuse is not None:
                raise replay.misuse
        if replay.leaving is not None:
            raise replay.leaving  # the author's code swallowed it; the record still counts
    except (Abandoned, LeaseLost):
        return None
    except Unwind as unwind:
        return _left(frame, unwind)
    except StepFailed as err:
        # That nobody knows what became of a message is never folded into «failed».
        why = Reason.OUTCOME_UNKNOWN if err.reason == Reason.OUTCOME_UNKNOWN else Reason.STEP_FAILED
        return _ending(frame, ExecutionStatus.FAILED, err.step, why, f"{err.reason}: {err.detail}")
    except StepMisuse as err:
        return _ending(frame, ExecutionStatus.FAILED, None, Reason.STEP_MISUSE, str(err))
    except PayloadInvalid as err:
        said = "; ".join(f"{i.path}: {i.message}" for i in err.issues[:3])
        return _ending(frame, ExecutionStatus.FAILED, None, Reason.PAYLOAD_INVALID, said or str(err))
    except ReplayDiverged as err:
        return _ending(frame, ExecutionStatus.PARKED, None, Reason.REPLAY_DIVERGED, str(err))
    except (Exception, SystemExit) as err:  # a workflow that calls sys.exit() must not end the worker
        return _ending(frame, ExecutionStatus.FAILED, None, Reason.WORKFLOW_RAISED, _where(err))
    return _ending(frame, ExecutionStatus.COMPLETED)


def _context(frame: Frame, workflow: Workflow[Any], replay: Replay) -> Context[Any]:
    execution = frame.execution
    assert execution.subscriber is not None
    return Context(
        payload=workflow.parse_payload(execution.payload),
        subscriber=execution.subscriber,
        step=Step(replay, workflow.parse_payload),
        actor=Subscriber.model_validate(execution.actor) if execution.actor else None,
        tenant=execution.tenant,
        contexts=_contexts(execution.context) if execution.context else {},
        transaction_id=execution.transaction_id,
        environment=frame.rt.routes.environment(execution.environment_id),
        execution_id=execution.id,
        workflow_id=workflow.id,
        catalogue=frame.catalogue,
    )


def _contexts(known: Mapping[str, Any]) -> dict[str, EventContext]:
    return {kind: EventContext.model_validate(one) for kind, one in known.items()}


def _gone(frame: Frame) -> Settle:
    """Another environment has a workflow of this id, or it was claimed by; this one has it no more."""
    said = f"This environment has no workflow {frame.execution.workflow_id!r}. It can be resumed once it is back."
    return _ending(frame, ExecutionStatus.FAILED, reason=Reason.WORKFLOW_GONE, detail=said)


def _poison(frame: Frame) -> Settle:
    """Park what each worker dies of. If it was cut off in a call, that is where a person finds it."""
    step = None
    for row in frame.execution.checkpoints.values():
        if row.status is StepStatus.CALLING and row.message_id is not None:
            step = name_of(row)
            unknown = replace(row, status=StepStatus.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN)
            frame.record(frame.told(unknown, _message_ends(frame, row, MessageStatus.UNKNOWN)))
    said = f"{frame.execution.takeovers} workers in a row died while they ran it."
    return _ending(frame, ExecutionStatus.PARKED, step, Reason.POISON, said)


def _own_up(frame: Frame) -> None:
    """What a cancelled execution waited for will not come; a call that was cut off has an outcome nobody knows."""
    for row in frame.execution.checkpoints.values():
        if row.status in (StepStatus.WAITING, StepStatus.RETRYING):
            ended = finish(row, StepStatus.SKIPPED, frame.now(), Reason.CANCELLED)
            lost = [_message_ends(frame, row, MessageStatus.FAILED)] if row.message_id and not _unknown(row) else []
            frame.record(frame.told(ended, *lost))
        if row.status is StepStatus.CALLING and row.message_id is not None:
            unknown = replace(row, status=StepStatus.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN)
            frame.record(frame.told(unknown, _message_ends(frame, row, MessageStatus.UNKNOWN)))


def _unknown(row: Checkpoint) -> bool:
    return row.reason is Reason.OUTCOME_UNKNOWN


def _message_ends(frame: Frame, row: Checkpoint, status: MessageStatus) -> UpdateMessage:
    assert row.message_id is not None
    error = "cancelled" if status is MessageStatus.FAILED else None
    return UpdateMessage(row.message_id, frame.execution.environment_id, status, row.attempts, frame.now(), error=error)


def _left(frame: Frame, unwind: Unwind) -> Settle | None:  # noqa: PLR0911 - one for each
    match unwind:
        case Suspend(step=step, wake_at=wake_at):
            return _ending(frame, ExecutionStatus.WAITING, step, wake_at=wake_at)
        case Merged(step=step):
            return _ending(frame, ExecutionStatus.MERGED, step, Reason.DIGEST_MERGED)
        case Stop(step=step, reason=reason):
            return _ending(frame, ExecutionStatus.COMPLETED, step, reason)
        case Park(step=step, reason=reason, detail=detail):
            return _ending(frame, ExecutionStatus.PARKED, step, reason, detail)
        case Cancelled():
            return _ending(frame, ExecutionStatus.CANCELLED, reason=Reason.CANCELLED)
        case Anew():
            return _ending(frame, ExecutionStatus.WAITING, wake_at=frame.now())
        case _:
            return None


def _ending(
    frame: Frame, status: ExecutionStatus, step: str | None = None, reason: Reason | None = None, detail: str = "",
    **more: Any,
) -> Settle:  # fmt: skip
    execution = frame.execution
    return Settle(
        execution.id, execution.environment_id, status, frame.now(), step=step, reason=reason, detail=detail,
        version=frame.workflow.spec().version, runs=execution.runs, workflow_id=execution.workflow_id, **more,
    )  # fmt: skip


async def _settle_somehow(frame: Frame, ending: Settle) -> None:
    """Settle; but if something that the run recorded cannot be written, it has failed, however it thinks it ended."""
    try:
        await _settle(frame, ending)
    except LeaseLost:
        raise
    except PreferencesChanged:
        frame.forget_unwritten()
        await _settle(frame, _ending(frame, ExecutionStatus.WAITING, wake_at=frame.now()))
    except Exception as err:
        if outage(err) is not None:
            raise
        frame.forget_unwritten()
        reason = Reason.NOT_SERIALISABLE if isinstance(err, NotSerialisable) else Reason.WORKFLOW_RAISED
        await _settle(frame, _ending(frame, ExecutionStatus.FAILED, ending.step, reason, _where(err)))


async def _settle(frame: Frame, ending: Settle) -> None:
    """Put the end of the run on record. An execution that ends while it holds a digest open hands it over."""
    entries: list[Entry] = [ending]
    if kind := _LINES.get(ending.status):  # that it waits is told by its step, that it is complete by its own row
        entries.append(frame.line(kind, detail=ending.detail))
    cancelled = ending.status is ExecutionStatus.CANCELLED
    lost = cancelled or ending.status in (ExecutionStatus.FAILED, ExecutionStatus.PARKED)
    if not (cancelled or (lost and _holds_a_digest(frame))):
        await frame.settle(entries)
        return

    async def hand_over() -> tuple[None, Sequence[Entry]]:
        if cancelled:  # the cancel may have come after the claim, or an intent may be there whose answer was lost
            await executions.end_steps(frame.scope, [frame.execution.id])
        heirs = await digests.hand_over(frame.scope, frame.execution.id)
        told = [frame.line(ActivityKind.DIGEST_HANDED_OVER, detail=str(heir.execution_id)) for heir in heirs]
        return None, [*entries, *told]

    # «a» sorts before «digest/…»: a window is handed over before anyone joins it in the same commit.
    await frame.settle((), f"a/hand-over/{frame.execution.id}", hand_over)


def _holds_a_digest(frame: Frame) -> bool:
    return any(
        row.kind == "digest" and row.status is StepStatus.WAITING for row in frame.execution.checkpoints.values()
    )


def _where(err: BaseException) -> str:
    """The author's error in one line, with the last place of their own code."""
    frames = [f for f in traceback.extract_tb(err.__traceback__) if "/novukit/engine/" not in f.filename]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(err).__name__}: {err}{place}"[:1000]
