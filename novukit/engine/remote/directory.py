"""``Remotes``: which workflows run elsewhere, and where that is; looked up now and then, for syncs are rare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from ...authoring import Workflow
from ...errors import BridgeFailed
from ...model import Environment, StepKind, StoredWorkflow, WorkflowPreferences, WorkflowSpec
from ...providers import HttpClient
from ...store import Scope, bridges, environments, keys, workflows

if TYPE_CHECKING:
    from ..runtime import Runtime

LOOK_EVERY = 1.0
"""Seconds between two looks for what was synced in another process."""
IDLE = 10.0
"""The same for a worker that has nothing to do; a ring makes it look at once."""
FRESH = 5.0
"""How many seconds a key or a URL is used without a look at its row."""
ASK = "bridge"
"""The key of the checkpoint that holds what the application said of a step: ``welcome[bridge]``."""


async def _elsewhere(context: object) -> NoReturn:
    raise AssertionError("a remote workflow is followed, not called")


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteWorkflow(Workflow[Any]):
    """A workflow of which we have no code, but what its application declared."""

    stored: WorkflowSpec

    def spec(self) -> WorkflowSpec:
        return self.stored

    @cached_property
    def declared(self) -> frozenset[tuple[str, StepKind]]:
        """Its steps, and the calls of the bridge for each."""
        asks = {(step.id, StepKind.CUSTOM) for step in self.stored.steps}
        return frozenset((step.id, step.kind) for step in self.stored.steps) | asks

    def parse_payload(self, payload: Mapping[str, Any]) -> Any:
        """As it is: its type is the application's."""
        return dict(payload)


GONE = RemoteWorkflow(
    id="gone", name="gone", description="", tags=(), severity="none", preferences=WorkflowPreferences(),
    payload_type=None, run=_elsewhere, where="nowhere", stored=WorkflowSpec(id="gone", name="gone"),
)  # fmt: skip
"""Stands for a workflow that an environment no longer has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment's application is, the secret key that we sign with, and who we are."""

    url: str
    secret: str
    environment: Environment


class Remotes:
    """The workflows that run elsewhere, as they were at the last look, and the way to their applications."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self._known: dict[tuple[UUID, str], tuple[str, RemoteWorkflow]] = {}
        self._places: dict[UUID, tuple[float, Place]] = {}
        self._looked: float | None = None
        self.ids: list[str] = []
        """The ids of all of them, each once."""

    def find(self, environment_id: UUID, workflow_id: str) -> RemoteWorkflow | None:
        """The workflow of this id, if it runs elsewhere."""
        if not self._known:
            return None
        found = self._known.get((environment_id, workflow_id))
        return found[1] if found else None

    async def refresh(self, rt: Runtime, age: float = LOOK_EVERY) -> None:
        """Look whether anything was synced, if the last look is ``age`` seconds old."""
        now = rt.clock.monotonic()
        if self._looked is not None and now - self._looked < age:
            return
        self._looked = now  # before the look: a sync meanwhile asks for another one
        marks = await bridges.marks(rt.database)
        if not marks and not self._known:
            return
        known: dict[tuple[UUID, str], tuple[str, RemoteWorkflow]] = {}
        for mark in marks:
            key = mark.environment_id, mark.workflow_id
            before = self._known.get(key)
            if before is not None and before[0] == mark.stamp:
                known[key] = before
                continue
            self._places.pop(mark.environment_id, None)
            if (stored := await workflows.get(rt.scope(mark.environment_id), mark.workflow_id)) is not None:
                known[key] = mark.stamp, _remote(stored)
        self._known = known
        self.ids = sorted({workflow_id for _, workflow_id in known})

    def forget(self) -> None:
        """Something was synced here: look again at once."""
        self._looked = None
        self._places.clear()

    async def place(self, rt: Runtime, environment_id: UUID) -> Place:
        """Where the environment's application is. Raises :class:`BridgeFailed` when that is not known."""
        now = rt.clock.monotonic()
        if (kept := self._places.get(environment_id)) and kept[0] > now:
            return kept[1]
        scope = rt.scope(environment_id)
        bridge = await bridges.get(scope)
        if bridge is None:
            raise BridgeFailed("This environment has no bridge.", hint="Run: npx novu sync --bridge-url …")
        secret = await secret_of(rt, scope, bridge.key_id)
        found = Place(bridge.url, secret, await environments.get(rt.database, environment_id))
        self._places[environment_id] = now + FRESH, found
        return found

    async def close(self) -> None:
        """Close the connections to the applications."""
        await self.http.aclose()


async def secret_of(rt: Runtime, scope: Scope, key_id: UUID | None) -> str:
    """The secret of the key ``key_id`` while it is in force, else of the environment's oldest one."""
    in_force = await keys.reveal(scope, rt.secrets)
    if not in_force:
        raise BridgeFailed("This environment has no secret key to sign with.", hint="Make one: novukit keys create")
    return next((secret for key, secret in in_force if key.id == key_id), in_force[0][1])


def _remote(stored: StoredWorkflow) -> RemoteWorkflow:
    spec = stored.spec
    return RemoteWorkflow(
        id=spec.id, name=spec.name, description=spec.description, tags=spec.tags, severity=spec.severity,
        preferences=spec.preferences, payload_type=None, run=_elsewhere, where="behind the bridge", stored=spec,
    )  # fmt: skip
