"""Outcomes that nobody knows: a person says what became of a message, and its execution goes on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import post
from litestar.params import FromPath, JSONBody
from pydantic import AwareDatetime, Field

from ... import engine
from ...engine.resolve import Resolved
from ...errors import InvalidInput, NothingToResolve, ResolvedOtherwise
from ...model import Caller, Identifier, Resolution
from ...store import Scope, history, keys, messages
from ...store.history import ExecutionFilter
from ..auth import Here, TheCaller, TheRuntime
from ..wire import Data, Wire, envelope, identify, missing
from .executions import ExecutionOut, execution_out, find
from .messages import MessageOut, message_out

TAGS = ["Executions"]


class OutcomeIn(Wire):
    """What became of the message, as somebody has found out."""

    outcome: Resolution = Field(
        description="sent: it went out. not_sent: it did not; it is sent again, under the same key. failed: let the "
        "step fail, as if the provider had refused it."
    )
    note: str = Field(default="", max_length=500, description="How one knows; it goes into the activity log.")


class UnknownIn(Wire):
    """Which of the executions that stand at an unknown outcome are meant; those that fit all that is said."""

    workflow_id: Identifier | None = None
    subscriber_id: str | None = None
    transaction_id: str | None = None
    step: str | None = None
    created_from: AwareDatetime | None = None
    created_to: AwareDatetime | None = None


class OutcomesIn(OutcomeIn):
    """Of which messages one says so: those of executions by id, or of all that fit a filter."""

    execution_ids: list[UUID] | None = Field(default=None, max_length=10_000)
    filter: UnknownIn | None = None


class OutcomesOut(Wire):
    """How many go on. ``already``: of these it had been said before. The others stand at no unknown outcome."""

    resolved: int
    already: int
    others: int


@post("/v1/executions/{execution_id:str}/resolve", status_code=200, summary="Resolve an unknown outcome", tags=TAGS)
async def resolve(
    here: Here, caller: TheCaller, runtime: TheRuntime, execution_id: FromPath[str], data: JSONBody[OutcomeIn]
) -> Data[ExecutionOut]:
    """Say what became of the message at which an execution stands, and let it go on. Again is the same."""
    one = await find(here, execution_id)
    done = await engine.resolve(runtime, here, [one.id], data.outcome, by=await _by(here, caller), note=data.note)
    _refuse(done, f"The execution is {one.status.value}")
    return envelope(execution_out(await find(here, execution_id)))


@post("/v1/messages/{message_id:str}/resolve", status_code=200, summary="Resolve a message", tags=["Messages"])
async def resolve_message(
    here: Here, caller: TheCaller, runtime: TheRuntime, message_id: FromPath[str], data: JSONBody[OutcomeIn]
) -> Data[MessageOut]:
    """Say what became of a message whose outcome is unknown, and let its execution go on. Again is the same."""
    found = await messages.get(here, identify(message_id, "message"))
    if found is None:
        raise missing("message", message_id)
    step = f"{found.step_id}[{found.step_key}]" if found.step_key else found.step_id
    done = await engine.resolve(
        runtime, here, [found.execution_id], data.outcome, by=await _by(here, caller), note=data.note, step=step
    )
    _refuse(done, f"The message is {found.status.value}")
    now = await messages.get(here, found.id)
    return envelope(message_out(now or found, str(caller.organization_id)))


@post("/v1/executions/resolve", status_code=200, summary="Resolve unknown outcomes", tags=TAGS)
async def resolve_many(
    here: Here, caller: TheCaller, runtime: TheRuntime, data: JSONBody[OutcomesIn]
) -> Data[OutcomesOut]:
    """Say the same of many messages; executions that stand at no unknown outcome are left as they are."""
    if (data.execution_ids is None) == (data.filter is None):
        raise InvalidInput(
            "Either executionIds or filter must say which executions to resolve.",
            hint='For example {"outcome": "sent", "filter": {"workflowId": "…"}}.',
        )
    chosen = data.execution_ids
    if data.filter is not None:
        chosen = await history.matching_ids(here, _filter(data.filter))
    done = await engine.resolve(runtime, here, chosen or [], data.outcome, by=await _by(here, caller), note=data.note)
    others = len(done.others) + len(done.otherwise)
    return envelope(OutcomesOut(resolved=done.now, already=len(done.before), others=others))


def _refuse(done: Resolved, state: str) -> None:
    if done.otherwise:
        raise ResolvedOtherwise(
            f"Something else was said of this message before: {done.otherwise[0][1].value}.",
            hint="GET /v1/executions/{id} shows by whom, and what followed.",
        )
    if done.others:
        raise NothingToResolve(
            f"{state}, and stands at no message whose outcome is unknown.",
            hint="GET /v1/executions?unknown=true lists those that do.",
        )


def _filter(asked: UnknownIn) -> ExecutionFilter:
    return ExecutionFilter(
        unknown=True,
        workflow_ids=None if asked.workflow_id is None else [asked.workflow_id],
        subscriber_ids=[] if asked.subscriber_id is None else [asked.subscriber_id],
        transaction_id=asked.transaction_id,
        step=asked.step,
        created_from=asked.created_from,
        created_to=asked.created_to,
    )


async def _by(scope: Scope, caller: Caller) -> str:
    """Who says so, for the log."""
    named = [key.name for key in await keys.list_all(scope) if key.id == caller.key_id]
    return f"key {named[0]!r}" if named else "a key"


HANDLERS: list[Any] = [resolve, resolve_message, resolve_many]
