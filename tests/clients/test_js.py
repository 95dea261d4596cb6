"""Novu's JavaScript client, unmodified, in Node: every call of an inbox, and both transports of its socket."""

from __future__ import annotations

import pytest

from .serving import Live, run_node

CHAPTERS = (
    "session", "list", "marks", "bulk", "preferences", "schedule", "subscriptions", "channels", "context",
)  # fmt: skip


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_call_of_an_inbox_does_what_it_says(live: Live, chapter: str) -> None:
    """``@novu/js``: what each call gives, and what it changes; ``inbox.mjs`` has the chapters."""
    assert {"chapter": chapter, "transport": "plain"} == run_node(live, "inbox.mjs", chapter)


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("transport", ["plain", "socket.io", "socket.io under /v1"])
def test_a_socket_tells_what_is_new(live: Live, transport: str) -> None:
    """Notifications as they come, true counters, and a client that comes back has them again."""
    told = run_node(live, "inbox.mjs", "realtime", transport)
    assert {"chapter": "realtime", "transport": transport} == told
