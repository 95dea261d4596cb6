"""What is printed fits the terminal: wide, narrow, without colour, without Unicode, into a pipe that closes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from novukit.cli.output import Column, Output
from novukit.cli.values import ago, assignments, span

from .conftest import Project

ROOT = Path(__file__).parents[2]
ROWS = [["ada", "ada@example.com", "A long text that may go on in the next line"], ["bob", None, True]]
COLUMNS = [Column("Name", "cyan"), Column("E-mail"), Column("Note", fold=True)]


def printed(monkeypatch: pytest.MonkeyPatch, width: int, columns: list[Column] = COLUMNS) -> list[str]:
    """The lines of a table on a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(width))
    out = io.StringIO()
    Output(stdout=out).table(columns, [row[: len(columns)] for row in ROWS], empty="Nothing.")
    return out.getvalue().splitlines()


def test_a_table_has_a_line_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room."""
    lines = [line.rstrip() for line in printed(monkeypatch, 100)]

    assert lines == [
        "Name  E-mail           Note",
        "ada   ada@example.com  A long text that may go on in the next line",
        "bob                    yes",
    ]


def test_a_column_folds_where_there_is_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cut off."""
    lines = printed(monkeypatch, 60)

    assert max(map(len, lines)) <= 60
    assert "next line" in lines[2]


def test_a_spare_column_is_left_out_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the table becomes cards."""
    wide = [Column("Name"), Column("E-mail"), Column("Note", spare=True)]

    assert "Note" in printed(monkeypatch, 100, wide)[0]
    assert "Note" not in printed(monkeypatch, 61, wide)[0]


@pytest.mark.parametrize("width", [20, 30, 45])
def test_a_narrow_terminal_shows_cards(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """C33: readable in 20 columns."""
    lines = printed(monkeypatch, width)

    told = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= width
    assert [word for word in ("Name", "ada", "E-mail", "bob", "Note") if word not in told] == []


def test_no_row_is_a_sentence() -> None:
    """Not a header without lines."""
    out = io.StringIO()

    Output(stdout=out).table(COLUMNS, [], empty="Nothing.")

    assert out.getvalue() == "Nothing.\n"


def test_a_pipe_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes into another program is one line for each row."""
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()

    Output(stdout=out).table([Column("A", fold=True)], [["word " * 100]], empty="")

    assert len(out.getvalue().splitlines()) == 2


def novukit(
    *arguments: str, cwd: Path, stdout: int = subprocess.PIPE, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "novukit.cli", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **environ}, stdout=stdout, stderr=subprocess.PIPE,
        timeout=60, check=False,
    )  # fmt: skip


def test_a_terminal_without_unicode_is_spoken_to_in_ascii(synced: Project) -> None:
    """C33: no error, and marks that can be read."""
    result = novukit("trigger", "welcome", "--to", "ada", cwd=synced.folder, PYTHONIOENCODING="ascii", LC_ALL="C")

    assert result.returncode == 0
    assert result.stdout.isascii()
    assert result.stdout.startswith(b"+ Triggered: 1 execution.")


def test_colour_is_for_terminals_and_can_be_forbidden(synced: Project) -> None:
    """A pipe gets none; NO_COLOR wins over a forced one."""
    plain = novukit("plugins", cwd=synced.folder)
    forced = novukit("plugins", cwd=synced.folder, FORCE_COLOR="1")
    forbidden = novukit("plugins", cwd=synced.folder, FORCE_COLOR="1", NO_COLOR="1")

    assert b"\x1b[" not in plain.stdout
    assert b"\x1b[3" in forced.stdout
    assert b"\x1b[3" not in forbidden.stdout


def test_a_reader_that_has_seen_enough_is_no_error(synced: Project) -> None:
    """C32: `novukit … | head` ends in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = novukit("plugins", "--json", cwd=synced.folder, stdout=writing)
    finally:
        os.close(writing)

    assert result.stderr == b""
    assert result.returncode == 0


def test_an_error_is_one_object_when_json_is_asked_for(project: Project) -> None:
    """C-rules: the same as the block, for machines; stdout stays empty."""
    (project.folder / "novukit.toml").write_text("prot = 1\n")

    block = project.run("workflows", "list")
    result = project.run("workflows", "list", "--json")

    assert (block.code, result.code, result.out) == (2, 2, "")
    assert (
        "✗ novukit.toml:1:1: 'prot' is not a setting.\n    1 | prot = 1\n      | ^\n→ Did you mean 'port'?\n"
        == block.err
    )
    assert result.error["error"]["issues"][0]["path"] == "/prot"
    assert result.error["error"]["hint"] == "Did you mean 'port'?"


def test_a_fault_of_ours_is_told_without_a_traceback(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to see it."""
    monkeypatch.setattr("novukit.cli.session.settings_of", lambda *_: 1 / 0)

    result = project.run("workflows", "list")

    assert result.code == 1
    assert "ZeroDivisionError" in result.err
    assert "NOVUKIT_TRACEBACK=1" in result.err
    assert "Traceback (most" not in result.err


def test_an_interrupt_ends_with_130(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """C30."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("novukit.cli.session.settings_of", interrupt)

    assert project.run("workflows", "list").code == 130


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(milliseconds=12), "12 ms"),
        (timedelta(seconds=1.25), "1.2 s"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(hours=30), "30 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_span_is_said_in_its_unit(delta: timedelta, words: str) -> None:
    """Short enough for a column."""
    assert span(delta) == words


def test_a_moment_is_told_from_now() -> None:
    """Past and future."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert ago("2025-12-31T23:57:00.000Z", now) == "3 min ago"
    assert ago("2026-01-01T02:00:00.000Z", now) == "in 2 h"
    assert ago("2026-01-01T00:00:00.000Z", now) == "now"


def test_values_are_json_or_text() -> None:
    """And go as deep as their names."""
    assert assignments(["a=1", "b=x", 'c="1"', "d.e=true", "d.f=null", "g=1=2"], "--set") == {
        "a": 1, "b": "x", "c": "1", "d": {"e": True, "f": None}, "g": "1=2",
    }  # fmt: skip
