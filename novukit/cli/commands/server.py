"""``novukit server``: serve the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .. import shape
from ..output import Output

if TYPE_CHECKING:
    from ...settings import Settings


@shape.command(
    "server",
    examples="""
    novukit server --host 0.0.0.0 --port 80
    # beside it, as many as there is work
    novukit worker
    """,
)
@click.option("--host", metavar="ADDRESS", help="Where to listen; without it `host` of novukit.toml.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65_535), help="The port; without it `port` of novukit.toml."
)
@click.option("--with-worker", is_flag=True, help="Also run executions, in this process.")
@click.option("--accept-data-loss", is_flag=True, help="Serve even if Postgres is set to lose commits in an outage.")
@shape.configured
async def command(
    output: Output,
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    with_worker: bool,
    accept_data_loss: bool,
) -> None:
    """Serve the API. It runs no executions unless told to: start workers beside it."""
    from ...app import App
    from ..serving import (
        Stop,
        address,
        collect_less,
        listen_at,
        log_to_stderr,
        refuse_loss,
        server,
        tell_missing,
        together,
    )

    stop = Stop()
    stop.listen()
    log_to_stderr(settings)
    collect_less()
    settings = settings.model_copy(
        update={"host": host or settings.host, "port": settings.port if port is None else port}
    )
    with listen_at(settings.host, settings.port) as listening:
        async with App(settings, metrics=settings.metrics.secret() is not None, tracing=settings.tracing) as app:
            await refuse_loss(app, output, accept_data_loss)
            await app.bootstrap()
            tell_missing(app, output)
            serving = server(app)
            stop.then(lambda: setattr(serving, "should_exit", True))
            url = address(settings.host, listening)
            if output.as_json:
                output.event("serving", url=url)
            else:
                output.line("Serving ", (url, "bold cyan"), ("  Ctrl-C stops", "dim"))
            if with_worker:
                os.chdir(settings.root)  # credentials may name folders
                worker = app.worker()
                stop.then(worker.stop)
                await together(serving.serve(sockets=[listening]), worker.run())
            else:
                await serving.serve(sockets=[listening])
    click.get_current_context().exit(stop.exit_code)
