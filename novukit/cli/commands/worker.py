"""``novukit worker``: run executions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .. import shape
from ..output import Output

if TYPE_CHECKING:
    from ...settings import Settings


@shape.command("worker", examples="novukit worker --concurrency 200")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 1000),
    help="Executions at a time; without it as in novukit.toml.",
)
@shape.configured
async def command(output: Output, settings: Settings, *, concurrency: int | None) -> None:
    """Run executions until told to stop. What still runs then gets its grace time; the rest is handed over."""
    from ...app import App
    from ..serving import Stop, log_to_stderr, tell_missing

    stop = Stop()
    stop.listen()
    log_to_stderr()
    if concurrency is not None:
        working = settings.worker.model_copy(update={"concurrency": concurrency})
        settings = settings.model_copy(update={"worker": working})
    if settings.broker == "memory://":
        output.note(("! ", "yellow"), "Without a shared broker due work is found by looking: later, but not lost.")
        output.note((f'  Set broker = "redis://…"; until then it looks every {settings.worker.sweep:g} s.', "dim"))
    os.chdir(settings.root)  # credentials may name folders
    async with App(settings) as app:
        await app.bootstrap()
        tell_missing(app, output)
        worker = app.worker()
        stop.then(worker.stop)
        workflows = [workflow.id for workflow in app.runtime.registry]
        if output.as_json:
            output.event("working", concurrency=settings.worker.concurrency, workflows=workflows)
        else:
            output.line(
                f"Working on {', '.join(workflows) or 'nothing: no workflow is known'}", ("  Ctrl-C stops", "dim")
            )
        await worker.run()
    click.get_current_context().exit(stop.exit_code)
