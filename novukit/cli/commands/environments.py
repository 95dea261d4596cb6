"""``novukit environments``: the walled parts of the organization."""

from __future__ import annotations

from typing import Any

import click

from ...errors import NotFound, did_you_mean
from .. import shape
from ..difference import chosen, draw_diff, draw_published
from ..index import summary
from ..output import Column, sign
from ..session import Session

command = shape.group(
    "environments",
    summary("environments"),
    examples="""
    novukit environments list
    novukit environments diff development production
    novukit environments publish development production --dry-run
    """,
)
_FROM, _TO = click.argument("source", metavar="FROM"), click.argument("target", metavar="TO")


@command.command("list", examples="novukit environments list --json")
@shape.connected
async def list_(session: Session) -> None:
    """List the environments; the one that commands work with is marked."""
    # Secret keys stay out of this: `novukit keys` is where one asks for them.
    found: list[dict[str, Any]] = [
        {name: value for name, value in one.items() if name != "apiKeys"}
        for one in await session.get("/v1/environments")
    ]
    current = (await session.get("/v1/environments/me"))["_id"]

    def draw() -> None:
        session.output.table(
            [Column(""), Column("Environment", "cyan"), Column("Name"), Column("Type"), Column("Identifier", "dim")],
            [
                [
                    sign("●") if one["_id"] == current else "",
                    one.get("slug"),
                    one["name"],
                    one.get("type"),
                    one["identifier"],
                ]
                for one in found
            ],
            empty="There are no environments.",
        )

    session.output.show({"data": found, "current": current}, draw)


@command.command("create", examples="novukit environments create Staging")
@click.argument("name")
@shape.connected
async def create(session: Session, *, name: str) -> None:
    """Create an environment with a secret key of its own."""
    made = await session.post("/v1/environments", {"name": name, "color": "#2563eb"})
    slug = str(made.get("slug") or made["name"])

    def draw() -> None:
        session.output.line((f"{sign('✓')} ", "green"), "Created ", (slug, "cyan"), ".")
        session.output.line((f"  novukit keys --environment {slug}", "bold"), "  shows its secret key.")

    session.output.show({name: value for name, value in made.items() if name != "apiKeys"}, draw)


@command.command("delete", examples="novukit environments delete staging --yes")
@click.argument("name", metavar="SLUG")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def delete(session: Session, *, name: str, yes: bool) -> None:
    """Delete an environment with everything in it: keys, workflows, subscribers, messages."""
    found = await _find(session, name)
    if not yes:
        click.confirm(f"Delete {found['name']} with everything in it?", abort=True, err=True)
    await session.delete(f"/v1/environments/{found['_id']}")
    session.done({"deleted": found["slug"]}, "Deleted ", (str(found["slug"]), "cyan"), ".")


@command.command("diff", examples="novukit environments diff development production")
@_FROM
@_TO
@shape.connected
async def diff(session: Session, *, source: str, target: str) -> None:
    """Show what TO lacks of FROM: workflows, layouts and their translations."""
    path, body = await _way(session, source, target)
    told = await session.post(f"{path}/diff", body)
    session.output.show(told, lambda: draw_diff(session.output, told))


@command.command("publish", examples="novukit environments publish development production --only welcome")
@_FROM
@_TO
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--only", multiple=True, metavar="ID", help="Only this workflow or layout; repeatable.")
@shape.connected
async def publish(session: Session, *, source: str, target: str, dry_run: bool, only: tuple[str, ...]) -> None:
    """Make TO hold the workflows, layouts and translations of FROM, all or nothing.

    What is on its way in TO goes on. A workflow that FROM no longer has is deleted, unless executions of it are in
    flight.
    """
    path, body = await _way(session, source, target)
    output, plan = session.output, await session.post(f"{path}/diff", body)
    if not output.as_json:
        draw_diff(output, plan, frozenset(only))
    body |= {"dryRun": dry_run}
    if only:
        body["resources"] = chosen(plan, only)
    done = await session.post(f"{path}/publish", body)
    output.show(done, lambda: draw_published(output, done))


async def _way(session: Session, source: str, target: str) -> tuple[str, dict[str, Any]]:
    """The path of the target, and the body that names the source."""
    start, end = await _find(session, source), await _find(session, target)
    return f"/v2/environments/{end['_id']}", {"sourceEnvironmentId": start["_id"]}


async def _find(session: Session, name: str) -> dict[str, Any]:
    known: list[dict[str, Any]] = await session.get("/v1/environments")
    for one in known:
        if name in (one.get("slug"), one["name"], one["_id"]):
            return one
    slugs = [str(one.get("slug") or one["name"]) for one in known]
    raise NotFound(f"There is no environment {name[:64]!r}.", hint=did_you_mean(name, slugs))
