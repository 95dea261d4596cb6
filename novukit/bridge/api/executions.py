"""Executions: one workflow for one subscriber, looked at step by step, resumed, cancelled. Beside what Novu has."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import AwareDatetime, Field

from ... import engine
from ...errors import InvalidInput
from ...model import Activity, Execution, ExecutionStatus, Identifier, Reason, StepKind, StepRecord, StepStatus
from ...store import Scope, history, messages
from ...store.history import ExecutionFilter
from ...store.pages import PageQuery
from ..auth import Here, TheCaller, TheRuntime
from ..wire import CursorPage, Data, Limit, Timestamp, Wire, cursor_page, envelope, identify, missing
from .messages import MessageOut, message_out

TAGS = ["Executions"]


class ExecutionOut(Wire):
    """One workflow for one subscriber."""

    id: str
    event_id: str
    transaction_id: str
    workflow_id: str
    workflow_version: str | None
    subscriber_id: str
    status: ExecutionStatus
    can_resume: bool
    step: str | None = Field(description="The step in which it waits or ended.")
    reason: Reason | None
    detail: str
    runs: int
    wake_at: Timestamp | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None


class StepOut(Wire):
    """What became of one step."""

    id: str
    key: str
    kind: StepKind
    status: StepStatus
    reason: Reason | None
    detail: str
    attempts: int
    message_id: str | None
    wake_at: Timestamp | None
    started_at: Timestamp | None
    finished_at: Timestamp | None
    duration_ms: float | None
    result: Any


class ActivityOut(Wire):
    """One line of the log; ``sentence`` says its kind to a person."""

    id: str
    kind: str
    sentence: str
    step: str
    reason: str | None
    detail: str
    message_id: str | None
    at: Timestamp


class ExecutionStory(ExecutionOut):
    """An execution with all that happened."""

    steps: list[StepOut]
    messages: list[MessageOut]
    activity: list[ActivityOut]


class ResumeIn(Wire):
    """Which failed and parked executions to resume; at least one field must narrow them."""

    status: ExecutionStatus | list[ExecutionStatus] | None = None
    workflow_id: Identifier | None = None
    subscriber_id: str | None = None
    transaction_id: str | None = None
    reason: Reason | None = None
    step: str | None = None
    ids: list[UUID] | None = Field(default=None, max_length=10_000)
    created_from: AwareDatetime | None = None
    created_to: AwareDatetime | None = None


class ResumedOut(Wire):
    """How many go on."""

    resumed: int


class CancelledOut(Wire):
    """What a cancel found; what is ``cancelling`` stops before its next effect."""

    cancelled: int
    cancelling: int


@get("/v1/executions", summary="List executions", tags=TAGS)
async def list_all(
    *,
    here: Here,
    status: FromQuery[list[ExecutionStatus] | None] = None,
    workflow_id: Annotated[str | None, QueryParameter(name="workflowId")] = None,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId")] = None,
    transaction_id: Annotated[str | None, QueryParameter(name="transactionId")] = None,
    reason: FromQuery[Reason | None] = None,
    after: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    limit: Limit = 10,
) -> CursorPage[ExecutionOut]:
    """Executions, newest first."""
    found = await history.executions(
        here,
        status=status or (),
        workflow_id=workflow_id,
        subscriber_id=subscriber_id,
        transaction_id=transaction_id,
        reason=reason,
        query=PageQuery(after=after, before=before, limit=limit),
    )
    return cursor_page(found, _out)


@get("/v1/executions/{execution_id:str}", summary="Show an execution", tags=TAGS)
async def show(here: Here, caller: TheCaller, execution_id: FromPath[str]) -> Data[ExecutionStory]:
    """An execution with its steps and their timings, its messages and its activity."""
    one = await _find(here, execution_id)
    organization = str(caller.organization_id)
    return envelope(
        ExecutionStory(
            **dict(_out(one)),
            steps=[_step(step) for step in await history.steps(here, one.id)],
            messages=[message_out(each, organization) for each in await messages.of_execution(here, one.id)],
            activity=[_line(line) for line in await history.activity(here, execution_id=one.id)],
        )
    )


@post("/v1/executions/{execution_id:str}/resume", status_code=200, summary="Resume an execution", tags=TAGS)
async def resume(here: Here, runtime: TheRuntime, execution_id: FromPath[str]) -> Data[ExecutionOut]:
    """Let a failed or parked execution go on at the step where it ended. No step that is complete runs again."""
    one = await _find(here, execution_id)
    if not await engine.resume(runtime, here, [one.id]):
        raise InvalidInput(
            f"The execution is {one.status.value}; only one that failed or is parked can be resumed.",
            hint="GET /v1/executions/{id} shows what happened to it.",
        )
    return envelope(_out(await _find(here, execution_id)))


@post("/v1/executions/resume", status_code=200, summary="Resume executions", tags=TAGS)
async def resume_many(here: Here, runtime: TheRuntime, data: JSONBody[ResumeIn]) -> Data[ResumedOut]:
    """Resume all failed and parked executions that fit."""
    if not data.model_fields_set:
        raise InvalidInput(
            "Nothing says which executions to resume.",
            hint='Narrow them, for example with {"workflowId": "…"} or {"status": "failed"}.',
        )
    ids = await history.matching_ids(here, _filter(data))
    if data.ids is not None:
        wanted = set(data.ids)
        ids = [one for one in ids if one in wanted]
    return envelope(ResumedOut(resumed=await engine.resume(runtime, here, ids)))


@post("/v1/executions/{execution_id:str}/cancel", status_code=200, summary="Cancel an execution", tags=TAGS)
async def cancel(here: Here, runtime: TheRuntime, execution_id: FromPath[str]) -> Data[CancelledOut]:
    """Cancel an execution that has not ended; one that has is left as it is."""
    one = await _find(here, execution_id)
    done = await engine.cancel_executions(runtime, here, [one.id])
    return envelope(CancelledOut(cancelled=done.cancelled, cancelling=done.cancelling))


def _filter(asked: ResumeIn) -> ExecutionFilter:
    resumable = [status for status in ExecutionStatus if status.can_resume]
    wanted = [asked.status] if isinstance(asked.status, ExecutionStatus) else asked.status or resumable
    if refused := [status.value for status in wanted if not status.can_resume]:
        raise InvalidInput(
            f"Executions that are {refused[0]} cannot be resumed.", hint="Those that are failed or parked can."
        )
    return ExecutionFilter(
        status=wanted,
        workflow_ids=None if asked.workflow_id is None else [asked.workflow_id],
        subscriber_ids=[] if asked.subscriber_id is None else [asked.subscriber_id],
        transaction_id=asked.transaction_id,
        reason=asked.reason,
        step=asked.step,
        created_from=asked.created_from,
        created_to=asked.created_to,
    )


async def _find(scope: Scope, execution_id: str) -> Execution:
    found = await history.execution(scope, identify(execution_id, "execution"))
    if found is None:
        raise missing("execution", execution_id)
    return found


def _out(one: Execution) -> ExecutionOut:
    fields: dict[str, Any] = {name: getattr(one, name) for name in Execution.model_fields}
    del fields["environment_id"]
    return ExecutionOut(
        **fields | {"id": str(one.id), "event_id": str(one.event_id), "can_resume": one.status.can_resume}
    )


def _step(step: StepRecord) -> StepOut:
    fields: dict[str, Any] = {name: getattr(step, name) for name in StepRecord.model_fields}
    fields["id"] = fields.pop("step_id")
    return StepOut(**fields | {"message_id": str(step.message_id) if step.message_id else None})


def _line(line: Activity) -> ActivityOut:
    return ActivityOut(
        id=str(line.id),
        kind=line.kind.value,
        sentence=line.kind.sentence,
        step=line.step,
        reason=line.reason,
        detail=line.detail,
        message_id=str(line.message_id) if line.message_id else None,
        at=line.at,
    )


HANDLERS: list[Any] = [list_all, show, resume, resume_many, cancel]
