"""A novukit for the tests of a module; what they make there has names of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from novu_py import Novu

from . import sdk, serving


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Live]:
    """A running novukit with the workflows of ``tests.clients.workflows``."""
    with serving.serve(tmp_path_factory.mktemp("novukit")) as found:
        yield found


@pytest.fixture(scope="module")
def novu(live: serving.Live) -> Iterator[Novu]:
    """Novu's Python client; what is asked with asyncio needs one of its own (``sdk.connect``)."""
    with sdk.connect(live) as client:
        yield client


@pytest.fixture(scope="session")
def node() -> None:
    """Skips the test, in one sentence, where there is no Node."""
    if reason := serving.node_missing():
        pytest.skip(f"The JavaScript clients were not tried: {reason}.")
