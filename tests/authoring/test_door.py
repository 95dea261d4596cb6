"""The front door is light, sorted, and the same for people and type checkers."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import novukit

HEAVY = {
    "litestar", "piccolo", "taskiq", "jinja2", "pluggy", "httpx",
    "asyncio", "asyncpg", "cronsim", "cryptography", "email_validator", "sqlite3", "ssl",
}  # fmt: skip


def test_importing_novukit_imports_nothing_heavy() -> None:
    """A workflow's module starts as fast as pydantic does; the client comes when it is asked for."""
    code = "import json, sys, novukit; print(json.dumps([m.partition('.')[0] for m in sys.modules]))"

    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))

    assert set() == HEAVY & set(loaded)


def test_all_is_sorted_and_there() -> None:
    """Also what is loaded late."""
    assert sorted(novukit.__all__) == novukit.__all__
    assert [] == [name for name in novukit.__all__ if not hasattr(novukit, name)]
    assert "novukit.client" == novukit.Client.__module__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="Workflows"):
        novukit.Workflows  # noqa: B018


def test_the_version_is_the_projects() -> None:
    """Said twice, the same."""
    project = tomllib.loads((Path(novukit.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["version"] == novukit.__version__
