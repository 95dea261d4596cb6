"""Rotating the master key: everything is stored anew under the first key, and the old one can go."""

from __future__ import annotations

import json

import pytest

from novukit.settings.keys import make

from .conftest import Project


def test_secrets_survive_a_change_of_the_master_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both keys they are sealed anew; then the new one alone opens them, and the old one no longer does."""
    old, new = make(), make()
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", old)
    before = json.loads(project.run("keys", "--json").out)["secretKey"]

    monkeypatch.setenv("NOVUKIT_MASTER_KEY", f"{new},{old}")
    rotated = json.loads(project.run("keys", "rotate", "--json").out)
    again = json.loads(project.run("keys", "rotate", "--json").out)
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", new)
    after = json.loads(project.run("keys", "--json").out)["secretKey"]
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", old)
    refused = project.run("keys")

    assert rotated["changed"] > 0
    assert again["changed"] == 0
    assert after == before
    assert refused.code == 2
