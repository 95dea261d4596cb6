"""The workflows of a chaos run. Every process of it imports this; a fault that is to be planted is planted here."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.model import Retry

MUTANT, TASKS = "NOVUKIT_CHAOS_MUTANT", "NOVUKIT_CHAOS_TASKS"
DELAY, WINDOW = 0.4, 1.5
"""Seconds that a letter waits, and that a digest gathers."""
SOON = Retry(attempts=30, first=timedelta(milliseconds=50), cap=timedelta(milliseconds=500))


class Asked(BaseModel):
    """How a message is to be sent."""

    kind: Literal["native", "lookup", "none"] = "native"
    on_unknown: Literal["retry", "park"] = "retry"
    traces: str = ""
    n: int = 0


@workflow("letter")
async def letter(ctx: Context[Asked]) -> None:
    """A function of the author's own, a message in the inbox, a short delay, an e-mail."""
    await ctx.step.custom("trace", leave_trace, ctx.payload.traces, str(ctx.execution_id))
    await ctx.step.in_app("note", subject="note", body="-")
    await ctx.step.delay("wait", timedelta(seconds=DELAY))
    by, unknown = f"email-{ctx.payload.kind}", ctx.payload.on_unknown
    await ctx.step.email("mail", subject="letter", body="-", integration=by, retry=SOON, on_unknown=unknown)


@workflow("gathered")
async def gathered(ctx: Context[Asked]) -> None:
    """What comes for one subscriber within a window goes out in one e-mail."""
    digest = await ctx.step.digest("gather", window=timedelta(seconds=WINDOW))
    numbers = sorted(asked.n for asked in digest.payloads)
    by = f"email-{ctx.payload.kind}"
    await ctx.step.email("mail", subject=f"{numbers}", body="-", integration=by, retry=SOON)


@workflow("crowd")
async def crowd(ctx: Context[Asked]) -> None:
    """What each member of a topic gets: a message in the inbox, and an e-mail."""
    await ctx.step.in_app("note", subject="note", body="-")
    await ctx.step.email("mail", subject="crowd", body="-", integration=f"email-{ctx.payload.kind}", retry=SOON)


async def leave_trace(file: str, execution: str) -> int:
    """One line for each time that this runs."""
    line = json.dumps({"execution": execution, "at": time.time(), "pid": os.getpid()}) + "\n"
    out = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    try:
        return os.write(out, line.encode())
    finally:
        os.close(out)


def count_tasks(folder: Path) -> None:
    """Keep ``folder/<pid>`` at the number of this process' asyncio tasks: they cannot be seen from outside."""
    loop, file = asyncio.get_running_loop(), folder / str(os.getpid())

    def write() -> None:
        file.write_text(str(len(asyncio.all_tasks(loop))))
        loop.call_later(2, write)

    loop.call_soon(write)


if folder := os.environ.get(TASKS):
    count_tasks(Path(folder))
if mutant := os.environ.get(MUTANT):
    from .mutants import MUTANTS

    MUTANTS[mutant].plant()
