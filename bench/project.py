"""A novukit project for the bench: a folder with workflows and templates, a database, and its processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from novukit.store.secrets import generate_master_key

from .process import Program, running

WORKFLOWS = '''
"""What is measured."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta

from novukit import Context, workflow


async def noop(n: int) -> dict[str, int]:
    return {"n": n}


@workflow("custom")
async def custom(ctx: Context[None]) -> None:
    await ctx.step.custom("a", noop, 1)
    await ctx.step.custom("b", noop, 2)
    await ctx.step.custom("c", noop, 3)


@workflow("messages")
async def messages(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", subject="Order shipped", body="Hello {{ subscriber.first_name }}, it is on its way.")
    await ctx.step.email("confirmation", subject="Your order, {{ subscriber.first_name }}", template="order.html")
    await ctx.step.email("advice", subject="What comes next", template="order.html")


def note(name: str) -> str:
    with open("ledger", "a") as out:
        out.write(f"{time.time()} {os.getpid()} {name}\\n")
    return name


async def begin(name: str) -> str:
    return note(name)


async def hold(name: str) -> str:
    note(name)
    await asyncio.sleep(3)
    return name


@workflow("killed")
async def killed(ctx: Context[None]) -> None:
    name = ctx.subscriber.subscriber_id
    await ctx.step.custom("a", begin, f"a {name}")
    await ctx.step.custom("b", begin, f"b {name}")
    await ctx.step.custom("c", hold, f"c {name}")
    await ctx.step.custom("d", begin, f"d {name}")


@workflow("asleep")
async def asleep(ctx: Context[None]) -> None:
    await ctx.step.delay("wait", timedelta(days=30))
'''

TEMPLATE = """
<h1>Thank you, {{ subscriber.first_name }}!</h1>
<p>Your order is on its way to {{ subscriber.email }}.</p>
<ul>{% for n in range(3) %}<li>Item {{ n + 1 }} of your order</li>{% endfor %}</ul>
<p><a href="https://shop.example.com/orders">See your orders</a></p>
"""

TOML = """
workflows = ["measured"]
templates = ["templates"]
database = "{database}"
broker = "{broker}"
port = 0
{worker}
[[integrations]]
identifier = "mail"
provider = "null-email"
credentials = {{ from = "shop@example.com" }}
"""

CLI = [sys.executable, "-m", "novukit.cli"]


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a ``novukit.toml``; its commands are run as a user would run them."""

    folder: Path
    database: str
    environ: dict[str, str]

    def worker(self, name: str = "worker") -> AbstractAsyncContextManager[Program]:
        """``novukit worker`` with its default settings, up and idle when the block begins."""
        return self._started(name, [*CLI, "worker", "--json"])

    def server(self) -> AbstractAsyncContextManager[Program]:
        """``novukit server``, listening when the block begins."""
        return self._started("server", [*CLI, "server", "--json"])

    def program(self, module: str, *words: object) -> AbstractAsyncContextManager[Program]:
        """One of ``bench.programs``, ready when the block begins."""
        return self._started(module, [sys.executable, "-m", f"bench.programs.{module}", *words])

    def _started(self, name: str, words: Sequence[object]) -> AbstractAsyncContextManager[Program]:
        return running(name, words, folder=self.folder, environ=self.environ)


def make(folder: Path, database: str, broker: str, worker: Sequence[str] = ()) -> Project:
    """Write a project; ``worker`` are lines of its table of that name, as shipped without."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "order.html").write_text(TEMPLATE)
    (folder / "measured.py").write_text(WORKFLOWS)
    settings = "\n".join(["[worker]", *worker]) if worker else ""
    (folder / "novukit.toml").write_text(TOML.format(database=database, broker=broker, worker=settings))
    return Project(folder, database, {"NOVUKIT_MASTER_KEY": generate_master_key()})


async def prepare(project: Project) -> dict[str, str]:
    """Bring the project's database up to this novukit and its workflows into the environment; says its ``key``."""
    words = [sys.executable, "-m", "bench.programs.prepare"]
    async with running("prepare", words, folder=project.folder, environ=project.environ) as program:
        return program.said
