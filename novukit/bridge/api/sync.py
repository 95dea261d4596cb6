"""Sync: what is stored, what would change, and the change itself. novukit's own, beside Novu's."""

from __future__ import annotations

from typing import Any

from litestar import get, post, put
from litestar.params import JSONBody
from pydantic import Field, ValidationError

from ...engine import sync
from ...model import Manifest, Plan, WorkflowChange
from ...store import workflows
from ..auth import Here, TheRuntime
from ..body import LARGE_BODY
from ..issues import of_model, refusal
from ..wire import Data, Wire, envelope

TAGS = ["Sync"]

MOST_WORKFLOWS = 2_000


class StoredOut(Wire):
    """What the environment knows: each workflow by id, as its code declared it, and the hash of it all."""

    workflows: dict[str, Any]
    state: str


class ManifestIn(Wire):
    """All workflows of an application, by id, as `novukit sync` reads them from the code."""

    workflows: dict[str, Any] = Field(max_length=MOST_WORKFLOWS)


class SyncIn(ManifestIn):
    """A manifest to be stored. ``state`` is that of the plan that was looked at; another state is refused."""

    state: str | None = None
    prune: bool = False
    allow_delete: list[str] = Field(default_factory=list[str])


class StepChangeOut(Wire):
    """``+`` added, ``-`` gone, ``~`` of another kind; and how many executions wait in it."""

    sign: str
    step_id: str
    kind: str
    waiting: int


class WorkflowChangeOut(Wire):
    """What happens to one workflow, and how many executions of it have not ended."""

    workflow_id: str
    name: str
    steps: list[StepChangeOut]
    fields: list[str]
    in_flight: int


class PlanOut(Wire):
    """What must happen for the environment to hold what the code declares. ``state`` makes an apply sure of it."""

    create: list[WorkflowChangeOut]
    change: list[WorkflowChangeOut]
    delete: list[WorkflowChangeOut]
    unchanged: list[str]
    state: str
    empty: bool


@get("/v1/sync/manifest", summary="Show what is stored", tags=TAGS)
async def manifest(here: Here) -> Data[StoredOut]:
    """Every workflow of the environment as its code declared it."""
    stored = await workflows.of_code(here)
    return envelope(
        StoredOut(
            workflows={one.spec.id: one.spec.model_dump(mode="json") for one in stored},
            state=workflows.state_of({one.spec.id: one.version for one in stored}),
        )
    )


@post("/v1/sync/plan", status_code=200, summary="Plan a sync", tags=TAGS, request_max_body_size=LARGE_BODY)
async def plan(here: Here, runtime: TheRuntime, data: JSONBody[ManifestIn]) -> Data[PlanOut]:
    """What a sync would do, and what is in flight there. Changes nothing."""
    return envelope(_out(await sync.plan(runtime, here, _manifest(data))))


@put("/v1/sync", summary="Sync", tags=TAGS, request_max_body_size=LARGE_BODY)
async def apply(here: Here, runtime: TheRuntime, data: JSONBody[SyncIn]) -> Data[PlanOut]:
    """Store the manifest, all or nothing, and answer with what was done."""
    done = await sync.apply(
        runtime,
        here,
        _manifest(data),
        expected_state=data.state,
        prune=data.prune,
        allow_delete=data.allow_delete,
    )
    return envelope(_out(done))


def _manifest(body: ManifestIn) -> Manifest:
    """The manifest of a body. Raises :class:`InvalidInput` with the pointer of each thing that is wrong."""
    try:
        return Manifest.model_validate({"workflows": body.workflows})
    except ValidationError as err:
        raise refusal(of_model(err, {"workflows": body.workflows}, Manifest)) from None


def _out(plan: Plan) -> PlanOut:
    return PlanOut(
        create=[_change(change) for change in plan.create],
        change=[_change(change) for change in plan.change],
        delete=[_change(change) for change in plan.delete],
        unchanged=list(plan.unchanged),
        state=plan.state,
        empty=plan.empty,
    )


def _change(change: WorkflowChange) -> WorkflowChangeOut:
    return WorkflowChangeOut(
        workflow_id=change.workflow_id,
        name=change.name,
        steps=[
            StepChangeOut(sign=step.sign, step_id=step.step_id, kind=step.kind, waiting=step.waiting)
            for step in change.steps
        ],
        fields=list(change.fields),
        in_flight=change.in_flight,
    )


HANDLERS: list[Any] = [manifest, plan, apply]
