"""The server-to-server API. ``HANDLERS`` is all of it: one line for each module."""

from __future__ import annotations

from typing import Any

from . import environments, integrations, keys

HANDLERS: list[Any] = [
    *environments.HANDLERS,
    *integrations.HANDLERS,
    *keys.HANDLERS,
]
