"""``novukit inbox``, and what ``novukit doctor`` says of inboxes in browsers."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from .conftest import TOML, Project


def sign(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_the_hashes_are_those_of_the_environments_key(project: Project) -> None:
    """As docs/inbox.md tells to make them; each environment has its own."""
    key = project.json("keys")["secretKey"]
    shown = project.json("inbox", "hash", "ada", "--context", '{"tenant": {"id": "acme"}, "app": "shop"}')
    assert sign(key, "ada") == shown["subscriberHash"]
    assert sign(key, '{"app":"shop","tenant":{"id":"acme"}}') == shown["contextHash"]
    assert project.json("keys")["applicationIdentifier"] == shown["applicationIdentifier"]
    assert shown["subscriberHash"] in project.ok("inbox", "hash", "ada").out
    assert shown["subscriberHash"] != project.json("inbox", "hash", "ada", "-e", "production")["subscriberHash"]


@pytest.mark.parametrize("context", ["acme", "[1]", '{"n": 1.5}'])
def test_a_context_that_has_no_hash_is_refused(project: Project, context: str) -> None:
    """In a sentence."""
    result = project.run("inbox", "hash", "ada", "--context", context)
    assert result.code != 0
    assert "Traceback" not in result.err


def test_all_sessions_can_be_ended(project: Project) -> None:
    """After it was asked whether that is meant."""
    assert 0 != project.run("inbox", "close").code
    assert {"acknowledged": True} == project.run("inbox", "close", "--yes", "--json").json


@pytest.mark.parametrize(
    ("inbox", "status", "part"),
    [
        ('origins = ["https://app.example.com"]', "ok", "https://app.example.com"),
        ("", "ok", "this server only"),
        ('origins = ["*"]', "warning", "every origin"),
        ("require_hmac = false", "warning", "require_hmac is false"),
    ],
)
def test_the_doctor_looks_at_the_inbox_where_it_is_in_earnest(
    project: Project, inbox: str, status: str, part: str
) -> None:
    """Not in Development, where everything is open on purpose."""
    project.json("keys")
    project.write("novukit.toml", TOML.format(module=project.module) + f"\n[inbox]\n{inbox}\n")

    def found(environment: str) -> list[dict[str, Any]]:
        return [one for one in project.json("doctor", "-e", environment)["data"] if one["subject"] == "Inbox"]

    assert [] == found("development")
    (check,) = found("production")
    assert status == check["status"]
    assert part in check["finding"]


def test_an_origin_that_is_none_is_told(project: Project) -> None:
    """With its place in the file."""
    project.write("novukit.toml", TOML.format(module=project.module) + '\n[inbox]\norigins = ["app.example.com"]\n')
    result = project.run("inbox", "hash", "ada")
    assert result.code != 0
    assert "origins" in result.err
