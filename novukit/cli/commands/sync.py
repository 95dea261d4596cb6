"""``novukit sync``: make an environment hold the workflows that the code declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import SettingsInvalid
from .. import shape
from ..failure import DRIFT
from ..output import sign
from ..session import Session, settings_of

if TYPE_CHECKING:
    from ...model import Manifest


@shape.command(
    "sync",
    examples="""
    novukit sync
    # in a pipeline: fails with exit code 3 if code and environment differ
    novukit sync --environment production --check
    novukit sync --url https://notify.example.com --allow-delete old-news
    """,
)
@click.option("--check", is_flag=True, help="Change nothing; exit with 3 if there is anything to change.")
@click.option("--prune", is_flag=True, help="Delete the workflows that the code no longer has.")
@click.option("--allow-delete", multiple=True, metavar="ID", help="Delete this one if the code lacks it; repeatable.")
@shape.connected
async def command(session: Session, *, check: bool, prune: bool, allow_delete: tuple[str, ...]) -> None:
    """Make an environment hold the workflows that the code declares.

    Shows the plan first: what is created, changed and deleted, and which executions are on their way there. No
    workflow function is run. What the code no longer has is deleted only with --prune or --allow-delete.
    """
    from ..plan import draw, is_empty

    body = _manifest(session).model_dump(mode="json")
    plan: dict[str, Any] = await session.post("/v1/sync/plan", body)
    output = session.output
    if not output.as_json:
        output.note((session.place, "dim"))
        draw(output, plan)
    if check or is_empty(plan):
        if output.as_json:
            output.data({"plan": plan, "applied": False})
        if check and not is_empty(plan):
            output.note(("Run `novukit sync` to apply this.", "dim"))
            click.get_current_context().exit(DRIFT)
        return
    flags = {"state": plan["state"], "prune": prune, "allowDelete": list(allow_delete)}
    done = await session.put("/v1/sync", {**body, **flags})
    output.show({"plan": done, "applied": True}, lambda: output.line((f"{sign('✓')} ", "green"), "Applied."))


def _manifest(session: Session) -> Manifest:
    """What the project's code declares. A project is needed here, for a server elsewhere too."""
    from ...authoring import Registry

    settings = session.settings or settings_of(_config(), None, session.output)
    if not settings.workflows:
        raise SettingsInvalid(
            f"{settings.file or 'novukit.toml'} names no module with workflows.",
            hint='Add workflows = ["app.workflows"].',
        )
    return Registry.load(settings.workflows, settings.root).manifest()


def _config() -> Path | None:
    found = click.get_current_context().params.get("config")
    return found if isinstance(found, Path) else None
