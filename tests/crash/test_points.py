"""Crash points themselves: nothing in production, deadly where they are armed, and each of them is in the matrix."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import novukit
from novukit import crash

from .matrix import CANCELLING, FAMILIES
from .test_callbacks import POINTS as OF_CALLBACKS
from .test_outage import STANDING

SOURCE = "from novukit.crash import crash_point as p\nfor n in range(3): p('here')\nprint('alive')"


def outcome(crash_at: str | None) -> tuple[int, str]:
    """How a process ends that comes to ``here`` three times."""
    environment = {k: v for k, v in os.environ.items() if k != crash.VARIABLE}
    if crash_at is not None:
        environment[crash.VARIABLE] = crash_at
    done = subprocess.run([sys.executable, "-c", SOURCE], env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("crash_at", [None, "", "later", "there", "here:4"])
def test_who_is_not_meant_lives(crash_at: str | None) -> None:
    """Without the variable, armed later, at another point, or at a time that never comes."""
    assert (0, "alive") == outcome(crash_at)


@pytest.mark.parametrize("crash_at", ["here", "here:3", "there,here:2", "here:kill"])
def test_who_is_meant_is_killed(crash_at: str) -> None:
    """At once, by SIGKILL: no cleaning up, no answer."""
    assert (-signal.SIGKILL, "") == outcome(crash_at)


@pytest.mark.parametrize("crash_at", ["here:twice", "here:1:stop:now", "here:2:run"])
def test_nonsense_is_refused(crash_at: str) -> None:
    """A point that cannot be read would be a test that proves nothing."""
    with pytest.raises(ValueError, match="is not name"):
        crash.arm(crash_at)
    crash.arm("")


def test_in_production_a_crash_point_is_an_empty_function() -> None:
    """It looks nothing up."""
    code = "from novukit import crash; print(crash.crash_point.__code__.co_names, crash.crash_commit.__code__.co_names)"
    environment = {k: v for k, v in os.environ.items() if k != crash.VARIABLE}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "() ()" == done.stdout.strip()


def test_every_point_in_the_code_is_in_the_matrix_and_the_other_way_round() -> None:
    """A point that nobody dies at proves nothing; a row whose point is gone would never come to it."""
    folder = Path(novukit.__file__).parent
    written = {
        name for file in folder.rglob("*.py") if file.name != "crash.py"
        for name in re.findall(r'crash_point\("([^"]+)"\)', file.read_text("utf-8"))
    }  # fmt: skip
    rows = [*CANCELLING, *(row for rows in FAMILIES.values() for row in rows)]
    died = {row.at.partition(":")[0] for row in rows} | set(STANDING) | set(OF_CALLBACKS) | {"answered"}
    moments = {name for name in died if name.rpartition(".")[2] in ("before", "mid", "after")} - written
    assert set() == written - died
    # What is left are commits: kind, status and moment of what they write.
    assert [] == [name for name in sorted(moments) if not re.fullmatch(r"\w+\.\w+\.(before|mid|after)", name)]


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
