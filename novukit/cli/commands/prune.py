"""``novukit prune``: delete what ended long ago."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import shape
from ..output import Output, sign
from ..session import settings_of
from ..values import count

if TYPE_CHECKING:
    from ...settings import Settings
    from ...store.retention import Gone, Rule


@shape.command(
    "prune",
    examples="""
    novukit prune --older-than 90d --dry-run
    # every night, beside running servers and workers
    novukit prune --older-than 90d --yes
    """,
)
@click.option(
    "--older-than", metavar="AGE", help="90d, 12h or 4w since it ended; without it `retention` of novukit.toml."
)
@click.option("--in-app", is_flag=True, help="Also take in-app messages out of inboxes.")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.placed
async def command(
    output: Output,
    *,
    config: Path | None,
    environment: str | None,
    older_than: str | None,
    in_app: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Delete what ended long ago.

    That is: executions with their steps, messages and activity, and their events; of all environments unless one is
    named. What has not ended is never touched, and parked executions are kept. It works in small transactions beside
    servers and workers; stopped midway, it goes on the next time.
    """
    from ...app import App
    from ...authoring import Registry
    from ...store import environments, organizations, retention
    from ..asking import confirm
    from ..progress import counted

    settings = settings_of(config, environment, output)
    age, words = _age(older_than, settings)
    async with App(settings, registry=Registry(())) as app:
        database, only = app.database, None
        if environment is not None:
            await app.bootstrap()
            organization = await organizations.first(database)
            assert organization is not None
            only = (await environments.by_slug(database, organization.id, environment)).id
        rule = retention.Rule(database.clock.now() - age, only, in_app)
        foreseen = await retention.survey(database, rule)
        if dry_run or not foreseen:
            _tell(output, rule, foreseen, dry_run)
            return
        confirm(output, f"Delete what ended more than {words} ago: {_listed(foreseen)}?", yes)
        gone: Gone = Counter()
        with counted(output, "Deleting", foreseen.total()) as advance:
            async for some in retention.sweep(database, rule):
                gone += some
                advance(some.total())
    _tell(output, rule, gone, dry_run)


def _age(older_than: str | None, settings: Settings) -> tuple[timedelta, str]:
    from ...settings import age

    text = older_than or settings.retention
    if text is None:
        raise click.UsageError("Say how old: --older-than 90d, or `retention` in novukit.toml.")
    try:
        return age(text), text
    except ValueError as err:
        raise click.UsageError(f"--older-than: {err}") from None


def _tell(output: Output, rule: Rule, counts: Gone, dry_run: bool) -> None:
    value = {"before": rule.before.isoformat(), "dryRun": dry_run, "deleted": {} if dry_run else dict(counts)}
    if dry_run:
        value["wouldDelete"] = dict(counts)

    def draw() -> None:
        if not counts:
            output.line("Nothing is that old.")
        elif dry_run:
            output.line("It would delete ", (_listed(counts), "bold"), ".")
        else:
            output.line((f"{sign('✓')} ", "green"), "Deleted ", (_listed(counts, foreseen=False), "bold"), ".")

    output.show(value, draw)


_NOUNS = {
    "executions": ("execution", None),
    "messages": ("message", None),
    "events": ("event", None),
    "digest_windows": ("digest", None),
    "throttle_passes": ("throttle pass", "throttle passes"),
    "idempotency_keys": ("idempotency key", None),
    "outbox": ("delivered webhook", None),
}


def _listed(counts: Gone, *, foreseen: bool = True) -> str:
    """``3 executions, 2 messages``."""
    from ...store.retention import MOST

    return ", ".join(
        f"{'at least ' if foreseen and number >= MOST else ''}{count(number, *_NOUNS[name])}"
        for name, number in counts.items()
        if number
    )
