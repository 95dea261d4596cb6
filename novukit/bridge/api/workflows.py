"""Workflows as they were synced: listed, shown, switched on and off, deleted. Only their code makes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, patch, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import Field

from ...engine import promote
from ...errors import Issue, SyncRefused, did_you_mean
from ...model import CHANNELS, StepSpec, StoredWorkflow
from ...store import Scope, workflows
from ..auth import Here, TheCaller, TheRuntime
from ..issues import refusal
from ..wire import Data, Limit, Timestamp, Wire, envelope, missing
from .promote import of_organization

TAGS = ["Workflows"]

Order = Literal["createdAt", "updatedAt", "name", "lastTriggeredAt"]
Status = Literal["ACTIVE", "INACTIVE", "ERROR"]


class StepOverview(Wire):
    """A step in a list."""

    slug: str
    type: str


class WorkflowOverview(Wire):
    """A workflow in a list."""

    id: str = Field(serialization_alias="_id")
    workflow_id: str
    slug: str
    name: str
    status: Status
    origin: Literal["external"] = "external"
    tags: list[str]
    step_type_overviews: list[str]
    steps: list[StepOverview]
    created_at: Timestamp
    updated_at: Timestamp
    last_triggered_at: Timestamp | None


class WorkflowList(Wire):
    """Some of the workflows, and how many there are."""

    workflows: list[WorkflowOverview]
    total_count: int


class Controls(Wire):
    """What a dashboard could set in a step: nothing, for its words are in the code."""

    values: dict[str, Any]


class WorkflowStep(Wire):
    """A step of a workflow."""

    id: str = Field(serialization_alias="_id")
    step_id: str
    name: str
    slug: str
    type: str
    origin: Literal["external"] = "external"
    workflow_id: str
    workflow_database_id: str
    variables: dict[str, Any]
    controls: Controls


class Switch(Wire):
    """On or off."""

    enabled: bool


class Everywhere(Switch):
    """On or off for all channels, and whether subscribers may change it."""

    read_only: bool


class Preferences(Wire):
    """The workflow's own preferences."""

    all: Everywhere
    channels: dict[str, Switch]


class WorkflowPreferencesOut(Wire):
    """The workflow's preferences; nobody has set any but its code."""

    default: Preferences


class WorkflowOut(Wire):
    """A workflow."""

    id: str = Field(serialization_alias="_id")
    workflow_id: str
    slug: str
    name: str
    description: str
    tags: list[str]
    active: bool
    status: Status
    origin: Literal["external"] = "external"
    severity: str
    version: str
    preferences: WorkflowPreferencesOut
    validate_payload: bool
    payload_schema: dict[str, Any] | None = None
    steps: list[WorkflowStep]
    created_at: Timestamp
    updated_at: Timestamp
    last_triggered_at: Timestamp | None


class VersionOut(Wire):
    """What one version of a workflow declared."""

    version: str
    current: bool
    created_at: Timestamp
    spec: dict[str, Any]


class WorkflowChanges(Wire):
    """What may be changed of a workflow from here. All else is in its code."""

    active: bool | None = None
    name: Any = None
    description: Any = None
    tags: Any = None
    payload_schema: Any = None
    validate_payload: Any = None
    is_translation_enabled: Any = None


class CopyIn(Wire):
    """Where to."""

    target_environment_id: str


@get("/v2/workflows", summary="List workflows", tags=TAGS)
async def list_all(
    *,
    here: Here,
    limit: Limit = 10,
    offset: Annotated[int, QueryParameter(ge=0, le=100_000)] = 0,
    order_by: Annotated[Order, QueryParameter(name="orderBy")] = "createdAt",
    order_direction: Annotated[Literal["ASC", "DESC"], QueryParameter(name="orderDirection")] = "DESC",
    words: Annotated[str | None, QueryParameter(name="query", description="A part of the id or the name.")] = None,
    tags: FromQuery[list[str] | None] = None,
    status: FromQuery[list[Status] | None] = None,
) -> Data[WorkflowList]:
    """The workflows of the environment."""
    found = [one for one in await workflows.all(here) if _fits(one, words, tags, status)]
    found.sort(key=lambda one: _place(one, order_by), reverse=order_direction == "DESC")
    page = found[offset : offset + limit]
    return envelope(WorkflowList(workflows=[_overview(one) for one in page], total_count=len(found)))


@get("/v2/workflows/{workflow_id:str}", summary="Show a workflow", tags=TAGS)
async def show(
    here: Here,
    workflow_id: FromPath[str],
    environment_id: Annotated[str | None, QueryParameter(name="environmentId")] = None,
) -> Data[WorkflowOut]:
    """One workflow, by its id in the code or by the database's."""
    if environment_id is not None and environment_id != str(here.environment_id):
        raise missing("environment", environment_id)
    return envelope(out(await find(here, workflow_id)))


@get("/v1/workflows/{workflow_id:str}/versions", summary="List the versions of a workflow", tags=TAGS)
async def versions(here: Here, workflow_id: FromPath[str]) -> Data[list[VersionOut]]:
    """Every version that was synced, newest first."""
    one = await find(here, workflow_id)
    return envelope(
        [
            VersionOut(
                version=each.version,
                current=each.version == one.version,
                created_at=each.created_at,
                spec=each.spec.model_dump(mode="json"),
            )
            for each in await workflows.versions(here, one.spec.id)
        ]
    )


@patch("/v2/workflows/{workflow_id:str}", summary="Switch a workflow on or off", tags=TAGS)
async def change(here: Here, workflow_id: FromPath[str], data: JSONBody[WorkflowChanges]) -> Data[WorkflowOut]:
    """Switch a workflow on or off. Triggers of one that is off begin nothing; what is on its way goes on.

    All else is as its code says: a field that says the same is taken, another value is refused.
    """
    one = await find(here, workflow_id)
    message, hint = "is declared in the workflow's code", "Change it there and run: novukit sync"
    aliases = {name: field.alias or name for name, field in WorkflowChanges.model_fields.items()}
    if refused := [aliases[n] for n, value in _declared(one).items() if getattr(data, n) not in (None, value)]:
        raise refusal([Issue(f"/{name}", "declared_in_code", message, hint) for name in refused])
    if data.active is not None and data.active != one.active:
        one = await workflows.set_active(here, one.spec.id, data.active) or one
    return envelope(out(one))


@put("/v2/workflows/{workflow_id:str}/sync", summary="Copy a workflow to another environment", tags=TAGS)
async def copy(
    here: Here, workflow_id: FromPath[str], data: JSONBody[CopyIn], caller: TheCaller, runtime: TheRuntime
) -> Data[WorkflowOut]:
    """Make another environment of the organization hold this workflow with its translations, and show it there."""
    one = await find(here, workflow_id)
    target = runtime.scope((await of_organization(runtime, caller, data.target_environment_id)).id)
    if target.environment_id == here.environment_id:
        message, hint = "The workflow is in this environment already.", "Name another one."
        raise refusal([Issue("/targetEnvironmentId", "same_environment", message, hint)])
    await promote.publish(here, target, {("workflow", one.spec.id)})
    return envelope(out(await find(target, one.spec.id)))


@delete("/v2/workflows/{workflow_id:str}", summary="Delete a workflow", tags=TAGS)
async def remove(here: Here, workflow_id: FromPath[str]) -> None:
    """Delete a workflow of which nothing is in flight. The next sync brings it back if the code still has it."""
    one = await find(here, workflow_id)
    open_ones = (await workflows.in_flight(here)).get(one.spec.id)
    if open_ones:
        raise SyncRefused(
            f"The workflow {one.spec.id!r} has executions in flight: {open_ones.executions}.",
            hint="Cancel them or let them end; switching the workflow off keeps new ones from beginning.",
        )
    await workflows.apply(here, delete=[one.spec.id])


async def find(scope: Scope, name: str) -> StoredWorkflow:
    """A workflow by its id in the code, or by the database's. Raises NotFound with the closest id."""
    found = await workflows.get(scope, name)
    if found is None:
        stored = await workflows.all(scope)
        found = next((one for one in stored if str(one.id) == name), None)
        if found is None:
            error = missing("workflow", name)
            error.hint = did_you_mean(name, [one.spec.id for one in stored])
            raise error
    return found


def _fits(one: StoredWorkflow, words: str | None, tags: list[str] | None, status: list[Status] | None) -> bool:
    names = (one.spec.id.casefold(), one.spec.name.casefold())
    return (
        (not words or any(words.casefold() in name for name in names))
        and (not tags or bool(set(tags) & set(one.spec.tags)))
        and (not status or _status(one) in status)
    )


def _place(one: StoredWorkflow, by: Order) -> tuple[Any, ...]:
    match by:
        case "createdAt":
            return (one.created_at, one.spec.id)
        case "updatedAt":
            return (one.updated_at, one.spec.id)
        case "name":
            return (one.spec.name.casefold(), one.spec.id)
        case "lastTriggeredAt":
            return (one.last_triggered_at is not None, one.last_triggered_at or one.created_at, one.spec.id)


def _declared(one: StoredWorkflow) -> dict[str, Any]:
    """What the code says of a workflow, by the field that would change it."""
    spec = one.spec
    return {
        "name": spec.name, "description": spec.description, "tags": list(spec.tags),
        "payload_schema": spec.payload_schema, "validate_payload": spec.payload_schema is not None,
        "is_translation_enabled": True,
    }  # fmt: skip


def _status(one: StoredWorkflow) -> Status:
    return "ACTIVE" if one.active else "INACTIVE"


def _overview(one: StoredWorkflow) -> WorkflowOverview:
    spec = one.spec
    return WorkflowOverview(
        id=str(one.id),
        workflow_id=spec.id,
        slug=spec.id,
        name=spec.name,
        status=_status(one),
        tags=list(spec.tags),
        step_type_overviews=list(dict.fromkeys(step.kind.value for step in spec.steps)),
        steps=[StepOverview(slug=step.id, type=step.kind.value) for step in spec.steps],
        created_at=one.created_at,
        updated_at=one.updated_at,
        last_triggered_at=one.last_triggered_at,
    )


def out(one: StoredWorkflow) -> WorkflowOut:
    """A workflow as it is on the wire."""
    spec = one.spec
    channels = {str(kind): Switch(enabled=spec.preferences.channels.get(kind.value, True)) for kind in CHANNELS}
    default = Preferences(
        all=Everywhere(enabled=spec.preferences.enabled, read_only=spec.preferences.read_only), channels=channels
    )
    return WorkflowOut(
        id=str(one.id),
        workflow_id=spec.id,
        slug=spec.id,
        name=spec.name,
        description=spec.description,
        tags=list(spec.tags),
        active=one.active,
        status=_status(one),
        severity=spec.severity,
        version=one.version,
        preferences=WorkflowPreferencesOut(default=default),
        validate_payload=spec.payload_schema is not None,
        payload_schema=spec.payload_schema,
        steps=[step_out(one, step) for step in spec.steps],
        created_at=one.created_at,
        updated_at=one.updated_at,
        last_triggered_at=one.last_triggered_at,
    )


def step_out(one: StoredWorkflow, step: StepSpec) -> WorkflowStep:
    """A step as it is shown."""
    # The SDKs insist on a subject among the values of an e-mail step.
    values: dict[str, Any] = {"subject": ""} if step.kind.value == "email" else {}
    return WorkflowStep(
        id=f"{one.id}:{step.id}",
        step_id=step.id,
        name=step.id,
        slug=step.id,
        type=step.kind.value,
        workflow_id=one.spec.id,
        workflow_database_id=str(one.id),
        variables=one.spec.payload_schema or {},
        controls=Controls(values=values),
    )


HANDLERS: list[Any] = [list_all, show, versions, change, copy, remove]
