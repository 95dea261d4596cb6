"""Serving and working until a signal comes: what ``dev``, ``server`` and ``worker`` share."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from .failure import INTERRUPTED, OK, UNREACHABLE, Refused, Stopped

if TYPE_CHECKING:
    from ..app import App
    from ..observability import Scrape
    from ..settings import Settings
    from .output import Output

log = logging.getLogger("novukit.cli")

GRACE = 3
"""Seconds that open connections (event streams stay open for ever) get when the server stops."""

LONGEST_FRAME = 10_000
"""Bytes that a socket may send at once. Inboxes say hardly more than «ping»."""


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
    from ..bridge import until_stopped

    asked = until_stopped(app.asgi())
    config = uvicorn.Config(
        asked, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE,
        ws_max_size=LONGEST_FRAME,
    )  # fmt: skip
    return Server(config)


def address(host: str, listening: socket.socket) -> str:
    """The URL that a socket is reached at from this machine."""
    port = int(listening.getsockname()[1])
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def tell_missing(app: App, output: Output) -> None:
    """Say which secrets of novukit.toml's integrations are not set; those stay as they were, or are left out."""
    for missing in app.missing_secrets:
        output.note(("! ", "yellow"), missing.message)


def collect_less() -> None:
    """Look for cyclic garbage less often: a server and a worker make many small objects and hardly any cycles.

    What was imported is not looked at again. A tenth of a worker's time goes into this otherwise.
    """
    gc.freeze()
    gc.set_threshold(25_000, 20, 20)


async def together(*works: Any) -> None:
    """Run all until the first one ends or fails, then let the others end; the first error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def log_to_stderr(settings: Settings) -> None:
    """What novukit and its libraries tell, one line each, as the settings say."""
    from ..observability import configure_logs

    configure_logs(settings.log.format, settings.log.level, settings.known_secrets())


async def refuse_loss(app: App, output: Output, accepted: bool) -> None:
    """Do not serve on a database that may lose what it acknowledged: outside development that needs a yes.

    Raises :class:`Refused` when it may, and nobody has ``accepted`` it.
    """
    from ..store import durability

    for one in [loss for loss in await durability.losses(app.database) if loss.ours]:
        where = f" (set {one.where})" if one.where else ""
        said = (
            f"{one.what}{where}: what was answered 201 can be lost in an outage of Postgres, and a message sent twice."
        )
        if not accepted and app.settings.environment != "development":
            hint = f"{one.fix[0].upper()}{one.fix[1:]}. Or accept it: --accept-data-loss."
            raise Refused(f"{said}", hint=hint)
        output.note(("! ", "bold red"), (said, "bold"))
        log.warning("%s", said)


@asynccontextmanager
async def showing_metrics(scrape: Scrape | None, listening: socket.socket | None) -> AsyncGenerator[None]:
    """Answer scrapes on a socket of their own for the block: a worker has no API."""
    if scrape is None or listening is None:
        yield
        return
    config = uvicorn.Config(scrape, lifespan="off", log_config=None, access_log=False, server_header=False)
    serving = Server(config)
    task = asyncio.create_task(serving.serve(sockets=[listening]))
    try:
        yield
    finally:
        serving.should_exit = True
        await asyncio.wait({task}, timeout=GRACE)
