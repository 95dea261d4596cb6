"""What these tests take besides the house's fixtures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ..conftest import _execute


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty Postgres database, for what SQLite has not: a clock of its own, or a wire."""
    url, emptying = request.getfixturevalue("_migrated_postgres")
    _execute(url, emptying)
    return url


@pytest.fixture
def some_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database where it does not matter which."""
    shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "novukit.db")
    return f"sqlite:///{tmp_path / 'novukit.db'}"
