"""Recipients that follow an event: page by page, each of them once, whoever comes or goes meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from novukit.model import Subscriber
from novukit.store import Database, Scope, recipients, subscribers, subscriptions, topics
from novukit.store.events import Expanding

from .people import environment

pytestmark = pytest.mark.anyio


@pytest.fixture
async def scope(database: Database) -> Scope:
    """An environment with six subscribers, all of them members of the topic ``news``."""
    scope = await environment(database)
    await subscribers.upsert_many(scope, [Subscriber(subscriber_id=f"s{n}") for n in range(6)])
    await subscriptions.subscribe(scope, "news", [(f"s{n}", None, None) for n in range(6)])
    return scope


async def to_news(scope: Scope, *exclude: str) -> Expanding:
    """An event to all of ``news`` but ``exclude``."""
    topic, _ = await topics.upsert(scope, "news")
    return event(scope, {"topic": str(topic.id), "exclude": list(exclude)})


def event(scope: Scope, source: dict[str, Any]) -> Expanding:
    """An event to one source of which nobody is reached yet."""
    return Expanding(scope.new_id(), scope.environment_id, "hello", "v1", [source], None, scope.now())


async def page(scope: Scope, event: Expanding, size: int) -> tuple[list[str], Expanding | None]:
    """Open a page; the subscribers who have an execution of the event then, and the event as it stands for the next."""
    ids = [scope.new_id() for _ in range(size)]
    before = await reached(scope, event)
    async with scope.database.transaction():
        opened, last = await recipients.open_executions(scope, event, ids)
    after = await reached(scope, event)
    assert opened == len(after) - len(before)
    return after, replace(event, cursor=last) if last else None


async def reached(scope: Scope, event: Expanding) -> list[str]:
    rows = await scope.database.fetch(
        "select subscriber_id from novukit_execution where environment_id = $1 and event_id = $2 "
        "and status = 'pending' and wake_at = $3 order by id",
        scope.environment_id, event.id, scope.now(),
    )  # fmt: skip
    return [row["subscriber_id"] for row in rows]


async def test_a_topic_by_pages_without_the_excluded(scope: Scope) -> None:
    """A page fills up with those who are meant; a short one is the last."""
    news = await to_news(scope, "s1", "s4")
    first, then = await page(scope, news, 3)
    assert (["s0", "s2", "s3"], True) == (first, then is not None)
    assert then is not None
    assert (["s0", "s2", "s3", "s5"], None) == await page(scope, then, 3)


async def test_everyone_by_pages_oldest_first(scope: Scope) -> None:
    """After a full page there may be others: only the next one can tell."""
    first, then = await page(scope, event(scope, {"everyone": True}), 6)
    assert [f"s{n}" for n in range(6)] == first
    assert then is not None
    assert 0 == await recipients.left(scope, then, 6)
    assert (first, None) == await page(scope, then, 6)


async def test_how_many_are_left(scope: Scope) -> None:
    """Counted from the cursor, and no further than asked for."""
    news = await to_news(scope)
    _, then = await page(scope, news, 2)
    assert then is not None
    assert [6, 4, 3] == [
        await recipients.left(scope, news, 10), await recipients.left(scope, then, 10),
        await recipients.left(scope, then, 3),
    ]  # fmt: skip


async def test_whoever_has_an_execution_gets_no_other(scope: Scope) -> None:
    """A member of two topics, or a page that runs twice: only those who have none yet are counted."""
    news = await to_news(scope)
    await page(scope, news, 2)
    reached_by_all, _ = await page(scope, news, 10)
    assert sorted(reached_by_all) == [f"s{n}" for n in range(6)]
    assert (reached_by_all, None) == await page(scope, news, 10)


async def test_who_joins_after_the_count_is_not_lost(scope: Scope) -> None:
    """The spare id is used, so the page is no short one, and the cursor stands where it ends."""
    everyone = event(scope, {"everyone": True})
    spare = await recipients.left(scope, everyone, 10) + 1
    await subscribers.upsert_many(scope, [Subscriber(subscriber_id="late"), Subscriber(subscriber_id="later")])
    _, then = await page(scope, everyone, spare)
    assert then is not None
    assert (await page(scope, then, spare))[0] == [*(f"s{n}" for n in range(6)), "late", "later"]


async def test_environments_do_not_meet(database: Database, scope: Scope) -> None:
    """The wall: a topic of another environment has no members here, and «everyone» is everyone here."""
    other = await environment(database, "production")
    foreign = replace(await to_news(scope), environment_id=other.environment_id)
    assert ([], None) == await page(other, foreign, 10)
    assert ([], None) == await page(other, event(other, {"everyone": True}), 10)
    assert 0 == await recipients.left(other, foreign, 10)
