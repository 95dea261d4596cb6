"""The page of each plugin is its README: it has its parts, and says of the provider what its class declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from docs import matrix
from novukit.settings import Settings

from .rooms import ROOT

PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
PARTS = {"idempotency", "events", "limits", "overrides"}
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
    assert re.search(r"read on\s+\d{4}-\d\d-\d\d", text.split("\n\n")[-1])
    assert PARTS - set(table(text)) == set()
    assert len(text.splitlines()) <= SCREEN
    (tmp_path / "novukit.toml").write_text("\n".join(snippets))
    named = {one["provider"] for snippet in snippets for one in tomllib.loads(snippet).get("integrations", [])}
    assert Settings.load(tmp_path, environ={}).integrations
    assert named
    assert named <= ids


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_readme_says_what_the_class_declares(folder: Path) -> None:
    """Each field that it supports (or «everything», or one tag for ``tags``), each event, and its idempotency."""
    rows = table((folder / "README.md").read_text("utf-8"))
    for one in (one for one in described() if one.folder == folder.name):
        told = rows.get("supports", "")
        if "everything" not in told:
            assert [name for name in one.row.supports if name.removesuffix("s") not in told] == []
        assert [name for name in one.row.events if name not in rows["events"]] == []
        assert re.search(WORDS[one.provider.idempotency], rows["idempotency"])


def imports(file: Path) -> set[str]:
    """The packages that a module imports, by the first part of their names."""
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def needed(requirements: list[str]) -> set[str]:
    """The distributions that requirements name."""
    return {re.split(r"[\[<>=!~;, ]", one, maxsplit=1)[0].lower() for one in requirements}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_declares_what_it_imports(folder: Path) -> None:
    """Beyond Python, novukit and what novukit itself always brings; and HTTP/2 where it speaks that."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    known = needed(project["dependencies"]) | needed(ours) | {folder.name}
    modules = [path for path in folder.rglob("*.py") if "tests" not in path.parts]
    homes = packages_distributions()
    own = {path.stem for path in modules} | {path.name for path in folder.iterdir()}
    foreign = set().union(*map(imports, modules)) - sys.stdlib_module_names - own

    assert {
        name for name in foreign if not {home.lower() for home in homes.get(name, [name.replace("_", "-")])} & known
    } == set()
    if any(one.provider.http2 for one in described() if one.folder == folder.name):
        assert "novukit[http2]" in project["dependencies"]


def test_every_plugin_is_in_the_matrix() -> None:
    """Each folder has a provider with a kit."""
    assert {folder.name for folder in PLUGINS} == {one.folder for one in described()} - {""}
