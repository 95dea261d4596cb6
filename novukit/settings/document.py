"""A TOML file with its places: where a key stands, and the line around it with secrets blacked out."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import SettingsInvalid

FILE_NAME = "novukit.toml"
Place = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ASSIGNMENT = re.compile(rf"^\s*({_DOTTED})\s*=")
_QUOTED = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#.*')


@dataclass(frozen=True)
class Document:
    """One TOML file, read and parsed."""

    path: Path
    text: str
    data: dict[str, Any]

    @classmethod
    def find(cls, path: Path | None = None) -> Document:
        """The file ``path``, or the one in that folder; without it the nearest one from here upwards."""
        if path is not None:
            return cls.read(path / FILE_NAME if path.is_dir() else path)
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / FILE_NAME).exists():
                return cls.read(folder / FILE_NAME)
        raise SettingsInvalid(
            f"There is no {FILE_NAME} in {here} or any folder above it.",
            hint="Start a project with `novukit init`, go to its folder, or name the file with --config.",
        )

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read and parse. Raises :class:`SettingsInvalid` with line, column, the line itself and a caret."""
        path = path.absolute()
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError as err:
            line = err.object[: err.start].count(b"\n") + 1
            raise SettingsInvalid(
                f"{shown(path)}:{line}: the file is not UTF-8 text.", hint="Save it as UTF-8."
            ) from None
        except FileNotFoundError:
            raise SettingsInvalid(f"There is no file {path}.", hint="Check --config, or run `novukit init`.") from None
        except IsADirectoryError:
            raise SettingsInvalid(f"{path} is a folder, not a file.", hint="Remove it, or use --config.") from None
        except OSError as err:
            mode = f"; its mode is {path.stat().st_mode & 0o777:o}" if path.exists() else ""
            reason = (err.strerror or type(err).__name__).lower()
            raise SettingsInvalid(f"{path} cannot be read ({reason}{mode}).", hint="Check who may read it.") from None
        text = text.removeprefix("\ufeff")
        try:
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as err:
            raise _syntax_error(path, text, str(err)) from None

    @property
    def world_readable(self) -> bool:
        """Whether every user of the machine may read the file."""
        return bool(self.path.stat().st_mode & 0o004)

    def where(self, place: Place) -> tuple[int, int]:
        """Line and column (both from 1) of a key, or of the nearest thing around it that has a place."""
        for length in range(len(place), 0, -1):
            if found := self._places.get(place[:length]):
                return self._inside(found, place[length:])
        return 1, 1

    def cite(self, place: Place) -> tuple[str, str]:
        """``file:line:col`` of a key, and its line with a caret below."""
        line, column = self.where(place)
        return f"{shown(self.path)}:{line}:{column}", excerpt(self.text, line, column)

    def _inside(self, found: tuple[int, int], rest: Place) -> tuple[int, int]:
        """The place of ``rest`` within an inline table or a list that begins at ``found``."""
        lines = self.text.splitlines(keepends=True)
        offset = sum(map(len, lines[: found[0] - 1])) + found[1] - 1
        for part in rest:
            if isinstance(part, int):
                continue
            match = re.compile(rf"""(?<![\w-])["']?{re.escape(part)}["']?\s*=""").search(self.text, offset)
            if not match:
                break
            offset = match.start()
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    @cached_property
    def _places(self) -> dict[Place, tuple[int, int]]:
        places: dict[Place, tuple[int, int]] = {}
        counts: dict[Place, int] = {}
        table: Place = ()
        depth, open_quote = 0, ""
        for number, whole in enumerate(self.text.splitlines(), 1):
            line = whole
            if open_quote:
                _, quote, line = line.partition(open_quote)
                if not quote:
                    continue
                open_quote = ""
            elif depth == 0 and (header := _HEADER.match(line)):
                table = _absolute(_parts(header[2]), counts)
                if header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
                places.setdefault(table, (number, header.start(2) + 1))
                for length in range(1, len(table)):
                    places.setdefault(table[:length], (number, header.start(2) + 1))
                continue
            elif depth == 0 and (match := _ASSIGNMENT.match(line)):
                parts = _parts(match[1])
                for length in range(1, len(parts) + 1):
                    places.setdefault((*table, *parts[:length]), (number, match.start(1) + 1))
            depth, open_quote = _balance(line, depth)
        return places


def shown(path: Path) -> str:
    """The path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def excerpt(text: str, line: int, column: int) -> str:
    """One line of ``text`` with its number and a caret under ``column``; what may be a secret is blacked out."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return ""
    shown = _without_secrets(lines[line - 1])[:100]
    return f"{line:>5} | {shown}\n      | {' ' * min(column - 1, len(shown))}^"


def _without_secrets(line: str) -> str:
    line = re.sub(r"://[^@/\s]*@", "://…@", line)
    return re.sub(
        r"""((?:secret|password|passwd|token|key)[A-Za-z0-9_]*["']?\s*=\s*)("[^"]*"?|'[^']*'?)""",
        lambda match: match[1] + '"…"',
        line,
        flags=re.IGNORECASE,
    )


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def _absolute(parts: tuple[str, ...], counts: dict[Place, int]) -> Place:
    """``integrations.credentials`` below ``[[integrations]]`` belongs to the last integration."""
    place: Place = ()
    for position, part in enumerate(parts):
        place = (*place, part)
        if position < len(parts) - 1 and place in counts:
            place = (*place, counts[place])
    return place


def _balance(line: str, depth: int) -> tuple[int, str]:
    """Bracket depth after ``line``, and the triple quote that it leaves open."""
    position, rest = 0, ""
    while match := _QUOTED.search(line, position):
        rest += line[position : match.start()]
        position = match.end()
        if match[0] in ('"""', "'''"):
            end = line.find(match[0], position)
            if end < 0:
                return depth + _brackets(rest), match[0]
            position = end + 3
    return depth + _brackets(rest + line[position:]), ""


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{") - text.count("]") - text.count("}")


def _syntax_error(path: Path, text: str, message: str) -> SettingsInvalid:
    match = re.search(r"\s*\(at line (\d+), column (\d+)\)", message)
    lines = text.splitlines()
    line, column = (int(match[1]), int(match[2])) if match else (len(lines), len(lines[-1]) + 1 if lines else 1)
    what = re.sub(r"\s*\(at .*\)$", "", message).rstrip(".")
    what = "the line ends before the quotes are closed" if what == r"Illegal character '\n'" else what
    return SettingsInvalid(
        f"{shown(path)}:{line}:{column}: not valid TOML: {what[:1].lower()}{what[1:]}.\n{excerpt(text, line, column)}",
        hint="Texts need quotes, lists square brackets, and each key its own line.",
    )
