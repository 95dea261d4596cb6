"""How an import looks: a bar for each stage while it runs, a table and what is left to do at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from ..output import Column, Output, sign
from .ledger import Ledger, Stage

SHOWN = 12
"""Remarks of a stage that are printed; the ledger has them all."""


@contextmanager
def bars(output: Output, names: Sequence[str]) -> Generator[Callable[[Stage], None]]:
    """A bar for each stage, on stderr, where a terminal is. The given function moves the bar of a stage."""
    if output.as_json or not output.notes.is_terminal:
        yield lambda stage: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<13}"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=output.notes, transient=True) as progress:
        tasks = {name: progress.add_task(name.capitalize(), total=None, start=False) for name in names}

        def show(stage: Stage) -> None:
            task = tasks[stage.name]
            progress.start_task(task)
            total = max(stage.read, 1) if stage.done else stage.total
            progress.update(task, total=total, completed=max(stage.read, 1) if stage.done else stage.read)

        yield show


def told(ledger: Ledger, stages: Sequence[Stage], *, dry_run: bool) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "source": ledger.source,
        "to": ledger.to,
        "dryRun": dry_run,
        "ledger": str(ledger.file) if ledger.file else None,
        "stages": [
            {
                "name": stage.name,
                "read": stage.read,
                "moved": stage.moved,
                "there": stage.there,
                "leftOut": stage.left_out,
                "notes": stage.notes,
                "moreNotes": stage.more_notes,
            }
            for stage in stages
        ],
    }


def draw(output: Output, ledger: Ledger, stages: Sequence[Stage], *, dry_run: bool) -> None:
    """The report for people."""
    output.table(
        [
            Column(""), Column("Read", right=True), Column("Would move" if dry_run else "Moved", "green", right=True),
            Column("There already", "dim", right=True), Column("Left out", "yellow", right=True),
        ],
        [
            [
                stage.name.capitalize(), f"{stage.read:,}", f"{stage.moved:,}",
                f"{stage.there:,}" if stage.there else "", f"{stage.left_out:,}" if stage.left_out else "",
            ]
            for stage in stages
        ],
        empty="Nothing was asked for.",
    )  # fmt: skip
    for stage in stages:
        if not stage.notes:
            continue
        output.line()
        output.line((stage.name.capitalize(), "bold"))
        room = min(32, max(len(note["about"]) for note in stage.notes[:SHOWN]))
        for note in stage.notes[:SHOWN]:
            output.line("  ", (note["about"].ljust(room), "cyan"), "  ", note["said"])
        if (more := len(stage.notes) - SHOWN + stage.more_notes) > 0:
            where = f"; all are in {ledger.file}" if ledger.file else "; --json prints them"
            output.line((f"  and {more:,} more{where}", "dim"))
    output.line()
    for words in _next(stages, dry_run=dry_run):
        output.line((f"{sign('→')} ", "cyan"), words)


def _next(stages: Sequence[Stage], *, dry_run: bool) -> list[str]:
    """What is left for a person to do."""
    by_name = {stage.name: stage for stage in stages}
    found = ["Nothing was written. Leave --dry-run out to move."] if dry_run else []
    if (stage := by_name.get("integrations")) and stage.moved and not dry_run:
        found.append("Give the integrations their credentials, then make them active: novukit integrations update")
    if (stage := by_name.get("workflows")) and stage.left_out:
        found.append("Write the workflows that are missing, sync, then: novukit import novu --only preferences --again")
    return found or ["That was all. docs/import-from-novu.md tells what comes next."]
