"""``novukit doctor``: check configuration, database, broker, workflows and workers, and say how to mend them."""

from __future__ import annotations

from pathlib import Path

import click

from .. import shape
from ..failure import DRIFT
from ..output import Output, sign

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


@shape.command(
    "doctor",
    examples="""
    novukit doctor
    NOVUKIT_DATABASE=postgres://… novukit doctor --environment production --json
    """,
)
@shape.placed
async def command(output: Output, environment: str | None, config: Path | None) -> None:
    """Check configuration, database, broker, workflows and workers.

    Changes nothing; exits with 3 if something is wrong.
    """
    from ..examination import examine

    found = await examine(config, environment)

    def draw() -> None:
        room = max(len(check.subject) for check in found)
        for check in found:
            mark, style = _MARKS[check.status]
            output.line((f"{sign(mark)} ", style), (check.subject.ljust(room), "bold"), f"  {check.finding}")
            if check.fix:
                output.line(" " * (room + 4), (f"{sign('→')} ", "cyan"), check.fix)
        wrong = sum(check.status == "failed" for check in found)
        unsure = sum(check.status == "warning" for check in found)
        output.line("")
        if wrong or unsure:
            output.line((f"{wrong} wrong, {unsure} to look at.", "bold"))
        else:
            output.line(("All is well.", "bold green"))

    output.show({"data": [check.__dict__ for check in found]}, draw)
    if any(check.status == "failed" for check in found):
        click.get_current_context().exit(DRIFT)
