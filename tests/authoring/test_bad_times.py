"""Times and schedules that cannot be: each is refused where the step is called, by its step and argument."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from novukit import Step
from novukit.errors import StepMisuse

from .conftest import Notes

pytestmark = pytest.mark.anyio

BERLIN = ZoneInfo("Europe/Berlin")
PAST = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAR_WEST = datetime.max.replace(tzinfo=timezone(timedelta(hours=-2)))

Call = Callable[[Any], Awaitable[Any]]

REFUSED: dict[str, tuple[Call, str]] = {
    "S1 negative": (lambda s: s.delay("w", -HOUR), "duration must be from 0 seconds to 365 days, not -1 hour."),
    "S1 nothing": (lambda s: s.delay("w"), "neither is given"),
    "S1 both": (lambda s: s.delay("w", HOUR, until=PAST), "both are given"),
    "S1 number": (lambda s: s.delay("w", 3600), "not a number. Write duration=timedelta(seconds=3600)."),
    "S1 text": (lambda s: s.delay("w", "1h"), "must be a timedelta, not text. Write duration=timedelta(hours=1)."),
    "S1 true": (lambda s: s.delay("w", True), "must be a timedelta, not True or False."),
    "S2 ten years": (lambda s: s.delay("w", timedelta(days=3650)), "not 3,650 days. A year is the longest"),
    "S2 a second": (lambda s: s.delay("w", timedelta(days=365, seconds=1)), "not 31,536,001 seconds."),
    "S2 largest": (lambda s: s.delay("w", timedelta.max), "A year is the longest"),
    "S2 smallest": (lambda s: s.delay("w", timedelta.min), "not -999,999,999 days."),
    "S3 typo": (lambda s: s.delay("w", until=PAST, if_past="later"), "if_past must be 'now', 'skip' or 'fail'"),
    "S4": (
        lambda s: s.delay("w", until=PAST.replace(tzinfo=None)),
        "in which zone it is. Give it one: until=datetime(",
    ),
    "S5 text": (lambda s: s.delay("w", until="2026-02-30T24:00:60Z"), "until must be a datetime, not text."),
    "S5 number": (lambda s: s.delay("w", until=1_700_000_000), "until must be a datetime, not a number."),
    "S5 date": (lambda s: s.delay("w", until=date(2026, 1, 1)), "until must be a datetime, not a date."),
    "S5 end of time": (lambda s: s.delay("w", until=FAR_WEST), "outside the years 1 to 9999"),
    "S19 zero": (lambda s: s.digest("w", window=timedelta()), "window must be from 1 second to 365 days, not 0"),
    "S19 a millisecond": (lambda s: s.digest("w", window=timedelta(milliseconds=1)), "not 0.001 seconds."),
    "S19 too long": (lambda s: s.digest("w", window=timedelta(days=366)), "not 366 days."),
    "S19 number": (lambda s: s.digest("w", window=5), "Write window=timedelta(seconds=5)."),
    "S19 neither": (lambda s: s.digest("w"), "neither is given"),
    "S19 both": (lambda s: s.digest("w", window=HOUR, cron="@daily"), "both are given"),
    "S19 look back": (lambda s: s.digest("w", window=HOUR, look_back=timedelta()), "look_back must be from 1 second"),
    "S20 none": (lambda s: s.digest("w", window=HOUR, key=None), "key must be text, not nothing."),
    "S20 number": (lambda s: s.digest("w", window=HOUR, key=5), "key must be text, not a number. Write key=str(…)."),
    "S20 long": (lambda s: s.digest("w", window=HOUR, key="x" * 300), "key has 300 characters; at most 255"),
    "S22 zero": (lambda s: s.throttle("w", limit=0, window=HOUR), "limit must be from 1 to 1,000,000, not 0."),
    "S22 no time": (lambda s: s.throttle("w", limit=1, window=timedelta()), "window must be from 1 second"),
    "S22 both": (lambda s: s.throttle("w", limit=0, window=timedelta()), "window must be from 1 second"),
    "S22 text": (lambda s: s.throttle("w", limit="5", window=HOUR), "limit must be a whole number, not text."),
    "S22 true": (lambda s: s.throttle("w", limit=True, window=HOUR), "must be a whole number, not True or False."),
    "S22 half": (lambda s: s.throttle("w", limit=1.5, window=HOUR), "limit must be a whole number, not 1.5."),
    "S22 huge": (lambda s: s.throttle("w", limit=2**70, window=HOUR), "limit must be from 1 to 1,000,000, not that."),
    "S22 too long": (lambda s: s.throttle("w", limit=1, window=timedelta(days=400)), "not 400 days."),
    "S22 typo": (lambda s: s.throttle("w", limit=1, window=HOUR, on_limit="skip"), "on_limit must be 'stop' or"),
}

CRON = {
    "60 * * * *": "a wrong minute field (it may be 0 to 59)",
    "* * * *": "has 4 fields, not five",
    "a b c d e": "a wrong minute field",
    "": "has 0 fields",
    "*/0 * * * *": "a wrong minute field",
    "5-1 * * * *": "a range that runs backwards in its minute field",
    "0 0 * * 5-2": "a range that runs backwards in its day-of-week field",
    "0 * * * * *": "has 6 fields",
    "0 0 * * * * *": "has 7 fields",
    "@reboot": "is not one of @hourly, @daily",
    "0 0 30 2 *": "on a date that exists",
    "1," * 5_000 + "1 * * * *": "is longer than 100 characters",
    "0 0 * * MON#6": "a wrong day-of-week field (it may be 0 to 7 or SUN to SAT)",
    "0 0 * * H": "a wrong day-of-week field",
    "0 24 * * *": "a wrong hour field (it may be 0 to 23)",
    "0 0 1 13 *": "a wrong month field",
    "\x00 * * * *": "a wrong minute field",
    "every day": "has 2 fields",
}


def refused(message: str) -> None:
    """What no message may say, and how each begins."""
    assert message.startswith("Step 'w': ")
    assert "\n" not in message
    assert "\x00" not in message
    assert len(message) < 400
    assert [] == [word for word in ("pydantic", "input_value", "e+", "ValueError", "NoneType") if word in message]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_time_that_cannot_be_is_refused(name: str, step: Step[Any], notes: Notes) -> None:
    """In a sentence that names the step, the argument, what it may be and what it is; nothing runs."""
    call, words = REFUSED[name]
    with pytest.raises(StepMisuse) as caught:
        await call(step)

    assert words in str(caught.value)
    refused(str(caught.value))
    assert [] == notes.calls


@pytest.mark.parametrize("expression", CRON, ids=lambda text: text[:15])
async def test_a_schedule_that_cannot_be_is_refused(expression: str, step: Step[Any], notes: Notes) -> None:
    """S8 to S15: with the field, and how one is written."""
    with pytest.raises(StepMisuse) as caught:
        await step.digest("w", cron=expression)

    assert CRON[expression] in str(caught.value)
    assert "as in '0 9 * * MON-FRI'" in str(caught.value)
    refused(str(caught.value))
    assert [] == notes.calls


@pytest.mark.parametrize("value", [5, True, ["@daily"]])
async def test_a_schedule_is_text(value: Any, step: Step[Any]) -> None:
    """And how it is written is told."""
    with pytest.raises(StepMisuse, match=r"cron must be text, not .*Five fields"):
        await step.digest("w", cron=value)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
    ids=["S6 gap", "S7 first", "S7 second"],
)
async def test_a_local_time_that_is_not_there_or_twice(
    local: datetime, utc: datetime, step: Step[Any], notes: Notes
) -> None:
    """In the gap it is an hour later on the clock (03:30); of two it is the first, unless ``fold`` says otherwise."""
    await step.delay("w", until=local)

    assert utc == notes.inputs.until


async def test_the_edges_are_allowed(step: Step[Any], notes: Notes) -> None:
    """S1, S2, S19, S22: nothing, a year, a second, a million; S3: a moment that is gone is the engine's to judge."""
    await step.delay("w", timedelta())
    await step.delay("w", timedelta(days=365))
    await step.delay("w", until=PAST)
    await step.digest("w", window=timedelta(seconds=1))
    await step.throttle("w", limit=1_000_000, window=timedelta(days=365))

    assert 5 == len(notes.calls)
