"""`novukit new provider`: a plugin that passes the kit, the linter and the type checker before anyone touched it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Project

ROOT = Path(__file__).parents[2]
CHANNELS = ["email", "sms", "push", "chat"]


def tool(*arguments: str, folder: Path) -> str:
    """What a tool says that is run in the folder; nothing but success is expected of it."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_made_passes_the_kit_as_it_is(project: Project, channel: str) -> None:
    """Of every channel, also where the id has a sign and a digit in it; without being installed."""
    made = project.json("new", "provider", f"my-{channel}-2", "--channel", channel)
    tried = project.json("providers", "test", f"novukit-my-{channel}-2")

    assert set(made["files"]) == {
        "pyproject.toml", "README.md", f"novukit_my_{channel}_2.py", f"tests/test_my_{channel}_2.py"
    }  # fmt: skip
    assert (tried["passed"], tried["faults"], tried["data"][0]["failed"]) == (True, [], [])
    assert tried["data"][0]["tests"] > 45


def test_what_is_made_is_clean(project: Project) -> None:
    """For ruff at its own width and at ours, and for pyright at its strictest."""
    for channel in CHANNELS:
        project.ok("new", "provider", f"acme-{channel}", "--channel", channel)
    plugins = [f"novukit-acme-{channel}" for channel in CHANNELS]
    settings = {"typeCheckingMode": "strict", "extraPaths": plugins}
    project.write("pyrightconfig.json", json.dumps(settings))

    checked = tool("ruff", "check", "--isolated", "--select", "E,F,I,B,UP,RUF,N,D1", *plugins, folder=project.folder)
    assert checked == ""
    for width in ("88", "120"):
        options = ("--isolated", "--check", "--line-length", width)
        assert tool("ruff", "format", *options, *plugins, folder=project.folder) == ""
    assert tool("pyright", "--pythonpath", sys.executable, *plugins, folder=project.folder) == ""


def test_its_own_tests_run_with_pytest_too(project: Project) -> None:
    """In its folder, not installed."""
    project.ok("new", "provider", "pytested", "--channel", "sms")

    options = ("-q", "-p", "no:cacheprovider", "-k", "reaches_the_wire or contract")
    assert tool("pytest", *options, folder=project.folder / "novukit-pytested") == ""


def test_nothing_is_replaced(project: Project) -> None:
    """Exit code 5, where there are files or such a provider is installed already."""
    project.ok("new", "provider", "post", "--channel", "email")
    again = project.run("new", "provider", "post", "--channel", "sms")
    known = project.run("new", "provider", "smtp", "--channel", "email")

    assert (again.code, known.code) == (5, 5)
    assert "novukit-post is there already" in again.err
    assert "There is a provider 'smtp' already (built in)" in known.err


@pytest.mark.parametrize("name", ["Post", "a b", "-x", "../up", "x" * 65])
def test_a_name_that_is_no_id_is_told(project: Project, name: str) -> None:
    """Exit code 2, with one that would do."""
    result = project.run("new", "provider", "--channel", "email", "--", name)

    assert result.code == 2
    assert "acme-mail" in result.err
