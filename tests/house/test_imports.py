"""The house is built in one direction, each library has one door, and the front door is light."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .rooms import ROOT

HEAVY = ("litestar", "piccolo", "taskiq", "jinja2", "pluggy", "httpx", "uvicorn", "asyncpg", "rich", "click")


def imported_by(statement: str) -> set[str]:
    """The top-level modules that a fresh Python has after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of pyproject.toml in a folder."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("door", ["import novukit", "from novukit import Context, Subscriber, workflow"])
def test_the_front_door_is_light(door: str) -> None:
    """Whoever only declares workflows or triggers them loads no server, database, queue, template or HTTP library."""
    assert imported_by(door) & set(HEAVY) == set()


def test_settings_are_light() -> None:
    """Reading novukit.toml loads none of them either."""
    assert imported_by("import novukit.settings") & set(HEAVY) == set()


def test_all_contracts_are_kept() -> None:
    """Layers, private tables, one door for each library: as [tool.importlinter] in pyproject.toml says."""
    done = contracts(ROOT)
    assert done.returncode == 0, done.stdout.partition("Broken contracts")[2] or done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("engine/probe.py", "from ..bridge import auth", "One direction"),
        ("model/probe.py", "from ..store import Database", "One direction"),
        ("rendering/probe.py", "from ..providers import Provider", "One direction"),
        ("engine/probe.py", "import sqlite3", "The database libraries"),
        ("cli/probe.py", "from litestar import Litestar", "Litestar"),
        ("engine/probe.py", "from ..store.tables import Execution", "The tables are private"),
        ("newroom/__init__.py", "", "One direction"),
    ],
)
def test_a_wrong_import_is_caught(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """A probe that breaks a rule breaks the contract that names it, and a new package must be given its place."""
    shutil.copytree(ROOT / "novukit", tmp_path / "novukit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    probe = tmp_path / "novukit" / module
    probe.parent.mkdir(exist_ok=True)
    probe.write_text(f'"""A probe."""\n{line}\n')
    done = contracts(tmp_path)
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert f"{contract}" in said
    assert "BROKEN" in said or "newroom" in said
