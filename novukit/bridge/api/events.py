"""Events: trigger one workflow, many, or everyone; and cancel what a trigger began."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ... import engine
from ...engine import Keyed, Runtime
from ...errors import InvalidInput, Issue, NovukitError, TooLarge, WorkflowNotFound, did_you_mean
from ...model import EventStatus, Everyone, ExecutionStatus, Identifier, TransactionId, Trigger, Triggered
from ...store import Scope, bridges, progress, topics, workflows
from .. import wire
from ..auth import Here, TheRuntime
from ..body import LARGE_BODY, StrictRequest
from ..contexts import read_context
from ..idempotency import KEEPING, answered
from ..issues import kind_of, refusal
from ..wire import Data, Wire
from . import overrides
from .credentials import unknown_providers
from .recipients import Named, read_at, read_subscriber

TAGS = ["Events"]

LARGEST_PAYLOAD = 512 * 1024
"""Bytes that a payload may have as JSON in UTF-8: it travels with every execution."""

MOST_EVENTS = 100

_LEFT_OUT = {
    "bridge_url": "novukit runs the workflows that were synced; it fetches none from another bridgeUrl.",
    "controls": "A step's values come from the workflow's code; there are no controls to set.",
    "agent_id": "novukit has no agents.",
}

_NAME, _TO, _PAYLOAD = "Did you mean 'name'?", "Did you mean 'to'?", "Did you mean 'payload'?"


class BroadcastIn(Wire):
    """What may be asked with every trigger."""

    HINTS: ClassVar[dict[str, str]] = {
        "workflowId": _NAME, "workflow_id": _NAME, "workflow": _NAME, "event": _NAME, "subscriberId": _TO,
        "recipient": _TO, "recipients": _TO, "data": _PAYLOAD,
        "to": "A broadcast goes to every subscriber. To name recipients, use POST /v1/events/trigger.",
    }  # fmt: skip

    name: Identifier
    payload: dict[str, Any] = Field(default_factory=dict[str, Any])
    overrides: dict[str, Any] | None = None
    transaction_id: TransactionId | None = None
    actor: Any = None
    tenant: Any = None
    context: Any = None
    bridge_url: Any = None
    controls: Any = None
    agent_id: Any = None


class TriggerIn(BroadcastIn):
    """A trigger and its recipients; each recipient has one of several forms, see ``recipients``."""

    to: Any


class BulkIn(Wire):
    """Several triggers, each of which may fail alone."""

    events: list[Any] = Field(min_length=1, max_length=MOST_EVENTS)


class TenantIn(Wire):
    """For whom, among the customers of the caller, the event is."""

    identifier: str = Field(min_length=1, max_length=255)
    name: str | None = None
    data: dict[str, Any] | None = None


class TriggeredOut(Wire):
    """How a trigger was answered. ``executions`` counts those that began at once; topics follow."""

    acknowledged: bool = True
    status: str
    error: list[str] | None = None
    transaction_id: str | None = None
    event_id: str | None = None
    executions: int = 0
    duplicate: bool = False


class TriggeredTwice(TriggeredOut):
    """The answer in the envelope and beside it: one of Novu's clients looks here, another there."""

    data: TriggeredOut


class ProgressOut(Wire):
    """How far an event has come."""

    event_id: str
    transaction_id: str
    workflow_id: str
    status: EventStatus = Field(description="expanding while members of topics are still to come.")
    executions: int = Field(description="How many there are by now.")
    expected: int = Field(description="How many there will be, at most: someone may be in several topics.")
    statuses: dict[ExecutionStatus, int] = Field(description="The executions by status.")


@post(
    "/v1/events/trigger",
    summary="Trigger a workflow",
    tags=TAGS,
    request_max_body_size=LARGE_BODY,
    opt={KEEPING: "itself"},
)
async def trigger(
    request: StrictRequest, data: JSONBody[TriggerIn], here: Here, runtime: TheRuntime
) -> Response[TriggeredTwice]:
    """Trigger a workflow for up to 100 recipients."""
    return await _trigger(request, data, here, runtime)


@post(
    "/v1/events/trigger/broadcast",
    summary="Trigger a workflow for everyone",
    tags=TAGS,
    request_max_body_size=LARGE_BODY,
    opt={KEEPING: "itself"},
)
async def broadcast(
    request: StrictRequest, data: JSONBody[BroadcastIn], here: Here, runtime: TheRuntime
) -> Response[TriggeredTwice]:
    """Trigger a workflow for every subscriber of the environment."""
    return await _trigger(request, data, here, runtime)


@post("/v1/events/trigger/bulk", summary="Trigger several times", tags=TAGS, request_max_body_size=LARGE_BODY)
async def bulk(
    request: StrictRequest, data: JSONBody[BulkIn], here: Here, runtime: TheRuntime
) -> Data[list[TriggeredOut]]:
    """Trigger 1 to 100 times. The results are in the order of the events; one that fails does not stop the others."""
    _refuse_repeated(data.events)
    size = len(await request.body())
    read = [await _try_to_read(runtime, here, event, size) for event in data.events]
    done = iter(await engine.trigger_all(runtime, here, [one.ask for one in read if isinstance(one, _Asked)]))
    return wire.envelope([await _outcome(here, one, done) for one in read])


@get("/v1/events/trigger/{transaction_id:str}", summary="Show a transaction's progress", tags=TAGS)
async def show(transaction_id: FromPath[str], here: Here) -> Data[ProgressOut]:
    """How many executions a trigger has begun, how many its topics will add, and where they stand."""
    found = await progress.read(here, transaction_id)
    if found is None:
        raise wire.missing("transaction", transaction_id)
    return wire.envelope(
        ProgressOut(
            event_id=str(found.event_id),
            transaction_id=found.transaction_id,
            workflow_id=found.workflow_id,
            status=found.status,
            executions=found.executions,
            expected=found.expected,
            statuses=found.statuses,
        )
    )


@delete("/v1/events/trigger/{transaction_id:str}", status_code=200, summary="Cancel a transaction", tags=TAGS)
async def cancel(transaction_id: FromPath[str], here: Here, runtime: TheRuntime) -> Data[bool]:
    """Cancel what has not ended of a transaction; false when there was nothing to cancel."""
    done = await engine.cancel(runtime, here, transaction_id)
    return wire.envelope(bool(done.cancelled or done.cancelling))


def answer(done: Triggered) -> TriggeredOut:
    """How a trigger was answered, in the words of the wire."""
    return TriggeredOut(
        status=done.status.value,
        transaction_id=done.transaction_id,
        event_id=str(done.event_id) if done.event_id else None,
        executions=done.executions,
        duplicate=done.duplicate,
    )


def _twice(told: TriggeredOut) -> TriggeredTwice:
    return TriggeredTwice(data=told, **dict(told))


async def _trigger(
    request: StrictRequest, body: BroadcastIn, here: Scope, runtime: Runtime
) -> Response[TriggeredTwice]:
    asked = await _read(runtime, here, body, len(await request.body()))

    async def ask(keyed: Keyed | None) -> Triggered:
        try:
            return await engine.trigger(runtime, here, asked.ask, keyed)
        except NovukitError as err:
            raise await _explain(here, asked, err) from None

    return await answered(request, ask, lambda done: _twice(answer(done)))


async def take(runtime: Runtime, scope: Scope, body: BroadcastIn, size: int) -> Triggered:
    """Check what is asked and trigger. ``size`` is that of the whole body, in bytes."""
    asked = await _read(runtime, scope, body, size)
    try:
        return await engine.trigger(runtime, scope, asked.ask)
    except NovukitError as err:
        raise await _explain(scope, asked, err) from None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A trigger that was read, and where the body names whom."""

    ask: Trigger
    named: Named


async def _outcome(scope: Scope, one: _Asked | NovukitError, done: Iterator[Triggered | NovukitError]) -> TriggeredOut:
    """How one event of a bulk was answered; ``done`` holds what became of those that could be read."""
    told = next(done) if isinstance(one, _Asked) else one
    if isinstance(told, Triggered):
        return answer(told)
    if isinstance(one, _Asked):
        told = await _explain(scope, one, told)
    return TriggeredOut(status="error", error=_sentences(told))


async def _try_to_read(runtime: Runtime, scope: Scope, event: Any, size: int) -> _Asked | NovukitError:
    try:
        return await _read(runtime, scope, wire.read(TriggerIn, event), size)
    except NovukitError as err:
        return err


async def _read(runtime: Runtime, scope: Scope, body: BroadcastIn, size: int) -> _Asked:
    """Check what is asked. ``size`` is that of the whole body, in bytes."""
    found: list[Issue] = []
    named = Named()
    if isinstance(body, TriggerIn):
        named.read(body.to, found)
    else:
        named.to.append(Everyone())
    found += unknown_providers(runtime, named.providers)
    for name, sentence in _LEFT_OUT.items():
        given = getattr(body, name)
        if given is not None and not (name == "bridge_url" and await _is_synced(scope, given)):
            alias = type(body).model_fields[name].alias or name
            found.append(Issue(f"/{alias}", "not_supported", sentence, "Leave it out."))
    actor = read_subscriber(body.actor, "/actor", found) if body.actor is not None else None
    tenant = _tenant(body.tenant, found)
    context = read_context(body.context, "/context", found)
    asked = overrides.check(body.overrides, found) if body.overrides else None
    # The spec is read only for what must be held against it: a plain trigger does without.
    workflow = await workflows.get(scope, body.name) if asked else None
    if workflow and asked:
        overrides.fit(asked, workflow.spec, found)
    if found:
        raise refusal(found)
    if size > LARGEST_PAYLOAD:
        _refuse_large(body.payload)
    ask = Trigger(
        workflow=body.name,
        to=tuple(named.to),
        payload=body.payload,
        overrides=body.overrides or {},
        actor=actor.subscriber() if actor else None,
        tenant=tenant,
        context=context or None,
        transaction_id=body.transaction_id,
        addresses={subscriber_id: tuple(those) for subscriber_id, those in named.addresses.items()},
    )
    return _Asked(ask, named)


async def _explain(scope: Scope, asked: _Asked, err: NovukitError) -> NovukitError:
    """The same error with what the engine cannot know: where in the body it is wrong."""
    if isinstance(err, WorkflowNotFound):
        issue = Issue("/name", "unknown_workflow", "is not a workflow of this environment")
        return WorkflowNotFound(err.message, hint=err.hint, issues=[issue])
    if isinstance(err, InvalidInput) and (unknown := await _unknown_topics(scope, asked.named)):
        return refusal(unknown)
    return err


async def _is_synced(scope: Scope, url: object) -> bool:
    """Whether that is the application whose workflows run here: in development its framework says so each time."""
    bridge = await bridges.get(scope)
    return bridge is not None and isinstance(url, str) and bridge.url.rstrip("/") == url.rstrip("/")


async def _unknown_topics(scope: Scope, named: Named) -> list[Issue]:
    """The topics that a trigger names and that do not exist, with where it names them."""
    known = await topics.which(scope, list(named.topics.values()))
    missing = {path: key for path, key in named.topics.items() if key not in known}
    names = await topics.keys(scope) if missing else []
    return [
        Issue(path, "unknown_topic", f"there is no topic {key!r} in this environment", did_you_mean(key, names))
        for path, key in missing.items()
    ]


def _tenant(value: Any, found: list[Issue]) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = {"identifier": value}
    if not isinstance(value, dict):
        message = f"expected the identifier of a tenant or an object, got {kind_of(value)}"
        found.append(Issue("/tenant", "wrong_type", message))
        return None
    tenant = read_at(TenantIn, value, "/tenant", found)
    return tenant.model_dump(by_alias=True, exclude_none=True) if tenant else None


def _refuse_large(payload: dict[str, Any]) -> None:
    size = len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
    if size > LARGEST_PAYLOAD:
        message = f"The payload has {size:,} bytes; {LARGEST_PAYLOAD:,} is the limit."
        hint = "Store what is large elsewhere and pass a link to it."
        raise TooLarge(message, hint=hint, issues=[Issue("/payload", "too_large", message, hint)])


def _refuse_repeated(events: list[Any]) -> None:
    """Refuse a bulk in which one transaction id comes twice: the second would silently begin nothing."""
    first: dict[str, int] = {}
    found: list[Issue] = []
    for number, event in enumerate(events):
        name = cast("dict[str, Any]", event).get("transactionId") if isinstance(event, dict) else None
        if not isinstance(name, str):
            continue
        if name in first:
            message = f"has the transactionId of event {first[name]}"
            hint = "Give each event its own."
            found.append(Issue(f"/events/{number}/transactionId", "repeated_transaction_id", message, hint))
        first.setdefault(name, number)
    if found:
        raise refusal(found)


def _sentences(err: NovukitError) -> list[str]:
    """Why an event of a bulk failed, a sentence for each thing that is wrong."""
    if isinstance(err, InvalidInput) and err.issues:
        return [f"{i.path or 'The event'}: {i.message}.{f' {i.hint}' if i.hint else ''}" for i in err.issues]
    return [str(err)]


HANDLERS: list[Any] = [trigger, broadcast, bulk, show, cancel]
