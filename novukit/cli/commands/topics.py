"""``novukit topics``: named groups of subscribers."""

from __future__ import annotations

from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column, sign
from ..session import Session
from ..values import count, identifier, moment

command = shape.group(
    "topics",
    summary("topics"),
    examples="""
    novukit topics add staff ada grace
    novukit trigger welcome --to topic:staff
    """,
)
AT_ONCE = 100


@command.command("list", examples="novukit topics list")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many to show."
)
@shape.connected
async def list_(session: Session, *, limit: int) -> None:
    """List topics, newest first."""
    found = await session.pages("/v2/topics", limit)

    def draw() -> None:
        session.output.table(
            [Column("Topic", "cyan"), Column("Name", fold=True), Column("Since", "dim")],
            [[one["key"], one.get("name"), moment(one.get("createdAt"))] for one in found.data],
            empty="There are no topics yet.",
        )
        if found.more:
            session.output.note((found.more, "dim"))

    session.output.show({"data": found.data, "totalCount": found.total}, draw)


@command.command("show", examples="novukit topics show staff")
@click.argument("topic")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many members."
)
@shape.connected
async def show(session: Session, *, topic: str, limit: int) -> None:
    """Show a topic and its members."""
    one = await session.get(f"/v2/topics/{identifier(topic)}")
    members = await session.pages(f"/v2/topics/{identifier(topic)}/subscriptions", limit)

    def draw() -> None:
        session.output.line((one["key"], "bold cyan"), f"  {one.get('name') or ''}")
        session.output.line((count(members.total, "member"), "dim"))
        session.output.table(
            [Column("Subscriber", "cyan"), Column("Name"), Column("E-mail"), Column("Since", "dim")],
            [[*_person(entry["subscriber"]), moment(entry.get("createdAt"))] for entry in members.data],
            empty=f"Nobody: `novukit topics add {topic} SUBSCRIBER` adds someone.",
        )
        if members.more:
            session.output.note((members.more, "dim"))

    session.output.show({**one, "subscriptions": members.data, "totalCount": members.total}, draw)


@command.command("create", examples='novukit topics create staff --name "All who work here"')
@click.argument("topic")
@click.option("--name", metavar="TEXT", help="The name that people read.")
@shape.connected
async def create(session: Session, *, topic: str, name: str | None) -> None:
    """Create a topic; one that exists is an error."""
    body = {"key": topic, **({"name": name} if name else {})}
    session.done(await session.post("/v2/topics", body, failIfExists=True), "Created ", (topic, "cyan"), ".")


@command.command("add", examples="novukit topics add staff ada grace")
@click.argument("topic")
@click.argument("subscribers", nargs=-1, required=True)
@shape.connected
async def add(session: Session, *, topic: str, subscribers: tuple[str, ...]) -> None:
    """Add subscribers to a topic, which is created if need be."""
    await _change(session, "POST", topic, subscribers)


@command.command("remove", examples="novukit topics remove staff ada")
@click.argument("topic")
@click.argument("subscribers", nargs=-1, required=True)
@shape.connected
async def remove(session: Session, *, topic: str, subscribers: tuple[str, ...]) -> None:
    """Remove subscribers from a topic."""
    await _change(session, "DELETE", topic, subscribers)


@command.command("delete", examples="novukit topics delete staff --yes")
@click.argument("topic")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def delete(session: Session, *, topic: str, yes: bool) -> None:
    """Delete a topic with all its subscriptions."""
    from ..asking import confirm

    confirm(session.output, f"Delete the topic {topic} with all its subscriptions?", yes)
    session.done(await session.delete(f"/v2/topics/{identifier(topic)}"), "Deleted ", (topic, "cyan"), ".")


async def _change(session: Session, method: str, topic: str, who: tuple[str, ...]) -> None:
    path = f"/v2/topics/{identifier(topic)}/subscriptions"
    verb, link = ("Added", "to") if method == "POST" else ("Removed", "from")
    done: list[Any] = []
    refused: list[Any] = []
    for start in range(0, len(who), AT_ONCE):
        body = {"subscriptions": list(who[start : start + AT_ONCE])}
        answer = await session.client.request(method, path, json=body)
        done += answer.get("data") or []
        refused += answer.get("errors") or []

    def draw() -> None:
        for one in refused:
            session.output.note((f"{sign('✗')} ", "red"), f"{one['subscriberId']}: {one['message']}")
        if done:
            session.output.line(
                (f"{sign('✓')} ", "green"), f"{verb} {count(len(done), 'subscriber')} {link} ", (topic, "cyan"), "."
            )

    session.output.show({"data": done, "errors": refused}, draw)
    if refused:
        click.get_current_context().exit(1)


def _person(one: dict[str, Any] | None) -> list[Any]:
    one = one or {}
    name = " ".join(filter(None, [one.get("firstName"), one.get("lastName")]))
    return [one.get("subscriberId"), name, one.get("email")]
