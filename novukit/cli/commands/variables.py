"""``novukit variables``: values that workflows and templates read, one set for each environment."""

from __future__ import annotations

from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column
from ..session import Session

command = shape.group(
    "variables",
    summary("variables"),
    examples="""
    novukit variables set SHOP_URL https://shop.example.com
    novukit variables set PARTNER_TOKEN --secret
    novukit variables list --environment production
    """,
)
ROUTE = "/v1/environment-variables"


@command.command("list", examples="novukit variables list --environment production")
@shape.connected
async def list_(session: Session) -> None:
    """List the variables of the environment; secret values are not shown."""
    found: list[dict[str, Any]] = await session.get(ROUTE)

    def draw() -> None:
        session.output.table(
            [Column("Key", "cyan"), Column("Value", fold=True), Column("")],
            [
                [one["key"], "".join(v["value"] for v in one["values"]), "secret" if one["isSecret"] else ""]
                for one in found
            ],
            empty="There are no variables. `novukit variables set KEY VALUE` makes one.",
        )

    session.output.show({"data": found}, draw)


@command.command("set", examples="novukit variables set PARTNER_TOKEN --secret")
@click.argument("name", metavar="KEY")
@click.argument("value", required=False)
@click.option("--secret", is_flag=True, help="Never show the value again, and keep it from templates.")
@shape.connected
async def set_(session: Session, *, name: str, value: str | None, secret: bool) -> None:
    """Set KEY to VALUE in the environment. Without VALUE it is asked for, and not echoed."""
    if value is None:
        value = str(click.prompt("Value", hide_input=True, err=True))
    own = (await session.get("/v1/environments/me"))["_id"]
    known = {one["key"] for one in await session.get(ROUTE, search=name)}
    body: dict[str, Any] = {"values": [{"_environmentId": own, "value": value}]}
    if secret:
        body["isSecret"] = True
    if name in known:
        made = await session.patch(f"{ROUTE}/{name}", body)
    else:
        made = await session.post(ROUTE, {"key": name, **body})
    session.done(made, (name, "cyan"), " is set.")


@command.command("delete", examples="novukit variables delete SHOP_URL")
@click.argument("name", metavar="KEY")
@shape.connected
async def delete(session: Session, *, name: str) -> None:
    """Delete a variable of the environment."""
    await session.delete(f"{ROUTE}/{name}")
    session.done({"deleted": name}, (name, "cyan"), " is deleted.")
