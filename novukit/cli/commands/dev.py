"""``novukit dev``: run server and worker here, again whenever a file changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import shape
from ..failure import REFUSED, Stopped
from ..output import Output

if TYPE_CHECKING:
    from ...settings import Settings


@shape.command(
    "dev",
    examples="""
    novukit dev
    # in another terminal
    novukit trigger welcome --to ada@example.com
    """,
)
@click.option("--host", metavar="ADDRESS", help="Where to listen; without it `host` of novukit.toml.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port; without it `port` of novukit.toml.")
@click.option("--no-reload", is_flag=True, help="Do not watch files.")
@click.option("--child", is_flag=True, hidden=True)
@shape.configured
async def command(
    output: Output, settings: Settings, *, host: str | None, port: int | None, no_reload: bool, child: bool
) -> None:
    """Run server and worker here, and again whenever a file changes.

    The workflows are synced to Development at each start. What happens is told line by line.
    """
    from .. import development, reloading

    if settings.environment == "production":
        raise Stopped(
            "`novukit dev` is not for production: it syncs whatever the code says at each change.",
            REFUSED,
            hint="Use `novukit server` and `novukit worker`, or --environment development.",
        )
    settings = settings.model_copy(
        update={"host": host or settings.host, "port": settings.port if port is None else port}
    )
    if child or no_reload:
        with reloading.only_one(settings.root) if not child else reloading.nobody():
            code = await development.run(settings, output)
    else:
        with reloading.only_one(settings.root):
            code = await reloading.watch(settings, output, _arguments(settings, output))
    click.get_current_context().exit(code)


def _arguments(settings: Settings, output: Output) -> list[str]:
    """How the child is called: what novukit.toml says is read again there, what was typed is not."""
    params = click.get_current_context().params
    config = params.get("config")
    given = ["--config", str(config.absolute())] if isinstance(config, Path) else []
    for name in ("environment", "host", "port"):
        if (value := params.get(name)) is not None:
            given += [f"--{name}", str(value)]
    return ["dev", "--child", *given, *(["--json"] if output.as_json else [])]
