"""A server that is killed while it takes a callback: what was answered 200 is there, and nothing counts twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from novukit import crash
from novukit.app import App
from novukit.authoring import Registry
from novukit.clock import wall
from novukit.settings import Settings
from novukit.store import environments, integrations, timeline
from novukit.store.secrets import KeyRing, generate_master_key

from ..cases.vendor import signed
from ..queue.conftest import until
from ..rows import Rows

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

ROOT = Path(__file__).parents[2]
POINTS = ("callback.mid", "callback.after")
SECRET = "whsec_" + b64encode(b"a secret for a server that is to die").decode()


class Served:
    """A server as a process of its own, over a database of the test."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.master_key = url, folder, generate_master_key()
        self.process: subprocess.Popen[str] | None = None
        self.base = ""
        (folder / "novukit.toml").write_text("")

    def app(self) -> App:
        """The same, in this process, to look at."""
        settings = Settings(root=self.folder, database=self.url)
        return App(settings, registry=Registry(()), secrets=KeyRing([self.master_key]))

    async def start(self, crash_at: str = "") -> None:
        """Start it, to die at ``crash_at``."""
        environ = {
            **os.environ, "PYTHONPATH": str(ROOT), "NOVUKIT_DATABASE": self.url, "NOVUKIT_MASTER_KEY": self.master_key,
            crash.VARIABLE: crash_at or crash.LATER,
        }  # fmt: skip
        port = _free_port()
        command = [sys.executable, "-m", "novukit.cli", "server", "--port", str(port)]
        self.process = _started(command, self.folder, environ)
        self.base = f"http://127.0.0.1:{port}"
        await until(self._answers, what="the server")

    async def _answers(self) -> bool:
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"{self.base}/v1/health/live")).status_code == 200
        except httpx.HTTPError:
            return False

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """The status that a callback is answered with; 0 where the server died of it."""
        try:
            async with httpx.AsyncClient(timeout=20) as http:
                return (await http.post(f"{self.base}{path}", content=body, headers=headers)).status_code
        except httpx.HTTPError:
            return 0

    def kill(self) -> int:
        """Kill it, and say how it ended."""
        assert self.process is not None
        self.process.kill()
        return self.process.wait()


def _started(command: list[str], folder: Path, environ: dict[str, str]) -> subprocess.Popen[str]:
    with (folder / "server.log").open("a") as log:
        return subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log, text=True)


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at(point: str, database_url: str, tmp_path: Path) -> None:
    """Before the commit nothing of it is there and nothing was answered; after it the vendor's repetition changes
    nothing. In the end each event is there once, with all that follows from it.
    """
    served = Served(database_url, tmp_path)
    async with served.app() as app:
        scope = app.runtime.scope(await app.bootstrap())
        environment = await environments.get(app.database, scope.environment_id)
        made = await integrations.create(
            scope, app.runtime.secrets, provider_id="resend", channel="email", identifier="resend",
            credentials={"from": "a@example.com", "apiKey": "re_test", "webhookSecret": SECRET},
        )  # fmt: skip
        rows = Rows(scope, environment.organization_id)
        message = await rows.message(
            channel="email", provider_id="resend", integration_id=made.id, provider_message_id="re-1",
            callback_id="re-1",
            content={"to": "ada@example.com", "subject": "Hi"},
        )  # fmt: skip
        path = f"/v1/callbacks/{environment.identifier}/resend"
        told: dict[str, Any] = {
            "type": "email.bounced", "created_at": wall().isoformat(),
            "data": {"email_id": "re-1", "to": ["ada@example.com"], "bounce": {"type": "Permanent"}},
        }  # fmt: skip
        body = json.dumps(told).encode()

        async def found() -> tuple[int, int, int]:
            counts = [
                len(await app.database.fetch(f"select 1 from novukit_{table}"))
                for table in ("delivery_event", "suppression")
            ]
            lines = await timeline.of_execution(scope, message.execution_id)
            return counts[0], counts[1], len(lines)

        try:
            await served.start(point)
            assert 0 == await served.post(path, body, signed(body, "msg_1", wall(), secret=SECRET))
            assert served.process is not None
            assert -signal.SIGKILL == await asyncio.to_thread(served.process.wait, 20)
            assert ((0, 0, 0) if point == "callback.mid" else (1, 1, 2)) == await found()
            await served.start()
            for _ in range(2):
                assert 200 == await served.post(path, body, signed(body, "msg_1", wall(), secret=SECRET))
            assert (1, 1, 2) == await found()
        finally:
            if served.process is not None and served.process.poll() is None:
                served.kill()
