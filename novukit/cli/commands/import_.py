"""``novukit import``: move here from another server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import InvalidInput, NovukitError, SecretMissing, SettingsInvalid, did_you_mean
from .. import shape
from ..index import summary
from ..output import Output, sign

if TYPE_CHECKING:
    from ..importing.ledger import Ledger, Stage
    from ..importing.move import Move

STAGES = ("workflows", "contexts", "integrations", "subscribers", "topics", "preferences")
"""What is moved, in this order: addresses name integrations, and preferences name workflows."""

command = shape.group(
    "import",
    summary("import"),
    examples="""
    # NOVU_SECRET_KEY is the secret key of the environment to move.
    novukit import novu --dry-run
    novukit import novu --environment production
    """,
)


@command.command(
    "novu",
    examples="""
    novukit import novu --dry-run
    novukit import novu --only subscribers,topics
    novukit import novu --url https://novu.example.com --to https://notify.example.com
    """,
)
@click.option("--url", metavar="URL", default="https://api.novu.co", show_default=True, help="The server to move from.")
@click.option("--key", metavar="KEY", envvar="NOVU_SECRET_KEY", help="Its secret key; better: NOVU_SECRET_KEY.")
@click.option("--to", metavar="URL", help="The novukit server to move to, instead of the project here.")
@click.option("--to-key", metavar="KEY", envvar="NOVUKIT_SECRET_KEY", help="The secret key for --to.")
@click.option("--only", metavar="KINDS", help=f"Only these, joined by commas: {', '.join(STAGES)}.")
@click.option("--dry-run", is_flag=True, help="Read everything, write nothing, and tell what would not fit.")
@click.option("--again", is_flag=True, help="Begin again, though an earlier import has done it.")
@click.option(
    "--at-once", metavar="N", type=click.IntRange(1, 64), default=8, show_default=True, help="Calls at a time."
)
@shape.placed
async def novu(
    output: Output, *, config: Path | None, environment: str | None, url: str, key: str | None, to: str | None,
    to_key: str | None, only: str | None, dry_run: bool, again: bool, at_once: int,
) -> None:  # fmt: skip
    """Move subscribers, topics, preferences and integrations from Novu to here.

    Everything is read over Novu's own API. Run it again after an interruption: it goes on where it was. Credentials of
    integrations are told by no server, and workflows are moved by writing them.
    """
    from ...client import RETRY_STATUSES, Client
    from ..importing.ledger import Ledger, ledger_file
    from ..importing.move import Move
    from ..importing.report import bars, draw, told
    from ..importing.setup import environment_of
    from ..session import Target, open_session

    chosen = _chosen(only)
    if not key:
        raise SecretMissing(
            f"The secret key of an environment at {url} is needed.",
            hint="Set NOVU_SECRET_KEY; Novu's dashboard shows it under «API Keys».",
        )
    patient = RETRY_STATUSES | {408, 500}
    async with (
        Client(url, key, retries=TRIES, retry_statuses=patient) as source,
        open_session(Target(config, environment, to, to_key), output) as session,
    ):
        if session.app is None:
            session.client.retries, session.client.retry_statuses = TRIES, patient
        if session.client.url == source.url:
            raise SettingsInvalid("Source and destination are the same server.", hint="Give another --url or --to.")
        move = Move(source, session.client, Ledger(None, source.url, session.place), not dry_run, at_once)
        move.environment_id = await environment_of(move)
        if not dry_run:
            folder = session.settings.root if session.settings else Path.cwd()
            file = ledger_file(folder, source.url, move.environment_id or "", session.place)
            move.ledger = Ledger(file, source.url, session.place)
            for name in chosen if again else ():
                move.ledger.stage(name).begin_again()
        output.note(("From  ", "bold"), source.url)
        output.note(("To    ", "bold"), session.place, (" (dry run: nothing is written)" if dry_run else "", "yellow"))
        if move.ledger.resumed and not again:
            output.note((f"{sign('↷')} ", "cyan"), "It goes on where it was; --again begins again.")
        try:
            with bars(output, chosen) as move.show:
                await _move(move, chosen)
        except asyncio.CancelledError:
            _go_on(output, move.ledger)
            raise
        except NovukitError:
            _go_on(output, move.ledger)
            raise
        stages = [move.ledger.stage(name) for name in chosen]
        output.show(
            told(move.ledger, stages, dry_run=dry_run), lambda: draw(output, move.ledger, stages, dry_run=dry_run)
        )


TRIES = 8
"""Attempts after the first: some four minutes, or as long as the server asks for."""


async def _move(move: Move, chosen: list[str]) -> None:
    from ..importing import groups, people, setup

    work: dict[str, Callable[[Move, Stage], Awaitable[None]]] = {
        "workflows": setup.workflows,
        "contexts": setup.contexts,
        "integrations": setup.integrations,
        "subscribers": people.subscribers,
        "topics": groups.topics,
        "preferences": people.preferences,
    }
    if "preferences" in chosen and "workflows" not in chosen:
        from ..importing.ledger import Stage

        await setup.workflows(move, Stage("workflows"))
    for name in chosen:
        stage = move.ledger.stage(name)
        move.show(stage)
        # What a server has is looked at anew each time: it is one call, and people act on it in between.
        if name in ("workflows", "integrations"):
            stage.begin_again()
        if not stage.done:
            await work[name](move, stage)
            stage.done = True
        move.kept(stage)


def _chosen(only: str | None) -> list[str]:
    if only is None:
        return list(STAGES)
    named = [part.strip() for part in only.split(",") if part.strip()]
    for name in named:
        if name not in STAGES:
            hint = did_you_mean(name, STAGES) or f"There are {', '.join(STAGES)}."
            raise InvalidInput(f"{name[:64]!r} is nothing that is moved.", hint=hint)
    if not named:
        raise InvalidInput("--only names nothing.", hint=f"There are {', '.join(STAGES)}.")
    return [name for name in STAGES if name in named]


def _go_on(output: Output, ledger: Ledger) -> None:
    ledger.save()
    if ledger.file is not None:
        output.note((f"{sign('→')} ", "cyan"), "The same command goes on where this one has ended.")
