"""A schedule: the hours of the week in which a subscriber wants to hear from outside the inbox."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from ..errors import Issue

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_HOURS = 24
"""How many spans one day may have."""

_CLOCK = re.compile(r"(0?[1-9]|1[0-2]):([0-5][0-9]) ?([AP]M)", re.IGNORECASE)
_MIDNIGHT = 24 * 60

Span = tuple[int, int]
"""From one minute of a day to another, which is not part of it; beyond 24 hours it is of the next day."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which minutes of each day of the week are open, Monday first; ``None`` when all are.

    The clock on the subscriber's wall counts. A minute that a change to summer time leaves out is never there, and one
    that comes twice in autumn is open both times.
    """

    week: tuple[tuple[Span, ...], ...] | None

    def is_open(self, at: datetime, zone: str | None) -> bool:
        """Whether ``at`` lies within the schedule, in the time zone of that name (UTC if there is none)."""
        if self.week is None:
            return True
        wall = at.astimezone(_zone(zone))
        minute, day = wall.hour * 60 + wall.minute, wall.weekday()
        return any(start <= minute < end for start, end in self.week[day]) or any(
            minute < end - _MIDNIGHT for _, end in self.week[day - 1]
        )

    def next_open(self, at: datetime, zone: str | None) -> datetime | None:
        """The first moment from ``at`` on that lies within the schedule; ``None`` when there is none in a week."""
        if self.is_open(at, zone):
            return at
        coming = (each for each in self._openings(at, _zone(zone)) if each >= at)
        # Hours that the clocks skip altogether do not open.
        return min((each for each in coming if self.is_open(each, zone)), default=None)

    def _openings(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        today = at.astimezone(zone).date()
        for ahead in range(-1, 9):
            day = today + timedelta(days=ahead)
            for start, _ in (self.week or ())[day.weekday()]:
                yield _first(day, start, zone)


def _first(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows this minute of a day, or one after it where it is left out."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), zone)
    there = wall.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return there
    # It is left out. Under the later offset it would have been before the change, so the change lies between the two.
    here = wall.replace(fold=1).astimezone(UTC)
    while here.astimezone(zone).replace(tzinfo=None) < wall.replace(tzinfo=None):
        here += timedelta(minutes=1)
    return here


def _zone(name: str | None) -> ZoneInfo:
    return ZoneInfo(name or "UTC")


@lru_cache(maxsize=10_000)
def parse(text: str) -> Schedule:
    """The schedule that was kept as this JSON text."""
    import json

    return read(json.loads(text))


def read(kept: Mapping[str, Any]) -> Schedule:
    """A schedule in the form of the wire, which :func:`check` has found right.

    One that is not enabled, or has no week, is always open. A day that is not named, is not enabled or has no hours is
    closed. An end that is not after its start is of the next day; 11:59 PM, the last that forms offer, is midnight.
    """
    week = kept.get("weeklySchedule")
    if not kept.get("isEnabled") or not week:
        return Schedule(None)
    return Schedule(tuple(tuple(_spans(week.get(day) or {})) for day in DAYS))


def _spans(day: Mapping[str, Any]) -> Iterator[Span]:
    if day.get("isEnabled"):
        for span in day.get("hours") or ():
            start, end = _minute(span["start"]), _minute(span["end"])
            end = _MIDNIGHT if end == _MIDNIGHT - 1 else end
            yield start, end if end > start else end + _MIDNIGHT


def _minute(text: str) -> int:
    """``09:30 PM`` as a minute of the day."""
    found = _CLOCK.fullmatch(text)
    assert found is not None
    return int(found[1]) % 12 * 60 + int(found[2]) + (12 * 60 if found[3].upper() == "PM" else 0)


def check(value: Any, path: str) -> list[Issue]:
    """What is wrong with a schedule in the form of the wire, with ``path`` before the pointers."""
    found: list[Issue] = []
    given = _object(value, path, ("isEnabled", "weeklySchedule"), found)
    if given is not None:
        _flag(given, path, found)
        week = given.get("weeklySchedule")
        days = None if week is None else _object(week, f"{path}/weeklySchedule", DAYS, found)
        for name, day in (days or {}).items():
            if name in DAYS and day is not None:
                _check_day(day, f"{path}/weeklySchedule/{name}", found)
    return found


def _check_day(value: Any, path: str, found: list[Issue]) -> None:
    day = _object(value, path, ("isEnabled", "hours"), found)
    if day is None:
        return
    _flag(day, path, found)
    hours = day.get("hours")
    if hours is None:
        return
    if not isinstance(hours, list):
        found.append(Issue(f"{path}/hours", "wrong_type", "expected a list"))
        return
    several = cast("list[Any]", hours)
    if len(several) > MOST_HOURS:
        found.append(Issue(f"{path}/hours", "too_long", f"must have at most {MOST_HOURS} items, not {len(several)}"))
        return
    for n, one in enumerate(several):
        span = _object(one, f"{path}/hours/{n}", ("start", "end"), found)
        for name in ("start", "end") if span is not None else ():
            text = cast("dict[str, Any]", span).get(name)
            if not isinstance(text, str) or not _CLOCK.fullmatch(text):
                said = "is required" if text is None else "must be a time such as 09:00 AM"
                found.append(Issue(f"{path}/hours/{n}/{name}", "required" if text is None else "bad_format", said))


def _object(value: Any, path: str, fields: tuple[str, ...], found: list[Issue]) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        found.append(Issue(path, "wrong_type", "expected an object"))
        return None
    given = cast("dict[str, Any]", value)
    found += [
        Issue(f"{path}/{name}", "unknown_field", "is not a known field", f"There are: {', '.join(fields)}.")
        for name in given
        if name not in fields
    ]
    return given


def _flag(given: Mapping[str, Any], path: str, found: list[Issue]) -> None:
    if not isinstance(given.get("isEnabled"), bool):
        missing = given.get("isEnabled") is None
        said = "is required" if missing else "expected true or false"
        found.append(Issue(f"{path}/isEnabled", "required" if missing else "wrong_type", said))
