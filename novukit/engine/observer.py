"""``Observer`` and ``Tracer``: who wants to know what a running novukit does. Without them the engine pays one look.

Neither may wait, and neither may raise: they are called in the middle of the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from ..model import StepCall
from ..store.entries import Entry
from ..store.executions import Claimed


class Observer(Protocol):
    """Counts and measures. All times are in seconds."""

    def accepted(self, workflow_id: str) -> None:
        """A trigger is durable; not one that was known already."""
        ...

    def claimed(self, executions: Sequence[Claimed]) -> None:
        """A worker has taken these."""
        ...

    def called(self, message_id: UUID | None, channel: str, provider_id: str, outcome: str, seconds: float) -> None:
        """A provider has answered, or has not."""
        ...

    def handed_on(self, channel: str, by: str, to: str, reason: str) -> None:
        """A message goes on from one integration to another."""
        ...

    def paced(self, integration: str) -> None:
        """A message sleeps until its integration's rate lets it out."""
        ...

    def circuit(self, environment: str, integration: str, *, is_open: bool) -> None:
        """This worker gives an integration a rest, or uses it again."""
        ...

    def committed(self, entries: Sequence[Entry], seconds: float) -> None:
        """The journal has written a group: this is what became durable."""
        ...

    def lease_lost(self) -> None:
        """A worker's lease has lapsed while it was at work."""
        ...

    def taken_over(self, executions: int) -> None:
        """Executions of workers that are gone were freed."""
        ...

    def ring_failed(self) -> None:
        """The broker did not take a ring; it is rung again."""
        ...


class Tracer(Protocol):
    """Makes spans. What is current is kept where asyncio keeps it: in the context of the task."""

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[object]:
        """Go on with the trace that a request's headers carry, unless someone already does."""
        ...

    def triggered(self, workflow_id: str, transaction_id: str | None) -> str | None:
        """Mark the trigger in the current trace; gives the W3C traceparent that the event keeps."""
        ...

    def run(self, execution: Claimed) -> AbstractContextManager[object]:
        """Around one run of an execution: goes on with the trace of its event."""
        ...

    def step(self, call: StepCall) -> AbstractContextManager[object]:
        """Around one step that is performed, and not given back from the record."""
        ...

    def ended(self, outcome: str, reason: str | None) -> None:
        """How the current run or step ended."""
        ...
