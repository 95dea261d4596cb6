"""Diff and publish: what one environment holds and another does not, and making it hold that too."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...engine import Runtime, promote
from ...engine.promote import Action, Difference
from ...errors import InvalidInput, Issue, did_you_mean
from ...model import Caller, Environment, Resource, ResourceType
from ...store import Scope, environments
from ..auth import TheCaller, TheRuntime
from ..issues import refusal
from ..wire import Data, Timestamp, Wire, envelope, missing

TAGS = ["Environments"]

Type = Literal["REGULAR", "BRIDGE"]
_TYPES: dict[ResourceType, Type] = {"workflow": "BRIDGE", "layout": "REGULAR"}
_KINDS: dict[Type, ResourceType] = {"BRIDGE": "workflow", "REGULAR": "layout"}
_DONE: dict[Action, Literal["created", "updated", "deleted"]] = {
    "added": "created", "modified": "updated", "deleted": "deleted",
}  # fmt: skip


class DiffIn(Wire):
    """What the target is compared with; without it the environment of the caller's key."""

    source_environment_id: str | None = None


class Chosen(Wire):
    """A workflow (``BRIDGE``) or a layout (``REGULAR``), by its id."""

    resource_type: Type
    resource_id: str


class PublishIn(DiffIn):
    """What to publish; without ``resources`` all that differs. ``dryRun`` tells what would be done."""

    dry_run: bool = False
    resources: Annotated[list[Chosen], Field(max_length=1000)] | None = None


class ResourceOut(Wire):
    """A workflow or layout as one environment has it."""

    id: str
    name: str
    updated_at: Timestamp | None = None


class Values(Wire):
    """What differs: the target's values, and the source's."""

    previous: dict[str, Any]
    new: dict[str, Any]


class ChangeOut(Wire):
    """One thing that differs: the workflow or layout itself, or a step of it. ``fields`` says what in words."""

    resource_type: Type
    action: Action
    source_resource: ResourceOut | None
    target_resource: ResourceOut | None
    diffs: Values | None = None
    step_type: str | None = None
    waiting: int | None = Field(default=None, description="Executions in the target that wait in this step.")
    fields: list[str] | None = None


class Counts(Wire):
    """How many workflows or layouts of each sort."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    unchanged: int = 0


class ResourceDiff(Wire):
    """A workflow or layout and all that differs in it."""

    resource_type: Type
    source_resource: ResourceOut | None
    target_resource: ResourceOut | None
    changes: list[ChangeOut]
    summary: Counts
    in_flight: int = Field(description="Executions in the target that have not ended.")


class DiffSummary(Wire):
    """How many there are, and how many differ."""

    total_entities: int
    total_changes: int
    has_changes: bool


class DiffOut(Wire):
    """What must change for the target to hold what the source does."""

    source_environment_id: str
    target_environment_id: str
    resources: list[ResourceDiff]
    summary: DiffSummary


class Settled(Wire):
    """What was done to a workflow or layout."""

    resource_type: Type
    resource_id: str
    resource_name: str
    action: Literal["created", "updated", "deleted"]


class Left(Wire):
    """What was left as it is."""

    resource_type: Type
    resource_id: str
    resource_name: str
    reason: str


class Result(Wire):
    """What became of the workflows, or of the layouts. ``failed`` is always empty: it is all or nothing."""

    resource_type: Type
    successful: list[Settled]
    failed: list[dict[str, Any]]
    skipped: list[Left]
    total_processed: int


class PublishSummary(Wire):
    """How many."""

    resources: int
    successful: int
    failed: int
    skipped: int


class PublishOut(Wire):
    """What was done, or with ``dryRun`` would be."""

    results: list[Result]
    summary: PublishSummary
    dry_run: bool


@post("/v2/environments/{target_environment_id:str}/diff", status_code=200, summary="Compare environments", tags=TAGS)
async def diff(
    target_environment_id: FromPath[str], data: JSONBody[DiffIn], caller: TheCaller, runtime: TheRuntime
) -> Data[DiffOut]:
    """What the target lacks of the source, and has beyond it: workflows, layouts and their translations."""
    source, target = await _both(runtime, caller, target_environment_id, data.source_environment_id)
    found = await promote.compare(source, target)
    changed = sum(each.action != "unchanged" for each in found)
    return envelope(
        DiffOut(
            source_environment_id=str(source.environment_id),
            target_environment_id=str(target.environment_id),
            resources=[_diff(each) for each in found],
            summary=DiffSummary(total_entities=len(found), total_changes=changed, has_changes=changed > 0),
        )
    )


@post(
    "/v2/environments/{target_environment_id:str}/publish", status_code=200, summary="Publish to an environment",
    tags=TAGS,
)  # fmt: skip
async def publish(
    target_environment_id: FromPath[str], data: JSONBody[PublishIn], caller: TheCaller, runtime: TheRuntime
) -> Data[PublishOut]:
    """Make the target hold what the source does, all or nothing. What is on its way there goes on."""
    source, target = await _both(runtime, caller, target_environment_id, data.source_environment_id)
    only: set[Resource] | None = None
    if data.resources is not None:
        only = _selected(data.resources, await promote.compare(source, target))
    if data.dry_run:
        wanted, skipped = promote.chosen(await promote.compare(source, target), only)
    else:
        done = await promote.publish(source, target, only)
        wanted, skipped = list(done.done), list(done.skipped)
    results = [_result(kind, wanted, skipped) for kind in _TYPES]
    return envelope(
        PublishOut(
            results=[one for one in results if one.total_processed],
            summary=PublishSummary(
                resources=len(wanted) + len(skipped), successful=len(wanted), failed=0, skipped=len(skipped)
            ),
            dry_run=data.dry_run,
        )
    )


async def of_organization(runtime: Runtime, caller: Caller, environment_id: str) -> Environment:
    """The environment of this id, if it is of the caller's organization. Raises NotFound."""
    for one in await environments.all(runtime.database, caller.organization_id):
        if str(one.id) == environment_id:
            return one
    raise missing("environment", environment_id)


async def _both(runtime: Runtime, caller: Caller, target_id: str, source_id: str | None) -> tuple[Scope, Scope]:
    target = await of_organization(runtime, caller, target_id)
    source = await of_organization(runtime, caller, source_id or str(caller.environment.id))
    if source.id == target.id:
        message, hint = "Source and target are the same environment.", "Name the other one as sourceEnvironmentId."
        raise InvalidInput(
            message, hint=hint, issues=[Issue("/sourceEnvironmentId", "same_environment", message, hint)]
        )
    return runtime.scope(source.id), runtime.scope(target.id)


def _selected(asked: list[Chosen], found: list[Difference]) -> set[Resource]:
    known = {each.resource for each in found}
    issues: list[Issue] = []
    for at, one in enumerate(asked):
        kind = _KINDS[one.resource_type]
        if (kind, one.resource_id) not in known:
            hint = did_you_mean(one.resource_id, [name for other, name in known if other == kind])
            message = f"there is no {kind} {one.resource_id[:64]!r} in either environment"
            issues.append(Issue(f"/resources/{at}/resourceId", "unknown_resource", message, hint))
    if issues:
        raise refusal(issues)
    return {(_KINDS[one.resource_type], one.resource_id) for one in asked}


def _diff(one: Difference) -> ResourceDiff:
    kind, name = one.resource
    source = ResourceOut(id=name, name=one.name, updated_at=one.source_at) if one.source_at else None
    target = ResourceOut(id=name, name=one.name, updated_at=one.target_at) if one.target_at else None
    values = None if one.before is None or one.after is None else Values(previous=one.before, new=one.after)
    changes: list[ChangeOut] = []
    if one.action != "unchanged":
        whole = ChangeOut(
            resource_type=_TYPES[kind], action=one.action, source_resource=source, target_resource=target, diffs=values,
            fields=list(one.fields),
        )  # fmt: skip
        changes = [whole, *(_step(step.sign, step.step_id, step.kind, step.waiting) for step in one.steps)]
    return ResourceDiff(
        resource_type=_TYPES[kind],
        source_resource=source,
        target_resource=target,
        changes=changes,
        summary=Counts(**{one.action: 1}),
        in_flight=one.in_flight,
    )


def _step(sign: str, step_id: str, kind: str, waiting: int) -> ChangeOut:
    actions: dict[str, Action] = {"+": "added", "-": "deleted", "~": "modified"}
    step = ResourceOut(id=step_id, name=step_id)
    return ChangeOut(
        resource_type="BRIDGE", action=actions[sign], source_resource=None if sign == "-" else step,
        target_resource=None if sign == "+" else step, step_type=kind, waiting=waiting,
    )  # fmt: skip


def _result(kind: ResourceType, wanted: list[Difference], skipped: list[tuple[Difference, str]]) -> Result:
    def told(one: Difference) -> dict[str, Any]:
        return {"resource_type": _TYPES[kind], "resource_id": one.resource[1], "resource_name": one.name}

    done = [Settled(**told(one), action=_DONE[one.action]) for one in wanted if one.resource[0] == kind]
    left = [Left(**told(one), reason=reason) for one, reason in skipped if one.resource[0] == kind]
    return Result(
        resource_type=_TYPES[kind], successful=done, failed=[], skipped=left, total_processed=len(done) + len(left)
    )


HANDLERS: list[Any] = [diff, publish]
