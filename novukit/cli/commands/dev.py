"""``novukit dev``: run server and worker here, again whenever a file changes."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from .. import shape
from ..failure import REFUSED, Stopped
from ..output import Output
from ..session import settings_of


@shape.command(
    "dev",
    examples="""
    novukit dev
    # in another terminal
    novukit trigger welcome --to ada@example.com
    """,
)
@click.option("--host", metavar="ADDRESS", help="Where to listen; without it `host` of novukit.toml.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65_535), help="The port; without it `port` of novukit.toml."
)
@click.option("--no-reload", is_flag=True, help="Do not watch files.")
@click.option("--child", is_flag=True, hidden=True)
@shape.placed
async def command(
    output: Output,
    *,
    config: Path | None,
    environment: str | None,
    host: str | None,
    port: int | None,
    no_reload: bool,
    child: bool,
) -> None:
    """Run server and worker here, and again whenever a file changes.

    The workflows are synced to Development at each start. What happens is told line by line.
    """
    from .. import development, processes, reloading

    # The child says what is unwise in the settings; the parent need not.
    settings = settings_of(config, environment, output if child or no_reload else Output(as_json=True))
    if settings.environment == "production":
        raise Stopped(
            "`novukit dev` is not for production: it syncs whatever the code says at each change.",
            REFUSED,
            hint="Use `novukit server` and `novukit worker`, or --environment development.",
        )
    settings = settings.model_copy(
        update={"host": host or settings.host, "port": settings.port if port is None else port}
    )
    with nullcontext() if child else reloading.only_one(settings.root):
        if child:
            processes.die_with_parent()
        if child or no_reload:
            code = await development.run(settings, output)
        else:
            code = await reloading.watch(settings, output, _arguments(output))
    click.get_current_context().exit(code)


def _arguments(output: Output) -> list[str]:
    """How the child is called: what novukit.toml says is read again there, what was typed is not."""
    params = click.get_current_context().params
    config = params.get("config")
    given = ["--config", str(config.absolute())] if isinstance(config, Path) else []
    for name in ("environment", "host", "port"):
        if (value := params.get(name)) is not None:
            given += [f"--{name}", str(value)]
    return ["dev", "--child", *given, *(["--json"] if output.as_json else [])]
