"""`novukit init`: a project that works, and nothing of anyone's replaced by accident."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(project: Project) -> Project:
    """A folder without a project."""
    for file in project.folder.iterdir():
        file.unlink()
    return project


def test_a_project_is_made_and_the_next_steps_are_told(empty: Project) -> None:
    """In a folder of its own, which need not be there."""
    result = empty.ok("init", "my shop")

    assert (empty.folder / "my shop" / "novukit.toml").exists()
    assert "novukit dev" in result.out
    assert "novukit trigger welcome --to ada@example.com" in result.out


def test_what_is_made_works(empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """C35: in a folder with a blank and a sign in its name; sync, trigger, and its own test."""
    folder = empty.folder / "näxt shop"
    empty.ok("init", str(folder))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}

    def novukit(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "novukit.cli", *arguments],
            cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    synced, triggered = novukit("sync"), novukit("trigger", "welcome", "--to", "ada@example.com", "--json")

    assert (synced.returncode, triggered.returncode) == (0, 0), synced.stderr + triggered.stderr
    assert "+ welcome" in synced.stdout


def test_a_folder_with_files_is_refused(empty: Project) -> None:
    """C31: exit code 5; what would be replaced is told."""
    empty.write("novukit.toml", "port = 1\n")
    empty.write("other.txt", "")

    refused = empty.run("init")
    kept = (empty.folder / "novukit.toml").read_text()
    forced = empty.json("init", "--force")

    assert refused.code == 5
    assert "it would replace novukit.toml" in refused.err
    assert "--force" in refused.err
    assert kept == "port = 1\n"
    assert forced["replaced"] == ["novukit.toml"]
    assert (empty.folder / "other.txt").exists()


def test_a_file_is_no_folder(empty: Project) -> None:
    """Exit code 1."""
    empty.write("shop", "")

    result = empty.run("init", "shop")

    assert result.code == 1
    assert "shop is a file" in result.err


def test_a_folder_that_cannot_be_written_is_told(empty: Project) -> None:
    """C34: exit code 1, with the path. Root may write anywhere but into the kernel's own folders."""
    folder = empty.folder / "locked"
    folder.mkdir(mode=0o500)
    if os.geteuid() == 0:
        folder = Path("/sys")

    result = empty.run("init", str(folder / "shop"))

    assert result.code == 1
    assert "cannot be written" in result.err
