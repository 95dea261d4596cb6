"""``@route``: what a routing function may be, and how it is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from novukit import Facts, route
from novukit.authoring import Registry
from novukit.errors import WorkflowInvalid


def test_routing_functions_are_found_in_the_modules_of_the_workflows(tmp_path: Path) -> None:
    """One for each channel; a module may import it from another."""
    (tmp_path / "routed_here.py").write_text(
        "from novukit import Facts, route\n\n@route('sms')\n"
        "def by(facts: Facts) -> str | None:\n    return facts.country\n"
    )
    (tmp_path / "routed_there.py").write_text("from routed_here import by\n")
    registry = Registry.load(["routed_here", "routed_there"], tmp_path)

    assert ["sms"] == list(registry.routers)
    assert registry.routers["sms"].where.endswith("routed_here.py:3")


@pytest.mark.parametrize("channel", ["in_app", "fax"])
def test_only_channels_with_integrations_are_routed(channel: Any) -> None:
    """The inbox has none."""
    with pytest.raises(WorkflowInvalid, match=channel):
        route(channel)(lambda facts: None)


def test_a_routing_function_is_not_async() -> None:
    """It would wait for something, and what it waited for could change its mind in a replay."""

    async def by(facts: Facts) -> str | None:
        return None

    with pytest.raises(WorkflowInvalid, match="not async"):
        route("email")(by)  # type: ignore[arg-type]


def test_two_functions_for_one_channel_are_refused() -> None:
    """Both are named with their places."""
    first, second = route("email")(lambda facts: None), route("email")(lambda facts: "a")
    with pytest.raises(WorkflowInvalid, match=r"test_routing\.py:\d+ and .*test_routing\.py:\d+"):
        Registry(routers=[first, second])
