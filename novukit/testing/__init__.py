"""Door 3: what authors and plugin authors test with.

Names are looked up when they are used: pytest loads this package in every run, also where novukit is not under test.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .harness import Harness
    from .outbox import Outbox, SentMessage

__all__ = ["Harness", "Outbox", "SentMessage", "VirtualClock"]

_HOMES = {"Harness": "harness", "Outbox": "outbox", "SentMessage": "outbox", "VirtualClock": "clock"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
