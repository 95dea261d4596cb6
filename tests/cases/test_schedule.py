"""Schedules: the hours in which a subscriber wants to hear from outside the inbox, on the clock on their wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novukit import Context, workflow
from novukit.model import Reason, StepStatus
from novukit.model.schedule import DAYS, check, read
from novukit.store import history, preferences, subscribers
from novukit.testing import Harness

MONDAY = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    await ctx.step.email("email", subject="S", body="T")
    await ctx.step.in_app("inbox", body="B")


@workflow("alarm", critical=True)
async def alarm(ctx: Context[None]) -> None:
    await ctx.step.email("email", subject="S", body="T")


@workflow("patient")
async def patient(ctx: Context[None]) -> None:
    await ctx.step.delay("until-they-are-there", timedelta(hours=1), extend_to_schedule=True)
    await ctx.step.email("email", subject="S", body="T")


@workflow("gathered")
async def gathered(ctx: Context[None]) -> None:
    found = await ctx.step.digest("all", window=timedelta(hours=1), extend_to_schedule=True)
    await ctx.step.email("email", subject=f"{len(found.events)}", body="T")


def week(start: str = "09:00 AM", end: str = "05:00 PM", days: tuple[str, ...] = DAYS[:5]) -> dict[str, Any]:
    """Office hours, if nothing else is said."""
    open_ = {"isEnabled": True, "hours": [{"start": start, "end": end}]}
    return {"isEnabled": True, "weeklySchedule": dict.fromkeys(days, open_)}


async def _person(novukit: Harness, name: str, zone: str | None, schedule: dict[str, Any] | None) -> None:
    await novukit.subscriber(name, email=f"{name}@example.com", timezone=zone)
    found = await subscribers.get(novukit.scope, name)
    assert found is not None
    await preferences.set(novukit.scope, found.id, None, {}, schedule)


async def _mailed(novukit: Harness) -> list[str]:
    return sorted(sent.subscriber_id for sent in novukit.outbox.email)


async def test_mail_comes_in_the_hours_of_the_subscribers_own_zone(novukit: Harness) -> None:
    """At one moment it is office hours in Berlin, still night in Los Angeles, and evening in Tokyo."""
    zones = {"ada": "Europe/Berlin", "bob": "America/Los_Angeles", "cy": "Asia/Tokyo", "dee": None}
    for name, zone in zones.items():
        await _person(novukit, name, zone, week())
    await novukit.travel(to=MONDAY)  # 13:00 in Berlin, 04:00 in Los Angeles, 21:00 in Tokyo
    await novukit.trigger(mail, to=list(zones))
    assert ["ada", "dee"] == await _mailed(novukit)
    assert sorted(zones) == sorted(sent.subscriber_id for sent in novukit.outbox.in_app)

    await novukit.travel(hours=6)  # 19:00, 10:00, 03:00 of the next day
    await novukit.trigger(mail, to=list(zones))
    assert ["ada", "bob", "dee"] == await _mailed(novukit)


async def test_the_step_says_why_it_was_skipped(novukit: Harness) -> None:
    """With the zone, and when the schedule opens."""
    await _person(novukit, "ada", "Europe/Berlin", week())
    await novukit.travel(to=MONDAY + timedelta(hours=8))
    await novukit.trigger(mail, to="ada")

    (execution,) = await novukit.executions(mail)
    steps = {one.step_id: one for one in await history.steps(novukit.scope, execution.id)}
    skipped = steps["email"]
    assert (StepStatus.SKIPPED, Reason.OUTSIDE_SCHEDULE) == (skipped.status, skipped.reason)
    assert "Europe/Berlin" in skipped.detail
    assert "2026-01-06 08:00 UTC" in skipped.detail
    assert StepStatus.COMPLETED is steps["inbox"].status


async def test_what_is_critical_does_not_wait_and_a_schedule_switched_off_holds_nothing_back(novukit: Harness) -> None:
    """Neither asks for the hour."""
    await _person(novukit, "ada", None, week(days=()) | {"weeklySchedule": {"monday": {"isEnabled": False}}})
    await _person(novukit, "bob", None, week(days=()) | {"isEnabled": False})
    await novukit.travel(to=MONDAY)
    await novukit.trigger(alarm, to="ada")
    await novukit.trigger(mail, to=["ada", "bob"])
    assert ["ada", "bob"] == await _mailed(novukit)


async def test_a_channel_that_is_switched_off_stays_so_within_the_schedule(novukit: Harness) -> None:
    """The schedule allows nothing that the subscriber does not want."""
    await _person(novukit, "ada", None, week())
    await novukit.prefer("ada", email=False)
    await novukit.travel(to=MONDAY)
    await novukit.trigger(mail, to="ada")
    assert [] == await _mailed(novukit)


async def test_a_delay_is_extended_to_the_schedule(novukit: Harness) -> None:
    """Over the night, and over the weekend; within the hours it is what it was."""
    await _person(novukit, "ada", "Europe/Berlin", week())
    await novukit.travel(to=MONDAY)  # 13:00
    await novukit.trigger(patient, to="ada")
    await novukit.travel(hours=1)
    assert 1 == len(novukit.outbox.email)

    friday = MONDAY + timedelta(days=4, hours=4)  # 17:00
    await novukit.travel(to=friday)
    await novukit.trigger(patient, to="ada")
    await novukit.travel(to=datetime(2026, 1, 12, 7, 59, tzinfo=UTC))
    assert 1 == len(novukit.outbox.email)
    await novukit.travel(minutes=1)  # Monday, 09:00 in Berlin
    assert 2 == len(novukit.outbox.email)


async def test_a_digest_stays_open_until_the_schedule_opens(novukit: Harness) -> None:
    """And gathers what comes meanwhile."""
    await _person(novukit, "ada", None, week())
    await novukit.travel(to=MONDAY + timedelta(hours=6))
    await novukit.trigger(gathered, to="ada")
    await novukit.travel(hours=8)
    await novukit.trigger(gathered, to="ada")
    await novukit.travel(to=MONDAY + timedelta(hours=21))
    assert ["2"] == [sent.content["subject"] for sent in novukit.outbox.email]


@pytest.mark.parametrize(
    ("at", "zone", "hours", "open_"),
    [
        ("2026-01-05T09:00", "UTC", ("09:00 AM", "05:00 PM"), True),
        ("2026-01-05T08:59", "UTC", ("09:00 AM", "05:00 PM"), False),
        ("2026-01-05T17:00", "UTC", ("09:00 AM", "05:00 PM"), False),
        ("2026-01-05T00:30", "UTC", ("12:00 AM", "01:00 AM"), True),
        ("2026-01-05T12:30", "UTC", ("12:00 PM", "01:00 PM"), True),
        ("2026-01-05T23:59", "UTC", ("12:00 AM", "11:59 PM"), True),
        ("2026-01-06T01:00", "UTC", ("10:00 PM", "02:00 AM"), True),
        ("2026-01-06T02:00", "UTC", ("10:00 PM", "02:00 AM"), False),
        ("2026-01-05T01:00", "UTC", ("10:00 PM", "02:00 AM"), False),
        # Berlin: clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
        ("2026-03-30T06:30", "Europe/Berlin", ("08:00 AM", "09:00 AM"), True),
        ("2026-03-23T07:30", "Europe/Berlin", ("08:00 AM", "09:00 AM"), True),
    ],
)
def test_the_minute_counts_on_the_wall(at: str, zone: str, hours: tuple[str, str], open_: bool) -> None:
    """The start is open and the end is not; an end before its start is of the next day."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert open_ is read(week(*hours, days=("monday",))).is_open(moment, zone)


def test_an_hour_that_the_clocks_skip_opens_at_the_first_moment_after_it() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin: the next that there is is 03:00, at 01:00 UTC."""
    schedule = read(week("02:30 AM", "04:00 AM", days=("sunday",)))
    assert datetime(2026, 3, 29, 1, 0, tzinfo=UTC) == schedule.next_open(
        datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "Europe/Berlin"
    )
    gone = read(week("02:00 AM", "03:00 AM", days=("sunday",)))
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    opens = gone.next_open(before, "Europe/Berlin")
    assert opens == datetime(2026, 4, 5, 0, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_open_both_times() -> None:
    """02:30 on 25 October 2026 in Berlin is at 00:30 and at 01:30 UTC."""
    schedule = read(week("02:00 AM", "03:00 AM", days=("sunday",)))
    for hour, open_ in ((0, True), (1, True), (2, False)):
        assert open_ is schedule.is_open(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), "Europe/Berlin")
    saturday = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert datetime(2026, 10, 25, 0, 0, tzinfo=UTC) == schedule.next_open(saturday, "Europe/Berlin")


def test_the_next_opening_is_never_in_the_past_nor_outside() -> None:
    """Whatever the hour, over a year with both changes, in zones on either side of the world."""
    schedule = read(week("10:00 PM", "06:30 AM", days=("saturday", "wednesday")))
    for zone in ("Pacific/Auckland", "America/Sao_Paulo", "Europe/London"):
        for step in range(0, 365 * 24, 7):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=step, minutes=step % 60)
            opens = schedule.next_open(at, zone)
            assert opens is not None
            assert at <= opens <= at + timedelta(days=5)
            assert schedule.is_open(opens, zone)
            assert opens == at or not schedule.is_open(opens - timedelta(minutes=1), zone)


def test_a_schedule_that_never_opens_has_no_next_opening() -> None:
    """Every day is off."""
    schedule = read({"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": False, "hours": []}}})
    assert schedule.next_open(MONDAY, None) is None


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ([], "/s", "wrong_type"),
        ({}, "/s/isEnabled", "required"),
        ({"isEnabled": 1}, "/s/isEnabled", "wrong_type"),
        ({"isEnabled": True, "week": {}}, "/s/week", "unknown_field"),
        ({"isEnabled": True, "weeklySchedule": []}, "/s/weeklySchedule", "wrong_type"),
        ({"isEnabled": True, "weeklySchedule": {"Monday": {}}}, "/s/weeklySchedule/Monday", "unknown_field"),
        ({"isEnabled": True, "weeklySchedule": {"monday": {}}}, "/s/weeklySchedule/monday/isEnabled", "required"),
        (week("25:00 AM"), "/s/weeklySchedule/monday/hours/0/start", "bad_format"),
        (week(end="17:00"), "/s/weeklySchedule/monday/hours/0/end", "bad_format"),
        (week("00:30 AM"), "/s/weeklySchedule/monday/hours/0/start", "bad_format"),
    ],
)
def test_what_is_no_schedule_is_refused_by_its_place(value: Any, path: str, code: str) -> None:
    """With a pointer to the field."""
    assert (path, code) in [(issue.path, issue.code) for issue in check(value, "/s")]
    assert [] == check(week(), "/s")
