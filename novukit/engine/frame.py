"""``Frame``: one execution while it runs: what it is, who runs it, and its way to the record."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from ..authoring import Workflow
from ..model import ActivityKind, Catalogue, Checkpoint, Reason, StepCall, StepStatus
from ..store import Scope
from ..store.activities import Line
from ..store.entries import Entry, SaveCheckpoint
from ..store.executions import Claimed
from ..store.journal import Addressed, CancelRequested, PreferencesChanged, Preferred, Run, Work
from .runtime import Runtime
from .shift import Shift
from .unwind import Anew, Cancelled

_STEP_LINE = {
    StepStatus.WAITING: ActivityKind.STEP_WAITING,
    StepStatus.CALLING: ActivityKind.STEP_CALLING,
    StepStatus.RETRYING: ActivityKind.STEP_RETRYING,
    StepStatus.SKIPPED: ActivityKind.STEP_SKIPPED,
    StepStatus.MERGED: ActivityKind.STEP_MERGED,
    StepStatus.FAILED: ActivityKind.STEP_FAILED,
    StepStatus.UNKNOWN: ActivityKind.STEP_UNKNOWN,
}


class Frame:
    """One execution while it runs.

    ``record`` does not wait: the author's code may go on while the group is being committed. ``durable`` waits, and is
    called before every effect: a step's result is on disk before the next step's effect begins.
    """

    def __init__(self, rt: Runtime, shift: Shift, execution: Claimed, workflow: Workflow[Any]) -> None:
        self.rt, self.shift, self.execution, self.workflow = rt, shift, execution, workflow
        self.met = 0
        self.now = rt.clock.now
        self.variables: Mapping[str, Any] | None = None
        """What its templates may name, as JSON data; None until one is rendered (see ``compose``)."""
        self._run = Run(execution.environment_id, execution.id, execution.runs)
        self._last: asyncio.Future[Any] | None = None
        self._on_record = set(execution.checkpoints)

    @property
    def scope(self) -> Scope:
        return self.rt.scope(self.execution.environment_id)

    @property
    def catalogue(self) -> Catalogue:
        return self.rt.routes.catalogues.of(self.execution.environment_id)

    def fresh(self, call: StepCall) -> Checkpoint:
        """A checkpoint for a step that begins now."""
        return Checkpoint(
            step_id=call.id, key=call.key, kind=call.kind, status=StepStatus.WAITING, args_hash=args_hash(call),
            position=self.met, started_at=self.now(),
        )  # fmt: skip

    def told(self, checkpoint: Checkpoint, *more: Entry, result: str | None = None) -> list[Entry]:
        """A checkpoint with its activity line, and whatever belongs to the same moment.

        ``result`` is its result as JSON text, where somebody has that already.
        """
        step = checkpoint.step_id, checkpoint.key
        new = step not in self._on_record
        if new:
            self._on_record.add(step)
        saved = SaveCheckpoint(self.execution.environment_id, self.execution.id, checkpoint, result, new)
        if checkpoint.status is StepStatus.COMPLETED:
            return [saved, *more]  # a complete step stays so: its row is the line (see ``store.activities``)
        return [saved, *more, self.line(_STEP_LINE[checkpoint.status], checkpoint, at=checkpoint.finished_at)]

    def line(
        self, kind: ActivityKind, about: Checkpoint | None = None, detail: str = "", at: datetime | None = None
    ) -> Line:
        """An activity line of this execution; of now, if not ``at``."""
        return Line(
            id=self.rt.new_id(), environment_id=self.execution.environment_id, kind=kind, at=at or self.now(),
            event_id=self.execution.event_id, execution_id=self.execution.id,
            step=name_of(about) if about else "", reason=about.reason if about else None,
            detail=detail or (about.detail if about else ""), message_id=about.message_id if about else None,
        )  # fmt: skip

    def record(self, entries: Sequence[Entry], preferred: Preferred | None = None) -> asyncio.Future[Any]:
        """Write ``entries`` with the next group, without waiting; not if ``preferred`` no longer holds."""
        self._last = self.shift.journal.put(*entries, run=self._run, preferred=preferred, after=self._last)
        return self._last

    async def durable(self) -> None:
        """Wait until all that was recorded is on disk, and hear whether the execution was cancelled meanwhile."""
        if self._last is not None and await self._heard(self._last):
            raise Cancelled

    async def unless_cancelled(
        self, entries: Sequence[Entry], preferred: Preferred | None = None, addressed: Addressed | None = None
    ) -> None:
        """Write ``entries`` and wait for them, unless the execution was cancelled: then nothing is written.

        Nor is anything when the subscriber has chosen anew, or if the address is suppressed (``AddressSuppressed``).
        """
        written = self.shift.journal.put(
            *entries, run=self._run, unless_cancelled=True, preferred=preferred, addressed=addressed, after=self._last
        )
        await self._heard(written)

    async def decide(self, lock: str, work: Work) -> Any:
        """Run ``work`` in the journal's transaction under ``lock``, unless cancelled, and wait until it is durable."""
        written = self.shift.journal.work(lock, work, run=self._run, unless_cancelled=True, after=self._last)
        return await self._heard(written)

    def forget_unwritten(self) -> None:
        """What was recorded last could not be written: go on without it."""
        self._last = None

    async def settle(self, entries: Sequence[Entry], lock: str = "", work: Work | None = None) -> None:
        """Write how the run ends, which also a cancel does not stop, and wait for it."""
        journal, run, after = self.shift.journal, self._run, self._last
        if work is not None:
            await journal.work(lock, work, run=run, after=after)
        else:
            await journal.put(*entries, run=run, after=after)

    async def _heard(self, written: Awaitable[Any]) -> Any:
        last, self._last = self._last, None
        try:
            return await written
        except CancelRequested:
            raise Cancelled from None
        except PreferencesChanged:
            raise Anew from None
        except BaseException:
            self._last = last
            raise


def name_of(checkpoint: Checkpoint) -> str:
    """``email`` or ``email[2]``, as :attr:`StepCall.name`."""
    return f"{checkpoint.step_id}[{checkpoint.key}]" if checkpoint.key else checkpoint.step_id


def args_hash(call: StepCall) -> str:
    """A short hash of what a step was told, so that a replay can say when the code has changed under it.

    What was left out does not count, so that a step may be given one more option without a word from those that sleep.
    """
    # By its serializer: a third of the time that `model_dump_json` takes, for each step.
    return _short_hash(call.inputs.__pydantic_serializer__.to_json(call.inputs, exclude_defaults=True))


@lru_cache(maxsize=1000)
def _short_hash(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def finish(
    row: Checkpoint, status: StepStatus, at: datetime, reason: Reason | None = None, detail: str = "",
    result: Any = None, *, attempts: int | None = None,
) -> Checkpoint:  # fmt: skip
    """The checkpoint as it ends. Written out, for ``replace`` takes three times as long."""
    return Checkpoint(
        row.step_id, row.key, row.kind, status, result, reason, detail,
        row.attempts if attempts is None else attempts, row.args_hash, row.position, row.message_id, None,
        row.started_at, at, row.way,
    )  # fmt: skip
