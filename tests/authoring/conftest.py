"""What the tests of authoring share: workflows written to a file, and a runner that only takes notes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from novukit import Digest, Sent, Step, Throttled
from novukit.model import StepCall, StepKind

HEADER = """\
from datetime import timedelta
from pydantic import BaseModel
from novukit import Context, Step, workflow

"""
FIRST = HEADER.count("\n") + 1
"""The line of a written module on which its own text begins."""

_numbers = count()

Write = Callable[[str], ModuleType]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a module of workflows, and import it."""
    written: list[str] = []

    def write(text: str) -> ModuleType:
        name = f"written_{next(_numbers)}"
        file = tmp_path / f"{name}.py"
        file.write_text(HEADER + dedent(text).lstrip("\n"), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        written.append(name)
        spec.loader.exec_module(module)
        return module

    yield write
    for name in written:
        del sys.modules[name]


class Notes:
    """A runner that performs nothing, notes each call, and gives back what the step's kind gives."""

    def __init__(self) -> None:
        self.calls: list[StepCall] = []
        self.gives: Any = None

    async def __call__(self, call: StepCall) -> Any:
        self.calls.append(call)
        if self.gives is not None:
            return self.gives
        match call.kind:
            case StepKind.DIGEST:
                return Digest()
            case StepKind.DELAY:
                return None
            case StepKind.THROTTLE:
                return Throttled.model_construct(throttled=False, count=1, limit=1)
            case StepKind.CUSTOM:
                assert call.function is not None
                return await call.function()
            case _:
                return Sent()

    @property
    def last(self) -> StepCall:
        return self.calls[-1]

    @property
    def inputs(self) -> Any:
        return self.calls[-1].inputs


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def step(notes: Notes) -> Step[Any]:
    """A step whose calls are noted."""
    return Step(notes)
