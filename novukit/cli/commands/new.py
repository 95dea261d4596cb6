"""``novukit new``: start a plugin of one's own, with a test that passes before the first line is changed."""

from __future__ import annotations

from pathlib import Path

import click

from .. import shape
from ..failure import FAILED, USAGE, Refused, Stopped
from ..index import summary
from ..output import Output, sign

command = shape.group("new", summary("new"), examples="novukit new provider post --channel email")


@command.command(
    "provider",
    examples="""
    novukit new provider post --channel email
    novukit providers test novukit-post
    """,
)
@click.argument("name")
@click.option("--channel", type=click.Choice(["email", "sms", "push", "chat"]), required=True, help="What it sends.")
@click.option("--in", "parent", type=click.Path(path_type=Path), default=Path(), help="The folder to make it in.")
@shape.local
async def provider(output: Output, name: str, channel: str, parent: Path) -> None:
    """Start a provider: a plugin in a folder of its own, novukit-NAME.

    One module, a test that describes the vendor, a README and pyproject.toml. It passes the conformance kit as it is;
    from there change it piece by piece, and keep it passing.
    """
    from ..scaffolding import files_of

    await _refuse_name(name)
    folder = parent / f"novukit-{name}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already.", hint="Choose another name, or take it away first.")
    files = files_of(name, channel)
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise Stopped(f"{folder} cannot be written ({reason}).", FAILED, hint="Check mode and free space.") from None

    def draw() -> None:
        for path in files:
            output.line(("+ ", "green"), str(folder / path))
        output.line("")
        output.line((f"{sign('✓')} ", "green"), "Ready. What to do next:")
        output.line("")
        room = f"  novukit providers test {folder}  "
        output.line((room, "bold"), ("the kit: it passes now; keep it so", "dim"))
        output.line((f"  pip install -e {folder}".ljust(len(room)), "bold"), ("then novukit knows it", "dim"))

    output.show({"folder": str(folder.absolute()), "provider": name, "channel": channel, "files": list(files)}, draw)


async def _refuse_name(name: str) -> None:
    """Refuse what is no id, and one that a plugin has."""
    from ...providers import PluginHost
    from ...providers.contract import ID

    if not ID.fullmatch(name) or len(name) > 64:
        raise Stopped(
            f"{name[:64]!r} cannot be the id of a provider.",
            USAGE,
            hint="Lower-case words joined by `-`, such as post or acme-mail.",
        )
    host = PluginHost()
    try:
        owner = next((one for one in host.statuses if name in one.providers), None)
    finally:
        await host.close()
    if owner is not None:
        raise Refused(f"There is a provider {name!r} already ({owner.distribution}).", hint="Choose another name.")
