"""Metrics: what becomes durable is counted, once; nothing of a subscriber is in a label; who may scrape."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from novukit.model import ExecutionStatus, MessageStatus
from novukit.observability.metrics import IN_FLIGHT, Metrics
from novukit.observability.scrape import FRESH, Scrape
from novukit.settings import MetricsSettings, SecretRef, Settings
from novukit.store.backlog import Backlog
from novukit.store.entries import Settle, UpdateMessage
from novukit.testing.clock import VirtualClock

from .conftest import watched

pytestmark = pytest.mark.anyio

EMPTY = Backlog(0, None, 0, 0, 0, 0, 0, 0)


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Name and label values (in the order of their names) → value, without the buckets of histograms."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


async def test_what_a_worker_does_is_counted(database_url: str, tmp_path: Path) -> None:
    """Triggers, executions by ending, steps, messages, calls, commits, claims; the backlog; the worker's room."""
    async with watched(database_url, tmp_path, metrics=True) as site:
        assert site.app.scrape is not None
        await site.say("fine", "fine too", "refuse it", "lose it")
        await site.ended()
        kind, text = await site.app.scrape.text()

    found = samples(text)
    assert kind.startswith("text/plain")
    assert {
        ("novukit_triggers_total", "hello"): 4,
        ("novukit_executions_total", "completed", "hello"): 2,
        ("novukit_executions_total", "failed", "hello"): 1,
        ("novukit_executions_total", "parked", "hello"): 1,
        ("novukit_steps_total", "in_app", "completed"): 4,
        ("novukit_steps_total", "sms", "calling"): 4,
        ("novukit_steps_total", "sms", "completed"): 2,
        ("novukit_steps_total", "sms", "failed"): 1,
        ("novukit_steps_total", "sms", "unknown"): 1,
        ("novukit_messages_total", "in_app", "inbox", "sent"): 4,
        ("novukit_messages_total", "sms", "fickle-sms", "sent"): 2,
        ("novukit_messages_total", "sms", "fickle-sms", "failed"): 1,
        ("novukit_messages_total", "sms", "fickle-sms", "unknown"): 1,
        ("novukit_provider_call_seconds_count", "sms", "accepted", "fickle-sms"): 2,
        ("novukit_provider_call_seconds_count", "sms", "rejected", "fickle-sms"): 1,
        ("novukit_provider_call_seconds_count", "sms", "unknown", "fickle-sms"): 1,
        ("novukit_claim_lag_seconds_count",): 4,
        ("novukit_claim_executions_sum",): 4,
        ("novukit_executions_parked",): 1,
        ("novukit_executions_unknown",): 1,
        ("novukit_executions_due",): 0,
        ("novukit_workers",): 1,
        ("novukit_database_up",): 1,
        ("novukit_worker_busy",): 0,
        ("novukit_worker_room",): 7,
        ("novukit_leases_lost_total",): 0,
    }.items() <= found.items()
    assert found["novukit_journal_commit_seconds_count",] == found["novukit_journal_group_entries_count",] > 0
    assert found["novukit_step_seconds_count", "sms"] >= 3


async def test_routing_is_counted() -> None:
    """Who took over from whom and why, what waits for its turn, and who is given a rest."""
    metrics = Metrics(VirtualClock())
    metrics.handed_on("email", "main", "other", "provider_unavailable")
    metrics.paced("main")
    metrics.circuit("production", "main", is_open=True)
    metrics.circuit("staging", "main", is_open=True)
    metrics.circuit("staging", "main", is_open=False)

    assert {
        ("novukit_messages_handed_on_total", "main", "email", "provider_unavailable", "other"): 1,
        ("novukit_messages_paced_total", "main"): 1,
        ("novukit_circuit_open", "production", "main"): 1,
        ("novukit_circuit_open", "staging", "main"): 0,
    }.items() <= samples(generate_latest(metrics.registry)).items()


async def test_nothing_of_a_subscriber_is_told(database_url: str, tmp_path: Path) -> None:
    """No id, address or payload, in no label."""
    async with watched(database_url, tmp_path, metrics=True) as site:
        assert site.app.scrape is not None
        await site.say("refuse CANARY_9f3a", "lose CANARY_9f3a")
        await site.ended()
        _, text = await site.app.scrape.text()

    assert [b for b in (b"CANARY", b"gretchen", b"4915112345678", b"example.com") if b in text] == []


async def test_without_being_asked_nobody_watches(database_url: str, tmp_path: Path) -> None:
    """No observer, no tracer, no route."""
    async with watched(database_url, tmp_path) as site:
        assert (None, None, None) == (site.runtime.observer, site.runtime.tracer, site.app.scrape)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app.asgi()), base_url="http://x") as client:
            assert 404 == (await client.get("/metrics")).status_code


async def test_the_server_shows_them_to_who_has_the_token(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And to nobody else: not without one, not with another, not with a secret key of the API."""
    monkeypatch.setenv("NOVUKIT_METRICS_TOKEN", "scrape-me")
    async with (
        watched(database_url, tmp_path, metrics=True) as site,
        httpx.AsyncClient(transport=httpx.ASGITransport(site.app.asgi()), base_url="http://x") as client,
    ):
        answers = {
            given: (await client.get("/metrics", headers={"authorization": given} if given else {})).status_code
            for given in ("", "Bearer", "Bearer scrape-m", "Bearer scrape-mee", "ApiKey scrape-me", "bearer scrape-me")
        }
        shown = await client.get("/metrics", headers={"authorization": "Bearer scrape-me"})
        posted = await client.post("/metrics", headers={"authorization": "Bearer scrape-me"})

    assert {401} == set(answers.values())
    assert 200 == shown.status_code
    assert "novukit_database_up 1.0" in shown.text
    assert 404 == posted.status_code


async def ask(scrape: Scrape, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(scrape), base_url="http://x") as client:
        return await client.request(method, path, headers=headers)


async def test_a_worker_says_that_it_lives(clock: VirtualClock) -> None:
    """To whoever looks after its process, without a token; anything else is not there."""

    async def look() -> Backlog:
        return EMPTY

    scrape = Scrape(Metrics(clock), look, clock, "token")
    codes = [
        (await ask(scrape, path, method)).status_code
        for path, method in (("/v1/health/live", "GET"), ("/metrics", "GET"), ("/", "GET"), ("/metrics", "DELETE"))
    ]

    assert [200, 401, 404, 404] == codes


async def test_the_database_is_asked_seldom(clock: VirtualClock) -> None:
    """However many scrape; a look that fails is told, and the next one is not sooner."""
    looks: list[Any] = []

    async def look() -> Backlog:
        looks.append(None)
        if len(looks) == 2:
            raise OSError("gone")
        return Backlog(3, clock.now() - timedelta(seconds=90), 0, 0, 0, 0, 0, 2)

    scrape = Scrape(Metrics(clock), look, clock)
    found = []
    for wait in (0.0, FRESH - 1, 1, FRESH):
        clock.advance(timedelta(seconds=wait))
        await asyncio.gather(*(scrape.text() for _ in range(5)))
        found.append(samples((await scrape.text())[1]))

    assert 3 == len(looks)
    assert [1, 1, 0, 1] == [each["novukit_database_up",] for each in found]
    assert (3, 90, 2) == tuple(
        found[0][name,] for name in ("novukit_executions_due", "novukit_executions_due_age_seconds", "novukit_workers")
    )


async def test_a_database_that_hangs_does_not_hang_the_scrape(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as being away; what the process counts itself is shown all the same."""
    monkeypatch.setattr("novukit.observability.scrape.PATIENCE", 0.05)
    scrape = Scrape(Metrics(clock), lambda: asyncio.sleep(3600, EMPTY), clock)

    found = samples((await scrape.text())[1])

    assert 0 == found["novukit_database_up",]
    assert 0 == found["novukit_rings_failed_total",]


def test_the_format_is_as_asked(clock: VirtualClock) -> None:
    """OpenMetrics for whoever prefers it."""

    async def look() -> Backlog:
        return EMPTY

    kind, text = asyncio.run(Scrape(Metrics(clock), look, clock).text("application/openmetrics-text; version=1.0.0"))

    assert kind.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_what_cannot_be_counted_does_not_stop_the_work(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The journal's commit is done already; an error in counting it is logged."""
    metrics = Metrics(clock)
    metrics.committed([Settle(uuid4(), uuid4(), ExecutionStatus.COMPLETED, clock.now(), workflow_id=None)], 0.1)  # type: ignore[arg-type]
    metrics.committed([object()], "a while")  # type: ignore[list-item, arg-type]

    assert "could not be counted" in caplog.text


def test_messages_under_way_are_forgotten_in_the_end(clock: VirtualClock) -> None:
    """A call whose answer never came on record, for the lease was lost, takes no room for ever."""
    metrics = Metrics(clock)
    first = uuid4()
    metrics.called(first, "sms", "a", "accepted", 0.1)
    for _ in range(IN_FLIGHT):
        metrics.called(uuid4(), "sms", "a", "accepted", 0.1)
    metrics.committed([UpdateMessage(first, uuid4(), MessageStatus.SENT, 1, clock.now())], 0.1)

    assert IN_FLIGHT == len(metrics._providers)


def test_a_named_token_must_be_there() -> None:
    """A server that was meant to be guarded does not start unguarded."""
    settings = Settings(metrics=MetricsSettings(token=SecretRef(env="SCRAPE")))

    assert "x" == settings.metrics.secret({"SCRAPE": "x"})
    assert None is MetricsSettings().secret({})
    with pytest.raises(Exception, match=r"metrics.token needs the environment variable SCRAPE"):
        settings.metrics.secret({})
