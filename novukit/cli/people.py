"""Subscribers from a CSV file: its header line names the fields."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, Issue, did_you_mean

FIELDS = {
    "subscriberid": "subscriberId",
    "id": "subscriberId",
    "email": "email",
    "phone": "phone",
    "firstname": "firstName",
    "lastname": "lastName",
    "avatar": "avatar",
    "locale": "locale",
    "timezone": "timezone",
}


def read(file: Path) -> list[dict[str, Any]]:
    """The subscribers of a file (``-``: standard input).

    Raises :class:`InvalidInput` with the line for each row without an id or with too many cells.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not UTF-8 text.", hint="Save the table as CSV UTF-8.") from None
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise InvalidInput(f"{file} cannot be read ({reason}).", hint="Check the path.") from None
    head = text.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [_column(name.strip(), file) for name in next(table, list[str]())]
    if "subscriberId" not in header:
        raise InvalidInput(
            f"{file}:1: there is no column subscriberId.", hint="The first line names the columns: subscriberId,email,…"
        )
    rows: list[dict[str, Any]] = []
    issues: list[Issue] = []
    for cells in table:
        if not any(cell.strip() for cell in cells):
            continue
        row, problem = _row(header, cells)
        if problem:
            issues.append(Issue(f"/{table.line_num}", "invalid_row", f"{file}:{table.line_num}: {problem}"))
        rows.append(row)
    if issues:
        raise InvalidInput(f"{file}: {len(issues)} lines cannot be read; nothing was imported.", issues=issues[:50])
    return rows


def _column(name: str, file: Path) -> str:
    if name.startswith("data.") and name != "data.":
        return name
    if field := FIELDS.get(name.lower().replace("_", "").replace(" ", "").replace("-", "")):
        return field
    known = [*dict.fromkeys(FIELDS.values()), "data.NAME"]
    raise InvalidInput(f"{file}:1: {name[:64]!r} is not a field of a subscriber.", hint=did_you_mean(name, known))


def _row(header: list[str], cells: list[str]) -> tuple[dict[str, Any], str]:
    """One subscriber; an empty cell leaves the field as it is."""
    if len(cells) > len(header):
        return {}, f"{len(cells)} cells under {len(header)} columns; put quotes around a text with a comma."
    row: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        if not (value := cell.strip()):
            continue
        if name.startswith("data."):
            data[name.removeprefix("data.")] = value
        else:
            row[name] = value
    if data:
        row["data"] = data
    return row, "" if row.get("subscriberId") else "the subscriberId is empty."
