"""``Replay``: the runner that remembers. A recorded step gives back its result; a new one is performed once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import (
    DatabaseUnavailable,
    LeaseLost,
    NovukitError,
    ReplayDiverged,
    StepConcurrent,
    StepFailed,
    StepInFinally,
    StepMisuse,
    StepRepeated,
    StepUndeclared,
)
from ..model import (
    ActivityKind,
    Checkpoint,
    Reason,
    Sent,
    StepCall,
    StepKind,
    StepStatus,
    Throttled,
    ThrottleInput,
)  # fmt: skip
from ..store.outage import outage
from . import once
from .deliver import deliver
from .frame import Frame, args_hash, finish
from .unwind import Abandoned, Merged, Stop, Suspend, Unwind
from .wait import delay, digest, gathered, throttle

_VERBS: dict[StepKind, Callable[[Frame, StepCall, Checkpoint | None], Awaitable[Any]]] = {
    StepKind.DELAY: delay,
    StepKind.DIGEST: digest,
    StepKind.THROTTLE: throttle,
    StepKind.CUSTOM: once.custom,
}
"""What performs a step of each kind; all others are delivered."""


class Replay:
    """Answers a workflow's steps, one at a time.

    A run begins with the checkpoints of all earlier runs. Each step is either on record, and gives its result back
    without doing anything, or is performed here and put on record. A crash at any line loses at most the step in
    progress; what that one may have done outside is told by its intent.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._recorded = frame.execution.checkpoints
        self._declared = frame.workflow.declared
        self._met: set[tuple[str, str]] = set()
        self._busy: str | None = None
        self.leaving: Unwind | None = None
        """The unwind under way. Still set when the author's code has swallowed it."""
        self.misuse: StepMisuse | None = None
        """The first misuse, which counts even when the author's code, or a ``gather``, has hidden it."""

    async def __call__(self, call: StepCall) -> Any:
        try:
            self._refuse_misuse(call)
        except StepMisuse as err:
            self.misuse = self.misuse or err
            raise
        self._met.add((call.id, call.key))
        self._frame.met = len(self._met)
        self._busy = call.name
        row = self._recorded.get((call.id, call.key))
        try:
            if row is not None and self._is_over(call, row):
                return given_back(call, row)
            perform = _VERBS.get(call.kind, deliver)
            if (tracer := self._frame.rt.tracer) is None:
                return await perform(self._frame, call, row)
            with tracer.step(call):
                return await perform(self._frame, call, row)
        except Unwind as unwind:
            self.leaving = unwind
            raise
        except Exception as err:
            if not _not_the_authors(err):
                raise
            self.leaving = Abandoned()
            raise self.leaving from err
        finally:
            self._busy = None

    def skip(self, call: StepCall, reason: Reason) -> None:
        """Put a step on record as skipped, without performing it."""
        self._met.add((call.id, call.key))
        self._frame.met = len(self._met)
        if (call.id, call.key) not in self._recorded:
            done = finish(self._frame.fresh(call), StepStatus.SKIPPED, self._frame.now(), reason)
            self._frame.record(self._frame.told(done))

    def _is_over(self, call: StepCall, row: Checkpoint) -> bool:
        """Whether a step that is on record has its result there. Leaves the workflow if it has to wait on."""
        if row.kind is not call.kind:
            raise ReplayDiverged(
                f"Step {call.name!r} is on record as {row.kind} and is now {call.kind}.",
                hint="Give the new step another id, or resume with the old code.",
            )
        if row.status.is_final or row.status is StepStatus.FAILED:
            if row.args_hash != args_hash(call):
                self._frame.record([self._frame.line(ActivityKind.STEP_ARGUMENTS_CHANGED, row)])
            return True
        if row.wake_at is not None and row.wake_at > self._frame.now():
            raise Suspend(call.name, row.wake_at)
        return False

    def _refuse_misuse(self, call: StepCall) -> None:
        if self.leaving is not None:
            raise StepInFinally(
                f"Step {call.name!r} began while the workflow was being left to wait.",
                hint="Do not call steps in `finally`, do not catch BaseException around steps, and await steps one "
                "after another, not with gather.",
            )
        if self._busy is not None:
            raise StepConcurrent(
                f"Step {call.name!r} began while {self._busy!r} was still in progress.",
                hint="Await steps one after another; do not use gather or create_task with them.",
            )
        if (call.id, call.key) in self._met:
            raise StepRepeated(
                f"Step {call.name!r} was used twice.",
                hint="In a loop, tell the rounds apart with key=…; elsewhere give each step its own id.",
            )
        if (call.id, call.kind) not in self._declared:
            raise StepUndeclared(
                f"Step {call.id!r} ({call.kind}) is not in the workflow as it was discovered.",
                hint="Write the step in the workflow function, or in a function of the same module that it calls with "
                "ctx or step; its id must be a literal string.",
            )


def _not_the_authors(err: Exception) -> bool:
    """Whether the record is out of reach. That is no failure of the workflow: it goes on from its record later."""
    if isinstance(err, NovukitError) and not isinstance(err, DatabaseUnavailable):
        return isinstance(err, LeaseLost)
    return outage(err) is not None


def given_back(call: StepCall, row: Checkpoint) -> Any:
    """The recorded result, as the author got it the first time: a value, a failure, or leaving the workflow again."""
    if row.status is StepStatus.FAILED:
        raise StepFailed(call.name, row.reason or Reason.STEP_FAILED, row.detail)
    if row.status is StepStatus.MERGED:
        raise Merged(call.name)
    match call.kind:
        case StepKind.DELAY:
            if row.reason is Reason.LATE and row.status is StepStatus.SKIPPED:
                raise Stop(call.name, Reason.LATE)
            return None
        case StepKind.DIGEST:
            return gathered(row.result)
        case StepKind.THROTTLE:
            answer = Throttled.model_validate(row.result)
            assert isinstance(call.inputs, ThrottleInput)
            if answer.throttled and call.inputs.on_limit == "stop":
                raise Stop(call.name, Reason.THROTTLED)
            return answer
        case StepKind.CUSTOM:
            return once.revive(call, row.result)
        case _:
            return Sent.model_validate(row.result)
