"""``Tracing``: a tracer over OpenTelemetry. Spans carry ids and words of the code; no payload, no address, no key."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

from ..errors import ExtraMissing, SettingsInvalid
from ..model import StepCall
from ..store.executions import Claimed

try:
    from opentelemetry import context, trace
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    raise ExtraMissing("Tracing needs OpenTelemetry.", hint="Run: pip install 'novukit[otel]'") from None

_BAD = frozenset({"failed", "parked", "unknown", "stepfailed", "park"})
_WORDS = {"suspend": "waiting", "merged": "merged", "stop": "stopped", "park": "parked", "stepfailed": "failed"}
"""How an author's function is left, by the name of what it is left with."""
_CARRIER = TraceContextTextMapPropagator()


class Tracing:
    """Spans of triggers, runs and steps. The trace of a trigger's request goes on in every run of its executions."""

    def __init__(self, provider: Any = None) -> None:
        self._tracer = (provider or trace.get_tracer_provider()).get_tracer("novukit")

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Generator[None]:
        """Go on with the trace of ``traceparent``; not if the host's own instrumentation has begun a span."""
        if trace.get_current_span().get_span_context().is_valid or "traceparent" not in headers:
            yield
            return
        token = context.attach(_CARRIER.extract(headers))
        try:
            yield
        finally:
            context.detach(token)

    def triggered(self, workflow_id: str, transaction_id: str | None) -> str | None:
        """Mark the trigger; gives the traceparent that the event keeps."""
        attributes = {"novukit.workflow": workflow_id}
        if transaction_id is not None:
            attributes["novukit.transaction_id"] = transaction_id
        span = self._tracer.start_span(f"trigger {workflow_id}", kind=SpanKind.PRODUCER, attributes=attributes)
        span.end()
        carrier: dict[str, str] = {}
        _CARRIER.inject(carrier, trace.set_span_in_context(span))
        return carrier.get("traceparent")

    @contextmanager
    def run(self, execution: Claimed) -> Generator[None]:
        """One run: from being claimed to sleeping or ending."""
        kept = {"traceparent": execution.trace} if execution.trace else {}
        with self._span(
            f"run {execution.workflow_id}", SpanKind.CONSUMER, context=_CARRIER.extract(kept),
            attributes={
                "novukit.workflow": execution.workflow_id,
                "novukit.execution_id": str(execution.id),
                "novukit.transaction_id": execution.transaction_id,
                "novukit.environment_id": str(execution.environment_id),
                "novukit.run": execution.runs,
            },
        ):  # fmt: skip
            yield

    @contextmanager
    def step(self, call: StepCall) -> Generator[None]:
        """One step. Its key is left out: it may be a person's address."""
        attributes = {"novukit.step": call.id, "novukit.step_kind": call.kind.value}
        with self._span(f"step {call.id}", SpanKind.INTERNAL, attributes=attributes):
            yield

    def ended(self, outcome: str, reason: str | None) -> None:
        """How the current span's work ended."""
        span = trace.get_current_span()
        span.set_attribute("novukit.outcome", outcome)
        if reason is not None:
            span.set_attribute("novukit.reason", str(reason))
        if outcome in _BAD:
            span.set_status(Status(StatusCode.ERROR, str(reason or outcome)))

    @contextmanager
    def _span(self, name: str, kind: SpanKind, **more: Any) -> Generator[None]:
        # What an error says may hold an address: only its name is told.
        with self._tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False, **more
        ):
            try:
                yield
            except BaseException as err:
                name = type(err).__name__.lower()
                self.ended(_WORDS.get(name, name), getattr(err, "reason", None))
                raise


def make_provider(environ: Mapping[str, str] | None = None) -> Any:
    """The provider that the process has already, else one of the SDK that exports as OTEL_* say (OTLP over HTTP).

    Raises :class:`SettingsInvalid` when OTEL_TRACES_EXPORTER names an exporter that is not installed.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    present = trace.get_tracer_provider()
    if not isinstance(present, trace.ProxyTracerProvider):
        return present
    environ = os.environ if environ is None else environ
    resource = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": "novukit"}
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(_exporter(environ.get("OTEL_TRACES_EXPORTER") or "otlp")))
    return provider


def _exporter(name: str) -> Any:
    if name == "otlp":
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            raise ExtraMissing("Tracing needs an exporter.", hint="Run: pip install 'novukit[otel]'") from None
        return OTLPSpanExporter()
    for found in entry_points(group="opentelemetry_traces_exporter", name=name):
        return found.load()()
    raise SettingsInvalid(
        f"OTEL_TRACES_EXPORTER names {name[:64]!r}, which is not installed.", hint="Use otlp, or install its package."
    )
