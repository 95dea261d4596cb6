"""The page of each plugin is its README: it has its parts, and says of the provider what its class declares."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from docs import matrix
from novukit.settings import Settings

from .rooms import ROOT

PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
PARTS = ("supports", "idempotency", "events", "limits", "overrides")
WORDS = {"native": "native", "lookup": "look-?up", "none": "none"}
SCREEN = 100
"""Lines that one still reads to the end."""


@cache
def described() -> list[matrix.Described]:
    """All providers of this repository; their tests are read once."""
    return matrix.described()


def table(text: str) -> dict[str, str]:
    """The rows of the tables: first cell → the rest."""
    return {row[1].strip(): row[2] for row in re.finditer(r"^\| ([\w ]+?) *\|(.*)\|$", text, re.MULTILINE)}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_readme_has_its_parts(folder: Path, tmp_path: Path) -> None:
    """How to install it, what to write into novukit.toml, what it can do, what to know, and where that is from."""
    text = (folder / "README.md").read_text("utf-8")
    ids = {one.provider.id for one in described() if one.folder == folder.name}
    snippets = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    assert text.startswith(f"# {folder.name}\n")
    assert f"    pip install {folder.name}\n" in text
    assert re.search(r"^(## )?What to know", text, re.MULTILINE)
    assert re.search(r"^(## )?Sources?\b.*\d{4}-\d\d-\d\d", text, re.MULTILINE)
    assert [part for part in PARTS if part not in table(text)] == []
    assert len(text.splitlines()) <= SCREEN
    (tmp_path / "novukit.toml").write_text("\n".join(snippets))
    named = {one["provider"] for snippet in snippets for one in tomllib.loads(snippet).get("integrations", [])}
    assert Settings.load(tmp_path, environ={}).integrations
    assert named
    assert named <= ids


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_readme_says_what_the_class_declares(folder: Path) -> None:
    """Each field that it supports, each event, and its idempotency stand in their rows."""
    rows = table((folder / "README.md").read_text("utf-8"))
    for one in (one for one in described() if one.folder == folder.name):
        assert [name for name in one.row.supports if name not in rows["supports"]] == []
        assert [name for name in one.row.events if name not in rows["events"]] == []
        assert re.search(WORDS[one.provider.idempotency], rows["idempotency"])


def test_every_plugin_is_in_the_matrix() -> None:
    """Each folder has a provider with a kit."""
    assert {folder.name for folder in PLUGINS} == {one.folder for one in described()} - {""}
