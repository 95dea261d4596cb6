"""Executions: one workflow for one subscriber, looked at step by step, resumed, cancelled. Beside what Novu has."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import AwareDatetime, Field

from ... import engine
from ...errors import InvalidInput
from ...model import (
    Activity,
    Execution,
    ExecutionStatus,
    Identifier,
    Message,
    MessageStatus,
    Reason,
    StepKind,
    StepRecord,
    StepStatus,
)
from ...store import Scope, history, timeline
from ...store.history import ExecutionFilter
from ..auth import Here, TheRuntime
from ..cursors import CURSOR, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, identify, missing
from .messages import DeliveryOut, delivery_out

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
    step: str | None = Field(description="The step in which it waits or failed.")
    reason: Reason | None
    detail: str
    runs: int
    wake_at: Timestamp | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None


class StepOut(Wire):
    """What became of one step."""

    step_id: str
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


class SentOut(Wire):
    """A message of an execution, with its content as its provider was given it."""

    id: str
    step_id: str
    key: str
    channel: str
    status: MessageStatus
    delivery: DeliveryOut | None = None
    content: dict[str, Any]
    provider_id: str | None
    provider_message_id: str | None
    attempts: int
    possible_duplicate: bool
    error: str | None
    seen_at: Timestamp | None
    read_at: Timestamp | None
    created_at: Timestamp
    sent_at: Timestamp | None


class LineOut(Wire):
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
    messages: list[SentOut]
    activity: list[LineOut]


class ExecutionsIn(Wire):
    """Which executions are meant; those that fit all that is said."""

    status: ExecutionStatus | list[ExecutionStatus] | None = None
    workflow_id: Identifier | None = None
    subscriber_id: str | None = None
    transaction_id: str | None = None
    reason: Reason | None = None
    step: str | None = None
    created_from: AwareDatetime | None = None
    created_to: AwareDatetime | None = None


class ResumeIn(Wire):
    """Which failed and parked executions to resume: by id, or all that fit a filter."""

    execution_ids: list[UUID] | None = Field(default=None, max_length=10_000)
    filter: ExecutionsIn | None = None


class ResumedOut(Wire):
    """How many go on."""

    resumed: int


class CancelIn(Wire):
    """Which transaction's executions to cancel."""

    transaction_id: str = Field(min_length=1, max_length=255)


class CancelledOut(Wire):
    """What a cancel found; what is ``cancelling`` stops before its next effect."""

    cancelled: int
    cancelling: int


@get("/v1/executions", summary="List executions", tags=TAGS, dependencies=CURSOR)
async def list_all(
    *,
    here: Here,
    status: FromQuery[list[ExecutionStatus] | None] = None,
    workflow_id: Annotated[str | None, QueryParameter(name="workflowId")] = None,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId")] = None,
    transaction_id: Annotated[str | None, QueryParameter(name="transactionId")] = None,
    reason: FromQuery[Reason | None] = None,
    unknown: Annotated[
        bool,
        QueryParameter(description="Only those that ended at a message of which nobody knows whether it went out."),
    ] = False,
    part: ThePart,
) -> CursorPage[ExecutionOut]:
    """Executions, newest first."""
    found = await history.executions(
        here,
        status=status or (),
        workflow_id=workflow_id,
        subscriber_id=subscriber_id,
        transaction_id=transaction_id,
        reason=reason,
        unknown=unknown,
        query=part,
    )
    return cursor_page(found, execution_out)


@get("/v1/executions/{execution_id:str}", summary="Show an execution", tags=TAGS)
async def show(here: Here, execution_id: FromPath[str]) -> Data[ExecutionStory]:
    """An execution with its steps and their timings, its messages and its activity."""
    one = await find(here, execution_id)
    return envelope(
        ExecutionStory(
            **dict(execution_out(one)),
            steps=[_step(step) for step in await history.steps(here, one.id)],
            messages=[_sent(message) for message in await history.messages_of(here, one.id)],
            activity=[_line(line) for line in await timeline.of_execution(here, one.id)],
        )
    )


@post("/v1/executions/{execution_id:str}/resume", status_code=200, summary="Resume an execution", tags=TAGS)
async def resume(here: Here, runtime: TheRuntime, execution_id: FromPath[str]) -> Data[ExecutionOut]:
    """Let a failed or parked execution go on at the step where it ended. No step that is complete runs again."""
    one = await find(here, execution_id)
    if not await engine.resume(runtime, here, [one.id]):
        raise InvalidInput(
            f"The execution is {one.status.value}; only one that failed or is parked can be resumed.",
            hint="GET /v1/executions/{id} shows what happened to it.",
        )
    return envelope(execution_out(await find(here, execution_id)))


@post("/v1/executions/resume", status_code=200, summary="Resume executions", tags=TAGS)
async def resume_many(here: Here, runtime: TheRuntime, data: JSONBody[ResumeIn]) -> Data[ResumedOut]:
    """Resume failed and parked executions; others among those named are left as they are."""
    if (data.execution_ids is None) == (data.filter is None):
        raise InvalidInput(
            "Either executionIds or filter must say which executions to resume.",
            hint='For example {"filter": {"workflowId": "…", "status": "failed"}}.',
        )
    chosen = data.execution_ids
    if data.filter is not None:
        chosen = await history.matching_ids(here, _filter(data.filter))
    return envelope(ResumedOut(resumed=await engine.resume(runtime, here, chosen or [])))


@post("/v1/executions/cancel", status_code=200, summary="Cancel executions", tags=TAGS)
async def cancel_many(here: Here, runtime: TheRuntime, data: JSONBody[CancelIn]) -> Data[CancelledOut]:
    """Cancel what has not ended of a transaction, and tell apart what is cancelled and what is still stopping."""
    done = await engine.cancel(runtime, here, data.transaction_id)
    if not done.found:
        raise missing("transaction", data.transaction_id)
    return envelope(CancelledOut(cancelled=done.cancelled, cancelling=done.cancelling))


@post("/v1/executions/{execution_id:str}/cancel", status_code=200, summary="Cancel an execution", tags=TAGS)
async def cancel(here: Here, runtime: TheRuntime, execution_id: FromPath[str]) -> Data[CancelledOut]:
    """Cancel an execution that has not ended; one that has is left as it is."""
    one = await find(here, execution_id)
    done = await engine.cancel_executions(runtime, here, [one.id])
    return envelope(CancelledOut(cancelled=done.cancelled, cancelling=done.cancelling))


def _filter(asked: ExecutionsIn) -> ExecutionFilter:
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


async def find(scope: Scope, execution_id: str) -> Execution:
    """The execution of a path. Raises :class:`NotFound`."""
    found = await history.execution(scope, identify(execution_id, "execution"))
    if found is None:
        raise missing("execution", execution_id)
    return found


def execution_out(one: Execution) -> ExecutionOut:
    """An execution as it goes out."""
    return ExecutionOut(
        id=str(one.id),
        event_id=str(one.event_id),
        transaction_id=one.transaction_id,
        workflow_id=one.workflow_id,
        workflow_version=one.workflow_version,
        subscriber_id=one.subscriber_id,
        status=one.status,
        can_resume=one.status.can_resume,
        step=one.step,
        reason=one.reason,
        detail=one.detail,
        runs=one.runs,
        wake_at=one.wake_at,
        created_at=one.created_at,
        started_at=one.started_at,
        finished_at=one.finished_at,
    )


def _step(step: StepRecord) -> StepOut:
    return StepOut(
        step_id=step.step_id,
        key=step.key,
        kind=step.kind,
        status=step.status,
        reason=step.reason,
        detail=step.detail,
        attempts=step.attempts,
        message_id=str(step.message_id) if step.message_id else None,
        wake_at=step.wake_at,
        started_at=step.started_at,
        finished_at=step.finished_at,
        duration_ms=step.duration_ms,
        result=step.result,
    )


def _sent(message: Message) -> SentOut:
    return SentOut(
        id=str(message.id),
        step_id=message.step_id,
        key=message.step_key,
        channel=message.channel,
        status=message.status,
        delivery=delivery_out(message),
        content=message.content,
        provider_id=message.provider_id,
        provider_message_id=message.provider_message_id,
        attempts=message.attempts,
        possible_duplicate=message.possible_duplicate,
        error=message.error,
        seen_at=message.seen_at,
        read_at=message.read_at,
        created_at=message.created_at,
        sent_at=message.sent_at,
    )


def _line(line: Activity) -> LineOut:
    return LineOut(
        id=str(line.id),
        kind=line.kind.value,
        sentence=line.kind.sentence,
        step=line.step,
        reason=line.reason,
        detail=line.detail,
        message_id=str(line.message_id) if line.message_id else None,
        at=line.at,
    )


HANDLERS: list[Any] = [list_all, show, resume, resume_many, cancel, cancel_many]
