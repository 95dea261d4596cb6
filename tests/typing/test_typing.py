"""Both type checkers see in the public API what the author means, and refuse what would fail later."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = ("accepts.py", "rejects.py")

Found = dict[tuple[str, int], str]
"""The messages of one checker by file and line."""


def marks() -> dict[int, str]:
    """The lines of ``rejects.py`` that must be refused, and the word that each is marked with."""
    lines = (HERE / "rejects.py").read_text(encoding="utf-8").splitlines()
    return {at: found[1] for at, line in enumerate(lines, 1) if (found := re.search(r"# reject: ([\w-]+)", line))}


def of_pyright(output: str) -> Found:
    diagnostics = json.loads(output)["generalDiagnostics"]
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"]
        for one in diagnostics
        if one["severity"] == "error"
    }


def of_mypy(output: str) -> Found:
    errors = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {(Path(one["file"]).name, one["line"]): one["message"] for one in errors if one["severity"] == "error"}


CHECKERS: dict[str, tuple[list[str], Callable[[str], Found]]] = {
    "pyright": (["--outputjson"], of_pyright),
    "mypy": (["--strict", "--output=json", "--follow-imports=silent", "--no-error-summary"], of_mypy),
}


@pytest.fixture(scope="module")
def found() -> dict[str, Found]:
    """What each checker finds in both files. They run side by side, once."""
    paths = [str(HERE / name) for name in FILES]
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", name, *options, *paths], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name, (options, _) in CHECKERS.items()
    }  # fmt: skip
    answers = {name: (*process.communicate(timeout=300), process.returncode) for name, process in running.items()}
    for name, (_, errors, code) in answers.items():
        assert code in (0, 1), f"{name} could not run: {errors}"
    return {name: CHECKERS[name][1](output) for name, (output, *_) in answers.items()}


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_right_is_accepted(checker: str, found: dict[str, Found]) -> None:
    """No error in the file that uses everything as it is meant."""
    assert {} == {place: message for place, message in found[checker].items() if place[0] == "accepts.py"}


@pytest.mark.parametrize("checker", CHECKERS)
def test_nothing_else_is_refused(checker: str, found: dict[str, Found]) -> None:
    """An error on another line would hide that the marked one is accepted."""
    known = marks()

    assert {} == {
        place: message
        for place, message in found[checker].items()
        if place[0] == "rejects.py" and place[1] not in known
    }


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("line", [pytest.param(line, id=word) for line, word in marks().items()])
def test_what_is_wrong_is_refused(line: int, checker: str, found: dict[str, Found]) -> None:
    """Exactly on its line."""
    assert ("rejects.py", line) in found[checker]
