"""Novu's ``<Inbox/>``, built as an application builds it, in Chromium: what a person sees and does."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .serving import Live, packages, run_node

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Into no test's output."""


@pytest.fixture(scope="module")
def chromium() -> str:
    """A browser; without one the test is skipped."""
    found = os.environ.get("NOVUKIT_TEST_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("The inbox was not tried in a browser: chromium is not installed.")
    return found


@pytest.fixture(scope="module")
def page(node: None, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an application with an inbox, on another origin than novukit."""
    built = tmp_path_factory.mktemp("inbox")
    command = ["npx", "--no-install", "vite", "build", "inbox", "--outDir", str(built), "--logLevel", "error"]
    subprocess.run(command, cwd=packages(), check=True, capture_output=True)
    handler = functools.partial(_Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


@pytest.mark.parametrize("transport", ["plain", "socket.io"])
def test_a_person_uses_the_inbox(live: Live, page: str, chromium: str, transport: str, tmp_path: Path) -> None:
    """From the bell to the preferences, live, without an error in the console, a failed request or one to elsewhere."""
    seen = run_node(live, "browser.mjs", transport, str(tmp_path), PAGE=page, CHROMIUM=chromium)
    assert [
        "the bell shows what arrives", "the list", "seen", "a live arrival in the open list",
        "tabs by tag and by severity", "read", "an action button", "snooze", "archive", "preferences", "dark",
    ] == seen  # fmt: skip
