"""`novukit translations`, `novukit variables`, and `novukit environments diff`, `publish` and `delete`."""

from __future__ import annotations

import json

from .conftest import Project


def test_translations_are_pushed_and_pulled(synced: Project) -> None:
    """One file for each locale; what the environment does not know is told, and the rest kept."""
    folder = synced.folder / "locales"
    refused = synced.run("translations", "pull", "locales", "--json")
    assert refused.code == 0
    folder.mkdir()
    assert synced.run("translations", "push", "locales", "--json").error["error"]["code"] == "not_found"
    texts = {"workflows": {"welcome": {"subject": "Hallo", "deep": {"key": "ä"}}}, "layouts": {}}
    (folder / "de_DE.json").write_text(json.dumps(texts))
    (folder / "en_US.json").write_text(json.dumps({"workflows": {"welcome": {"subject": "Hello"}}}))
    assert "Pushed 2 locales." in synced.ok("translations", "push", "locales").out
    assert "de_DE" in synced.ok("translations", "list").out

    synced.ok("translations", "pull", "again")
    assert json.loads((synced.folder / "again" / "de_DE.json").read_text("utf-8")) == texts
    (folder / "fr_FR.json").write_text(json.dumps({"workflows": {"lost": {"a": "b"}}}))
    lost = synced.run("translations", "push", "locales")
    assert (lost.code, "no workflow or layout 'lost'" in lost.err) == (1, True)
    (folder / "fr_FR.json").write_text("[]")
    assert "does not hold a JSON object" in synced.run("translations", "push", "locales").err


def test_variables_are_set_listed_and_deleted(synced: Project) -> None:
    """In one environment; a secret is not shown."""
    synced.ok("variables", "set", "SHOP_URL", "https://shop.example.com")
    synced.ok("variables", "set", "SHOP_URL", "https://new.example.com")
    synced.ok("variables", "set", "TOKEN", "s3cret", "--secret")
    told = synced.ok("variables", "list").out
    assert all(part in told for part in ("SHOP_URL", "https://new.example.com", "TOKEN", "secret"))
    assert "s3cret" not in told
    assert synced.json("variables", "list", "--environment", "production")["data"] == []
    synced.ok("variables", "delete", "TOKEN")
    assert [one["key"] for one in synced.json("variables", "list")["data"]] == ["SHOP_URL"]


def test_an_environment_is_compared_and_published_to(synced: Project) -> None:
    """The diff first; a dry run changes nothing; what is chosen alone, then all; then nothing differs."""
    told = synced.ok("environments", "diff", "development", "production").out
    assert all(part in told for part in ("+ workflow welcome", "+ step mail", "email", "2 differences."))
    dry = synced.ok("environments", "publish", "development", "production", "--dry-run").out
    assert "2 would be published. Nothing was changed." in dry
    assert synced.json("workflows", "list", "--environment", "production")["data"] == []

    one = synced.ok("environments", "publish", "development", "production", "--only", "welcome").out
    assert ("Published 1." in one, "later" in one) == (True, False)
    assert "Published 1." in synced.ok("environments", "publish", "development", "production").out
    assert "No differences; 2 the same." in synced.ok("environments", "diff", "development", "production").out
    for arguments in (("diff", "development", "prodution"), ("publish", "development", "production", "--only", "x")):
        assert synced.run("environments", *arguments, "--json").error["error"]["code"] == "not_found"


def test_an_environment_is_deleted(synced: Project) -> None:
    """After a question; the one that is worked in is kept."""
    synced.ok("environments", "create", "Staging")
    assert synced.run("environments", "delete", "staging").code != 0
    synced.ok("environments", "delete", "staging", "--yes")
    assert "staging" not in synced.ok("environments", "list").out
    assert "starts with" in synced.run("environments", "delete", "development", "--yes").err
