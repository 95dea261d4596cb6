"""Crash points: named moments at which a test lets the process die. In production they are nothing.

They exist only where ``NOVUKIT_CRASH_AT`` is set while this module is imported: ``trigger.mid`` dies the first time the
moment comes, ``claim.after:2`` the second time, ``call.before:stop`` stops (SIGSTOP) until somebody sends SIGCONT.
Several are joined by commas. ``later`` arms nothing yet: a test that forks processes calls ``arm`` in each.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable
from typing import Any

VARIABLE = "NOVUKIT_CRASH_AT"
LATER = "later"

met: Counter[str] = Counter()
"""How often each moment has come in this process."""
_armed: dict[tuple[str, int], str] = {}


def arm(points: str) -> None:
    """Die (or stop) at ``points``, counted from now on. Raises ValueError for what cannot be read."""
    _armed.clear()
    met.clear()
    for point in filter(None, points.split(",")):
        name, *rest = point.split(":")
        hit = int(rest.pop(0)) if rest and rest[0].isdigit() else 1
        how = rest[0] if rest else "kill"
        if how not in ("kill", "stop") or len(rest) > 1:
            raise ValueError(f"{point!r} is not name, name:2, name:stop or name:2:stop.")
        _armed[name, hit] = how


if os.environ.get(VARIABLE):

    def crash_point(name: str) -> None:
        """This is the moment ``name``."""
        met[name] += 1
        if how := _armed.get((name, met[name])):
            os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)

    def crash_commit(moment: str, entries: Iterable[Any]) -> None:
        """``moment`` (mid or after) of the commit that writes ``entries``: once for each step and each ending in it,
        such as ``email.calling.mid`` and ``execution.completed.after``."""
        for entry in entries:
            step = getattr(entry, "checkpoint", None)
            if step is not None:
                crash_point(f"{step.kind}.{step.status}.{moment}")
            elif type(entry).__name__ == "Settle":
                crash_point(f"execution.{entry.status}.{moment}")

    if os.environ[VARIABLE] != LATER:
        arm(os.environ[VARIABLE])
else:

    def crash_point(name: str) -> None:
        """Nothing."""

    def crash_commit(moment: str, entries: Iterable[Any]) -> None:
        """Nothing."""
