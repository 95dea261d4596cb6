"""Planted faults: what novukit would be without one of its promises. Each must turn the chaos run red.

They are planted in novukit's own processes, by the workflows' module, where ``NOVUKIT_CHAOS_MUTANT`` names one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """One fault, which other faults it takes to see it, what a verdict says of it, and how much more load it needs."""

    plant: Callable[[], None]
    what: tuple[str, ...]
    says: str
    load: float = 1.0


def _other_key() -> None:
    """A repeat goes out under a key of its own."""
    from novukit.providers import dispatch

    deliver, called = dispatch.deliver, Counter[str]()

    async def with_another_key(provider: Any, content: Any, key: str, **more: Any) -> Any:
        called[key] += 1
        return await deliver(provider, content, key if called[key] == 1 else f"{key}-{called[key]}", **more)

    dispatch.deliver = with_another_key


def _no_reaper() -> None:
    """What a dead worker had taken stays with it."""
    from novukit.store import workers

    async def nothing(database: Any) -> int:
        return 0

    workers.reap = nothing


MUTANTS = {
    "other_key": Mutant(_other_key, (), "which no message on record has"),
    # Executions take milliseconds: with the usual load whole runs pass in which no worker holds one when it is killed.
    "no_reaper": Mutant(_no_reaper, ("kill -9 of a worker",), "it is still running", load=8.0),
}
