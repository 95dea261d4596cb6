"""Where a trigger goes: to the sender that the context has, else to the server that the environment variables name."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import SettingsInvalid
from ..model import Trigger, Triggered

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

Sender = Callable[[Trigger], Awaitable[Triggered]]
Connect = Callable[[str, str], Sender]
"""Makes a sender out of a server's URL and a secret key."""

_given: ContextVar[Sender | None] = ContextVar("novukit_sender", default=None)


@contextmanager
def use_sender(sender: Sender) -> Generator[None]:
    """Within this block every ``workflow.trigger`` goes to ``sender``."""
    token = _given.set(sender)
    try:
        yield
    finally:
        _given.reset(token)


def sender() -> Sender:
    """Who takes a trigger here and now.

    Raises :class:`SettingsInvalid` if there is no sender and the environment variables name no server.
    """
    return _given.get() or _remote()


def connect_with(connect: Connect | None) -> None:
    """Say how a server is reached; ``None`` is by the front door, which knows the client and loads it late."""
    _door.connect = connect


@dataclass
class _Door:
    connect: Connect | None = None


class _Line(threading.local):
    """This thread's connection. A client belongs to one event loop; a script may run several, one after another."""

    loop: AbstractEventLoop | None = None
    server: tuple[str, str] | None = None
    sender: Sender | None = None


_door, _line = _Door(), _Line()


def _remote() -> Sender:
    url, key = os.environ.get("NOVUKIT_URL", "").strip(), os.environ.get("NOVUKIT_SECRET_KEY", "").strip()
    missing = [name for name, value in (("NOVUKIT_URL", url), ("NOVUKIT_SECRET_KEY", key)) if not value]
    if missing:
        raise SettingsInvalid(
            f"This trigger has nowhere to go: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
            hint="Set NOVUKIT_URL and NOVUKIT_SECRET_KEY to your server's; in tests use novukit.testing.",
        )
    from asyncio import get_running_loop

    loop = get_running_loop()
    if _line.sender is None or _line.loop is not loop or _line.server != (url, key):
        connect: Connect = _door.connect or import_module("novukit").connect
        _line.loop, _line.server, _line.sender = loop, (url, key), connect(url, key)
    return _line.sender
