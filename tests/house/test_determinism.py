"""The engine takes time, ids and chance only from its Runtime, so that it can be run on a wound clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rooms import name, python_files

BANNED = {
    "datetime.datetime.now": "runtime.clock.now()",
    "datetime.datetime.utcnow": "runtime.clock.now()",
    "datetime.datetime.today": "runtime.clock.now()",
    "datetime.date.today": "runtime.clock.now().date()",
    "asyncio.sleep": "runtime.clock.sleep()",
    "asyncio.wait": "asyncio.gather() or a TaskGroup: it gives sets, whose order is chance",
    "asyncio.as_completed": "asyncio.gather() or a TaskGroup: its order is chance",
    "asyncio.to_thread": "the store or a provider: the engine has one thread",
    "os.urandom": "runtime.random",
    "uuid.uuid1": "runtime.new_id()",
    "uuid.uuid4": "runtime.new_id()",
}
BANNED_MODULES = {
    "time": "runtime.clock", "random": "runtime.random", "secrets": "runtime.random",
    "threading": "the store or a provider", "concurrent": "the store or a provider", "queue": "asyncio",
    "multiprocessing": "a process of its own, which the command line starts",
    "httpx": "runtime.host", "redis": "runtime.ring", "taskiq": "runtime.ring", "asyncpg": "runtime.database",
    "piccolo": "runtime.database", "sqlite3": "runtime.database",
}  # fmt: skip
"""Whatever the simulation could not stand in for. (import-linter keeps the libraries out of the imports, too.)"""
ALLOWED = {"random.Random"}


def offences(source: str) -> Iterator[str]:
    """``line: what`` for each use of the machine's time, ids or chance."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    letting_go = {id(call.func) for call in ast.walk(tree) if isinstance(call, ast.Call) and _lets_others_run(call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in letting_go:
            continue
        said = _resolve(node, names)
        if said in ALLOWED:
            continue
        instead = BANNED.get(said) or ("." in said and BANNED_MODULES.get(said.partition(".")[0]))
        if instead:
            yield f"{node.lineno}: {said}: use {instead}"


def _lets_others_run(call: ast.Call) -> bool:
    """``asyncio.sleep(0)`` is no wait."""
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _resolve(node: ast.expr, names: dict[str, str]) -> str:
    """The full name of what an expression reads, as far as imports tell."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


@pytest.mark.parametrize("path", python_files("novukit/engine", "novukit/model"), ids=name)
def test_nothing_reads_the_machines_clock_or_chance(path: Path) -> None:
    """No ``datetime.now``, ``time``, ``random`` or ``uuid4`` in the engine and the model."""
    assert list(offences(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\nx = dt.datetime.utcnow",
        "import time\ntime.monotonic()",
        "from time import sleep\nsleep(1)",
        "import random\nrandom.random()",
        "from uuid import uuid4\nfield(default_factory=uuid4)",
        "import asyncio\nasyncio.sleep(1)",
        "import secrets\nsecrets.token_hex()",
        "import asyncio\nasyncio.wait(tasks)",
        "import asyncio\nasyncio.to_thread(work)",
        "from threading import Thread\nThread(target=work).start()",
        "import sqlite3\nsqlite3.connect(path)",
        "from httpx import AsyncClient\nAsyncClient()",
    ],
)
def test_the_rule_catches(source: str) -> None:
    """Each way to read the machine's clock or chance is seen."""
    assert len(list(offences(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nat: datetime",
        "from random import Random\nrandom: Random",
        "import asyncio\nasyncio.sleep(0)",
        "runtime.random.random()",
        "runtime.clock.now()",
    ],
)
def test_the_rule_lets_pass(source: str) -> None:
    """Types, a seeded source of chance and letting others run are fine."""
    assert list(offences(source)) == []
