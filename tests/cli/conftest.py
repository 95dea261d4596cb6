"""A project in a folder of its own, and the command line run on it: in this process, on the real thing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from novukit.app import App
from novukit.cli import entry
from novukit.engine import Shift, claim, run, sweep, sync
from novukit.settings import Settings

from ..standing import standing_bridge

_numbers = count(1)

WORKFLOWS = '''
"""Workflows of a test."""

from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, workflow


class Welcome(BaseModel):
    name: str = "there"


@workflow("welcome", name="Welcome", tags=["first"])
async def welcome(ctx: Context[Welcome]) -> None:
    """Say hello."""
    await ctx.step.in_app("hello", subject="Welcome", body=f"Hello, {ctx.payload.name}.")
    await ctx.step.email("mail", subject=f"Welcome, {ctx.payload.name}", body="Good to have you here.")


@workflow("later")
async def later(ctx: Context[None]) -> None:
    await ctx.step.delay("wait", timedelta(hours=1))
    await ctx.step.sms("text", body="Now.")
'''

TOML = """
workflows = ["{module}"]

[[integrations]]
identifier = "mail"
provider = "catcher-email"
credentials = {{ from = "hello@example.com" }}
"""


MODULE = "workflows_of_a_test"


def write_files(folder: Path) -> None:
    """The files of the project."""
    (folder / f"{MODULE}.py").write_text(WORKFLOWS)
    (folder / "novukit.toml").write_text(TOML.format(module=MODULE))


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The one JSON object on stderr."""
        return json.loads(self.err)


class Project:
    """A folder with novukit.toml and workflows, and the command line within it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch
        self.module = MODULE
        write_files(folder)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def workflows(self, text: str) -> None:
        """Replace the workflows. Python imports a module of one name once, so they get a module of a new name."""
        self.module = f"workflows_of_test_{next(_numbers)}"
        self.write(f"{self.module}.py", text)
        self.write("novukit.toml", TOML.format(module=self.module))

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run a command."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            entry.run(arguments)
        out, err = self._capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Result(code, out, err)

    def ok(self, *arguments: str, stdin: str = "") -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments, stdin=stdin)
        assert (result.code, result.err) == (0, ""), result.err
        return result

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command that must succeed, with ``--json``."""
        return self.run(*arguments, "--json", stdin=stdin).json

    def work(self) -> None:
        """Run all that is due, as a worker would."""
        asyncio.run(self._work())

    async def _work(self) -> None:
        async with App(Settings.load(self.folder)) as app:
            rt = app.runtime
            shift = Shift(rt, timedelta(minutes=1))
            await shift.begin()
            while True:
                swept, claimed = await sweep(rt), await claim(rt, shift, 100)
                if not swept and not claimed:
                    break
                await asyncio.gather(*(run(rt, shift, one) for one in claimed))
            await shift.end()


@pytest.fixture(scope="session")
def _bridge() -> Callable[[Any], Any]:
    return standing_bridge()


@pytest.fixture(autouse=True)
def _one_bridge(monkeypatch: pytest.MonkeyPatch, _bridge: Callable[[Any], Any]) -> None:
    """Commands ask the API in their process. It is made once for all of them."""
    monkeypatch.setattr(App, "asgi", lambda app: _bridge(app.runtime))


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two workflows; commands run in its folder, 100 columns wide."""
    for name in [name for name in os.environ if name.startswith("NOVUKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capsys, monkeypatch)


@pytest.fixture(scope="session")
def _synced_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of a project that is synced."""
    folder = tmp_path_factory.mktemp("synced")
    write_files(folder)

    async def main() -> None:
        async with App(Settings.load(folder, environ={})) as app:
            scope = app.runtime.scope(await app.bootstrap())
            await sync.apply(app.runtime, scope, app.runtime.registry.manifest())

    asyncio.run(main())
    return folder


@pytest.fixture
def synced(project: Project, _synced_folder: Path) -> Project:
    """The project as it is after `novukit sync`."""
    shutil.copytree(_synced_folder, project.folder, dirs_exist_ok=True)
    return project
