"""Tasks that run beside all else: how one is begun, how it is ended, and in what words its trouble is told."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, cast


def beside(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task of its own, outside any transaction that may be open here."""
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


async def end(task: asyncio.Task[None]) -> None:
    """Stop a task, in bounded time: a driver may have swallowed the first cancel."""
    for _ in range(3):
        task.cancel()
        if (await asyncio.wait({task}, timeout=1))[0]:
            return


def root(err: BaseException) -> str:
    """The innermost error in one line: transports wrap it in groups and causes."""
    while True:
        if isinstance(err, BaseExceptionGroup):
            err = cast("BaseExceptionGroup[BaseException]", err).exceptions[0]
        elif isinstance(err, TimeoutError):
            return "it does not answer"
        elif err.__cause__ is not None:
            err = err.__cause__
        else:
            return f"{type(err).__name__}: {err}"[:200]
