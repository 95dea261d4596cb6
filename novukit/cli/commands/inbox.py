"""``novukit inbox``: the hash by which a page may open a subscriber's inbox, and the end of all sessions."""

from __future__ import annotations

import json
from typing import Any, cast

import click

from ...errors import InvalidInput, NotFound
from .. import shape
from ..index import summary
from ..session import Session

_EXAMPLES = """
    novukit inbox hash ada
    novukit inbox hash ada --context '{"tenant": "acme"}'
    novukit inbox close --environment production
"""

command = shape.group("inbox", summary("inbox"), examples=_EXAMPLES)


@command.command("hash", examples="novukit inbox hash ada")
@click.argument("subscriber_id")
@click.option("--context", metavar="JSON", help="A context, as the page passes it: its contextHash is shown as well.")
@shape.connected
async def hash_(session: Session, *, subscriber_id: str, context: str | None) -> None:
    """Show the subscriberHash of a subscriber, to compare with what your server makes.

    It is the HMAC-SHA256 of the subscriber id, made with the environment's secret key: whoever has it may read that
    subscriber's inbox.
    """
    from ...bridge.inbox import hashes

    environment = cast("dict[str, Any]", await session.get("/v1/environments/me"))
    secret = next((str(key["key"]) for key in environment.get("apiKeys") or ()), None)
    if secret is None:
        raise NotFound("The environment has no secret key in force.", hint="`novukit keys create NAME` makes one.")
    value = {
        "subscriberId": subscriber_id,
        "applicationIdentifier": environment["identifier"],
        "subscriberHash": hashes.of_subscriber(secret, subscriber_id),
    }
    shown = {"application identifier": environment["identifier"], "subscriber hash": value["subscriberHash"]}
    if context is not None:
        value["contextHash"] = shown["context hash"] = _of_context(secret, context)
    session.output.show(value, lambda: session.output.record(shown))


@command.command("close", examples="novukit inbox close --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def close(session: Session, *, yes: bool) -> None:
    """End all sessions of an environment, at once on all servers. Pages open new ones when they are loaded again."""
    from ..asking import confirm

    confirm(session.output, f"End every inbox session of {session.place}?", yes)
    session.done(await session.delete("/v1/inbox-sessions"), "All sessions have ended.")


def _of_context(secret: str, text: str) -> str:
    from ...bridge.inbox import hashes

    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("--context is not a JSON object.", hint="""Write it so: --context '{"tenant": "acme"}'.""")
    try:
        return hashes.of_context(secret, cast("dict[str, Any]", value))
    except ValueError:
        raise InvalidInput("A context with a number that is not whole has no hash.") from None
