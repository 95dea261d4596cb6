"""The help: fast, complete, in one voice; and how the command line is read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from novukit.cli.entry import root
from novukit.cli.index import INDEX, names, summary
from novukit.cli.shape import Command, Group

from .conftest import Project

ROOT = Path(__file__).parents[2]
LIMIT = 0.3
"""Seconds that ``novukit --help`` may take."""


def all_commands(group: click.Group = root, path: str = "novukit") -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        assert found is not None
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from all_commands(found, f"{path} {name}")


COMMANDS = dict(all_commands())


def python(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    """What takes long to import is imported by the command that needs it."""
    heavy = ["asyncio", "httpx", "jinja2", "litestar", "piccolo", "pluggy", "pydantic", "rich", "taskiq", "uvicorn"]
    code = (
        "import sys; sys.argv = ['novukit', '--help']\nfrom novukit.cli import main\n"
        f"try: main()\nfinally: print([name for name in {heavy} if name in sys.modules])"
    )

    result = python("-c", code)

    assert result.stdout.splitlines()[-1] == "[]"


def test_help_is_fast() -> None:
    """The best of five counts: others use this machine too."""
    times: list[float] = []
    for _ in range(5):
        before = time.perf_counter()
        assert python("-m", "novukit.cli", "--help").returncode == 0
        times.append(time.perf_counter() - before)

    assert min(times) < LIMIT


def test_the_index_says_what_each_command_says() -> None:
    """The front page is written without looking at the commands, and yet in their own words."""
    told = {name: " ".join((COMMANDS[f"novukit {name}"].help or "").split()) for name in names()}

    assert {name: text for name, text in told.items() if not f"{text} ".startswith(f"{summary(name)} ")} == {}


def test_the_index_has_every_command_once() -> None:
    """A file for each, and each file in it."""
    files = {file.stem.removesuffix("_") for file in (ROOT / "novukit" / "cli" / "commands").glob("[a-z]*.py")}

    assert sorted(names()) == sorted(files)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_page_has_examples_that_can_be_read(path: str) -> None:
    """Each example of our own is a command that exists, with options that it has."""
    command = COMMANDS[path]

    assert isinstance(command, Command | Group)
    lines = [line.strip() for line in command.examples.strip().splitlines() if line.strip()]
    assert lines
    for line in lines:
        for typed in line.partition("#")[0].split("&&"):
            words = typed.split("|")[0].split()
            if "novukit" in words:
                _check(words[words.index("novukit") + 1 :])


def _check(words: list[str]) -> None:
    command: click.Command = root
    for word in words:
        if isinstance(command, click.Group) and (found := command.get_command(click.Context(command), word)):
            command = found
        elif word.startswith("--"):
            known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
            assert word.partition("=")[0] in known, f"{command.name} has no {word}"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_page_has_a_sentence_and_a_help_for_each_option(path: str) -> None:
    """The help begins with a sentence; no option is left without words."""
    command = COMMANDS[path]

    assert (command.help or "").partition("\n\n")[0].rstrip().endswith((".", ")"))
    bare = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not parameter.help
    ]
    assert bare == []


@pytest.mark.parametrize("path", COMMANDS)
def test_no_two_parameters_share_a_name(path: str) -> None:
    """A common option must not swallow a command's own argument."""
    found = [parameter.name for parameter in COMMANDS[path].params]

    assert len(found) == len(set(found))


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)])
def test_every_command_can_print_json(path: str) -> None:
    """``--json`` everywhere."""
    assert "as_json" in {parameter.name for parameter in COMMANDS[path].params}


def test_the_front_page_lists_every_section(project: Project) -> None:
    """Also for no arguments at all, and on a narrow terminal."""
    for arguments in (["--help"], ["-h"], []):
        result = project.run(*arguments)
        assert result.code == 0
        assert [word for section in INDEX for word in (section, *INDEX[section]) if word not in result.out] == []


def test_an_unknown_command_is_told_with_the_closest(project: Project) -> None:
    """C20's kin: exit code 2."""
    result = project.run("trigerr", "welcome")

    assert result.code == 2
    assert "novukit has no command 'trigerr'. Did you mean 'trigger'?" in result.err


def test_an_unknown_command_of_a_group_is_told_too(project: Project) -> None:
    """The group's own commands are what is suggested."""
    result = project.run("topics", "ad", "staff")

    assert result.code == 2
    assert "novukit topics has no command 'ad'. Did you mean 'add'?" in result.err


def test_an_unknown_option_is_told_with_the_page_to_read(project: Project) -> None:
    """One block: what, and what to do."""
    result = project.run("topics", "list", "--limt", "5")

    assert result.code == 2
    assert "--limt" in result.err
    assert "→ novukit topics list --help tells more." in result.err


@pytest.mark.parametrize("value", ["0", "-1", "1000000000", "abc"])
def test_a_number_out_of_range_is_told(project: Project, value: str) -> None:
    """C27."""
    result = project.run("worker", "--concurrency", value)

    assert result.code == 2
    assert "--concurrency" in result.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(project: Project, shell: str) -> None:
    """For each shell, with the name of the variable that click hears."""
    result = project.run("completion", shell)

    assert result.code == 0
    assert "_NOVUKIT_COMPLETE" in result.out
    assert project.json("completion", shell)["shell"] == shell


def test_completion_completes_names_and_options() -> None:
    """As the script asks for it."""
    asked = {"COMP_WORDS": "novukit tri", "COMP_CWORD": "1", "_NOVUKIT_COMPLETE": "bash_complete"}

    first = python("-m", "novukit.cli", **asked)
    second = python("-m", "novukit.cli", **{**asked, "COMP_WORDS": "novukit topics ad", "COMP_CWORD": "2"})

    assert first.stdout == "plain,trigger\n"
    assert second.stdout == "plain,add\n"


def test_the_version(project: Project) -> None:
    """With Python's own, which bug reports need."""
    result = project.run("--version")

    assert result.code == 0
    assert result.out.startswith("novukit ")
