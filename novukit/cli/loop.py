"""The event loop that commands run in: uvloop where it can be had, for a tenth less CPU; asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` to its end, as :func:`asyncio.run` does."""
    try:
        import uvloop
    except ImportError:  # Windows, PyPy
        asyncio.run(main)
    else:
        uvloop.run(main)
