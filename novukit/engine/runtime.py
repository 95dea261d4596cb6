"""``Runtime``: what a running novukit is made of. Built once by ``app``, handed to every verb."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..authoring import Registry, Workflow
from ..clock import Clock, NewId
from ..providers import HttpClient, PluginHost
from ..rendering import Renderer
from ..settings import Settings
from ..store import Database, Scope
from ..store.secrets import KeyRing
from .intake import Intake
from .observer import Observer, Tracer
from .remote.directory import Remotes
from .route import Routes

Ring = Callable[[UUID], Coroutine[Any, Any, None]]
"""«Look at this environment's due work now.» A hint: it may be lost, late or doubled, and never raises."""

Notice = tuple[UUID, UUID | None]
"""A subscriber, and their notification that is new, or back from a snooze; ``None`` if only counters may differ."""

Publish = Callable[[UUID, Sequence[Notice]], Coroutine[Any, Any, None]]
"""«Look into these inboxes of this environment», once the change is committed. A hint as well; it waits for nothing."""


async def nobody(environment_id: UUID, notices: Sequence[Notice]) -> None:
    """The inbox when no one is listening."""


async def silent(environment_id: UUID) -> None:
    """The bell when nobody hears it; the sweep finds the work."""


@dataclass(frozen=True)
class Runtime:
    """Everything that the verbs need, and their only source of time, ids and randomness."""

    settings: Settings
    database: Database
    clock: Clock
    new_id: NewId
    random: random.Random
    registry: Registry
    renderer: Renderer
    host: PluginHost
    secrets: KeyRing
    routes: Routes
    intake: Intake = field(default_factory=Intake)
    remotes: Remotes = field(default_factory=lambda: Remotes(HttpClient()))
    ring: Ring = silent
    publish: Publish = nobody
    observer: Observer | None = None
    tracer: Tracer | None = None
    _noticed: dict[UUID, list[Notice]] = field(default_factory=dict[UUID, list[Notice]], init=False, repr=False)

    def scope(self, environment_id: UUID) -> Scope:
        """The walls of one environment."""
        return self.database.scope(environment_id)

    @property
    def workflow_ids(self) -> list[str]:
        """The ids of all workflows that can be run from here: of the code, and behind bridges."""
        return [*self.registry.ids, *self.remotes.ids] if self.remotes.ids else self.registry.ids

    def workflow(self, environment_id: UUID, workflow_id: str) -> Workflow[Any] | None:
        """The workflow of this id in an environment."""
        found = self.remotes.find(environment_id, workflow_id)
        return found or (self.registry.get(workflow_id) if workflow_id in self.registry else None)

    def ring_after_commit(self, environment_id: UUID) -> None:
        """Ring once the transaction that is open here is durable, at once where there is none; nobody waits for it."""
        self.database.after_commit(lambda: start(self.ring(environment_id)))

    def publish_after(self, written: asyncio.Future[Any], environment_id: UUID, notice: Notice) -> None:
        """Publish ``notice`` once ``written`` is durable, beside the execution; not at all if it never is.

        The notices of one commit go out together: its futures are done in the same turn of the loop.
        """
        if self.publish is not nobody:
            written.add_done_callback(
                lambda done: None if done.cancelled() or done.exception() else self._notice(environment_id, notice)
            )

    def _notice(self, environment_id: UUID, notice: Notice) -> None:
        if not self._noticed:
            asyncio.get_running_loop().call_soon(self._publish_noticed)
        self._noticed.setdefault(environment_id, []).append(notice)

    def _publish_noticed(self) -> None:
        noticed = dict(self._noticed)
        self._noticed.clear()
        for environment_id, notices in noticed.items():
            start(self.publish(environment_id, notices))


_started: set[asyncio.Task[None]] = set()


def start(work: Coroutine[Any, Any, None]) -> None:
    """Let ``work`` run by itself, outside any transaction that is open here."""
    task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
    _started.add(task)  # the loop itself keeps only a weak reference
    task.add_done_callback(_started.discard)
