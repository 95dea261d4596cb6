"""Serving and working until a signal comes: what ``dev``, ``server`` and ``worker`` share."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from .failure import INTERRUPTED, OK, UNREACHABLE, Stopped

if TYPE_CHECKING:
    from ..app import App
    from ..settings import Settings
    from .output import Output

GRACE = 3
"""Seconds that open connections (event streams stay open for ever) get when the server stops."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: who stops it here also has workers to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Stop:
    """Stops what runs when a signal comes; a second Ctrl-C does not wait."""

    def __init__(self) -> None:
        self.exit_code = OK
        self.asked = False
        self._stoppers: list[Callable[[], None]] = []

    def then(self, stopper: Callable[[], None]) -> None:
        """Call ``stopper`` when it is time to stop; at once if it is already."""
        self._stoppers.append(stopper)
        if self.asked:
            stopper()

    def listen(self) -> None:
        """Hear SIGINT and SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._heard, number)
            except NotImplementedError:  # Windows has no such loop
                signal.signal(number, lambda n, _: loop.call_soon_threadsafe(self._heard, n))

    def _heard(self, number: int) -> None:
        if self.asked and number == signal.SIGINT:
            # Nothing is lost: what ran here is taken up by another worker when the lease has lapsed.
            os._exit(INTERRUPTED)
        if self.asked:
            return
        self.asked = True
        self.exit_code = INTERRUPTED if number == signal.SIGINT else OK
        for stopper in self._stoppers:
            stopper()


def listen_at(host: str, port: int) -> socket.socket:
    """A listening socket. Raises :class:`Stopped` that names the port, and who has it if that can be told."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as err:
        reason = "is in use" if err.errno == 98 or "in use" in str(err).lower() else f"cannot be used ({err.strerror})"
        hint = f"Stop what uses it, or choose another one: port = {port + 1} in novukit.toml."
        raise Stopped(f"Port {port} on {host} {reason}.", UNREACHABLE, hint=hint) from None
    listening.set_inheritable(False)
    return listening


def server(app: App) -> Server:
    """The HTTP server of an app, not yet running."""
    config = uvicorn.Config(
        app.asgi(), log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE
    )
    return Server(config)


def address(settings: Settings, listening: socket.socket) -> str:
    """The URL that a socket is reached at from this machine."""
    port = int(listening.getsockname()[1])
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def tell_missing(app: App, output: Output) -> None:
    """Say which secrets of novukit.toml's integrations are not set; those stay as they were, or are left out."""
    for missing in app.missing_secrets:
        output.note(("! ", "yellow"), missing.message)


async def together(*works: Any) -> None:
    """Run all until the first one ends or fails, then let the others end; the first error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def log_to_stderr() -> None:
    """Warnings of novukit and its libraries, one line each."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
