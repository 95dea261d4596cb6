"""One rate for an integration, whoever sends: three workers take their slots out of one bucket."""

from __future__ import annotations

import pytest

from novukit import Context, workflow

from .conftest import MAIL, Ledger, Open, until

pytestmark = pytest.mark.anyio
RATE, MESSAGES = 20.0, 60


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    """One e-mail."""
    await ctx.step.email("mail", subject=ctx.subscriber.subscriber_id, body="-")


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_three_workers_share_one_bucket(database_url: str, open_site: Open) -> None:
    """60 messages at 20 a second take three seconds, however many workers there are, and each goes out once."""
    ledger = Ledger()
    paced = MAIL.model_copy(update={"rate": RATE})
    sites = [await open_site(database_url, ledger=ledger, mail=paced, concurrency=10) for _ in range(3)]
    for n, site in enumerate(sites):
        await site.trigger("mail", *[f"s{n}-{m}" for m in range(MESSAGES // 3)])

    await until(sites[0].ended, 60)

    assert MESSAGES == len(set(ledger.subjects)) == len(ledger.calls)
    times = sorted(at for _, _, at in ledger.calls)
    assert times[-1] - times[0] >= (MESSAGES - 1) / RATE - 0.1
    # In any second: the rate, and those that were up to a second late on a busy machine.
    assert max(sum(begin <= at < begin + 1 for at in times) for begin in times) <= 2 * RATE + 1
    (bucket,) = await sites[0].scope.database.fetch("select count(*) as n from novukit_pace")
    assert 1 == bucket["n"]
