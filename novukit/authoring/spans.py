"""The times that an author may name: spans, moments, cron expressions; anything else is refused in a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ..errors import StepMisuse
from .wording import kind_of

LONGEST = timedelta(days=365)
CRON_LENGTH = 100
MOST = 1_000_000
"""How many executions a throttle may be asked to count."""

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_RANGES = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, on a date that exists",
    "month": "1 to 12 or JAN to DEC",
    "day-of-week": "0 to 7 or SUN to SAT",
}


def span(step: str, argument: str, value: object, *, least: timedelta) -> timedelta:
    """``value``, if it is a timedelta from ``least`` to 365 days; else :class:`StepMisuse`."""
    if not isinstance(value, timedelta):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        raise StepMisuse(
            f"Step {step!r}: {argument} must be a timedelta, not {kind_of(value)}.",
            hint=f"Write {argument}=timedelta({f'seconds={value:g}' if number else 'hours=1'}).",
        )
    if not least <= value <= LONGEST:
        raise StepMisuse(
            f"Step {step!r}: {argument} must be from {length(least)} to 365 days, not {length(value)}.",
            hint="A year is the longest that an execution may wait." if value > LONGEST else None,
        )
    return value


def count(step: str, argument: str, value: object) -> int:
    """``value``, if it is a whole number from 1 to a million; else :class:`StepMisuse`."""
    if not isinstance(value, int) or isinstance(value, bool):
        said = f"{value:g}" if isinstance(value, float) else kind_of(value)
        raise StepMisuse(f"Step {step!r}: {argument} must be a whole number, not {said}.")
    if not 1 <= value <= MOST:
        shown = f"{value:,}" if abs(value) < MOST**3 else "that"
        raise StepMisuse(f"Step {step!r}: {argument} must be from 1 to {MOST:,}, not {shown}.")
    return value


def moment(step: str, argument: str, value: object) -> datetime:
    """``value`` in UTC, if it is a datetime that knows its zone; else :class:`StepMisuse`."""
    if not isinstance(value, datetime):
        raise StepMisuse(
            f"Step {step!r}: {argument} must be a datetime, not {kind_of(value)}.",
            hint=f"Write {argument}=datetime(2026, 1, 31, 9, tzinfo=UTC), or datetime.fromisoformat(…) for a text.",
        )
    if value.tzinfo is None or value.utcoffset() is None:
        raise StepMisuse(
            f"Step {step!r}: {argument} does not say in which zone it is.",
            hint=f"Give it one: {argument}=datetime(…, tzinfo=UTC), or tzinfo=ZoneInfo(ctx.subscriber.timezone).",
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise StepMisuse(f"Step {step!r}: {argument} is outside the years 1 to 9999.") from None


def cron(step: str, expression: object) -> str:
    """``expression`` with its five fields (``@daily`` and the like written out), if it can happen."""
    if not isinstance(expression, str):
        raise StepMisuse(f"Step {step!r}: cron must be text, not {kind_of(expression)}.", hint=_HINT)
    try:
        return _five_fields(expression)
    except ValueError as err:
        raise StepMisuse(f"Step {step!r}: cron {expression[:64]!r} {err}.", hint=_HINT) from None


_HINT = "Five fields: minute, hour, day of month, month, day of week, as in '0 9 * * MON-FRI'."


@lru_cache(maxsize=256)
def _five_fields(expression: str) -> str:
    from cronsim import CronSim, CronSimError

    if len(expression) > CRON_LENGTH:
        raise ValueError(f"is longer than {CRON_LENGTH} characters")
    if expression.startswith("@"):
        if expression not in _NAMED:
            raise ValueError(f"is not one of {', '.join(_NAMED)}")
        return _NAMED[expression]
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields, not five")
    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as err:
        name = str(err).removeprefix("Bad ")
        if any(int(first) > int(last) for first, last in re.findall(r"\b(\d+)-(\d+)\b", expression)):
            raise ValueError(f"has a range that runs backwards in its {name} field") from None
        raise ValueError(f"has a wrong {name} field (it may be {_RANGES[name]})") from None
    except StopIteration:
        raise ValueError("never happens") from None
    except (ValueError, AssertionError, TypeError):
        raise ValueError("cannot be read") from None
    return " ".join(fields)


def length(span: timedelta) -> str:
    """A span as one would say it: ``90 seconds``, ``2 days``."""
    seconds = span.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            return _count(seconds / size, unit)
    return _count(seconds, "second")


def _count(number: float, unit: str) -> str:
    return f"{number:,.15g} {unit}{'' if abs(number) == 1 else 's'}"
