"""``novukit suppressions``: addresses that are not written to any more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from ...errors import NotFound
from .. import shape
from ..index import summary
from ..output import Column
from ..session import Session
from ..values import moment

command = shape.group(
    "suppressions",
    summary("suppressions"),
    examples="""
    novukit suppressions list --reason complained
    novukit suppressions add email ada@example.com --note "asked by phone"
    novukit suppressions release ada@example.com --note "the mailbox is back"
    """,
)
_NOTE = click.option("--note", metavar="TEXT", default="", help="Why; kept beside who said so.")
_CHANNELS = click.Choice(["email", "sms"])
MOST = 100


@command.command("list", examples="novukit suppressions list --channel email")
@click.option("--channel", type=_CHANNELS, help="Only this channel.")
@click.option(
    "--reason", type=click.Choice(["bounced", "complained", "unsubscribed", "manual"]), help="Only this reason."
)
@click.option("--address", metavar="TEXT", help="Only this address.")
@click.option("--released", is_flag=True, help="Those that were released, in place of those in force.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many to show."
)
@shape.connected
async def list_(
    session: Session, *, channel: str | None, reason: str | None, address: str | None, released: bool, limit: int
) -> None:
    """List the addresses that are not written to, newest first."""
    asked = {"channel": channel, "reason": reason, "address": address, "released": "true" if released else None}
    found = await session.pages("/v1/suppressions", limit, **{k: v for k, v in asked.items() if v is not None})

    def draw() -> None:
        session.output.table(
            [
                Column("Address", "cyan"), Column("Channel"), Column("Reason"), Column("Detail", fold=True),
                Column("Released" if released else "Since", "dim"),
            ],
            [
                [
                    one["address"], one["channel"], one["reason"], one["detail"],
                    moment(one["releasedAt"] if released else one["createdAt"]),
                ]
                for one in found.data
            ],
            empty="There are none: every address is written to.",
        )  # fmt: skip
        if found.more:
            session.output.note((found.more, "dim"))

    session.output.show({"data": found.data, "totalCount": found.total}, draw)


@command.command("add", examples="novukit suppressions add sms +4915112345678")
@click.argument("channel", type=_CHANNELS)
@click.argument("address")
@_NOTE
@shape.connected
async def add(session: Session, *, channel: str, address: str, note: str) -> None:
    """Write no more to ADDRESS through CHANNEL."""
    made = await session.post("/v1/suppressions", {"channel": channel, "address": address, "note": note})
    session.done(made, "Nothing is sent to ", (str(made["address"]), "cyan"), " any more.")


@command.command("release", examples="novukit suppressions release ada@example.com")
@click.argument("which", metavar="ADDRESS")
@click.option("--channel", type=_CHANNELS, help="Only for this channel.")
@_NOTE
@shape.connected
async def release(session: Session, *, which: str, channel: str | None, note: str) -> None:
    """Write to ADDRESS (or the id of its suppression) again. A bounce after this suppresses it anew."""
    chosen = await _find(session, which, channel)
    released = [
        await session.delete(f"/v1/suppressions/{one['id']}", **({"note": note} if note else {})) for one in chosen
    ]
    session.done({"data": released}, (which, "cyan"), " is written to again.")


async def _find(session: Session, which: str, channel: str | None) -> list[dict[str, Any]]:
    try:
        return [await session.get(f"/v1/suppressions/{UUID(which)}")]
    except ValueError:
        pass
    asked = {"channel": channel} if channel else {}
    found = (await session.pages("/v1/suppressions", MOST, address=which, **asked)).data
    if not found:
        raise NotFound(
            f"The address {which[:64]!r} is not suppressed in this environment.",
            hint="`novukit suppressions list` shows those that are.",
        )
    return found
