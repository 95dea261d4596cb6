"""``novukit workflows``: the workflows that an environment knows."""

from __future__ import annotations

from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column
from ..session import Session
from ..values import Json, count, identifier, moment, part, parts, texts

command = shape.group("workflows", summary("workflows"), examples="novukit workflows show welcome")


@command.command("list", examples="novukit workflows list --tag social")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="Only workflows with this tag; repeatable.")
@click.option("--query", metavar="TEXT", help="Only workflows with this in their id or name.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many to show."
)
@shape.connected
async def list_(session: Session, *, tags: tuple[str, ...], query: str | None, limit: int) -> None:
    """List workflows, the latest change first."""
    found: list[dict[str, Any]] = []
    total = 1
    while len(found) < min(limit, total):
        page = await session.get(
            "/v2/workflows", limit=min(100, limit - len(found)), offset=len(found), tags=list(tags) or None, query=query
        )
        total = int(page["totalCount"])
        if not page["workflows"]:
            break
        found += page["workflows"]

    def draw() -> None:
        session.output.table(
            [
                Column("Workflow", "cyan"), Column("Name", fold=True), Column("Steps", fold=True), Column("Status"),
                Column("Last triggered", "dim"),
            ],
            [
                [
                    one["workflowId"], one["name"], _kinds(one), one["status"].lower(),
                    moment(one.get("lastTriggeredAt")) or "never",
                ]
                for one in found
            ],
            empty="There are no workflows yet: `novukit sync` brings them here, `novukit dev` does it by itself.",
        )  # fmt: skip

    session.output.show({"data": found, "totalCount": total if found else 0}, draw)


@command.command("show", examples="novukit workflows show welcome")
@click.argument("workflow")
@shape.connected
async def show(session: Session, *, workflow: str) -> None:
    """Show one workflow: steps, payload, preferences, versions."""
    one = await session.get(f"/v2/workflows/{identifier(workflow)}")
    versions = await session.get(f"/v1/workflows/{identifier(workflow)}/versions")

    def draw() -> None:
        output = session.output
        output.line((one["workflowId"], "bold cyan"), f"  {one['name']}")
        output.record(
            {
                "description": one.get("description"),
                "status": one["status"].lower(),
                "tags": ", ".join(texts(one, "tags")),
                "severity": one.get("severity"),
                "preferences": _preferences(part(one, "preferences")),
                "last triggered": moment(one.get("lastTriggeredAt")) or "never",
                "changed": moment(one["updatedAt"]),
            }
        )
        output.line("")
        output.line((count(len(one["steps"]), "step"), "bold"))
        output.table(
            [Column("", "dim", right=True), Column("Step", "cyan"), Column("Kind")],
            [
                [number, step["stepId"], str(step["type"]).replace("_", "-")]
                for number, step in enumerate(one["steps"], 1)
            ],
            empty="None: a trigger does nothing.",
        )
        output.line("")
        output.line(("Payload", "bold"))
        output.table(
            [Column("Field", "cyan"), Column("Type"), Column("Required", "dim"), Column("", fold=True)],
            _payload(part(one, "payloadSchema")),
            empty="None.",
        )
        output.line("")
        output.line((count(len(versions), "version"), "bold"))
        output.table(
            [Column("Version", "cyan"), Column("Since", "dim"), Column("")],
            [
                [entry["version"], moment(entry.get("createdAt")), "current" if entry["current"] else ""]
                for entry in versions
            ],
            empty="None.",
        )

    session.output.show({**one, "versions": versions}, draw)


def _kinds(one: Json) -> str:
    kinds = texts(one, "stepTypeOverviews") or [str(step["type"]) for step in parts(one, "steps")]
    return ", ".join(kinds).replace("_", "-")


def _preferences(preferences: Json) -> str:
    default = part(preferences, "default")
    everything, channels = part(default, "all"), part(default, "channels")
    if everything.get("readOnly"):
        return "critical: nobody can turn it off"
    if not everything.get("enabled", True):
        return "off unless a subscriber turns it on"
    off = [name for name in channels if not part(channels, name).get("enabled", True)]
    return f"on, but not {', '.join(off)}" if off else "on"


def _payload(schema: Json) -> list[list[Any]]:
    required, fields = texts(schema, "required"), part(schema, "properties")
    return [
        [name, _type(part(fields, name)), "yes" if name in required else "no", part(fields, name).get("description")]
        for name in fields
    ]


def _type(field: Json) -> str:
    if options := parts(field, "anyOf") or parts(field, "oneOf"):
        return " or ".join(_type(option) for option in options)
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if field.get("type") == "array":
        return f"list of {_type(part(field, 'items'))}"
    return " | ".join(texts(field, "enum")) or str(field.get("format") or field.get("type") or "anything")
