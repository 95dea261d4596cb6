"""``novukit worker``: run executions."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from .. import shape
from ..output import Output

if TYPE_CHECKING:
    from ...app import App
    from ...settings import Settings


@shape.command("worker", examples="novukit worker --concurrency 200")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 1000),
    help="Executions at a time; without it as in novukit.toml.",
)
@click.option(
    "--metrics-port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="Where to show metrics; without it `metrics.port` of novukit.toml.",
)
@click.option("--accept-data-loss", is_flag=True, help="Work even if Postgres is set to lose commits in an outage.")
@shape.configured
async def command(
    output: Output, settings: Settings, *, concurrency: int | None, metrics_port: int | None, accept_data_loss: bool
) -> None:
    """Run executions until told to stop. What still runs then gets its grace time; the rest is handed over."""
    from ...app import App
    from ..serving import (
        Stop,
        address,
        collect_less,
        listen_at,
        log_to_stderr,
        refuse_loss,
        showing_metrics,
        tell_missing,
    )

    stop = Stop()
    stop.listen()
    log_to_stderr(settings)
    collect_less()
    if concurrency is not None:
        working = settings.worker.model_copy(update={"concurrency": concurrency})
        settings = settings.model_copy(update={"worker": working})
    if settings.broker == "memory://":
        output.note(("! ", "yellow"), "Without a shared broker due work is found by looking: later, but not lost.")
        output.note((f'  Set broker = "redis://…"; until then it looks every {settings.worker.sweep:g} s.', "dim"))
    os.chdir(settings.root)  # credentials may name folders
    port = settings.metrics.port if metrics_port is None else metrics_port
    listening = None if port is None else listen_at(settings.metrics.host, port)
    with listening or nullcontext():
        async with App(settings, metrics=listening is not None, tracing=settings.tracing) as app:
            await refuse_loss(app, output, accept_data_loss)
            await app.bootstrap()
            tell_missing(app, output)
            worker = app.worker()
            stop.then(worker.stop)
            _tell(app, output, address(settings.metrics.host, listening) if listening else None)
            async with showing_metrics(app.scrape, listening):
                await worker.run()
    click.get_current_context().exit(stop.exit_code)


def _tell(app: App, output: Output, metrics: str | None) -> None:
    workflows = [workflow.id for workflow in app.runtime.registry]
    if output.as_json:
        url = {"metrics": f"{metrics}/metrics"} if metrics else {}
        output.event("working", concurrency=app.settings.worker.concurrency, workflows=workflows, **url)
        return
    output.line(f"Working on {', '.join(workflows) or 'nothing: no workflow is known'}", ("  Ctrl-C stops", "dim"))
    if metrics:
        output.line("Metrics at ", (f"{metrics}/metrics", "bold cyan"))
