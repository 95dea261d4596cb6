"""Traces: the trace of a trigger's request goes on in every run of its executions; spans carry no words of people."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from novukit.errors import SettingsInvalid
from novukit.observability.logs import JsonLines, Masked
from novukit.observability.tracing import Tracing, _exporter
from novukit.store import keys

from .conftest import watched

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What was traced by apps of this test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("novukit.observability.tracing.make_provider", lambda: provider)
    return exporter


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def told(span: ReadableSpan) -> dict[str, Any]:
    return {name.removeprefix("novukit."): value for name, value in (span.attributes or {}).items()}


async def test_the_trace_of_the_request_goes_on(database_url: str, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    """From the caller's span to the trigger's, from there to each run, from a run to its steps; in one trace."""
    async with watched(database_url, tmp_path, tracing=True) as site:
        (_, key), *_ = await keys.reveal(site.scope, site.runtime.secrets)
        headers = {"authorization": f"ApiKey {key}", "traceparent": CALLER}
        asgi = httpx.ASGITransport(site.app.asgi())
        async with httpx.AsyncClient(transport=asgi, base_url="http://x", headers=headers) as client:
            answer = await client.post(
                "/v1/events/trigger",
                json={
                    "name": "hello", "transactionId": "tx-1", "payload": {"say": "fine"},
                    "to": {"subscriberId": "ada", "phone": "+4915112345678"},
                },
            )  # fmt: skip
        assert 201 == answer.status_code, answer.text
        await site.ended()

    (trigger,), (run,) = named(spans, "trigger hello"), named(spans, "run hello")
    steps = [*named(spans, "step inbox"), *named(spans, "step text")]
    assert {TRACE} == {f"{span.context.trace_id:032x}" for span in (trigger, run, *steps)}
    assert "b7ad6b7169203331" == f"{trigger.parent.span_id:016x}"
    assert trigger.context.span_id == run.parent.span_id
    assert {run.context.span_id} == {step.parent.span_id for step in steps}
    assert (SpanKind.PRODUCER, SpanKind.CONSUMER) == (trigger.kind, run.kind)
    assert {"workflow": "hello", "transaction_id": "tx-1"} == told(trigger)
    assert ("hello", "tx-1", 1, "completed") == tuple(
        told(run)[name] for name in ("workflow", "transaction_id", "run", "outcome")
    )
    assert ["in_app", "sms"] == [told(step)["step_kind"] for step in steps]


async def test_how_it_ended_is_told_without_words(
    database_url: str, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    """Outcome and reason, from closed lists; no payload, address or provider's words anywhere in a span."""
    async with watched(database_url, tmp_path, tracing=True) as site:
        await site.say("refuse CANARY_9f3a", "lose CANARY_9f3a")
        await site.ended()

    failed, parked = sorted(named(spans, "run hello"), key=lambda span: told(span)["outcome"])
    assert ("failed", "step_failed") == (told(failed)["outcome"], told(failed)["reason"])
    assert ("parked", "outcome_unknown") == (told(parked)["outcome"], told(parked)["reason"])
    assert {StatusCode.ERROR} == {span.status.status_code for span in (failed, parked)}
    steps = {(told(step)["outcome"], told(step)["reason"]) for step in named(spans, "step text")}
    assert {("failed", "provider_rejected"), ("parked", "outcome_unknown")} == steps
    written = "".join(span.to_json() for span in spans.get_finished_spans())
    assert [
        word for word in ("CANARY", "gretchen", "4915112345678", "no such number", "exception.") if word in written
    ] == []


async def test_a_trigger_without_a_trace_begins_one(
    database_url: str, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    """Each its own."""
    async with watched(database_url, tmp_path, tracing=True) as site:
        await site.say("fine", "fine")
        await site.ended()

    triggers, runs = named(spans, "trigger hello"), named(spans, "run hello")
    assert 2 == len({span.context.trace_id for span in triggers})
    assert {span.context.trace_id for span in triggers} == {span.context.trace_id for span in runs}


async def test_the_hosts_own_span_comes_first(spans: InMemorySpanExporter) -> None:
    """Whoever has instrumented the application around us has read the headers already."""
    provider = TracerProvider()
    tracing = Tracing(provider)
    with provider.get_tracer("host").start_as_current_span("request") as span, tracing.request({"traceparent": CALLER}):
        made = tracing.triggered("hello", None)

    assert made is not None
    assert f"{span.get_span_context().trace_id:032x}" == made.split("-")[1]


def test_logs_name_the_trace() -> None:
    """So that lines and spans find each other."""
    record = logging.makeLogRecord({"msg": "x"})
    provider = TracerProvider()
    with provider.get_tracer("t").start_as_current_span("s") as span:
        line = json.loads(JsonLines(Masked()).format(record))

    assert f"{span.get_span_context().trace_id:032x}" == line["trace_id"]
    assert "trace_id" not in json.loads(JsonLines(Masked()).format(record))


def test_an_exporter_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(SettingsInvalid, match="'nonsense', which is not installed"):
        _exporter("nonsense")
