"""Logs on stderr: one line an event, as text or JSON, without secrets; nothing quoted can begin a line of its own."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

MASK = "***"
SHORTEST = 6
"""Characters that a secret must have to be looked for: shorter ones would black out half of the language."""
LONGEST = 4_000
"""Characters of a line's message; what is longer is cut."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\w://[^\s/:@]*:)[^\s@]*@"), rf"\1{MASK}@"),  # a password in a URL
    (re.compile(r"\bnk_[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"(?i)\b(apikey|bearer|basic) +[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    # What libraries quote of the values that they were given: those are payloads and addresses.
    (re.compile(r"(query argument \$\d+: ).*"), rf"\1{MASK}"),
    (re.compile(r"(DETAIL: +).*"), rf"\1{MASK}"),
    (re.compile(r"(input_value=).*?(, input_type=)", re.DOTALL), rf"\1{MASK}\2"),
)
SAME, WHILE = 5, 60.0
"""How many lines of one kind pass within how many seconds; of the others the next one tells how many they were."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Masked:
    """Blacks out the secrets that it knows, and what has the form of one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """``text`` on one line, without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


class Seldom(logging.Filter):
    """Lets what is said over and over, while a database is away for example, through only a few times a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell it. Two lines are of one kind when the same place of the code writes them."""
        kind, now = (record.pathname, str(record.lineno)), self._now()
        since, count = self._told.get(kind, (now, 0))
        if now - since >= WHILE:
            if count > SAME:
                record.msg = f"{record.msg} [{count - SAME} more like the ones before]"
            since, count = now, 0
        self._told[kind] = since, count + 1
        return count < SAME


class TextLines(logging.Formatter):
    """``12:00:00 WARNING novukit.worker: what happened [ValueError: why < journal.py:12 < run.py:88]``."""

    def __init__(self, masked: Masked) -> None:
        super().__init__()
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        raised = _raised(record)
        why = f" [{raised['type']}: {raised['message']} < {' < '.join(raised['stack'])}]" if raised else ""
        return self._masked(f"{at:%H:%M:%S} {record.levelname} {record.name}: {record.getMessage()}{why}")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; what ``extra`` brought; the error; the trace."""

    def __init__(self, masked: Masked) -> None:
        super().__init__()
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
            **_trace(),
        }
        if raised := _raised(record):
            line["error"] = raised
        return json.dumps(_deep(line, self._masked), ensure_ascii=False, default=str)


def configure(
    form: Literal["text", "json"] = "text", level: str = "warning", secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:  # fmt: skip
    """Log to stderr. ``level`` is for novukit; libraries are heard from «warning» on, for below that some tell
    addresses and headers.
    """
    masked = Masked(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Seldom())
    handler.setFormatter(JsonLines(masked) if form == "json" else TextLines(masked))
    root = logging.getLogger()
    for old in [one for one in root.handlers if getattr(one, "novukit", False)]:
        root.removeHandler(old)
    handler.novukit = True  # type: ignore[attr-defined] # so that a second call takes its place
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("novukit").setLevel(level.upper())


def _raised(record: logging.LogRecord) -> dict[str, Any] | None:
    """The error of a record: its type, its words, and its places, the innermost first."""
    err = record.exc_info[1] if record.exc_info else None
    if err is None:
        return None
    frames = traceback.extract_tb(err.__traceback__)[-8:]
    stack = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames)]
    return {"type": type(err).__name__, "message": str(err), "stack": stack}


def _trace() -> dict[str, str]:
    """The ids of the span under way, if anybody traces."""
    api = sys.modules.get("opentelemetry.trace")
    found = api.get_current_span().get_span_context() if api is not None else None
    if found is None or not found.is_valid:
        return {}
    return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}


def _deep(value: Any, masked: Masked) -> Any:
    match value:
        case dict():
            return {str(name): _deep(one, masked) for name, one in value.items()}  # pyright: ignore
        case list() | tuple() | set():
            return [_deep(one, masked) for one in value]  # pyright: ignore
        case bool() | int() | float() | None:
            return value
        case _:
            return masked(str(value))


def _escaped(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": " "}.get(character) or (
        f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    )
