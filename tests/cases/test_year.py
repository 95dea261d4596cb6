"""A year of daily digests for a hundred subscribers, through both changes of the clocks, in one test."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from novukit import Context, Everyone, workflow
from novukit.authoring import Registry
from novukit.settings import Settings
from novukit.testing import Harness

BERLIN = ZoneInfo("Europe/Berlin")
PEOPLE, DAYS = 100, 365


class Item(BaseModel):
    day: int


@workflow("daily")
async def daily(ctx: Context[Item]) -> None:
    items = await ctx.step.digest("morning", cron="30 2 * * *")
    await ctx.step.email("email", subject=str(items.payloads[0].day), body=str(len(items)))


async def test_a_year_of_daily_digests(tmp_path: Path, anyio_backend: str) -> None:
    """Each subscriber has one e-mail a day, at half past two local time, whatever the clocks do.

    In the night of 29 March that time does not exist and the digest closes at three; in the night of 25 October it
    comes twice and the digest closes once.
    """
    settings = Settings(root=tmp_path)
    async with Harness(settings, tmp_path, workflows=Registry([daily])) as novukit:
        for n in range(PEOPLE):
            await novukit.subscriber(f"s{n}", email=f"s{n}@example.com", timezone="Europe/Berlin")
        await novukit.travel(to=datetime(2026, 1, 1, 12, tzinfo=UTC))
        for day in range(DAYS):
            await novukit.trigger(daily, to=Everyone(), payload=Item(day=day))
            await novukit.travel(timedelta(days=1))

        emails = novukit.outbox.email
        assert PEOPLE * DAYS == len(emails)
        assert {(day, PEOPLE) for day in range(DAYS)} == set(Counter(int(sent.subject) for sent in emails).items())
        local = Counter(sent.at.astimezone(BERLIN).time().isoformat("minutes") for sent in emails)
        assert {"02:30": PEOPLE * (DAYS - 1), "03:00": PEOPLE} == dict(local)
