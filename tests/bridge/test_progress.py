"""How far a transaction has come: members that have executions, members to come, and where the executions stand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.engine import fanout
from novukit.model import Environment, Subscriber
from novukit.store import Scope, subscribers, subscriptions

from ..rows import Rows

pytestmark = pytest.mark.anyio
STEPS = [{"id": "inbox", "kind": "in_app"}]


@pytest.fixture
async def rows(scope: Scope, development: Environment, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Rows of Development, with a workflow and a topic of 1,200 members, who are read by 500."""
    monkeypatch.setattr(fanout, "PAGE", 500)
    rows = Rows(scope, development.organization_id)
    await rows.workflow("welcome", steps=STEPS)
    people = [Subscriber(subscriber_id=f"s{n:04}") for n in range(1200)]
    await subscribers.upsert_many(scope, people)
    for start in range(0, 1200, 100):
        part = people[start : start + 100]
        await subscriptions.subscribe(scope, "news", [(one.subscriber_id, None, None) for one in part])
    return rows


async def look(api: httpx.AsyncClient, transaction: str = "tx") -> tuple[str, int, int]:
    answer = await api.get(f"/v1/events/trigger/{transaction}")
    assert 200 == answer.status_code, answer.text
    data = answer.json()["data"]
    return data["status"], data["executions"], data["expected"]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ({"type": "Topic", "topicKey": "news"}, 1200),
        ({"type": "Topic", "topicKey": "news", "exclude": ["s0003", "s0700"]}, 1198),
        ([{"type": "Topic", "topicKey": "news"}, "ada"], 1201),
    ],
)
async def test_a_topic_page_by_page(api: httpx.AsyncClient, rows: Rows, runtime: Any, to: Any, expected: int) -> None:
    """expanding, so many of so many; then expanded."""
    answer = await api.post("/v1/events/trigger", json={"name": "welcome", "to": to, "transactionId": "tx"})
    assert 201 == answer.status_code, answer.text
    at_once = expected - 1200 if expected > 1200 else 0
    seen = [await look(api)]
    while await fanout.expand(runtime):
        seen.append(await look(api))
    assert [
        ("expanding", at_once, expected), ("expanding", at_once + 500, expected),
        ("expanding", at_once + 1000, expected), ("expanded", expected, expected),
    ] == seen  # fmt: skip
    found = (await api.get("/v1/events/trigger/tx")).json()["data"]
    assert ("welcome", {"pending": expected}) == (found["workflowId"], found["statuses"])


async def test_a_broadcast_that_is_cancelled_half_way(api: httpx.AsyncClient, rows: Rows, runtime: Any) -> None:
    """No more are expected than there are."""
    await api.post("/v1/events/trigger/broadcast", json={"name": "welcome", "transactionId": "tx"})
    assert ("expanding", 0, 1200) == await look(api)
    await fanout.expand(runtime)
    await api.delete("/v1/events/trigger/tx")
    assert ("cancelled", 500, 500) == await look(api)
    assert not await fanout.expand(runtime)
    found = (await api.get("/v1/events/trigger/tx")).json()["data"]
    assert {"cancelled": 500} == found["statuses"]


async def test_of_nothing(api: httpx.AsyncClient, other: httpx.AsyncClient, rows: Rows) -> None:
    """A transaction that is not here is not found, whoever asks."""
    assert 404 == (await api.get("/v1/events/trigger/nothing")).status_code
    await api.post("/v1/events/trigger", json={"name": "welcome", "to": "ada", "transactionId": "tx"})
    assert ("expanded", 1, 1) == await look(api)
    assert 404 == (await other.get("/v1/events/trigger/tx")).status_code
