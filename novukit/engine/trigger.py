"""Trigger: accept an event once, with the executions of the recipients that are known; topics and broadcasts follow."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import UUID

import msgspec

from ..crash import crash_point
from ..errors import (
    InvalidInput,
    Issue,
    NotSerialisable,
    NovukitError,
    TransactionIdReused,
    WorkflowNotFound,
    did_you_mean,
)
from ..model import (
    Everyone,
    StoredWorkflow,
    Subscriber,
    TopicRecipient,
    Trigger,
    Triggered,
    TriggerStatus,
)
from ..model.context import keys_of
from ..store import Scope, contexts, events, idempotency, subscribers, topics, workflows
from ..store.events import NewEvent, Person
from . import repeat
from .intake import Asked
from .payload import check_payload
from .runtime import Runtime

_canonical = msgspec.json.Encoder(order="deterministic").encode
_NOT_TOLD = {"transaction_id"}


async def trigger(rt: Runtime, scope: Scope, ask: Trigger, keyed: repeat.Keyed | None = None) -> Triggered:
    """Accept ``ask``: when this returns, the event is durable and will not be lost.

    Triggers of the same moment share a transaction; in a transaction of the caller's own, on the same database, it is
    part of that one. The same transaction id again begins nothing; with another body it is refused. Raises
    :class:`WorkflowNotFound`, :class:`PayloadInvalid`, :class:`InvalidInput` (unknown topic) or
    :class:`TransactionIdReused`; nothing is stored. With ``keyed``, raises :class:`repeat.Repeated` for a key that was
    answered before, :class:`IdempotencyKeyReused` and :class:`IdempotencyKeyInUse`.
    """
    asked = _asked(rt, scope, ask, keyed)
    if not scope.database.in_transaction:
        return await rt.intake.take(asked, partial(accept, rt))
    (answer,) = await accept(rt, [asked])
    if isinstance(answer, NovukitError):
        raise answer
    return answer


async def trigger_all(rt: Runtime, scope: Scope, asks: Sequence[Trigger]) -> list[Triggered | NovukitError]:
    """Accept several at once, in this order, as :func:`trigger`; one that cannot be is answered with its error."""
    if scope.database.in_transaction:
        return await accept(rt, [Asked(scope, ask) for ask in asks])
    taken = [rt.intake.take(_asked(rt, scope, ask), partial(accept, rt)) for ask in asks]
    answers = await asyncio.gather(*taken, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, NovukitError):
            raise answer
    return cast("list[Triggered | NovukitError]", answers)


def _asked(rt: Runtime, scope: Scope, ask: Trigger, keyed: repeat.Keyed | None = None) -> Asked:
    trace = rt.tracer.triggered(ask.workflow, ask.transaction_id) if rt.tracer is not None else None
    return Asked(scope, ask, trace, keyed)


async def accept(rt: Runtime, group: Sequence[Asked]) -> list[Triggered | NovukitError]:
    """Accept the triggers of ``group`` in one transaction; one that cannot be is answered with its error."""
    crash_point("trigger.before")
    wanted = {(one.scope.environment_id, one.ask.workflow) for one in group}
    known = await workflows.get_many(rt.database, wanted, rt.intake.known)
    answers: list[Triggered | NovukitError | _Ready] = []
    for one in group:
        try:
            answers.append(await _ready(rt, one, known.get((one.scope.environment_id, one.ask.workflow))))
        except NovukitError as err:
            answers.append(err)
    # In one order everywhere, so that two processes never wait for each other in a ring.
    ready = sorted((each for each in answers if isinstance(each, _Ready)), key=_in_order)
    accepted, taken = await _write_once(rt, ready)
    crash_point("trigger.after")
    if rt.observer is not None:
        for each in ready:
            if each.event.id in accepted:
                rt.observer.accepted(each.event.workflow_id)
    for environment_id in {each.scope.environment_id for each in ready if each.event.id in accepted}:
        rt.ring_after_commit(environment_id)
    return [await _settle(one, each, accepted, taken) for one, each in zip(group, answers, strict=True)]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A trigger that has passed every check."""

    scope: Scope
    ask: Trigger
    event: NewEvent
    people: list[Subscriber]
    stale: bool
    keyed: repeat.Keyed | None

    @property
    def accepted(self) -> Triggered:
        """The answer if it is the first of its transaction id."""
        return Triggered(
            status=TriggerStatus.PROCESSED, transaction_id=self.event.transaction_id, event_id=self.event.id,
            executions=len(self.people),
        )  # fmt: skip

    @property
    def named(self) -> list[Subscriber]:
        """Everyone that it tells about."""
        return [*self.people, self.ask.actor] if self.ask.actor else self.people


async def _ready(rt: Runtime, one: Asked, workflow: StoredWorkflow | None) -> Triggered | _Ready:
    scope, ask = one.scope, one.ask
    if workflow is None:
        raise await _unknown(rt, scope, ask.workflow)
    if not workflow.active:
        return Triggered(status=TriggerStatus.NOT_ACTIVE)
    if not workflow.spec.steps:
        return Triggered(status=TriggerStatus.NO_STEPS)
    check_payload(workflow, ask.payload)
    context = await contexts.resolve(scope, ask.context) if ask.context else None
    people = {to.subscriber_id: to for to in ask.to if isinstance(to, Subscriber)}
    event = NewEvent(
        id=rt.new_id(), transaction_id=ask.transaction_id or str(rt.new_id()), workflow_id=workflow.spec.id,
        workflow_version=workflow.version, payload=ask.payload, overrides=ask.overrides,
        actor=ask.actor.model_dump(mode="json", exclude_none=True) if ask.actor else None, tenant=ask.tenant,
        sources=await _sources(scope, ask), named=len(people), fingerprint=fingerprint(ask), trace=one.trace,
        context=context, context_keys=keys_of(context) if context else "",
    )  # fmt: skip
    stale = workflows.is_stale(workflow, rt.clock.now())
    return _Ready(scope, ask, event, list(people.values()), stale, one.keyed)


async def _write_once(rt: Runtime, ready: Sequence[_Ready]) -> tuple[set[UUID], dict[UUID, NovukitError]]:
    """As :func:`_write`; and what those are told whose idempotency keys are on record. They write nothing.

    That a key is taken is told by the write that fails, so that the many that are new need no look-up.
    """
    taken: dict[UUID, NovukitError] = {}
    for last in (False, False, True):
        left = [each for each in ready if each.event.id not in taken]
        try:
            return await _write(rt, left) if left else set[UUID](), taken
        except Exception as err:
            if last or not idempotency.is_taken(err):
                raise
        taken |= await repeat.refusals(rt.database, _receipts(left))
    raise AssertionError("the last of the tries returns or raises")


async def _write(rt: Runtime, ready: Sequence[_Ready]) -> set[UUID]:
    """Put what is ready on record, and say which events are new."""
    known: dict[UUID, dict[str, UUID]] = {}
    news: dict[UUID, list[Subscriber]] = {}
    for environment_id in sorted({each.scope.environment_id for each in ready}):
        those = [each for each in ready if each.scope.environment_id == environment_id]
        named = [who for each in those for who in each.named]
        known[environment_id], news[environment_id] = await subscribers.look(rt.scope(environment_id), named)
    if not any(news.values()) and not any(each.ask.addresses or each.event.context for each in ready):
        return await events.insert(rt.database, _new(ready), _people(ready, known), _receipts(ready))
    async with rt.database.transaction():  # most triggers tell nothing new, and need none
        accepted = await events.insert(rt.database, _new(ready), {}, _receipts(ready))
        begun = [each for each in ready if each.event.id in accepted]  # one that is refused changes nobody
        await _tell(rt, begun, known, news)
        await events.open_executions(rt.database, _new(begun), _people(begun, known))
        crash_point("trigger.mid")
    return accepted


async def _tell(
    rt: Runtime, begun: Sequence[_Ready], known: dict[UUID, dict[str, UUID]], news: dict[UUID, list[Subscriber]]
) -> None:
    """Keep what triggers that have begun tell about their subscribers, and of what they happen in."""
    for environment_id, people in news.items():
        told = {
            who.subscriber_id for each in begun if each.scope.environment_id == environment_id for who in each.named
        }
        new = [who for who in people if who.subscriber_id in told]
        known[environment_id] |= await subscribers.upsert_many(rt.scope(environment_id), new)
    for each in begun:
        if each.event.context:
            await contexts.keep(each.scope, each.event.context)
        for subscriber_id, addresses in each.ask.addresses.items():
            for address in addresses:
                await subscribers.set_address(each.scope, subscriber_id, address)


def _new(ready: Sequence[_Ready]) -> list[tuple[Scope, NewEvent]]:
    return [(each.scope, each.event) for each in ready]


def _people(ready: Sequence[_Ready], known: dict[UUID, dict[str, UUID]]) -> dict[UUID, list[Person]]:
    """Who is to get an execution, by event."""
    return {
        each.event.id: [(known[each.scope.environment_id][who.subscriber_id], who.subscriber_id) for who in each.people]
        for each in ready
    }


def _receipts(ready: Sequence[_Ready]) -> list[idempotency.Receipt]:
    return [
        idempotency.Receipt(each.event.id, each.scope.environment_id, each.keyed.key, each.keyed.kept(each.accepted))
        for each in ready
        if each.keyed
    ]


def _in_order(one: _Ready) -> tuple[UUID, str]:
    return one.scope.environment_id, one.event.transaction_id


async def _settle(
    one: Asked, each: Triggered | NovukitError | _Ready, accepted: set[UUID], taken: dict[UUID, NovukitError]
) -> Triggered | NovukitError:
    """The answer to one; of one that began nothing it is kept now, for nothing depends on it."""
    done = each
    if isinstance(done, _Ready):
        done = taken.get(done.event.id) or await _answer(done, accepted)
    if one.keyed and isinstance(done, Triggered) and done.event_id not in accepted:
        kept = one.keyed.kept(done)
        if earlier := await idempotency.claim(one.scope, one.keyed.key, kept):
            return repeat.judge(earlier, kept.fingerprint)
    return done


async def _answer(one: _Ready, accepted: set[UUID]) -> Triggered | NovukitError:
    scope, event = one.scope, one.event
    if event.id in accepted:
        if one.stale:
            with suppress(Exception):  # it is accepted, with or without this note
                await workflows.touch_triggered(scope, event.workflow_id)
        return one.accepted
    seen = await events.seen(scope, event.transaction_id)
    assert seen is not None
    event_id, print_, executions = seen
    if print_ != event.fingerprint:
        return TransactionIdReused(
            f"The transaction id {event.transaction_id!r} was used before with another body.",
            hint="Use a new transactionId for a new event; repeat the same body to ask again safely.",
            issues=[Issue("/transactionId", "transaction_id_reused", "Used before with another body.")],
        )
    return Triggered(
        status=TriggerStatus.PROCESSED, transaction_id=event.transaction_id, event_id=event_id, executions=executions,
        duplicate=True,
    )  # fmt: skip


async def _unknown(rt: Runtime, scope: Scope, name: str) -> WorkflowNotFound:
    known = await workflows.ids(scope)
    if name in rt.registry:
        hint = "It is in the code but not in this environment yet. Run: novukit sync"
    elif not known:
        hint = "This environment has no workflows yet. Run: novukit sync"
    else:
        hint = did_you_mean(name, known)
    return WorkflowNotFound(f"There is no workflow {name[:64]!r} in this environment.", hint=hint)


async def _sources(scope: Scope, ask: Trigger) -> list[dict[str, Any]]:
    """The topics and broadcasts of a trigger, in the form that the event keeps until they are expanded."""
    sources: list[dict[str, Any]] = []
    for n, to in enumerate(ask.to):
        if isinstance(to, Everyone):
            sources.append({"everyone": True})
        elif isinstance(to, TopicRecipient):
            topic = await topics.by_key(scope, to.topic_key)
            if topic is None:
                issue = Issue(f"/to/{n}", "unknown_topic", f"There is no topic {to.topic_key!r}.")
                raise InvalidInput(f"There is no topic {to.topic_key!r} in this environment.", issues=[issue])
            left_out = [*to.exclude, ask.actor.subscriber_id] if ask.actor else list(to.exclude)
            sources.append({"topic": str(topic.id), "key": topic.key, "exclude": left_out})
    return sources


def fingerprint(ask: Trigger) -> str:
    """What makes two triggers the same: everything but the transaction id, however it was spelled."""
    told = ask.__pydantic_serializer__.to_python(ask, mode="json", exclude=_NOT_TOLD, exclude_none=True)
    try:
        return hashlib.blake2b(_canonical(told), digest_size=16).hexdigest()
    except ValueError as err:  # half a surrogate pair
        raise NotSerialisable(f"A value cannot be kept as JSON: {err}.") from None
