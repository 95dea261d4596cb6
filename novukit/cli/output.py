"""What a command prints: one JSON document, or tables and lines that fit the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Cell = "str | Text"

NARROW = 60
"""Below this many columns a table becomes a list of cards."""

_ASCII = {"✓": "+", "✗": "x", "⏲": "~", "↷": ">", "→": "->", "·": "-", "●": "*"}

FOLDED = 14
"""What a column that folds has at least."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    ``fold``: long text may go on in the next line; otherwise the column keeps its width. ``spare``: left out where
    there is no room.
    """

    title: str
    style: str = ""
    right: bool = False
    fold: bool = False
    spare: bool = False


class Output:
    """Where a command writes to."""

    def __init__(self, as_json: bool = False, *, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self.stdout, self.stderr = stdout or sys.stdout, stderr or sys.stderr

    @cached_property
    def console(self) -> Console:
        return _console(self.stdout)

    @cached_property
    def notes(self) -> Console:
        return _console(self.stderr)

    @property
    def width(self) -> int:
        return self.console.width

    def show(self, value: Any, draw: Callable[[], None]) -> None:
        """Print ``value`` as JSON if JSON was asked for; else draw it."""
        if self.as_json:
            self.data(value)
        else:
            draw()

    def data(self, value: Any) -> None:
        """Print one JSON document."""
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=not _unicode(self.stdout), default=str) + "\n")
        self.stdout.flush()

    def event(self, kind: str, **values: Any) -> None:
        """Print one line of JSON: for commands that go on and on."""
        self.stdout.write(
            json.dumps({"event": kind, **values}, ensure_ascii=not _unicode(self.stdout), default=str) + "\n"
        )
        self.stdout.flush()

    def line(self, *parts: str | tuple[str, str]) -> None:
        """Print one line; a part may be a pair of text and style."""
        self.console.print(text(*parts), soft_wrap=True)

    def note(self, *parts: str | tuple[str, str]) -> None:
        """Say something beside the result, on stderr."""
        if not self.as_json:
            self.notes.print(text(*parts), soft_wrap=not self.notes.is_terminal)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
        """A table; where it does not fit a card for each row; the sentence ``empty`` if there is no row."""
        if not rows:
            self.line((empty, "dim"))
            return
        cells = [[_cell(value, column) for value, column in zip(row, columns, strict=True)] for row in rows]
        while (room := self.width - _least(columns, cells)) < 0 and any(column.spare for column in columns):
            gone = max(number for number, column in enumerate(columns) if column.spare)
            columns = [*columns[:gone], *columns[gone + 1 :]]
            cells = [[*row[:gone], *row[gone + 1 :]] for row in cells]
        if self.width < NARROW or room < 0:
            self._cards(columns, cells)
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=False)
        for column in columns:
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=not column.fold,
            )
        for row in cells:
            table.add_row(*row)
        self.console.print(table)

    def record(self, fields: Mapping[str, Any]) -> None:
        """Names and values, one below the other; what has no value is left out."""
        shown = {name: _cell(value, Column("")) for name, value in fields.items() if value not in (None, "", [], {})}
        room = max((len(name) for name in shown), default=0)
        for name, value in shown.items():
            self._field(name, value, room)

    def _cards(self, columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
        room = max(len(column.title) for column in columns)
        for number, row in enumerate(rows):
            if number:
                self.console.print()
            for column, value in zip(columns, row, strict=True):
                if value.plain:
                    self._field(column.title, value, room)

    def _field(self, name: str, value: Text, room: int) -> None:
        from rich.text import Text

        if self.width < NARROW // 2:
            self.console.print(Text(name, style="bold"))
            self.console.print(Text.assemble("  ", value), overflow="fold")
            return
        lines = value.wrap(self.console, max(8, self.width - room - 2), overflow="fold")
        for number, line in enumerate(lines):
            label = Text(name.ljust(room) if number == 0 else " " * room, style="bold")
            self.console.print(Text.assemble(label, "  ", line), soft_wrap=True)


def _least(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> int:
    """The least width that a table can have: what folds needs only some of its own."""
    widths = [max(len(column.title), *(row[n].cell_len for row in rows)) for n, column in enumerate(columns)]
    kept = [min(width, FOLDED) if column.fold else width for width, column in zip(widths, columns, strict=True)]
    return sum(kept) + 2 * (len(columns) - 1)


def text(*parts: str | tuple[str, str]) -> Text:
    """Parts, each plain or with a style, in one line; what a terminal would obey is made visible."""
    from rich.text import Text

    made = Text()
    for part in parts:
        if isinstance(part, tuple):
            made.append(clean(part[0]), style=part[1])
        else:
            made.append(clean(part))
    return made


def clean(value: str) -> str:
    """The text without control characters: what others wrote must not steer the terminal."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else f"\\x{ord(c):02x}" for c in value)


def sign(mark: str) -> str:
    """The mark, or its ASCII stand-in where the terminal cannot show it."""
    return mark if _unicode(sys.stdout) else _ASCII.get(mark, "?")


def _cell(value: Any, column: Column) -> Text:
    from rich.text import Text

    if isinstance(value, Text):
        return value
    if value is None or value == "":
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="" if value else "dim")
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return Text(clean(shown).replace("\n", " "), style=column.style)


def _unicode(stream: TextIO) -> bool:
    return "utf" in (getattr(stream, "encoding", None) or "ascii").lower()


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    # A pipe has no width: nothing is cut or folded there. COLUMNS still decides if it is set.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else 10_000
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, safe_box=True)
