"""``novukit integrations``: providers with their credentials, in one environment."""

from __future__ import annotations

from typing import Any, cast

import click

from ...errors import NotFound, did_you_mean
from .. import shape
from ..credentials import read_credentials
from ..index import summary
from ..output import Column, sign
from ..routing import read_when, used
from ..session import Session

command = shape.group(
    "integrations",
    summary("integrations"),
    examples="""
    novukit integrations add sendgrid --set apiKey=env:SENDGRID_API_KEY --set from=hello@example.com
    novukit integrations check
    """,
)
_CONCURRENCY = click.option(
    "--concurrency", metavar="N", type=click.IntRange(0, 1000),
    help="How many of its messages one worker may be sending at a time; 0: three quarters of the worker's places.",
)  # fmt: skip
_WEIGHT = click.option(
    "--weight", metavar="N", type=click.IntRange(0, 1000),
    help="Its share of the channel among those with a weight; 0: it only stands in.",
)  # fmt: skip
_RATE = click.option(
    "--rate", metavar="NUMBER", type=click.FloatRange(0, 100_000),
    help="Messages a second, of all workers together; 0: the provider's own limit.",
)  # fmt: skip
_WHEN = click.option(
    "--when", multiple=True, metavar="KEY=VALUE",
    help="What must be so for it to be used: country=DE, tenant=acme, workflow=ID, tags=TAG, subscriber.FIELD=VALUE, "
    "payload.FIELD=VALUE. Repeatable: of one key one value is enough, of several keys each must hold.",
)  # fmt: skip
_ON_UNKNOWN = click.option(
    "--on-unknown", type=click.Choice(["stay", "next"]),
    help="Whether a message whose outcome nobody knows may go to another integration.",
)  # fmt: skip
_CREDENTIALS = click.option(
    "--set",
    "credentials",
    multiple=True,
    metavar="KEY=VALUE",
    help="A credential; the value is text, env:NAME, @file, or ? to be asked. Repeatable.",
)


@command.command("list", examples="novukit integrations list")
@shape.connected
async def list_(session: Session) -> None:
    """List the integrations of the environment."""
    found = await _all(session)

    def draw() -> None:
        session.output.table(
            [
                Column("Integration", "cyan"), Column("Channel"), Column("Provider"), Column("Name", fold=True),
                Column("Primary"), Column("Active"), Column("Used", fold=True),
            ],
            [
                [
                    one["identifier"], one["channel"], one["providerId"], one["name"], _mark(one["primary"]),
                    one["active"], used(one),
                ]
                for one in found
            ],
            empty="There are no integrations: channel steps will fail. `novukit plugins` lists what can be added.",
        )  # fmt: skip

    session.output.show({"data": found}, draw)


@command.command(
    "add",
    examples="""
    novukit integrations add smtp --set host=mail.example.com --set port=587 --set password=?
    novukit integrations add catcher-email --set folder=.novukit/mail
    """,
)
@click.argument("provider")
@click.option("--identifier", metavar="TEXT", help="What workflows and commands call it; made up if left out.")
@click.option("--name", metavar="TEXT", help="The name that people read.")
@click.option("--channel", metavar="TEXT", help="The channel; the provider's own if left out.")
@click.option("--inactive", is_flag=True, help="Add it, but do not use it yet.")
@click.option("--check", "check_it", is_flag=True, help="Try the credentials first; refuse if they do not work.")
@_CONCURRENCY
@_WHEN
@_WEIGHT
@_RATE
@_ON_UNKNOWN
@_CREDENTIALS
@shape.connected
async def add(
    session: Session, *, provider: str, identifier: str | None, name: str | None, channel: str | None, inactive: bool,
    check_it: bool, concurrency: int | None, when: tuple[str, ...], weight: int | None, rate: float | None,
    on_unknown: str | None, credentials: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a provider with its credentials. The first one of a channel becomes its primary."""
    body = {
        "providerId": provider, "identifier": identifier, "name": name, "channel": channel, "active": not inactive,
        "check": check_it or None, "concurrency": concurrency, "when": read_when(when) if when else None,
        "weight": weight, "rate": rate, "onUnknown": on_unknown, "credentials": read_credentials(credentials),
    }  # fmt: skip
    made = await session.post("/v1/integrations", {key: value for key, value in body.items() if value is not None})
    session.done(made, "Added ", (str(made["identifier"]), "cyan"), f" for {made['channel']}.")


@command.command("update", examples="novukit integrations update sendgrid-main --set apiKey=env:NEW_KEY")
@click.argument("integration")
@click.option("--name", metavar="TEXT", help="The name that people read.")
@click.option("--active/--inactive", default=None, help="Use it, or do not.")
@click.option("--check", "check_it", is_flag=True, help="Try the credentials first; refuse if they do not work.")
@_CONCURRENCY
@_WHEN
@_WEIGHT
@_RATE
@_ON_UNKNOWN
@_CREDENTIALS
@shape.connected
async def update(
    session: Session, *, integration: str, name: str | None, active: bool | None, check_it: bool,
    concurrency: int | None, when: tuple[str, ...], weight: int | None, rate: float | None, on_unknown: str | None,
    credentials: tuple[str, ...],
) -> None:  # fmt: skip
    """Change name, routing, credentials, or whether it is used. Credentials and conditions replace the old ones."""
    one = await _find(session, integration)
    body: dict[str, Any] = {
        "name": name, "active": active, "check": check_it or None, "concurrency": concurrency, "weight": weight,
        "when": read_when(when) if when else None, "rate": rate, "onUnknown": on_unknown,
    }  # fmt: skip
    if credentials:
        body["credentials"] = read_credentials(credentials)
    changed = {key: value for key, value in body.items() if value is not None}
    if not changed:
        raise click.UsageError("Nothing to change: give --name, --set, --active, --when or another option.")
    session.done(await session.put(f"/v1/integrations/{one['_id']}", changed), "Changed ", (integration, "cyan"), ".")


@command.command("remove", examples="novukit integrations remove old-smtp --yes")
@click.argument("integration")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def remove(session: Session, *, integration: str, yes: bool) -> None:
    """Remove an integration with its credentials."""
    from ..asking import confirm

    one = await _find(session, integration)
    confirm(session.output, f"Remove the integration {integration} ({one['channel']}) with its credentials?", yes)
    session.done(await session.delete(f"/v1/integrations/{one['_id']}"), "Removed ", (integration, "cyan"), ".")


@command.command("set-primary", examples="novukit integrations set-primary sendgrid-main")
@click.argument("integration")
@shape.connected
async def set_primary(session: Session, *, integration: str) -> None:
    """Make it the one that its channel uses."""
    one = await _find(session, integration)
    made = await session.post(f"/v1/integrations/{one['_id']}/set-primary")
    session.done(made, (integration, "cyan"), f" is now the primary of {one['channel']}.")


@command.command("check", examples="novukit integrations check sendgrid-main")
@click.argument("integrations", nargs=-1)
@shape.connected
async def check(session: Session, *, integrations: tuple[str, ...]) -> None:
    """Try the credentials of integrations (all unless named) with their providers; nothing is sent."""
    chosen = [await _find(session, name) for name in integrations] or await _all(session)
    results: list[dict[str, Any]] = [
        {"identifier": one["identifier"], **(await session.post(f"/v1/integrations/{one['_id']}/check"))}
        for one in chosen
    ]

    def draw() -> None:
        rows = [[_verdict(result), result["identifier"], result.get("message")] for result in results]
        session.output.table(
            [Column(""), Column("Integration", "cyan"), Column("", fold=True)], rows, empty="There are no integrations."
        )

    session.output.show({"data": results}, draw)
    if any(result["status"] == "failed" for result in results):
        click.get_current_context().exit(3)


@command.command("webhook-url", examples="novukit integrations webhook-url resend-main")
@click.argument("integration")
@shape.connected
async def webhook_url(session: Session, *, integration: str) -> None:
    """Print the URL to enter at the vendor, so that it tells what becomes of messages, and what to tick there."""
    one = await _find(session, integration)
    found = await session.get(f"/v1/integrations/{one['_id']}/webhook")

    def draw() -> None:
        session.output.line((str(found["url"] or found["path"]), "cyan"))
        session.output.note(f"Reports: {', '.join(found['events'])}.")
        session.output.note(found["setup"] or f"The README of the plugin for {one['providerId']} says what to tick.")
        if not found["url"]:
            session.output.note(("! ", "yellow"), "public_url is not set: put the URL of your server before this path.")

    session.output.show(found, draw)


@command.command("send-test", examples="novukit integrations send-test mail --to ada@example.com")
@click.argument("integration")
@click.option(
    "--to", required=True, metavar="ADDRESS",
    help="An e-mail address, phone number, device token, or for chat a webhook's URL or a channel.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask, outside development.")
@shape.connected
async def send_test(session: Session, *, integration: str, to: str, yes: bool) -> None:
    """Send one message with an integration and tell what the provider said. Exits with 1 if it did not take it.

    A real message is sent. It is recorded nowhere and not tried again.
    """
    from ..asking import confirm
    from ..reasons import in_words

    one = await _find(session, integration)
    place = (await session.get("/v1/environments/me")).get("slug")
    if place != "development":
        confirm(session.output, f"Send a message to {to} with {integration}, of the environment {place}?", yes)
    told: dict[str, Any] = await session.post(f"/v1/integrations/{one['_id']}/send-test", {"to": to})
    taken = told["outcome"] == "accepted"

    def draw() -> None:
        mark = (f"{sign('✓')} ", "green") if taken else (f"{sign('✗')} ", "red")
        said = "has taken it on" if taken else f"{told['outcome'].replace('_', ' ')}: {in_words(told.get('reason'))}"
        session.output.line(mark, (one["providerId"], "cyan"), f" {said}.")
        for name, key in (("its id", "providerMessageId"), ("it says", "detail"), ("wait (s)", "retryAfter")):
            if told.get(key):
                session.output.line((f"  {name:<8}  ", "dim"), str(told[key]))

    session.output.show(told, draw)
    if not taken:
        click.get_current_context().exit(1)


def _verdict(result: dict[str, Any]) -> Any:
    from ..output import text

    mark, style = {"ok": ("✓", "green"), "failed": ("✗", "red")}.get(str(result["status"]), ("·", "dim"))
    return text((sign(mark), style))


def _mark(primary: bool) -> str:
    return sign("✓") if primary else ""


async def _all(session: Session) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", await session.get("/v1/integrations"))


async def _find(session: Session, name: str) -> dict[str, Any]:
    found = await _all(session)
    for one in found:
        if name in (one["identifier"], one["_id"]):
            return one
    raise NotFound(
        f"There is no integration {name[:64]!r} in this environment.",
        hint=did_you_mean(name, [one["identifier"] for one in found])
        or "Add one: `novukit integrations add PROVIDER`.",
    )
