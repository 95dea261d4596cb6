"""``Metrics``: an observer that counts for Prometheus. Labels are words of the code and never of a subscriber."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from ..clock import Clock
from ..errors import ExtraMissing
from ..model import Checkpoint, MessageStatus, StepStatus
from ..store.backlog import Backlog
from ..store.entries import Entry, OpenMessage, SaveCheckpoint, Settle, UpdateMessage
from ..store.executions import Claimed

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
except ImportError:
    raise ExtraMissing("Metrics need a library.", hint="Run: pip install 'novukit[metrics]'") from None

log = logging.getLogger("novukit.observability")

IN_FLIGHT = 10_000
"""Messages whose provider is remembered until their fate is on record; more than ever are under way in a worker."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SLEEPS = frozenset({"delay", "digest"})
"""Steps whose duration is what the author asked for."""


class Metrics:
    """All metrics of one process, in a registry of its own: several novukits in one process do not mix."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._providers: dict[UUID, tuple[str, str]] = {}
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._triggers = self._counter("triggers", "Triggers that were accepted.", "workflow")
        self._executions = self._counter("executions", "Executions that ended, by how.", "workflow", "status")
        self._steps = self._counter("steps", "Steps put on record, by what became of them.", "kind", "outcome")
        self._step_seconds = self._histogram("step_seconds", "From a step's begin to its end.", _SECONDS, "kind")
        self._messages = self._counter(
            "messages", "Messages put on record, by what became of them.", "channel", "provider", "status"
        )
        self._calls = self._histogram(
            "provider_call_seconds", "Calls of providers.", _SECONDS, "channel", "provider", "outcome"
        )
        self._commits = self._histogram("journal_commit_seconds", "Commits of the journal.", _COMMIT_SECONDS)
        self._groups = self._histogram("journal_group_entries", "Entries that one commit wrote.", _SIZES)
        self._claims = self._histogram("claim_executions", "Executions that one claim took.", _SIZES)
        self._lag = self._histogram("claim_lag_seconds", "From due to claimed.", _SECONDS)
        self._lost = self._counter("leases_lost", "Leases that lapsed while their worker was at work.")
        self._taken_over = self._counter("executions_taken_over", "Executions of dead workers that were freed.")
        self._rings_failed = self._counter("rings_failed", "Attempts to ring that the broker did not take.")
        self._handed_on = self._counter(
            "messages_handed_on", "Messages that another integration took over, by why.",
            "channel", "by", "to", "reason",
        )  # fmt: skip
        self._paced = self._counter(
            "messages_paced", "Messages that slept until their rate let them out.", "integration"
        )
        self._circuits = Gauge(
            "novukit_circuit_open", "Whether this worker gives the integration a rest.",
            ["environment", "integration"], registry=self.registry,
        )  # fmt: skip
        # What has no labels is there from the start, so that a rate can be taken from its first change.
        self._bound = cache(self._bind)

    # The engine's observer

    def accepted(self, workflow_id: str) -> None:
        """A trigger is durable."""
        self._bound(self._triggers, workflow_id).inc()

    def claimed(self, executions: Sequence[Claimed]) -> None:
        """A worker has taken these."""
        if not executions:
            return
        now = self._clock.now()
        self._bound(self._claims).observe(len(executions))
        for execution in executions:
            if (due := due_since(execution)) is not None:
                self._bound(self._lag).observe(max((now - due).total_seconds(), 0.0))

    def called(self, message_id: UUID | None, channel: str, provider_id: str, outcome: str, seconds: float) -> None:
        """A provider has answered, or has not."""
        self._bound(self._calls, channel, provider_id, outcome).observe(seconds)
        if message_id is not None:
            if len(self._providers) >= IN_FLIGHT:
                del self._providers[next(iter(self._providers))]
            self._providers[message_id] = (channel, provider_id)

    def handed_on(self, channel: str, by: str, to: str, reason: str) -> None:
        """A message goes on to another integration."""
        self._bound(self._handed_on, channel, by, to, reason).inc()

    def paced(self, integration: str) -> None:
        """A message sleeps until its turn."""
        self._bound(self._paced, integration).inc()

    def circuit(self, environment: str, integration: str, *, is_open: bool) -> None:
        """An integration is given a rest, or used again."""
        self._bound(self._circuits, environment, integration).set(is_open)

    def committed(self, entries: Sequence[Entry], seconds: float) -> None:
        """A group is durable."""
        try:
            self._bound(self._commits).observe(seconds)
            self._bound(self._groups).observe(len(entries))
            for entry in entries:
                if isinstance(entry, SaveCheckpoint):
                    self._step(entry.checkpoint)
                elif isinstance(entry, UpdateMessage):
                    self._message(entry, entries)
                elif isinstance(entry, OpenMessage) and entry.status is MessageStatus.SENT:
                    self._bound(self._messages, entry.channel, entry.provider_id or "inbox", entry.status.value).inc()
                elif isinstance(entry, Settle) and entry.status.is_final:
                    self._bound(self._executions, entry.workflow_id, entry.status.value).inc()
        except Exception:  # the work itself must not suffer from being watched
            log.exception("a commit could not be counted")

    def lease_lost(self) -> None:
        """A worker's lease has lapsed."""
        self._bound(self._lost).inc()

    def taken_over(self, executions: int) -> None:
        """Executions of dead workers were freed."""
        self._bound(self._taken_over).inc(executions)

    def ring_failed(self) -> None:
        """The broker did not take a ring."""
        self._bound(self._rings_failed).inc()

    # What is asked for at a scrape

    def watch_worker(self, busy: Callable[[], int], concurrency: int) -> None:
        """Show how much of a worker is in use."""
        gauge = Gauge("novukit_worker_busy", "Executions that run in this worker.", registry=self.registry)
        gauge.set_function(busy)
        room = Gauge("novukit_worker_room", "Executions that this worker could take now.", registry=self.registry)
        room.set_function(lambda: concurrency - busy())

    def watch_sockets(self, count: Callable[[], int]) -> None:
        """Show how many inboxes are open at this server."""
        self._gauge("sockets", "Sockets of inboxes that are open here.").set_function(count)

    def show(self, backlog: Backlog | None, now: datetime) -> None:
        """Show what lies in the database; without it only that the database does not answer."""
        self._gauge("database_up", "Whether the last look at the database succeeded.").set(backlog is not None)
        if backlog is None:
            return
        age = max((now - backlog.oldest_due).total_seconds(), 0.0) if backlog.oldest_due else 0.0
        for name, words, value in (
            ("executions_due", "Due, not taken yet; at most 10000.", backlog.due),
            ("executions_due_age_seconds", "For how long the first one has been due.", age),
            ("executions_waiting", "Asleep until their time; at most 10000.", backlog.waiting),
            ("executions_running", "Owned by a worker; at most 10000.", backlog.running),
            ("executions_parked", "Waiting for a person; at most 10000.", backlog.parked),
            ("executions_unknown", "Ended with an outcome that nobody knows; at most 10000.", backlog.unknown),
            ("events_expanding", "Events whose members are still to come; at most 10000.", backlog.expanding),
            ("workers", "Workers that are alive.", backlog.workers),
        ):
            self._gauge(name, words).set(value)

    def _step(self, row: Checkpoint) -> None:
        kind, status, began, ended = row.kind.value, row.status, row.started_at, row.finished_at
        self._bound(self._steps, kind, status.value).inc()
        if ended is not None and began is not None and kind not in _SLEEPS and status is not StepStatus.SKIPPED:
            self._bound(self._step_seconds, kind).observe((ended - began).total_seconds())

    def _message(self, entry: UpdateMessage, beside: Sequence[Entry]) -> None:
        if entry.status is MessageStatus.CALLING:
            return
        channel, provider = self._providers.pop(entry.id, None) or (_channel_of(entry.id, beside), "")
        self._bound(self._messages, channel, provider, entry.status.value).inc()

    @staticmethod
    def _bind(metric: Any, *labels: str) -> Any:
        """The one time series of these labels: looking it up in the library each time costs more than counting."""
        return metric.labels(*labels) if labels else metric

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"novukit_{name}", words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"novukit_{name}", words, labels, registry=self.registry, buckets=buckets)

    @cache  # noqa: B019 - one Metrics lives as long as its process
    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"novukit_{name}", words, registry=self.registry)


def _channel_of(message_id: UUID, entries: Sequence[Entry]) -> str:
    """The channel of a message whose call was not made here: its step stands beside it."""
    rows = (entry.checkpoint for entry in entries if isinstance(entry, SaveCheckpoint))
    return next((row.kind.value for row in rows if row.message_id == message_id), "")


def due_since(execution: Claimed) -> datetime | None:
    """Since when an execution was due: its trigger, or the time that its sleeping step had set. None when neither.

    Neither is when it was given back or taken over: then nothing tells how long it has been due.
    """
    if execution.runs <= 1:
        return execution.triggered_at
    times = [row.wake_at for row in execution.checkpoints.values() if row.wake_at is not None]
    return max(times, default=None)
