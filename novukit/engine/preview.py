"""Preview: what one step of a workflow would say, made as a message is made, and never sent.

The workflow's function runs up to that step. Steps before it are not done: each gives back a sample of its result. What
stands between steps does run, as it does each time that an execution goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from ..authoring import Context, Step, Workflow
from ..errors import InvalidInput, Issue, NovukitError
from ..model import (
    CHANNELS,
    AnyContent,
    ChannelAddress,
    Digest,
    DigestEvent,
    EventContext,
    InAppInput,
    Integration,
    Sent,
    StepCall,
    StepKind,
    StoredSubscriber,
    Throttled,
    ThrottleInput,
)  # fmt: skip
from ..store import Scope
from ..store.executions import Claimed
from . import compose, once
from .breaker import Breakers
from .bulkhead import Bulkheads
from .frame import Frame
from .route import Route
from .runtime import Runtime
from .sample import sample

LONGEST = 10.0
"""Seconds that the workflow's function may take to come to the step."""


@dataclass(frozen=True)
class Given:
    """What to show a step with. What is missing is made up.

    ``steps`` are the results of earlier steps, by id; of a digest the list of its payloads. ``context`` has ids, or ids
    with data, by type.
    """

    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    subscriber: Mapping[str, Any] = field(default_factory=dict[str, Any])
    steps: Mapping[str, Any] = field(default_factory=dict[str, Any])
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Shown:
    """What the step would say (None of a step that says nothing), and the data that this was made with."""

    content: AnyContent | None
    payload: dict[str, Any]
    subscriber: dict[str, Any]


class _Reached(BaseException):
    """The step was reached. No ``Exception``: the author's code must not swallow it."""

    def __init__(self, call: StepCall) -> None:
        self.call = call


async def preview(rt: Runtime, scope: Scope, workflow: Workflow[Any], step_id: str, given: Given) -> Shown:
    """What the step ``step_id`` of ``workflow`` would say.

    Raises :class:`PayloadInvalid`, and :class:`InvalidInput` when the function does not come to the step with this
    data, when it raises, and when the message cannot be made.
    """
    await rt.routes.refresh([scope.environment_id])
    made_up: dict[str, Any] = sample(workflow.spec().payload_schema or {}) or {}
    payload = {**made_up, **given.payload}
    frame = _frame(rt, scope, workflow, payload, _person(rt, given.subscriber))
    contexts = _contexts(given.context)
    frame.execution.context = {kind: one.model_dump(mode="json") for kind, one in contexts.items()} or None
    call = await _reach(frame, workflow, step_id, given, contexts)
    person = cast("StoredSubscriber", frame.execution.subscriber).model_dump(
        mode="json", exclude={"id", "addresses", "created_at", "updated_at", "is_online", "last_online_at"}
    )
    return Shown(_content(frame, call) if call.kind in CHANNELS else None, payload, person)


def _frame(
    rt: Runtime, scope: Scope, workflow: Workflow[Any], payload: dict[str, Any], person: StoredSubscriber
) -> Frame:
    """An execution that nobody runs. It has no shift, for nothing of it is recorded."""
    execution = Claimed(
        id=rt.new_id(), environment_id=scope.environment_id, event_id=rt.new_id(), transaction_id="preview",
        workflow_id=workflow.id, version=None, subscriber_uuid=person.id, subscriber_id=person.subscriber_id, runs=1,
        takeovers=0, cancel_requested=False, triggered_at=rt.clock.now(), payload=payload, subscriber=person,
    )  # fmt: skip
    return Frame(rt, cast("Any", None), execution, workflow)


async def _reach(
    frame: Frame, workflow: Workflow[Any], step_id: str, given: Given, contexts: dict[str, EventContext]
) -> StepCall:
    async def run(call: StepCall) -> Any:
        if call.id == step_id:
            raise _Reached(call)
        return _result(frame, call, given)

    execution, person = frame.execution, frame.execution.subscriber
    assert person is not None
    context = Context(
        payload=workflow.parse_payload(execution.payload), subscriber=person, step=Step(run, workflow.parse_payload),
        transaction_id=execution.transaction_id, environment=frame.rt.routes.environment(execution.environment_id),
        execution_id=execution.id, workflow_id=workflow.id, catalogue=frame.catalogue, contexts=contexts,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST):
            await workflow.run(context)
    except _Reached as reached:
        return reached.call
    except NovukitError as err:
        raise _refused(f"The workflow stops before the step {step_id!r}: {err.message}", err.hint) from None
    except Exception as err:
        said = f"The workflow raises {type(err).__name__} before the step {step_id!r}: {err}"
        raise _refused(said[:1000], "Give other data in previewPayload.") from None
    hint = "Does it stand in an `if`? Give data in previewPayload with which the workflow comes there."
    raise _refused(f"With this data the workflow does not come to the step {step_id!r}.", hint)


def _result(frame: Frame, call: StepCall, given: Given) -> Any:
    """A sample of what a step gives back."""
    told = given.steps.get(call.id)
    match call.kind:
        case StepKind.DELAY:
            return None
        case StepKind.DIGEST:
            payloads = cast("list[Any]", told) if isinstance(told, list) else [frame.execution.payload]
            at = frame.now()
            return Digest(tuple(DigestEvent(id=str(n), time=at, payload=each) for n, each in enumerate(payloads)))
        case StepKind.THROTTLE:
            assert isinstance(call.inputs, ThrottleInput)
            return Throttled(throttled=False, count=1, limit=call.inputs.limit, window_start=frame.now())
        case StepKind.CUSTOM:
            if told is None and call.returns is not None:
                told = sample(TypeAdapter(call.returns).json_schema())
            try:
                return once.revive(call, told)
            except ValidationError:
                hint = f"Give it as previewPayload.steps.{call.id}."
                raise _refused(f"A result of the step {call.id!r} cannot be made up.", hint) from None
        case _:
            return Sent()


def _content(frame: Frame, call: StepCall) -> AnyContent:
    try:
        if isinstance(call.inputs, InAppInput):
            return compose.in_app(frame, call, call.inputs)
        return compose.for_provider(frame, call, _route(frame, call))
    except compose.Uncomposable as err:
        raise _refused(f"The message cannot be made ({err.reason}): {err.detail}") from None


def _route(frame: Frame, call: StepCall) -> Route:
    """A route that nothing is sent by."""
    rt, now, name = frame.rt, frame.now(), f"null-{call.kind.value}"
    credentials = {"from": "preview@example.com"} if call.kind is StepKind.EMAIL else {}
    integration = Integration(
        id=rt.new_id(), environment_id=frame.execution.environment_id, identifier="preview", name="Preview",
        provider_id=name, channel=cast("Any", call.kind.value), active=True, primary=True, credentials=credentials,
        created_at=now, updated_at=now,
    )  # fmt: skip
    provider = rt.host.build(name, credentials)
    return Route(integration, provider, Bulkheads(1).of(integration), Breakers().of(integration), None)


def _person(rt: Runtime, given: Mapping[str, Any]) -> StoredSubscriber:
    made_up: dict[str, Any] = {
        "subscriber_id": "ada", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com",
        "phone": "+4915112345678",
    }  # fmt: skip
    known = {name: value for name, value in given.items() if name in StoredSubscriber.model_fields}
    now = rt.clock.now()
    address = ChannelAddress(provider_id="preview", device_tokens=("preview",), webhook_url="https://example.com/")
    own = {"id": rt.new_id(), "created_at": now, "updated_at": now, "addresses": (address,)}
    try:
        return StoredSubscriber.model_validate({**made_up, **known, **own})
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        raise _refused(f"previewPayload.subscriber.{'.'.join(map(str, first['loc']))}: {first['msg']}.") from None


def _contexts(given: Mapping[str, Any]) -> dict[str, EventContext]:
    try:
        return {
            kind: EventContext(id=one, data={})
            if isinstance(one, str)
            else EventContext.model_validate({"data": {}} | one)
            for kind, one in given.items()
        }
    except (ValidationError, TypeError):
        raise _refused('previewPayload.context is of the form {"tenant": {"id": "acme", "data": {}}}.') from None


def _refused(message: str, hint: str | None = None) -> InvalidInput:
    return InvalidInput(message, hint=hint, issues=[Issue("/previewPayload", "no_preview", message, hint)])
