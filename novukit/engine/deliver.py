"""Deliver: a channel step. May we? To whom, by whom, in what words? Put that on record; send; put the answer on record.

The order is the promise. The message is durable before the provider is called (the *intent*), and the answer is durable
before the next step's effect. A crash between the two leaves an intent without an answer: its outcome is *unknown*, and
is treated as that, with the same key.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn, cast
from uuid import UUID

from pydantic import TypeAdapter

from ..crash import crash_point
from ..errors import StepFailed
from ..model import (
    ActivityKind,
    AnyContent,
    Channel,
    ChannelInput,
    ChatContent,
    ChatToEndpoints,
    Checkpoint,
    EmailContent,
    InAppContent,
    InAppInput,
    Message,
    MessageStatus,
    PushContent,
    Reason,
    Retry,
    Sent,
    SmsContent,
    StepCall,
    StepKind,
    StepStatus,
    Way,
)  # fmt: skip
from ..model import resolve_one as resolve_preference
from ..providers import Delivery, Outcome, dispatch
from ..store import messages, preferences
from ..store.database import as_json
from ..store.entries import Entry, OpenMessage, UpdateMessage
from ..store.journal import AddressSuppressed, Preferred
from . import choose, compose, gate, hygiene, reach, schedule, suppression
from .backoff import wait_before
from .bulkhead import Place
from .choose import RETRY, HandedOn
from .compose import Uncomposable
from .frame import Frame, finish
from .route import Route
from .unwind import Abandoned, Cancelled, Park, Suspend

_REASONS = {
    Outcome.REJECTED: Reason.PROVIDER_REJECTED,
    Outcome.THROTTLED: Reason.PROVIDER_THROTTLED,
    Outcome.UNAVAILABLE: Reason.PROVIDER_UNAVAILABLE,
    Outcome.RECIPIENT_GONE: Reason.RECIPIENT_GONE,
    Outcome.UNKNOWN: Reason.OUTCOME_UNKNOWN,
}
_CONTENTS: dict[StepKind, TypeAdapter[Any]] = {
    StepKind.EMAIL: TypeAdapter(EmailContent),
    StepKind.SMS: TypeAdapter(SmsContent),
    StepKind.PUSH: TypeAdapter(PushContent),
    StepKind.CHAT: TypeAdapter(ChatToEndpoints | ChatContent),
}


async def deliver(frame: Frame, call: StepCall, row: Checkpoint | None) -> Sent:
    """Perform a channel step, new (``row`` is None), tried before, or cut off in the middle of its call."""
    handed: HandedOn | None = None
    while True:
        try:
            return await (_deliver(frame, call, row) if handed is None else _hand_on(frame, call, handed))
        except HandedOn as on:  # out here no place of the first integration is held
            handed = on


async def _deliver(frame: Frame, call: StepCall, row: Checkpoint | None) -> Sent:
    asked = cast("ChannelInput", call.inputs)
    # One that a person says was not sent is sent in the words that are on record, and has all its attempts before it.
    called = row is not None and row.message_id is not None and (row.attempts > 0 or row.reason is Reason.NOT_SENT)
    # Somebody may have deleted the message meanwhile; then it is made anew, under the same key.
    if row and called and (message := await messages.get(frame.scope, cast("UUID", row.message_id))):
        return await _again(frame, call, asked, row, message)
    checkpoint = row or frame.fresh(call)
    try:
        if skipped := await _refused(frame, call, asked):
            raise Uncomposable(*skipped, skip=True)
        if isinstance(asked, InAppInput):
            return _into_the_inbox(frame, call, asked, checkpoint)
        route, content = choose.first(frame, call, asked)
    except Uncomposable as no:
        return _not_sent(frame, call, checkpoint, no)
    checkpoint = await gate.enter(frame, call, checkpoint, route)
    async with Place(frame, route.bulkhead):
        checkpoint = _first(checkpoint, checkpoint.message_id or frame.rt.new_id(), frame.now() if row else None)
        intent = _open(frame, call, checkpoint, MessageStatus.CALLING, content, route)
        addressed = suppression.addressed(intent, content, critical=_critical(frame))
        try:
            await frame.unless_cancelled(frame.told(checkpoint, intent), _decided_by(frame), addressed)
        except AddressSuppressed:
            unsent = replace(checkpoint, attempts=0, message_id=row.message_id if row else None)
            return _not_sent(frame, call, unsent, await suppression.told(frame, addressed))
        crash_point("intent.after")
        return await _call(frame, call, asked, checkpoint, route, content)


def _first(row: Checkpoint, message_id: UUID, at: datetime | None) -> Checkpoint:
    """The checkpoint at the first call. Written out, for ``replace`` takes three times as long."""
    return Checkpoint(
        row.step_id, row.key, row.kind, StepStatus.CALLING, row.result, None, "", 1, row.args_hash,
        row.position, message_id, None, at or row.started_at, row.finished_at, row.way,
    )  # fmt: skip


async def _again(frame: Frame, call: StepCall, asked: ChannelInput, row: Checkpoint, message: Message) -> Sent:
    """The same message once more: the recorded words and key, after a refusal or an unknown outcome."""
    scope = frame.scope
    if row.status is StepStatus.UNKNOWN:  # it was to be parked, and the process ended before the execution was
        _park(frame, call, row, row.detail)
    unknown = row.status is StepStatus.CALLING or row.reason is Reason.OUTCOME_UNKNOWN
    row = replace(row, reason=Reason.OUTCOME_UNKNOWN if unknown else None)
    route = frame.rt.routes.by_id(scope.environment_id, message.integration_id)
    if route is None:
        said = "The integration that the message was with is not active any more."
        if unknown:
            _park(frame, call, row, said)
        choose.pass_on(frame, call, asked, row, message.integration_id, Reason.NO_INTEGRATION, said)
        _failed(frame, call, row, Reason.NO_INTEGRATION, said)
    # Before anything that may put it to sleep: when it wakes, its record no longer tells that a call was cut off.
    if row.status is StepStatus.CALLING and asked.on_unknown == "park" and route.provider.idempotency == "none":
        _park(frame, call, row, "The process ended before the provider's answer was on record.")
    if route.breaker.wait(frame.rt.clock.monotonic()) and (not unknown or choose.allows_twice(asked, route)):
        choose.pass_on(frame, call, asked, row, route.integration, Reason.CIRCUIT_OPEN, "It is given a rest.")
    row = await gate.enter(frame, call, row, route, lambda at, status: [_update(frame, at, status, error=at.detail)])
    async with Place(frame, route.bulkhead):
        return await _repeat(frame, call, asked, row, message, route, unknown=unknown)


async def _repeat(
    frame: Frame, call: StepCall, asked: ChannelInput, row: Checkpoint, message: Message, route: Route, *, unknown: bool
) -> Sent:
    attempts = (asked.retry or RETRY).attempts
    if unknown:
        if route.provider.idempotency == "lookup":
            found = await dispatch.look_up(route.provider, key_of(frame, call))
            if found is not None and found.outcome is Outcome.ACCEPTED:
                return _sent(frame, call, row, route, found)
            if found is not None and choose.tries(row) < attempts:
                counted = replace(row, attempts=row.attempts + 1)
                _sleep(frame, call, counted, Reason.OUTCOME_UNKNOWN, found, asked.retry or RETRY)
        if forgotten := _forgotten(frame, row, route):
            _park(frame, call, row, forgotten)
        spent = choose.tries(row) >= attempts
        cut_off = row.status is StepStatus.CALLING and route.provider.idempotency == "none"
        if (spent or cut_off) and choose.allows_twice(asked, route):
            choose.pass_on(frame, call, asked, row, route.integration, Reason.OUTCOME_UNKNOWN, row.detail)
        if spent:
            _failed(frame, call, row, Reason.OUTCOME_UNKNOWN, row.detail)
    doubtful = unknown and route.provider.idempotency != "native"
    calling = replace(row, status=StepStatus.CALLING, attempts=row.attempts + 1, wake_at=None, detail="")
    noted = _update(frame, calling, MessageStatus.CALLING, possible_duplicate=doubtful)
    await frame.unless_cancelled(frame.told(calling, noted))
    content = _CONTENTS[call.kind].validate_python(message.content)
    return await _call(frame, call, asked, calling, route, content)


async def _hand_on(frame: Frame, call: StepCall, handed: HandedOn) -> Sent:
    """The message goes out by the next integration. That it does is on record with its intent, and never taken back."""
    asked, row, route = cast("ChannelInput", call.inputs), handed.row, handed.to
    doubtful = row.reason is Reason.OUTCOME_UNKNOWN
    left = (*(row.way.left if row.way else ()), (handed.by, row.attempts))
    taken = replace(row, way=Way(left), wake_at=None, detail="")
    if frame.rt.observer is not None:
        frame.rt.observer.handed_on(call.kind, handed.by_name, route.integration.identifier, handed.reason)

    def told(at: Checkpoint, status: MessageStatus) -> list[Entry]:
        message = _open(frame, call, at, status, handed.content, route)
        message.attempts, message.possible_duplicate = at.attempts, doubtful
        why = ": ".join(filter(None, (handed.by_name, handed.detail)))
        about = replace(at, reason=handed.reason)
        said = f"{why} → {route.integration.identifier}"
        return [message, frame.line(ActivityKind.STEP_HANDED_ON, about, said)]

    taken = await gate.enter(frame, call, taken, route, told)
    async with Place(frame, route.bulkhead):
        calling = replace(
            taken, status=StepStatus.CALLING, attempts=row.attempts + 1,
            reason=Reason.OUTCOME_UNKNOWN if doubtful else None,
        )  # fmt: skip
        try:
            await frame.unless_cancelled([*frame.told(calling), *told(calling, MessageStatus.CALLING)])
        except Cancelled:
            if not doubtful:  # its record says that it was about to be called, and we know better
                refused = finish(row, StepStatus.SKIPPED, frame.now(), Reason.CANCELLED, handed.detail)
                frame.record(frame.told(refused, _update(frame, row, MessageStatus.FAILED, error="cancelled")))
            raise
        crash_point("intent.after")
        return await _call(frame, call, asked, calling, route, handed.content)


async def _call(  # noqa: RET503 - `_failed`, `_sleep` and `_park` leave by raising
    frame: Frame, call: StepCall, asked: ChannelInput, calling: Checkpoint, route: Route, content: AnyContent
) -> Sent:
    """Call the provider: the one line of novukit that has an effect outside."""
    if not frame.shift.holds():
        raise Abandoned
    crash_point("call.before")
    observer = frame.rt.observer
    began = frame.rt.clock.monotonic() if observer is not None else 0.0
    delivery = await reach.send(frame, route, content, key_of(frame, call))
    crash_point("call.after")
    if delivery.held_back:
        raise Abandoned
    if observer is not None:
        seconds, provider = frame.rt.clock.monotonic() - began, route.integration.provider_id
        observer.called(calling.message_id, call.kind, provider, delivery.outcome, seconds)
    if delivery.gone_tokens:
        await hygiene.forget(frame, calling, {route.integration.provider_id, route.provider.novu_id}, delivery)
    turned = route.breaker.heard(delivery, frame.rt.clock.monotonic())
    if delivery.outcome is Outcome.ACCEPTED:
        sent = _sent(frame, call, calling, route, delivery)
        if turned:
            await gate.show(frame, route, delivery)
        return sent
    if turned:
        await gate.show(frame, route, delivery)
    reason = delivery.reason or _REASONS[delivery.outcome]
    if delivery.outcome is Outcome.UNKNOWN and asked.on_unknown == "park" and route.provider.idempotency == "none":
        _park(frame, call, calling, delivery.detail)
    retry = asked.retry or RETRY
    if choose.calls_for_another(asked, calling, route, delivery):
        choose.pass_on(frame, call, asked, calling, route.integration, reason, delivery.detail)
    if delivery.outcome in (Outcome.REJECTED, Outcome.RECIPIENT_GONE) or choose.tries(calling) >= retry.attempts:
        _failed(frame, call, calling, reason, delivery.detail)
    _sleep(frame, call, calling, reason, delivery, retry)


def _into_the_inbox(frame: Frame, call: StepCall, asked: InAppInput, checkpoint: Checkpoint) -> Sent:
    """An in-app message is delivered by its own record; the hint to the inbox follows the commit."""
    content = compose.in_app(frame, call, asked)
    execution, message_id = frame.execution, checkpoint.message_id or frame.rt.new_id()
    sent = Sent(message_id=str(message_id))
    first = _first(checkpoint, message_id, None)
    done = finish(first, StepStatus.COMPLETED, frame.now(), result=sent.kept())
    message = _open(frame, call, done, MessageStatus.SENT, content, None)
    written = frame.record(frame.told(done, message, result=as_json(sent)), _decided_by(frame))
    frame.rt.publish_after(written, execution.environment_id, (execution.subscriber_uuid, message_id))
    return sent


def _sent(frame: Frame, call: StepCall, row: Checkpoint, route: Route, delivery: Delivery) -> Sent:
    sent = Sent(message_id=str(row.message_id))
    done = finish(row, StepStatus.COMPLETED, frame.now(), detail=delivery.detail, result=sent.kept())
    vendors_id = delivery.receipt.provider_message_id
    callback_id = vendors_id if route.provider.events else None
    noted = _update(frame, done, MessageStatus.SENT, provider_message_id=vendors_id, callback_id=callback_id)
    frame.record(frame.told(done, noted, result=as_json(sent)))
    return sent


def _not_sent(frame: Frame, call: StepCall, checkpoint: Checkpoint, no: Uncomposable) -> Sent:
    """Skipped, which is an answer; or failed, before any provider was asked."""
    if not no.skip:
        _failed(frame, call, checkpoint, no.reason, no.detail)
    sent = Sent(status="skipped", reason=no.reason)
    done = finish(checkpoint, StepStatus.SKIPPED, frame.now(), no.reason, no.detail, sent.kept())
    frame.record(frame.told(done))
    return sent


def _failed(frame: Frame, call: StepCall, row: Checkpoint, reason: Reason, detail: str) -> NoReturn:
    reason = _truly(row, reason)
    done = finish(row, StepStatus.FAILED, frame.now(), reason, detail)
    unknown = reason is Reason.OUTCOME_UNKNOWN
    status = MessageStatus.UNKNOWN if unknown else MessageStatus.FAILED
    noted = [_update(frame, done, status, error=detail or reason.value)] if done.message_id else []
    frame.record(frame.told(done, *noted))
    raise StepFailed(call.name, reason, detail)


def _sleep(frame: Frame, call: StepCall, row: Checkpoint, reason: Reason, delivery: Delivery, retry: Retry) -> NoReturn:
    """Try again later: the execution sleeps on record, no worker waits."""
    wake_at = frame.now() + wait_before(choose.tries(row) + 1, retry, frame.rt.random, delivery.retry_after)
    reason = _truly(row, reason)
    asleep = replace(row, status=StepStatus.RETRYING, reason=reason, detail=delivery.detail, wake_at=wake_at)
    status = MessageStatus.UNKNOWN if reason is Reason.OUTCOME_UNKNOWN else MessageStatus.RETRYING
    frame.record(frame.told(asleep, _update(frame, asleep, status, error=delivery.detail)))
    raise Suspend(call.name, wake_at)


def _forgotten(frame: Frame, row: Checkpoint, route: Route) -> str | None:
    """Why the provider would take the message for a new one, if so: it keeps keys for a time, and that has passed."""
    window = route.provider.idempotency_window
    if window is None or row.started_at is None or frame.now() < row.started_at + window:
        return None
    hours = window.total_seconds() / 3600
    return (
        f"{route.provider.id} forgets a key after {hours:g} hours, and the first attempt was at {row.started_at:%F %T} "
        "UTC: sent again, it could arrive twice."
    )


def _truly(row: Checkpoint, reason: Reason) -> Reason:
    """Why a step was not performed. Once nobody knows whether a message went out, a later refusal does not tell."""
    return Reason.OUTCOME_UNKNOWN if row.reason is Reason.OUTCOME_UNKNOWN else reason


def _park(frame: Frame, call: StepCall, row: Checkpoint, detail: str) -> NoReturn:
    """Leave the decision to a person: it may have gone out, and must not go out twice."""
    parked = replace(row, status=StepStatus.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN, detail=detail)
    frame.record(frame.told(parked, _update(frame, parked, MessageStatus.UNKNOWN, error=detail)))
    raise Park(call.name, Reason.OUTCOME_UNKNOWN, detail)


async def _refused(frame: Frame, call: StepCall, asked: ChannelInput) -> tuple[Reason, str] | None:
    """Why this channel may not be used now, if so: seen or read elsewhere, or switched off."""
    scope, execution = frame.scope, frame.execution
    if asked.unless_seen or asked.unless_read:
        await frame.durable()
    if asked.unless_seen and await messages.was(scope, execution.id, asked.unless_seen, "seen"):
        return Reason.ALREADY_SEEN, f"The message of step {asked.unless_seen!r} was seen already."
    if asked.unless_read and await messages.was(scope, execution.id, asked.unless_read, "read"):
        return Reason.ALREADY_READ, f"The message of step {asked.unless_read!r} was read already."
    if _critical(frame):
        return None
    if execution.chosen is None:
        execution.chosen = await preferences.chosen(scope, execution.subscriber_uuid, execution.workflow_id)
    chosen, channel = execution.chosen, cast("Channel", call.kind.value)
    wanted, source = resolve_preference(frame.workflow.preferences, chosen.everywhere, chosen.here, channel)
    if wanted:
        return schedule.refused(frame, call) if chosen.schedule is not None else None
    return Reason.PREFERENCE, (
        "The subscriber switched this channel off." if source == "subscriber"
        else "The workflow switches this channel off."
    )  # fmt: skip


def _critical(frame: Frame) -> bool:
    """Whether the subscriber has no say in this workflow."""
    defaults = frame.workflow.preferences
    return defaults.read_only and not defaults.channels and defaults.enabled


def _decided_by(frame: Frame) -> Preferred | None:
    """The preferences that must still hold when the message goes on record."""
    chosen = frame.execution.chosen
    if chosen is None or _critical(frame):
        return None
    who, what = frame.execution.subscriber_uuid, frame.execution.workflow_id
    return Preferred(who, what, chosen.everywhere_at, chosen.here_at)


def key_of(frame: Frame, call: StepCall) -> str:
    """The idempotency key: the same for every attempt of this step of this execution, and for nothing else."""
    execution = frame.execution
    return _key(execution.environment_id, execution.id, call.id, call.key)


@lru_cache(maxsize=1000)  # asked for when a message goes on record, and again when it is sent
def _key(environment_id: UUID, execution_id: UUID, step: str, key: str) -> str:
    text = f"{environment_id}/{execution_id}/{step}/{key}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _open(
    frame: Frame, call: StepCall, at: Checkpoint, status: MessageStatus, content: AnyContent, route: Route | None
) -> OpenMessage:
    execution, workflow = frame.execution, frame.workflow
    severity = content.severity if isinstance(content, InAppContent) else workflow.severity
    assert at.message_id is not None
    return OpenMessage(
        id=at.message_id, environment_id=execution.environment_id, execution_id=execution.id,
        event_id=execution.event_id, transaction_id=execution.transaction_id, workflow_id=execution.workflow_id,
        subscriber_uuid=execution.subscriber_uuid, subscriber_id=execution.subscriber_id, step_id=call.id,
        step_key=call.key, channel=call.kind.value, status=status, content=as_json(content),
        provider_id=route.integration.provider_id if route else None,
        integration_id=route.integration.id if route else None, idempotency_key=key_of(frame, call),
        severity=severity, critical=workflow.preferences.read_only,
        tags=workflow.tags, at=frame.now(), context_keys=execution.context_keys,
    )  # fmt: skip


def _update(
    frame: Frame, at: Checkpoint, status: MessageStatus, *, provider_message_id: str | None = None,
    possible_duplicate: bool = False, error: str | None = None, callback_id: str | None = None,
) -> UpdateMessage:  # fmt: skip
    assert at.message_id is not None
    return UpdateMessage(
        at.message_id, frame.execution.environment_id, status, at.attempts, frame.now(), provider_message_id,
        possible_duplicate, error, callback_id,
    )  # fmt: skip
