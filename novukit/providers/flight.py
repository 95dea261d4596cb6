"""How far the call that is under way has come: whether the provider may have received anything of it.

``dispatch`` opens a flight around each send; the HTTP client notes in it. A task that a plugin starts inherits it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Flight:
    """What the HTTP client has seen of one send. With ``observed`` false the plugin sends by other means."""

    observed: bool = False
    departed: bool = False

    @property
    def grounded(self) -> bool:
        """True only where it is certain that no byte of a message has left."""
        return self.observed and not self.departed


CURRENT: ContextVar[Flight | None] = ContextVar("novukit_flight", default=None)
