"""Scenarios run on a whole novukit with the workflows of their own module, on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from novukit.authoring import Registry, Workflow
from novukit.settings import Settings
from novukit.testing import Harness

from .application import app
from .routed import routed

__all__ = ["app", "novukit", "routed"]


def workflows_of(module: ModuleType) -> Registry:
    """The workflows that a test module defines."""
    return Registry(value for value in vars(module).values() if isinstance(value, Workflow))


@pytest.fixture
async def novukit(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, anyio_backend: str
) -> AsyncIterator[Harness]:
    """A harness over the module's workflows, on each engine."""
    settings = Settings(root=tmp_path, templates=(tmp_path,))
    async with Harness(settings, tmp_path, workflows=workflows_of(request.module), database=database_url) as harness:
        yield harness
