"""JSON lines over stdin and stdout: how the bench commands the processes that it measures.

Standard library only, for the peers' programs run in an environment of their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

LINE = 1 << 20
"""Bytes that one line may have."""


def say(**what: Any) -> None:
    """Tell the bench something, in one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def commands() -> Iterator[dict[str, Any]]:
    """What the bench asks, until it closes our input. For programs of threads."""
    for line in sys.stdin:
        yield json.loads(line)


async def coming() -> AsyncIterator[dict[str, Any]]:
    """What the bench asks, until it closes our input. For programs with an event loop."""
    reader = asyncio.StreamReader(limit=LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)
