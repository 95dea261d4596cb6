"""What people type and read: JSON, ``key=value``, names in paths, moments and spans of time."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from ..errors import InvalidInput, Issue

Json = dict[str, Any]
"""A JSON object, as the API writes it."""


def part(one: Json, name: str) -> Json:
    """The object under ``name``; an empty one if there is none."""
    found = one.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}


def parts(one: Json, name: str) -> list[Json]:
    """The objects listed under ``name``."""
    found = one.get(name)
    return cast("list[Json]", found) if isinstance(found, list) else []


def texts(one: Json, name: str) -> list[str]:
    """The texts under ``name``, be it one or a list."""
    found = one.get(name)
    listed = cast("list[Any]", found) if isinstance(found, list) else [found]
    return [str(text) for text in listed if text not in (None, "")]


def identifier(text: str) -> str:
    """A name as one part of a path. Raises :class:`InvalidInput` for what no name can be."""
    if not text.strip() or "/" in text or "%" in text:
        raise InvalidInput(f"{text[:64]!r} cannot be a name.", hint="A name has no blank ends, no / and no %.")
    return quote(text, safe="@:")


def payload(text: str | None, sets: Sequence[str]) -> dict[str, Any]:
    """The object of ``--payload`` (JSON text, ``@file`` or ``-``) with each ``--set`` put over it."""
    base: Any = parse_json(*_source(text, "--payload")) if text is not None else {}
    if not isinstance(base, dict):
        raise InvalidInput("--payload must be a JSON object.", hint="""Write '{"name": "Ada"}'.""")
    return {**cast("dict[str, Any]", base), **assignments(sets, "--set")}


def assignments(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """An object of ``key=value`` pairs. A value is JSON if it can be read so, else text; ``a.b=1`` goes deeper."""
    made: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        parts = key.split(".")
        if not equals or not all(parts):
            raise InvalidInput(f"{option} {pair[:64]!r} has no key or no value.", hint=f"Write {option} key=value.")
        place = made
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InvalidInput(f"{option} gives {part!r} both a value and fields.")
            place = cast("dict[str, Any]", inner)
        place[parts[-1]] = _value(value)
    return made


def parse_json(text: str, source: str) -> Any:
    """The value of a JSON text. Raises :class:`InvalidInput` with line, column and the place itself."""
    if not text.strip():
        raise InvalidInput(f"{source} is empty.", hint="It must be one JSON value.")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as err:
        line = text.splitlines()[err.lineno - 1] if text.splitlines()[err.lineno - 1 :] else ""
        start = max(0, err.colno - 40)
        raise InvalidInput(
            f"{source}:{err.lineno}:{err.colno}: not valid JSON: {err.msg[:1].lower()}{err.msg[1:]}.\n"
            f"    {line[start : start + 76]}\n    {' ' * (err.colno - 1 - start)}^",
            hint="JSON needs double quotes around names and texts; in a shell, put single quotes around it all.",
            issues=[Issue("", "invalid_json", f"{err.msg} at line {err.lineno}, column {err.colno}.")],
        ) from None
    except ValueError as err:
        raise InvalidInput(f"{source}: {err}") from None


def moment(text: str | None) -> str:
    """A moment as the API writes it, in this machine's zone, without the part that everyone knows."""
    if not text:
        return ""
    at = parse_moment(text).astimezone()
    if at.date() == datetime.now(UTC).astimezone().date():
        return f"today {at:%H:%M:%S}"
    return f"{at:%Y-%m-%d %H:%M}"


def parse_moment(text: str) -> datetime:
    """The moment that the API wrote."""
    return datetime.fromisoformat(text)


def ago(text: str | None, now: datetime | None = None) -> str:
    """How long ago a moment was, or how far ahead it is: ``3 min ago``, ``in 2 h``."""
    if not text:
        return ""
    delta = (now or datetime.now(UTC)) - parse_moment(text)
    words = span(abs(delta))
    return "now" if abs(delta) < timedelta(seconds=1) else f"{words} ago" if delta > timedelta() else f"in {words}"


def span(delta: timedelta) -> str:
    """A span of time in its largest unit, or two where that tells more: ``850 ms``, ``12 s``, ``1 h 5 min``."""
    seconds = delta.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 and seconds % 1 >= 0.05 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{hours // 24} days"


def count(number: int, noun: str, many: str | None = None) -> str:
    """``1 step``, ``3 steps``."""
    return f"{number} {noun if number == 1 else many or f'{noun}s'}"


def _source(text: str, option: str) -> tuple[str, str]:
    """The text that an option names, and where it is from."""
    if text == "-":
        if sys.stdin.isatty():
            sys.stderr.write(f"{option}: reading standard input; end it with Ctrl-D.\n")
        return sys.stdin.read(), "standard input"
    if not text.startswith("@"):
        return text, option
    file = Path(text[1:])
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except UnicodeDecodeError:
        raise InvalidInput(f"{option}: {file} is not UTF-8 text.") from None
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise InvalidInput(f"{option}: {file} cannot be read ({reason}).", hint="Check the path.") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value.")
