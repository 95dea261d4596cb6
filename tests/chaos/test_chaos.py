"""Kills, freezes, flushes and restarts of everything, under load, for real: no promise breaks; and the run can say no.

NOVUKIT_CHAOS_SECONDS and NOVUKIT_SEED choose another length and another schedule; ``make soak`` does more of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ..servers import ServerMissingError
from .mutants import MUTANTS
from .run import Plan, chaos, with_mutant
from .verdict import Verdict

# It loads the machine by itself: what runs beside it shall not be another of its kind.
pytestmark = [
    pytest.mark.xdist_group("chaos"),
    pytest.mark.skipif(sys.platform != "linux", reason="the chaos run proves by /proc whom it hurts"),
]

SECONDS = float(os.environ.get("NOVUKIT_CHAOS_SECONDS", "15"))
SEED = int(os.environ.get("NOVUKIT_SEED", "1"))


def done(folder: Path, plan: Plan) -> Verdict:
    """What comes of a run."""
    try:
        return asyncio.run(chaos(folder, plan))
    except ServerMissingError as err:
        pytest.skip(f"The chaos run was skipped, for it hurts only servers that it has started: {err}.")


def test_no_promise_breaks_whatever_is_hurt(tmp_path: Path) -> None:
    """Nothing lost, nothing doubled but after an unknown outcome, the same key on every repeat, silence after
    «cancelled», every event in one digest, a 503 with Retry-After while the database is away, and all comes to an end.
    """
    said = done(tmp_path, Plan(seed=SEED, seconds=SECONDS, every=1.4))
    assert [] == said.broken, f"\n{said}"
    assert len({hurt.fault.what for hurt in said.hurt}) >= 5, f"hardly anything was hurt\n{said}"


def test_the_run_can_say_no(tmp_path: Path) -> None:
    """A provider that is given another key on a repeat: the judge names the request."""
    said = done(tmp_path, with_mutant(Plan(seed=SEED, seconds=3), "other_key"))
    assert any(MUTANTS["other_key"].says in line for line in said.broken), f"\n{said}"
