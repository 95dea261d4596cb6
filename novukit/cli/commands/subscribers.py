"""``novukit subscribers``: whom notifications are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column
from ..session import Session
from ..values import assignments, count, identifier, moment, part, parts, texts

command = shape.group(
    "subscribers",
    summary("subscribers"),
    examples="""
    novukit subscribers set ada --email ada@example.com --data plan='"pro"'
    novukit subscribers import people.csv
    """,
)

_FIELDS = {
    "email": "E-mail address.",
    "phone": "Phone number with country code: +4915112345678.",
    "first_name": "First name.",
    "last_name": "Last name.",
    "locale": "Language and region: de or pt-BR.",
    "timezone": "IANA time zone: Europe/Berlin.",
    "avatar": "URL of a picture.",
}
_WIRE = {"first_name": "firstName", "last_name": "lastName"}


def _profile(function: Any) -> Any:
    """The options that tell a subscriber's profile."""
    data = click.option("--data", multiple=True, metavar="KEY=VALUE", help="A field of your own; repeatable.")
    function = data(function)
    for name, text in reversed(_FIELDS.items()):
        function = click.option(f"--{name.replace('_', '-')}", name, metavar="TEXT", help=text)(function)
    return function


@command.command("list", examples="novukit subscribers list --email ada@example.com")
@click.option("--email", metavar="TEXT", help="Only this e-mail address.")
@click.option("--name", metavar="TEXT", help="Only this name.")
@click.option("--phone", metavar="TEXT", help="Only this phone number.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many to show."
)
@shape.connected
async def list_(session: Session, *, email: str | None, name: str | None, phone: str | None, limit: int) -> None:
    """List subscribers, newest first."""
    found = await session.pages("/v2/subscribers", limit, email=email, name=name, phone=phone)

    def draw() -> None:
        session.output.table(
            [Column("Subscriber", "cyan"), Column("Name"), Column("E-mail"), Column("Phone"), Column("Since", "dim")],
            [
                [one["subscriberId"], _name(one), one.get("email"), one.get("phone"), moment(one["createdAt"])]
                for one in found.data
            ],
            empty="There are no such subscribers." if email or name or phone else "There are no subscribers yet.",
        )
        if found.more:
            session.output.note((found.more, "dim"))

    session.output.show({"data": found.data, "totalCount": found.total}, draw)


@command.command("show", examples="novukit subscribers show ada")
@click.argument("subscriber")
@shape.connected
async def show(session: Session, *, subscriber: str) -> None:
    """Show one subscriber: profile, addresses, topics."""
    person = await session.get(f"/v2/subscribers/{identifier(subscriber)}")
    topics = await session.pages(f"/v2/subscribers/{identifier(subscriber)}/subscriptions", 1000)

    def draw() -> None:
        session.output.line((person["subscriberId"], "bold cyan"))
        channels = [f"{one['providerId']}: {_address(part(one, 'credentials'))}" for one in parts(person, "channels")]
        session.output.record(
            {
                "name": _name(person),
                "e-mail": person.get("email"),
                "phone": person.get("phone"),
                "locale": person.get("locale"),
                "time zone": person.get("timezone"),
                "avatar": person.get("avatar"),
                "data": person.get("data"),
                "addresses": ", ".join(channels),
                "topics": ", ".join(entry["topic"]["key"] for entry in topics.data),
                "since": moment(person["createdAt"]),
                "changed": moment(person["updatedAt"]),
            }
        )

    session.output.show({**person, "subscriptions": topics.data}, draw)


@command.command("create", examples="novukit subscribers create ada --email ada@example.com --first-name Ada")
@click.argument("subscriber")
@_profile
@shape.connected
async def create(session: Session, *, subscriber: str, data: tuple[str, ...], **profile: str | None) -> None:
    """Create a subscriber; one that exists is an error."""
    body = {"subscriberId": subscriber, **_wire(profile, data)}
    one = await session.post("/v2/subscribers", body, failIfExists=True)
    session.done(one, "Created ", (subscriber, "cyan"), ".")


@command.command("set", examples="novukit subscribers set ada --timezone Europe/Paris")
@click.argument("subscriber")
@_profile
@shape.connected
async def set_(session: Session, *, subscriber: str, data: tuple[str, ...], **profile: str | None) -> None:
    """Change a subscriber's profile, or create the subscriber. What is not given stays as it is."""
    body = {"subscriberId": subscriber, **_wire(profile, data)}
    one = await session.post("/v2/subscribers", body)
    session.done(one, "Stored ", (subscriber, "cyan"), ".")


@command.command("delete", examples="novukit subscribers delete ada --yes")
@click.argument("subscriber")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def delete(session: Session, *, subscriber: str, yes: bool) -> None:
    """Delete a subscriber with messages, preferences and subscriptions."""
    from ..asking import confirm

    confirm(session.output, f"Delete {subscriber} with all messages, preferences and subscriptions?", yes)
    answer = await session.delete(f"/v2/subscribers/{identifier(subscriber)}")
    session.done(answer, "Deleted ", (subscriber, "cyan"), ".")


@command.command(
    "import",
    examples="""
    novukit subscribers import people.csv
    # people.csv; a column data.NAME is a field of the subscriber's own data
    # subscriberId,email,firstName,timezone,data.plan
    # ada,ada@example.com,Ada,Europe/London,pro
    """,
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@shape.connected
async def import_(session: Session, *, file: Path) -> None:
    """Create or change subscribers from a CSV file with a header line (`-`: standard input)."""
    from ..people import read
    from ..progress import counted

    rows = read(file)
    result: dict[str, list[Any]] = {"created": [], "updated": [], "failed": []}
    with counted(session.output, "Importing", len(rows)) as advance:
        for start in range(0, len(rows), 500):
            part = rows[start : start + 500]
            answer = await session.post("/v1/subscribers/bulk", {"subscribers": part})
            for name in result:
                result[name] += answer[name]
            advance(len(part))

    def draw() -> None:
        for failed in result["failed"][:50]:
            session.output.note(("✗ ", "red"), f"{failed.get('subscriberId')}: {failed['message']}")
        words = f"{len(result['created'])} created, {len(result['updated'])} changed, {len(result['failed'])} refused"
        session.output.line((words, "bold"))

    session.output.show(result, draw)
    if result["failed"]:
        click.get_current_context().exit(1)


def _name(one: dict[str, Any]) -> str:
    return " ".join(filter(None, [one.get("firstName"), one.get("lastName")]))


def _address(credentials: dict[str, Any]) -> str:
    tokens = texts(credentials, "deviceTokens")
    return count(len(tokens), "device") if tokens else str(credentials.get("channel") or "webhook")


def _wire(profile: dict[str, str | None], data: tuple[str, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {_WIRE.get(name, name): value for name, value in profile.items() if value is not None}
    return {**body, "data": assignments(data, "--data")} if data else body


__all__ = ["command"]
