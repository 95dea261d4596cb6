"""What the documents say is there: commands, settings, links, examples; and what is there is in the documents."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from docs import generate
from novukit.cli.entry import root
from novukit.settings import NOT_IN_FILE, Settings

from .rooms import ROOT, name

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"(?:^ {4}|`)novukit ([^`\n#]+)", re.MULTILINE)


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """Every fenced block of a language, with the page that it is on."""
    for page in PAGES:
        for found in BLOCK.finditer(page.read_text("utf-8")):
            if found[1] == language:
                yield page, found[2]


def setting_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of all that can be written in novukit.toml."""
    for key, field in model.model_fields.items():
        if key in NOT_IN_FILE and not prefix:
            continue
        inner = [part for part in (field.annotation, *_arguments(field.annotation)) if _is_table(part)]
        if inner:
            yield from setting_keys(inner[0], f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _arguments(annotation: object) -> tuple[object, ...]:
    return tuple(getattr(annotation, "__args__", ()))


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and "env" not in kind.model_fields


def complaint(typed: str) -> str:
    """What is wrong with a command line that a page shows: an unknown command or option, or nothing."""
    command: click.Command = root
    words = iter(word.rstrip(",.:;") for word in typed.split())
    for word in words:
        if word.startswith("--"):
            options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts)}
            if word != "--help" and word not in options:
                return f"{command.name} has no {word}"
            if isinstance(option := options.get(word), click.Option) and not option.is_flag:
                next(words, None)
        elif isinstance(command, click.Group) and not word.startswith("<"):
            child = command.get_command(click.Context(command), word)
            if child is None:
                return f"{command.name} has no {word}"
            command = child
    return ""


@pytest.mark.parametrize(
    "typed", ["frobnicate", "sync --plan", "executions frobnicate", "keys --environment x frobnicate"]
)
def test_a_command_that_is_not_there_is_noticed(typed: str) -> None:
    """An unknown command or option is a complaint."""
    assert complaint(typed)


def test_the_readme_shows_the_blog_example() -> None:
    """The README's workflow is examples/blog/workflows.py, to the letter."""
    example = (ROOT / "examples" / "blog" / "workflows.py").read_text("utf-8")
    assert example in [text for page, text in blocks("python") if page.name == "README.md"]


@pytest.mark.parametrize("page", sorted(generate.PAGES))
def test_generated_pages_are_current(page: str) -> None:
    """Errors, reasons, commands and routes are as the code has them; ``make format`` writes them."""
    assert (ROOT / "docs" / page).read_text("utf-8") == generate.PAGES[page]()


def test_every_setting_is_documented() -> None:
    """Each key of novukit.toml is in the table of docs/configuration.md, and nothing else is."""
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`([^`]+)`", row)} == set(setting_keys(Settings))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_linked_from_the_index() -> None:
    """No page of docs/ can only be found by chance."""
    linked = set(LINK.findall((ROOT / "docs" / "index.md").read_text("utf-8")))
    assert {page.name for page in PAGES if page.parent.name == "docs"} - linked == {"index.md"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_named_exist(page: Path) -> None:
    """Whatever a page tells people to type is a command, with options that it has."""
    typed = [found.strip() for found in TYPED.findall(page.read_text("utf-8"))]
    assert [said for said in map(complaint, typed) if said] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_blocks_are_python(page: Path) -> None:
    """They parse, and what they import from novukit can be imported."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    trees = [compile(text, name(page), "exec", flags) for where, text in blocks("python") if where == page]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("novukit", "examples"):
            module = importlib.import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def test_toml_blocks_are_settings(tmp_path: Path) -> None:
    """Each block of TOML that is a novukit.toml can be loaded as one."""
    for page, text in blocks("toml"):
        if "project" not in tomllib.loads(text):
            (tmp_path / "novukit.toml").write_text(text)
            assert Settings.load(tmp_path, environ={}).integrations, name(page)


def test_the_glossary_has_each_word_once() -> None:
    """In alphabetical order."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = re.findall(r"^\| \*\*(.+?)\*\*", text, re.MULTILINE)
    assert words == sorted(set(words))


def test_contributing_is_short() -> None:
    """Whoever wants to help reads it to the end."""
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 100
