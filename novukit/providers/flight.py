"""How far the call that is under way has come: whether the provider may have received anything of it.

``dispatch`` opens a flight around each send; the HTTP client notes in it. A task that a plugin starts inherits it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from ..crash import crash_point
from .outcome import Unavailable


@dataclass(slots=True)
class Flight:
    """What is known of one send. With ``observed`` false the plugin sends by means that nobody here sees."""

    may_depart: Callable[[], bool] | None = None
    """Asked last of all, before the first byte of a message leaves."""
    observed: bool = False
    departed: bool = False
    held_back: bool = False
    """It was not allowed to leave any more."""

    @property
    def grounded(self) -> bool:
        """True only where it is certain that no byte of a message has left."""
        return self.observed and not self.departed

    def depart(self) -> None:
        """The next thing is the first byte of a message. Raises Unavailable if that must not be any more."""
        if self.may_depart is not None and not self.may_depart():
            self.held_back = True
            raise Unavailable("The worker may not send any more: its lease has ended.")
        crash_point("send.before")
        self.departed = True


CURRENT: ContextVar[Flight | None] = ContextVar("novukit_flight", default=None)
