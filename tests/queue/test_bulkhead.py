"""A provider that hangs takes its own places in a worker, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.engine import sync, trigger
from novukit.model import Subscriber, Trigger
from novukit.store import Scope, environments, organizations

from .conftest import MAIL, Ledger, Open, Site, until

pytestmark = pytest.mark.anyio


class Word(BaseModel):
    """What a mail is about."""

    subject: str


@workflow("mail")
async def mail(ctx: Context[Word]) -> None:
    """An e-mail."""
    await ctx.step.email("mail", subject=ctx.payload.subject, body="-")


@workflow("bell")
async def bell(ctx: Context[None]) -> None:
    """An in-app message."""
    await ctx.step.in_app("inbox", body="hello")


async def production(site: Site) -> Scope:
    """The other environment of the same server."""
    owner = await organizations.first(site.app.database)
    assert owner is not None
    environment = await environments.by_slug(site.app.database, owner.id, "production")
    scope = site.app.runtime.scope(environment.id)
    await sync.apply(site.app.runtime, scope, site.app.runtime.registry.manifest())
    return scope


async def ask(site: Site, scope: Scope, workflow_id: str, n: int, payload: dict[str, Any]) -> None:
    """Trigger for ``n`` people."""
    people = tuple(Subscriber(subscriber_id=f"s{i}", email=f"s{i}@example.com") for i in range(n))
    for start in range(0, n, 100):
        part = people[start : start + 100]
        await trigger(site.app.runtime, scope, Trigger(workflow=workflow_id, to=part, payload=payload))


async def count(site: Site, environment_id: UUID, sql: str) -> int:
    """How many rows of an environment there are."""
    rows = await site.scope.database.fetch(f"select count(*) as n from {sql} and x.environment_id = $1", environment_id)
    return int(rows[0]["n"])


async def test_a_provider_that_hangs_starves_nobody(database_url: str, open_site: Open) -> None:
    """240 mails of one environment hang; another environment's mails, and the same one's inbox, do not notice."""
    ledger = Ledger(hang=asyncio.Event(), hangs="slow")
    site = await open_site(database_url, ledger=ledger, concurrency=12, lease=30.0)
    noisy, quiet = site.scope.environment_id, await production(site)
    await ask(site, site.scope, "mail", 240, {"subject": "slow"})
    await until(lambda: len(ledger.calls) == 9, 20, "three quarters of the places")
    await ask(site, quiet, "mail", 60, {"subject": "quick"})
    await ask(site, site.scope, "bell", 60, {})
    done = "novukit_execution x where x.status = 'completed'"

    async def served() -> bool:
        return (60, 60) == (await count(site, quiet.environment_id, done), await count(site, noisy, done))

    await until(served, 20, "the others")
    assert 9 == ledger.subjects.count("slow"), "no more than its places"
    on_record = await count(site, noisy, "novukit_checkpoint x where x.status = 'calling'")
    assert 9 == on_record, "who stands in line has no intent on record"
    running = await count(site, noisy, "novukit_execution x where x.status = 'running'")
    assert running < 60, "the others are still due in the database, where they cost nothing"
    assert ledger.hang is not None
    ledger.hang.set()
    await until(site.ended, 40)
    assert {"completed": 360} == dict(await site.statuses())
    assert {1} == set(ledger.keys.values())


async def test_an_integration_says_how_many_at_a_time(database_url: str, open_site: Open) -> None:
    """``concurrency = 2``: never more, and all get through."""
    under_way: list[int] = []
    ledger = Ledger(pause=0.005)
    two = MAIL.model_copy(update={"concurrency": 2})
    site = await open_site(database_url, ledger=ledger, mail=two, concurrency=20)
    await ask(site, site.scope, "mail", 60, {"subject": "slow"})

    async def ended() -> bool:
        under_way.append(
            await count(site, site.scope.environment_id, "novukit_checkpoint x where x.status = 'calling'")
        )
        return await site.ended()

    await until(ended, 40)
    assert {"completed": 60} == dict(await site.statuses())
    assert 1 <= max(under_way) <= 2
