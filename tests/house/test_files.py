"""Every file is short, says first what lives in it, and carries nothing of the machine it was written on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .rooms import name, python_files, text_files

LONGEST = 400
OPENING = 280
"""Characters: two lines."""
VAGUE = {"utils", "util", "helpers", "helper", "manager", "service", "services", "common", "misc"}
FOREIGN = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|(?<![\w.~])/(?:work|root|Users)/\w", re.IGNORECASE)


@pytest.mark.parametrize("path", python_files(), ids=name)
def test_a_module_says_first_what_lives_in_it(path: Path) -> None:
    """The docstring begins with whole sentences in one short paragraph; more may follow after a blank line."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring, "it has no docstring"
    opening = " ".join(docstring.split("\n\n")[0].split())
    assert opening.endswith((".", "?")), opening
    assert len(opening) <= OPENING, opening


def test_no_python_file_is_long() -> None:
    """A file of more than 400 lines is two files."""
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in python_files()}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_no_module_has_a_vague_name() -> None:
    """A module is named after what it knows (a noun) or does (a verb)."""
    assert [name(path) for path in python_files() if VAGUE & {path.stem, path.parent.name}] == []


def test_no_two_plugins_name_a_test_module_alike() -> None:
    """pytest knows the modules of plugins by their names alone."""
    names = [path.name for path in python_files("plugins") if path.parent.name == "tests"]
    assert len(names) == len(set(names))


def test_nothing_of_one_machine_is_in_the_tree() -> None:
    """No address of a package registry and no absolute path of somebody's machine."""
    found = [
        f"{name(path)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert found == []


def test_sources_do_not_print_left_overs() -> None:
    """No breakpoint, no note to oneself that was to be gone before anyone saw it."""
    left = re.compile(r"\b(breakpoint\(|pdb\.set_trace|" + "TO" + "DO|FIX" + "ME|X" + r"XX)\b")
    found = [
        f"{name(path)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if left.search(line)
    ]
    assert found == []
