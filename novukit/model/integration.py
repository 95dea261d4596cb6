"""An integration: a provider's code with credentials, in one environment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from .base import Model
from .routing import Routing
from .step import Channel


class Integration(Model):
    """A provider with credentials. ``credentials`` are decrypted, and never leave the process."""

    id: UUID
    environment_id: UUID
    identifier: str
    name: str
    provider_id: str
    channel: Channel
    active: bool
    primary: bool
    concurrency: int | None = None
    """How many of its messages one worker may be sending at a time; None: three quarters of the worker's places."""
    credentials: dict[str, Any]
    conditions: list[dict[str, Any]] = []
    """Novu's; they and ``routing.when`` must hold."""
    routing: Routing = Routing()
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Integration({self.identifier!r}, provider={self.provider_id!r}, channel={self.channel!r})"

    __str__ = __repr__
