"""Brokers by URL: in process for the embedded default, Redis Streams, or any Taskiq broker by its import path."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from taskiq import AsyncBroker, BrokerMessage, InMemoryBroker

from ..errors import ExtraMissing, SettingsInvalid

QUEUE = "novukit"
"""What the rings go through, unless the URL names another queue."""


class QueueBroker(AsyncBroker):
    """A broker within one process.

    Not Taskiq's own in-memory broker: that one has no bound, does not drain, and runs a task inside the transaction of
    whoever sent it.
    """

    def __init__(self, size: int = 100) -> None:
        super().__init__()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(size)

    async def kick(self, message: BrokerMessage) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # whoever hears those that are there will find this one's work
            self._queue.put_nowait(message.message)

    async def listen(self) -> AsyncGenerator[bytes, None]:
        while True:
            yield await self._queue.get()


REDIS = ("redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


def make_broker(url: str) -> AsyncBroker:
    """The broker that ``url`` names.

    ``memory://`` · ``redis://host:6379/0`` · ``redis+sentinel://host:26379,host2:26379/mymaster/0`` ·
    ``redis+cluster://host:6379,host2:6379`` (``rediss…`` for TLS; ``?queue=name`` keeps several novukits apart) ·
    ``package.module:Class?option=value`` for any other Taskiq broker; its options are passed on as text.

    Raises :class:`SettingsInvalid`, or :class:`ExtraMissing` when the driver is not installed.
    """
    scheme = urlsplit(url).scheme
    if url == "memory://":
        return QueueBroker()
    if scheme in REDIS:
        try:
            from . import redis
        except ImportError:
            hint = "Run: pip install 'novukit[redis]'"
            raise ExtraMissing(f"A {scheme}:// broker needs its driver.", hint=hint) from None
        return redis.make(url)
    if ":" in url and "//" not in url.partition("?")[0]:
        return _by_path(url)
    raise SettingsInvalid(
        f"{url.rsplit('@', maxsplit=1)[-1][:64]!r} is not a broker URL.",
        hint="Use memory://, redis://host:6379/0, redis+sentinel://host:26379/service, redis+cluster://host:6379, "
        "or package.module:BrokerClass.",
    )


def _by_path(url: str) -> AsyncBroker:
    path, _, query = url.partition("?")
    module, _, name = path.partition(":")
    try:
        kind: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError, TypeError) as err:
        raise SettingsInvalid(f"The broker {path!r} cannot be imported: {err}.") from None
    if not (isinstance(kind, type) and issubclass(kind, AsyncBroker)):
        raise SettingsInvalid(f"{path!r} is not a Taskiq broker.", hint="Name a class that extends taskiq.AsyncBroker.")
    if issubclass(kind, InMemoryBroker):
        raise SettingsInvalid(
            f"{path!r} runs tasks where they are sent; nobody can listen to it.", hint="Use memory://."
        )
    options: dict[str, Any] = dict(parse_qsl(query))
    try:
        return kind(**options)
    except Exception as err:
        said = f"{type(err).__name__}: {err}" if not options else f"{type(err).__name__}; options: {', '.join(options)}"
        raise SettingsInvalid(f"The broker {path!r} cannot be made ({said}).") from None
