"""``novukit init``: start a project in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from .. import shape
from ..failure import FAILED, Refused, Stopped
from ..output import Output, sign


@shape.command(
    "init",
    examples="""
    novukit init shop
    cd shop && novukit dev
    """,
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="Write into a folder that has files; those of the same name are replaced.")
@shape.local
def command(output: Output, folder: Path, force: bool) -> None:
    """Start a project in a folder.

    A workflow, its template, its test and novukit.toml; in this folder unless one is named.
    """
    files = _starter()
    if folder.exists() and not folder.is_dir():
        raise Stopped(f"{folder} is a file.", FAILED, hint="Name a folder.")
    present = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    replaced = sorted(str(name) for name in files if (folder / name).exists())
    if present and not force:
        what = f"it would replace {', '.join(replaced)}" if replaced else f"it has {', '.join(present[:5])}"
        raise Refused(f"The folder {folder.absolute()} is not empty: {what}.", hint="Add --force to write into it.")
    try:
        for name, content in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise Stopped(
            f"{err.filename or folder} cannot be written ({reason}).", FAILED, hint="Check mode and free space."
        ) from None
    _draw(output, folder, files, replaced)


def _draw(output: Output, folder: Path, files: dict[Path, bytes], replaced: list[str]) -> None:
    def draw() -> None:
        for name in sorted(files):
            changed = str(name) in replaced
            output.line(("~ " if changed else "+ ", "yellow" if changed else "green"), str(folder / name))
        output.line("")
        output.line((f"{sign('✓')} ", "green"), "Ready. What to do next:")
        output.line("")
        if folder != Path():
            output.line((f"  cd {folder}", "bold"))
        room = "  novukit trigger welcome --to ada@example.com  "
        output.line(("  novukit dev".ljust(len(room)), "bold"), ("server and worker, again at each change", "dim"))
        output.line((room, "bold"), ("in another terminal: send one", "dim"))
        output.line(("  pytest".ljust(len(room)), "bold"), ("the workflow's test, in virtual time", "dim"))

    output.show({"folder": str(folder.absolute()), "files": sorted(map(str, files)), "replaced": replaced}, draw)


def _starter() -> dict[Path, bytes]:
    """The files of a new project, as they ship with novukit."""
    home = Path(__file__).parent.parent / "starter"
    return {
        file.relative_to(home): file.read_bytes()
        for file in sorted(home.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
