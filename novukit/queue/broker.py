"""Brokers by URL: in process for the embedded default, Redis Streams, or any Taskiq broker by its import path."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from taskiq import AsyncBroker, BrokerMessage

from ..errors import ExtraMissing, SettingsInvalid

QUEUE = "novukit"


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


def make_broker(url: str) -> AsyncBroker:
    """The broker that ``url`` names.

    ``memory://`` · ``redis://host:6379/0`` (and ``rediss://``) · ``package.module:Class?option=value`` for any other
    Taskiq broker; its options are passed on as text.
    """
    scheme = urlsplit(url).scheme
    if url == "memory://":
        return QueueBroker()
    if scheme in ("redis", "rediss"):
        return _redis(url)
    if ":" in url and "//" not in url:
        return _by_path(url)
    raise SettingsInvalid(
        f"{url.rsplit('@', maxsplit=1)[-1][:64]!r} is not a broker URL.",
        hint="Use memory://, redis://host:6379/0, or package.module:BrokerClass.",
    )


def _redis(url: str) -> AsyncBroker:
    try:
        from taskiq_redis import RedisStreamBroker
    except ImportError:
        raise ExtraMissing("A redis:// broker needs its driver.", hint="Run: pip install 'novukit[redis]'") from None
    return RedisStreamBroker(
        url,
        queue_name=QUEUE,
        consumer_group_name=QUEUE,
        consumer_id="0",  # «$» would lose what was rung before the first worker ever started
        maxlen=10_000,  # an acknowledged entry is never deleted otherwise
        xread_count=10,  # the default of 100 lets one worker hoard
        xread_block=2000,
        # redis-py's default of 5 s kills a blocking read, and on Python 3.11 swallows a cancel.
        socket_timeout=None,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=30,
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
    options: dict[str, Any] = dict(parse_qsl(query))
    try:
        return kind(**options)
    except Exception as err:
        said = f"{type(err).__name__}: {err}" if not options else f"{type(err).__name__}; options: {', '.join(options)}"
        raise SettingsInvalid(f"The broker {path!r} cannot be made ({said}).") from None
