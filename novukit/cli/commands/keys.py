"""``novukit keys``: secret keys of an environment, and the master key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from ...errors import NotFound, did_you_mean
from .. import shape
from ..index import summary
from ..output import Column, Output, sign
from ..session import Session
from ..values import count, moment, parts

if TYPE_CHECKING:
    from ...settings import Settings

_EXAMPLES = """
    novukit keys
    novukit keys --environment production --json | jq -r .secretKey
    novukit keys create ci
    novukit keys master
"""


@shape.connected
async def _show(session: Session) -> None:
    """Show how to reach the environment: URL, secret key, application identifier."""
    environment = await _current(session)
    found = await _keys(session)
    secret = next((str(key["key"]) for key in parts(environment, "apiKeys")), None)
    value = {
        "environment": environment.get("slug") or environment["name"],
        "url": _url(session),
        "secretKey": secret,
        "applicationIdentifier": environment["identifier"],
        "keys": [{name: one for name, one in key.items() if name != "key"} for key in found],
    }

    def draw() -> None:
        session.output.record(
            {
                "environment": value["environment"],
                "url": value["url"],
                "secret key": secret,
                "application identifier": environment["identifier"],
            }
        )
        if len(found) > 1:
            session.output.line("")
            session.output.table(
                [
                    Column("Key", "cyan"), Column("Name"), Column("Ends in"), Column("Since", "dim"),
                    Column("Last used", "dim"),
                ],
                [
                    [
                        key["_id"][-8:], key.get("name"), key.get("hint"), moment(key.get("createdAt")),
                        "revoked" if key.get("revokedAt") else moment(key.get("lastUsedAt")) or "never",
                    ]
                    for key in found
                ],
                empty="",
            )  # fmt: skip

    session.output.show(value, draw)


command = shape.group_with_default("keys", summary("keys"), _show, examples=_EXAMPLES)


@command.command("create", examples="novukit keys create ci --environment production")
@click.argument("name")
@shape.connected
async def create(session: Session, *, name: str) -> None:
    """Create a secret key and show it."""
    made = await session.post("/v1/keys", {"name": name})

    def draw() -> None:
        session.output.line((f"{sign('✓')} ", "green"), "Created ", (name, "cyan"), ".")
        session.output.line(str(made["key"]))

    session.output.show(made, draw)


@command.command("revoke", examples="novukit keys revoke 3f9a21c4 --yes")
@click.argument("which", metavar="KEY")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def revoke(session: Session, *, which: str, yes: bool) -> None:
    """Take a secret key out of force, for ever. KEY is its id, the end of it, or its name."""
    from ..asking import confirm

    found = [one for one in await _keys(session) if not one.get("revokedAt")]
    chosen = [
        one
        for one in found
        if one["_id"] == which or (len(which) >= 8 and one["_id"].endswith(which)) or one["name"] == which
    ]
    if len(chosen) != 1:
        names = [str(one["name"]) for one in found]
        several = f"{len(chosen)} secret keys in force are called {which[:64]!r}."
        raise NotFound(
            several if chosen else f"No secret key in force is called {which[:64]!r}.",
            hint="Give the id." if chosen else did_you_mean(which, names),
        )
    confirm(session.output, f"Revoke the key {chosen[0]['name']!r}? Whoever uses it is locked out at once.", yes)
    answer = await session.delete(f"/v1/keys/{chosen[0]['_id']}")
    session.done(answer or {"_id": chosen[0]["_id"]}, "Revoked ", (str(chosen[0]["name"]), "cyan"), ".")


@command.command("master", examples="export NOVUKIT_MASTER_KEY=$(novukit keys master)")
@shape.local
def master(output: Output) -> None:
    """Make a master key: what secrets are stored under. Nothing is kept; store it where secrets belong.

    To replace one, put the new key before the old one, NOVUKIT_MASTER_KEY=new,old, and run `novukit keys rotate`.
    """
    from ...settings.keys import make

    key = make()
    output.show({"masterKey": key}, lambda: output.line(key))


@command.command("rotate", examples='NOVUKIT_MASTER_KEY="$NEW,$OLD" novukit keys rotate')
@shape.configured
async def rotate(output: Output, settings: Settings) -> None:
    """Store every secret anew under the first master key. After that the others are not needed any more."""
    from ...app import App
    from ...authoring import Registry
    from ...store import secrets

    async with App(settings, registry=Registry(())) as app:
        changed = await secrets.rotate(app.database, app.runtime.secrets)
        first = app.runtime.secrets.kid

    def draw() -> None:
        words = f"{count(changed, 'secret')} stored anew under {first}." if changed else f"All is stored under {first}."
        output.line((f"{sign('✓')} ", "green"), words)

    output.show({"changed": changed, "masterKey": first}, draw)


async def _current(session: Session) -> dict[str, Any]:
    return cast("dict[str, Any]", await session.get("/v1/environments/me"))


async def _keys(session: Session) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", await session.get("/v1/keys"))


def _url(session: Session) -> str:
    if session.app is None or session.settings is None:
        return session.client.url
    host = session.settings.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{shown}:{session.settings.port}"
