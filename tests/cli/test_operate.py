"""What runs for long, as real processes: `server`, `worker`, `dev`; and commands that speak to a server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from novukit.app import App

from .conftest import WORKFLOWS, Project

ROOT = Path(__file__).parents[2]
PATIENCE = 60


THIRD = """

@workflow("third")
async def third(ctx: Context[None]) -> None:
    await ctx.step.in_app("hello", body="Hello.")
"""


class Process:
    """A command that goes on, with ``--json``: each line that it prints is an event."""

    def __init__(self, project: Project, *arguments: str, **environ: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "novukit.cli", *arguments, "--json"],
            cwd=project.folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environ}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def next(self) -> dict[str, Any]:
        """The next event. The process has as long as the whole test has."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise AssertionError(f"it ended: {self._process.stderr.read()}")
        return json.loads(line)

    def until(self, event: str, **values: Any) -> dict[str, Any]:
        """The next event of this kind with these values."""
        while True:
            found = self.next()
            if found["event"] == event and all(found.get(name) == value for name, value in values.items()):
                return found

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait, and give exit code and stderr."""
        self._process.send_signal(number)
        _, err = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, err

    def close(self) -> None:
        """Make sure that it is gone."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@contextmanager
def running(project: Project, *arguments: str, **environ: str) -> Iterator[Process]:
    """A process for a block."""
    process = Process(project, *arguments, **environ)
    try:
        yield process
    finally:
        process.close()


def test_dev_serves_works_syncs_and_starts_again(project: Project) -> None:
    """One command: what another terminal triggers is done; a changed file is taken up; a broken one is waited out."""
    with running(project, "dev", "--port", "0") as dev:
        started = dev.until("started")
        first = project.json("trigger", "welcome", "--to", "ada@example.com", "--wait")
        told = dev.until("execution", status="completed")

        project.write(f"{project.module}.py", "import nowhere_at_all\n")
        project.write(f"{project.module}.py", WORKFLOWS + THIRD)
        again = dev.until("started")
        code, err = dev.end(signal.SIGINT)

    assert started["workflows"] == {"welcome": 2, "later": 2}
    assert started["integrations"] == ["mail"]
    assert [one["status"] for one in first["data"]] == ["completed"]
    assert told["id"] == first["data"][0]["id"]
    assert again["workflows"] == {"welcome": 2, "later": 2, "third": 1}
    assert code == 130, err


def test_a_second_dev_in_the_folder_is_told_who_has_it(project: Project) -> None:
    """C25: exit code 4 and the pid."""
    with running(project, "dev", "--port", "0", "--no-reload") as dev:
        dev.until("started")
        pid = (project.folder / ".novukit" / "dev.pid").read_text().strip()

        result = project.run("dev", "--port", "0")
        code, _ = dev.end()

    assert result.code == 4
    assert f"process {pid}" in result.err
    assert code == 0


@pytest.mark.parametrize("command", ["dev", "server"])
def test_a_port_in_use_is_told(project: Project, command: str) -> None:
    """C24: exit code 4, naming the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = [command, "--port", str(port), *(["--no-reload"] if command == "dev" else [])]

        result = project.run(*arguments)

    assert result.code == 4
    assert f"Port {port} on 127.0.0.1 is in use." in result.err


def test_dev_is_not_for_production(project: Project) -> None:
    """Exit code 5."""
    result = project.run("dev", "--environment", "production")

    assert result.code == 5
    assert "novukit server" in result.err


def test_commands_speak_to_a_server_elsewhere(synced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--url` and a key, from a folder without a project; a wrong key and a wrong environment exit with 6."""
    key = synced.json("keys", "-e", "production")["secretKey"]
    elsewhere = synced.folder / "elsewhere"
    elsewhere.mkdir()
    with running(synced, "server", "--port", "0") as server, running(synced, "worker") as worker:
        url = server.until("serving")["url"]
        worker.until("working")
        synced.ok("sync", "--url", url, "--key", key, "--json")
        monkeypatch.chdir(elsewhere)
        monkeypatch.setenv("NOVUKIT_URL", url)
        lost = synced.run("subscribers", "list")
        monkeypatch.setenv("NOVUKIT_SECRET_KEY", key)
        done = synced.json("trigger", "welcome", "--to", "ada", "--wait")
        keys = synced.json("keys")
        wrong = synced.run("subscribers", "list", "-e", "development")
        right = synced.run("subscribers", "list", "-e", "production")
        monkeypatch.setenv("NOVUKIT_SECRET_KEY", "nk_wrong")
        refused = synced.run("subscribers", "list")
        codes = server.end()[0], worker.end()[0]

    assert (lost.code, wrong.code, right.code, refused.code) == (2, 6, 0, 6)
    assert "NOVUKIT_SECRET_KEY" in lost.err
    assert "opens the environment 'Production', not 'development'" in wrong.err
    assert [one["status"] for one in done["data"]] == ["completed"]
    assert (keys["url"], keys["secretKey"]) == (url, key)
    assert codes == (0, 0)


def test_nobody_answers(project: Project) -> None:
    """C22: exit code 4, the URL that was tried."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    result = project.run("topics", "list", "--url", f"http://127.0.0.1:{port}", "--key", "nk_x")

    assert result.code == 4
    assert f"http://127.0.0.1:{port}" in result.err


def test_a_key_without_a_url_is_a_mistake(project: Project) -> None:
    """Exit code 2: in process the project's own key is used."""
    assert project.run("topics", "list", "--key", "nk_x").code == 2


def test_a_database_that_does_not_answer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """C9: exit code 4; host and port, never the password."""
    monkeypatch.setenv("NOVUKIT_DATABASE", "postgres://ada:hush@127.0.0.1:1/x")
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())

    result = project.run("topics", "list")

    assert result.code == 4
    assert "127.0.0.1:1" in result.err
    assert "hush" not in result.err


def test_a_database_that_goes_away_midway(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4, whatever its driver calls that: whoever runs the command starts it again."""

    async def cut(self: App) -> UUID:
        raise ConnectionResetError("Connection reset by peer")

    monkeypatch.setattr(App, "bootstrap", cut)

    result = project.run("worker")

    assert result.code == 4
    assert "The database cannot serve now" in result.err


def test_the_tables_are_made_and_checked(
    project: Project, monkeypatch: pytest.MonkeyPatch, empty_postgres: str
) -> None:
    """`db upgrade` and `db check`: 3 before, 0 after; twice is once."""
    monkeypatch.setenv("NOVUKIT_DATABASE", empty_postgres)
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())

    before, other = project.run("db", "check"), project.run("topics", "list")
    first, second = project.json("db", "upgrade"), project.json("db", "upgrade")
    after = project.run("db", "check")

    assert (before.code, other.code, after.code) == (3, 2, 0)
    assert "novukit db upgrade" in before.err
    assert "novukit db upgrade" in other.err
    assert first["applied"]
    assert second["applied"] == []
    assert project.run("topics", "list").code == 0


def test_a_worker_without_a_shared_broker_says_so(synced: Project) -> None:
    """C26: slower, not lost."""
    with running(synced, "worker") as worker:
        working = worker.until("working")
        code, _ = worker.end(signal.SIGINT)

    assert working["workflows"] == ["welcome", "later"]
    assert code == 130


def test_the_doctor_finds_all_well(synced: Project) -> None:
    """But for a worker."""
    result = synced.run("doctor")

    assert result.code == 0
    told = {line.split("  ")[0][2:].strip(): line[0] for line in result.out.splitlines() if line[:1] in ("✓", "!", "✗")}
    assert told == {
        "Configuration": "✓", "Plugins": "✓", "Workflows": "✓", "Broker": "✓", "Database": "✓", "Durability": "✓",
        "Schema": "✓", "Master key": "✓", "Sync": "✓", "Workers": "!", "Due work": "✓", "Channels": "!",
    }  # fmt: skip
    assert "No active integration for sms" in result.out


def test_the_doctor_finds_what_is_wrong(synced: Project) -> None:
    """Exit code 3; each with a remedy; a wrong configuration is the first and only thing."""
    (synced.folder / ".novukit" / "master.key").unlink()
    synced.write(
        "novukit.toml", f'workflows = ["{synced.module}"]\ntemplates = ["missing"]\nbroker = "redis://127.0.0.1:1/0"\n'
    )
    result = synced.run("doctor", "--json")
    synced.write("novukit.toml", "prot = 1")
    worse = synced.run("doctor")

    found = {one["subject"]: one for one in result.json["data"]}
    assert (result.code, worse.code) == (3, 3)
    wrong = {subject for subject, one in found.items() if one["status"] == "failed"}
    assert wrong == {"Templates", "Broker", "Master key"}
    assert [one["subject"] for one in found.values() if one["status"] == "failed" and not one["fix"]] == []
    assert "'prot' is not a setting" in worse.out


def test_the_doctor_looks_into_postgres(project: Project, monkeypatch: pytest.MonkeyPatch, empty_postgres: str) -> None:
    """Durability and clock are told; an empty database is no surprise."""
    monkeypatch.setenv("NOVUKIT_DATABASE", empty_postgres)
    project.run("db", "upgrade")

    subjects = [one["subject"] for one in project.json("doctor")["data"]]

    assert [subject for subject in ("Durability", "Clock", "Schema", "Environment") if subject not in subjects] == []


def test_plugins_are_listed(project: Project) -> None:
    """Those that come with novukit, by channel."""
    found = project.json("plugins", "--channel", "email")["data"]

    assert {"smtp", "console-email", "catcher-email"} <= {one["id"] for one in found}
    assert {one["channel"] for one in found} == {"email"}
