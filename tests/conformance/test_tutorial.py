"""The tutorial docs/write-a-provider.md: whoever follows it, command by command and file by file, has what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-provider.md"
FILE = r"`(?P<file>[\w/.-]+\.py)`:\n\n```python\n(?P<text>.*?)^```"
COMMANDS = r"(?P<commands>(?:^    (?:novukit|pip) [^\n]*\n)+)"
SAID = r"^```text\n(?P<said>.*?)^```"
STEP = re.compile(f"{FILE}|{COMMANDS}|{SAID}", re.MULTILINE | re.DOTALL)
SCREEN = 60
"""Lines of the provider: one screen of code."""


def steps() -> Iterator[tuple[str, str, str]]:
    """What the page has its reader do, and what it says comes of that: ``(kind, file or command, text)``."""
    for found in STEP.finditer(PAGE.read_text("utf-8")):
        if found["file"]:
            yield "write", found["file"], found["text"]
        elif found["said"]:
            yield "said", "", found["said"]
        else:
            yield from (("run", line.strip(), "") for line in found["commands"].splitlines())


def install(folder: Path, packages: Path) -> None:
    """As pip does with --editable, without an index: the entry point of pyproject.toml, and the way to the module."""
    from tomllib import loads

    project = loads((folder / "pyproject.toml").read_text())["project"]
    info = packages / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["novukit"].items())
    (info / "entry_points.txt").write_text(f"[novukit]\n{points}")
    (packages / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(folder)!r})\n")


def test_whoever_follows_the_tutorial_has_a_provider_that_passes(tmp_path: Path) -> None:
    """Every command is run and every file is written in the order of the page; what it quotes is said."""
    home, packages = tmp_path / "home", tmp_path / "packages"
    home.mkdir()
    env = {**os.environ, "PYTHONPATH": f"{packages}:{ROOT}", "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
    done: list[str] = []
    said = ""
    for kind, what, text in steps():
        if kind == "write":
            assert (home / what).is_file(), f"{what} was not made by `novukit new`"
            (home / what).write_text(text)
        elif kind == "said":
            assert text in said
        elif what.startswith("pip install -e "):
            install(home / what.split()[-1], packages)
        elif what.startswith("novukit "):
            ran = subprocess.run(
                [sys.executable, "-m", "novukit.cli", *what.split()[1:]],
                cwd=home, env=env, capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, f"{what}\n{ran.stdout}{ran.stderr}"
            said = ran.stdout
        done.append(what)

    assert re.search(r"^post +native +reply_to +– +10/s, 50 recipients", said, re.MULTILINE)
    assert done.count("novukit providers test novukit-post") == 2
    assert {"novukit-post/novukit_post.py", "novukit-post/tests/test_post.py"} <= set(done)


def test_the_provider_of_the_tutorial_is_one_screen_of_code() -> None:
    """A newcomer reads it at a glance."""
    module = next(text for _, what, text in steps() if what.endswith("novukit_post.py"))
    assert len(module.splitlines()) <= SCREEN
