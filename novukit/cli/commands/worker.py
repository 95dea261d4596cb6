"""``novukit worker``: run executions."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import shape
from ..output import Output
from ..values import count

if TYPE_CHECKING:
    from ...app import App
    from ...settings import Settings


@shape.command("worker", examples="novukit worker --concurrency 200")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 1000),
    help="Executions at a time in each process; without it as in novukit.toml.",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, 64),
    help="How many processes; without it as in novukit.toml, else one for each core, four at most.",
)
@click.option(
    "--metrics-port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="Where to show metrics, each further process at the next port; without it `metrics.port` of novukit.toml.",
)
@click.option("--accept-data-loss", is_flag=True, help="Work even if Postgres is set to lose commits in an outage.")
@click.option("--beside", is_flag=True, hidden=True)
@shape.configured
async def command(
    output: Output,
    settings: Settings,
    *,
    concurrency: int | None,
    processes: int | None,
    metrics_port: int | None,
    accept_data_loss: bool,
    beside: bool,
) -> None:
    """Run executions until told to stop. What still runs then gets its grace time; the rest is handed over."""
    from ...app import App
    from .. import processes as more
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
    if beside:
        more.die_with_parent()
        output = Output(as_json=True)  # without notes: the first process has told everything
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
    number = processes or settings.worker.processes or more.usual(settings.database)
    others = [_command(n, port) for n in range(1, number)]
    listening = None if port is None else listen_at(settings.metrics.host, port)
    with listening or nullcontext():
        async with App(settings, metrics=listening is not None, tracing=settings.tracing) as app:
            await refuse_loss(app, output, accept_data_loss)
            await app.bootstrap()
            tell_missing(app, output)
            worker = app.worker()
            stop.then(worker.stop)
            async with more.beside(others, settings.worker.grace) as stop_others:
                stop.then(stop_others)
                _tell(app, output, number, address(settings.metrics.host, listening) if listening else None)
                async with showing_metrics(app.scrape, listening):
                    await worker.run()
    click.get_current_context().exit(stop.exit_code)


def _command(number: int, port: int | None) -> list[str]:
    """How the process of that number is called: as this one, and by itself."""
    params = click.get_current_context().params
    config = params.get("config")
    command = ["worker", "--beside", "--processes", "1"]
    command += ["--config", str(config.absolute())] if isinstance(config, Path) else []
    for name in ("environment", "concurrency"):
        if (value := params.get(name)) is not None:
            command += [f"--{name}", str(value)]
    if port:  # of «any free port» nobody would know where
        command += ["--metrics-port", str(port + number)]
    return command + (["--accept-data-loss"] if params.get("accept_data_loss") else [])


def _tell(app: App, output: Output, processes: int, metrics: str | None) -> None:
    workflows, concurrency = [workflow.id for workflow in app.runtime.registry], app.settings.worker.concurrency
    if output.as_json:
        url = {"metrics": f"{metrics}/metrics"} if metrics else {}
        output.event("working", processes=processes, concurrency=concurrency, workflows=workflows, **url)
        return
    where = f" in {processes} processes" if processes > 1 else ""
    names = ", ".join(workflows) or "nothing: no workflow is known"
    output.line(f"Working on {names}{where}", ("  Ctrl-C stops", "dim"))
    if metrics:
        others = f", and at the next {count(processes - 1, 'port')}" if processes > 1 else ""
        output.line("Metrics at ", (f"{metrics}/metrics", "bold cyan"), others)
