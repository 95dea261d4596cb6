"""How a workflow is left midway: ``BaseException``s, so that an author's ``except Exception`` cannot swallow them."""

from __future__ import annotations

from datetime import datetime

from ..model import Reason


class Unwind(BaseException):
    """Leave the author's function now; the record says where to go on."""


class Suspend(Unwind):
    """Sleep until ``wake_at``, then run again."""

    def __init__(self, step: str, wake_at: datetime) -> None:
        self.step, self.wake_at = step, wake_at


class Merged(Unwind):
    """The event went into another execution's digest."""

    def __init__(self, step: str) -> None:
        self.step = step


class Stop(Unwind):
    """The execution is complete here: a throttle or a date in the past ended it."""

    def __init__(self, step: str, reason: Reason) -> None:
        self.step, self.reason = step, reason


class Park(Unwind):
    """A person must decide how this goes on."""

    def __init__(self, step: str, reason: Reason, detail: str = "") -> None:
        self.step, self.reason, self.detail = step, reason, detail


class Cancelled(Unwind):
    """The execution was cancelled; nothing more may begin."""


class Abandoned(Unwind):
    """This worker's lease is too short to go on; whoever owns the execution now will."""


class Anew(Unwind):
    """What this run was decided by has changed meanwhile: run it again at once, from its record."""
