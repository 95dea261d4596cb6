"""The workflows that die. Each is cloned under an id of its own for every trial: none takes another's work."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.authoring import Workflow
from novukit.model import Retry

DELAY, WINDOW = 0.6, 1.0
SOON = Retry(attempts=8, first=timedelta(milliseconds=50), cap=timedelta(milliseconds=200))


class Asked(BaseModel):
    """How a trial wants its messages sent."""

    kind: Literal["native", "lookup", "none"] = "native"
    on_unknown: Literal["retry", "park"] = "retry"
    hasty: str = ""
    """``-hasty`` for a provider that is not waited for long."""
    traces: str = ""
    n: int = 0


@workflow("letters")
async def letters(ctx: Context[Asked]) -> None:
    """Two e-mails: what happens to the first must not touch the second."""
    by, unknown = f"email-{ctx.payload.kind}{ctx.payload.hasty}", ctx.payload.on_unknown
    await ctx.step.email("first", subject="first", body="-", integration=by, retry=SOON, on_unknown=unknown)
    await ctx.step.email("second", subject="second", body="-", integration=by, retry=SOON, on_unknown=unknown)


@workflow("effect")
async def effect(ctx: Context[Asked]) -> None:
    """A function of the author's own, which leaves a line in a file, then an e-mail."""
    await ctx.step.custom("trace", _trace, ctx.payload.traces, ctx.execution_id.hex)
    await ctx.step.email("first", subject="first", body="-", retry=SOON)


@workflow("inbox")
async def inbox(ctx: Context[Asked]) -> None:
    """A message in the inbox, then an e-mail."""
    await ctx.step.in_app("note", subject="note", body="-")
    await ctx.step.email("first", subject="first", body="-", retry=SOON)


@workflow("later")
async def later(ctx: Context[Asked]) -> None:
    """An e-mail after a while."""
    await ctx.step.delay("wait", timedelta(seconds=DELAY))
    await ctx.step.email("first", subject="first", body="-", retry=SOON)


@workflow("gathered")
async def gathered(ctx: Context[Asked]) -> None:
    """What comes within a window goes out in one e-mail."""
    digest = await ctx.step.digest("gather", window=timedelta(seconds=WINDOW))
    numbers = sorted(asked.n for asked in digest.payloads)
    by = f"email-{ctx.payload.kind}"
    await ctx.step.email("first", subject=f"{numbers}", body="-", integration=by, retry=SOON)


@workflow("handed")
async def handed(ctx: Context[Asked]) -> None:
    """An e-mail that no integration is named for: the primary one is native, the next one can be asked."""
    await ctx.step.email("first", subject="first", body="-", retry=SOON, on_unknown=ctx.payload.on_unknown)


async def _trace(file: str, execution: str) -> int:
    _leave_a_trace(file, {"execution": execution, "at": time.time(), "pid": os.getpid()})
    return 1


def _leave_a_trace(file: str, line: dict[str, Any]) -> None:
    with Path(file).open("a") as out:
        out.write(json.dumps(line) + "\n")


SCENARIOS: dict[str, Workflow[Any]] = {one.id: one for one in (letters, effect, inbox, later, gathered, handed)}


@cache
def clone(scenario: str, id: str) -> Workflow[Any]:
    """The workflow of a scenario under another id. Its source is read only once."""
    known = SCENARIOS[scenario]
    copy = replace(known, id=id)
    vars(copy)["_spec"] = known.spec().model_copy(update={"id": id, "name": id})
    return copy
