"""A novukit in a process of its own, started as a user starts it, for clients that speak HTTP from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..servers import free_port

ROOT = Path(__file__).resolve().parents[2]
TOML = """
environment = "development"
workflows = ["tests.clients.workflows"]
database = "sqlite:///novukit.db"

[[integrations]]
identifier = "mail"
provider = "catcher-email"
credentials = { from = "hello@example.com", folder = "mail" }
"""


@dataclass(frozen=True)
class Live:
    """A running novukit. ``url`` has no path; ``secret_key`` and ``identifier`` are those of Development."""

    url: str
    secret_key: str
    identifier: str
    folder: Path
    pid: int

    def api(self) -> httpx.Client:
        """Its API, called by hand."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"ApiKey {self.secret_key}"}, timeout=20)

    def environ(self) -> dict[str, str]:
        """What the programs of ``tests/clients/node`` read."""
        return {
            "NOVUKIT_URL": self.url,
            "NOVUKIT_SECRET_KEY": self.secret_key,
            "NOVUKIT_IDENTIFIER": self.identifier,
        }


@contextmanager
def serve(folder: Path, *arguments: str, toml: str = TOML, environ: Mapping[str, str] | None = None) -> Generator[Live]:
    """``novukit dev`` in ``folder`` until the block ends; its output is in ``novukit.log`` there."""
    (folder / "novukit.toml").write_text(toml)
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
    with (folder / "novukit.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "novukit.cli", "dev", "--no-reload", "--json", "--port", str(port), *arguments],
            cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, (folder / "novukit.log").read_text("utf-8", "replace")
        known = json.loads(_cli(folder, env, ["keys", "--json"]))
        live = Live(f"http://127.0.0.1:{port}", known["secretKey"], known["applicationIdentifier"], folder, process.pid)
        with live.api() as api:  # the socket listens before the banner is printed: this waits for the server
            api.get("/v1/environments/me").raise_for_status()
        yield live
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _cli(folder: Path, env: Mapping[str, str], arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", "novukit.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def node_missing() -> str | None:
    """Why the JavaScript clients cannot be run here; ``None`` when they can."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            return f"{command} is not installed"
    return None


def packages() -> Path:
    """The folder of the JavaScript clients, with what its ``package.json`` asks for installed beside it."""
    folder = ROOT / "tests" / "clients" / "node"
    wanted = (folder / "package.json").read_text()
    stamp = folder / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        # No lock file: it would hold the addresses that packages came from. The versions are exact instead.
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *options], cwd=folder, check=True, capture_output=True)
        stamp.write_text(wanted)
    return folder


def run_node(live: Live, program: str, *arguments: str, timeout: float = 120, **environ: str) -> Any:
    """Run a program of ``tests/clients/node`` and give what its last line of output says, which is JSON."""
    done = subprocess.run(
        ["node", program, *arguments], cwd=packages(), env={**os.environ, **live.environ(), **environ},
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{program}:\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.strip().split("\n")[-1])
