"""The table that the bench prints, and the JSON that it leaves behind."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .figures import Row, Verdict, number

RESULTS = Path(__file__).parent / "results"
MARKS: dict[Verdict, tuple[str, str]] = {
    "aim": ("★ aim", "bold green"), "met": ("✓ met", "green"), "missed": ("✗ missed", "bold red"), "open": ("·", "dim"),
}  # fmt: skip


def draw(console: Console, rows: list[Row], machine: dict[str, Any], seconds: float) -> None:
    """Print the rows, and below them what they were measured on."""
    table = Table(box=box.SIMPLE_HEAD, title="novukit, measured", title_style="bold", pad_edge=False, expand=True)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("what", ratio=4)
    table.add_column("novukit", ratio=4)
    table.add_column("against", ratio=4, style="dim")
    table.add_column("result", justify="right", ratio=2)
    table.add_column("must / aim", justify="right", ratio=2, style="dim")
    table.add_column("", no_wrap=True)
    for row in sorted(rows, key=lambda row: (len(row.number), row.number)):
        mark, style = MARKS[row.verdict]
        unit = row.bar.unit if len(row.bar.unit) == 1 else f" {row.bar.unit}"
        result = Text("—", "dim") if row.value is None else Text(f"{number(row.value.median)}{unit}", style)
        if row.value is not None and row.value.rounds > 1:
            result.append(f"\n{number(row.value.low)} to {number(row.value.high)}", "dim")
        bars = f"{row.bar.text(row.bar.must)}\n{row.bar.text(row.bar.aim)}"
        table.add_row(row.number, row.title, row.novukit, row.against, result, bars, Text(mark, style))
    console.print(table)
    said = ", ".join(f"{name} {value}" for name, value in machine.items())
    console.print(
        f"{said}. Medians [lowest to highest] of interleaved rounds; {seconds / 60:.1f} minutes.", style="dim"
    )
    console.print("How to read this: bench/README.md", style="dim")


def result(kind: str) -> Path:
    """A new file of ``bench/results``, which is not committed."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / ".gitignore").write_text("*\n")
    return RESULTS / f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{kind}.json"


def keep(path: Path, rows: list[Row], machine: dict[str, Any], seconds: float, kind: str) -> None:
    """Write the rows with all their figures, in place of what ``path`` held."""
    now = datetime.now().astimezone()
    body = {
        "at": now.isoformat(timespec="seconds"), "kind": kind, "seconds": round(seconds, 1), "machine": machine,
        "rows": [row.as_json() for row in rows],
    }  # fmt: skip
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False, default=str) + "\n")
