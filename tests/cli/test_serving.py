"""Server and worker as real processes: both in one, metrics on a port of their own, and what compose.yaml runs."""

from __future__ import annotations

import re
import signal
import socket
from typing import Any

import httpx
import pytest
import yaml

from novukit.settings import ENVIRONMENT_VARIABLES

from ..house.rooms import ROOT
from ..house.test_docs import complaint
from .conftest import Project
from .test_operate import running

VARIABLES = {*ENVIRONMENT_VARIABLES, "NOVUKIT_MASTER_KEY", "NOVUKIT_METRICS_TOKEN"}


def test_server_and_worker_in_one_process(synced: Project) -> None:
    """What is triggered there is done there; one signal ends both."""
    key = synced.json("keys")["secretKey"]
    with running(synced, "server", "--with-worker", "--port", "0") as process:
        url = process.until("serving")["url"]
        done = synced.json("trigger", "welcome", "--to", "ada@example.com", "--wait", "--url", url, "--key", key)
        code, err = process.end(signal.SIGTERM)

    assert ["completed"] == [one["status"] for one in done["data"]]
    assert (0, "") == (code, err)


def test_a_worker_shows_its_metrics(synced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a port of its own, with the token if there is one; and that it lives, without."""
    monkeypatch.setenv("NOVUKIT_METRICS_TOKEN", "scrape-me")
    with running(synced, "worker", "--metrics-port", "0") as process:
        url = process.until("working")["metrics"]
        refused = httpx.get(url)
        shown = httpx.get(url, headers={"authorization": "Bearer scrape-me"})
        alive = httpx.get(url.replace("/metrics", "/v1/health/live"))
        code, _ = process.end(signal.SIGTERM)

    assert (401, 200, 200, 0) == (refused.status_code, shown.status_code, alive.status_code, code)
    assert url.startswith("http://127.0.0.1:")
    assert "novukit_workers 1.0" in shown.text


def test_a_server_without_a_token_has_no_metrics(synced: Project) -> None:
    """There is no such route."""
    with running(synced, "server", "--port", "0") as process:
        url = process.until("serving")["url"]
        answer = httpx.get(f"{url}/metrics")
        process.end()

    assert 404 == answer.status_code


def test_a_metrics_port_in_use_is_told(synced: Project) -> None:
    """Exit code 4, naming the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = synced.run("worker", "--metrics-port", str(port))

    assert 4 == result.code
    assert f"Port {port} on 127.0.0.1 is in use." in result.err


def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]


def test_what_compose_runs_is_there() -> None:
    """Each command, option and variable exists; so does whom a service waits for, and where health is asked."""
    ours = {name: one for name, one in services().items() if one["image"] == "novukit"}
    typed = [" ".join(one["command"]) for one in ours.values() if "command" in one]
    typed += re.findall(r"novukit ([\w ]+)", ours["migrate"]["entrypoint"][-1])
    assert [] == [said for said in map(complaint, typed) if said]
    assert [] == [name for one in ours.values() for name in one["environment"] if name not in VARIABLES]
    assert [] == [other for one in ours.values() for other in one.get("depends_on", {}) if other not in services()]
    asked = {name: one["healthcheck"]["test"][-1] for name, one in ours.items() if "healthcheck" in one}
    assert ":8000/v1/health/ready" in asked["server"]
    port = ours["worker"]["command"][-1]
    assert f":{port}/v1/health/live" in asked["worker"]


def test_no_secret_has_a_default_in_compose() -> None:
    """Whoever starts it must choose them."""
    text = (ROOT / "compose.yaml").read_text("utf-8")

    assert [] == re.findall(r"\$\{(?:POSTGRES_PASSWORD|NOVUKIT_MASTER_KEY)(?!:\?)", text)


def test_the_image_copies_what_is_there() -> None:
    """And sets variables that novukit reads."""
    text = (ROOT / "Containerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()]

    assert copied
    assert [] == [name for name in copied if not (ROOT / name).exists()]
    assert [] == [name for name in re.findall(r"(NOVUKIT_\w+)=", text) if name not in VARIABLES]
    assert "USER 10001" in text
