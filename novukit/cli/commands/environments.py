"""``novukit environments``: the walled parts of the organization."""

from __future__ import annotations

from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column, sign
from ..session import Session

command = shape.group("environments", summary("environments"), examples="novukit environments list")


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
