"""The tutorial docs/write-a-provider.md: its module is a plugin, and its test file passes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from novukit.providers import PluginHost
from novukit.testing.conformance import failures

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "write-a-provider.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def module(name: str, source: str) -> ModuleType:
    """A module of that source."""
    made = ModuleType(name)
    exec(compile(source, name, "exec", dont_inherit=True), vars(made))
    return made


async def test_the_provider_of_the_tutorial_passes_its_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is printed."""
    plugin = module("novukit_post", BLOCKS[0])
    monkeypatch.setitem(sys.modules, "novukit_post", plugin)
    host = PluginHost([plugin], installed=False)

    assert [status.error for status in host.statuses if not status.ok] == []
    assert await failures(module("test_post", BLOCKS[1]).TestPost) == {}
