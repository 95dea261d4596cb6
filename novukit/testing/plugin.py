"""The pytest plugin: the fixture ``novukit``, a :class:`Harness` over the project's own ``novukit.toml``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .harness import Harness


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that use the harness are async tests on asyncio, without any marker."""
    if "novukit" in metafunc.fixturenames:
        name = getattr(pytest, "HIDDEN_PARAM", "asyncio")
        asyncio_only = [pytest.param("asyncio", id=name)]
        metafunc.definition.add_marker(pytest.mark.parametrize("anyio_backend", asyncio_only, scope="module"))


@pytest.fixture
def novukit_toml(request: pytest.FixtureRequest) -> Path:
    """The configuration that the harness reads: the nearest ``novukit.toml`` above the test, unless overridden."""
    for folder in request.path.parents:
        if (folder / "novukit.toml").is_file():
            return folder / "novukit.toml"
    pytest.fail("There is no novukit.toml above this test. Write one with: novukit init")


@pytest.fixture
async def novukit(novukit_toml: Path, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Harness]:
    """A whole novukit with a clock that the test winds."""
    # Imported here: a plugin is loaded with every pytest run, also of projects that do not use it.
    from ..settings import Settings
    from .harness import Harness

    async with Harness(Settings.load(novukit_toml), tmp_path) as harness:
        yield harness
