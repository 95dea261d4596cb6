"""Trigger: accept an event once, with the executions of the recipients that are known; topics and broadcasts follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ..errors import InvalidInput, Issue, TransactionIdReused, WorkflowNotFound, did_you_mean
from ..model import (
    ActivityKind,
    Everyone,
    StoredWorkflow,
    Subscriber,
    TopicRecipient,
    Trigger,
    Triggered,
    TriggerStatus,
)
from ..store import Scope, activities, events, subscribers, topics, workflows
from ..store.activities import Line
from ..store.events import NewEvent
from .payload import check_payload
from .runtime import Runtime


async def trigger(rt: Runtime, scope: Scope, ask: Trigger) -> Triggered:
    """Accept ``ask``: when this returns, the event is durable and will not be lost.

    The same transaction id again begins nothing; with another body it is refused. Raises :class:`WorkflowNotFound`,
    :class:`PayloadInvalid`, :class:`InvalidInput` (unknown topic) or :class:`TransactionIdReused`; nothing is stored.
    """
    workflow = await _workflow(rt, scope, ask.workflow)
    if not workflow.active:
        return Triggered(status=TriggerStatus.NOT_ACTIVE)
    if not workflow.spec.steps:
        return Triggered(status=TriggerStatus.NO_STEPS)
    check_payload(workflow, ask.payload)
    sources = await _sources(scope, ask)
    people = {to.subscriber_id: to for to in ask.to if isinstance(to, Subscriber)}
    event = NewEvent(
        id=rt.new_id(), transaction_id=ask.transaction_id or str(rt.new_id()), workflow_id=workflow.spec.id,
        workflow_version=workflow.version, payload=ask.payload, overrides=ask.overrides,
        actor=ask.actor.model_dump(mode="json", exclude_none=True) if ask.actor else None, tenant=ask.tenant,
        sources=sources, fingerprint=fingerprint(ask),
    )  # fmt: skip
    accepted = await _accept(rt, scope, event, list(people.values()), ask)
    if not accepted.duplicate:
        await workflows.touch_triggered(scope, workflow.spec.id)
        await rt.ring(scope.environment_id)
    return accepted


async def _accept(rt: Runtime, scope: Scope, event: NewEvent, people: Sequence[Subscriber], ask: Trigger) -> Triggered:
    async with scope.database.transaction():
        if not await events.insert(scope, event):
            return await _duplicate(scope, event)
        named = [*people, ask.actor] if ask.actor else list(people)
        known: dict[str, UUID] = await subscribers.upsert_many(scope, named) if named else {}
        for subscriber_id, addresses in ask.addresses.items():
            for address in addresses:
                await subscribers.set_address(scope, subscriber_id, address)
        if people:
            who = [(known[p.subscriber_id], p.subscriber_id) for p in people]
            await events.open_executions(scope, event.id, event.workflow_id, event.workflow_version, who)
        line = Line(
            id=rt.new_id(), environment_id=scope.environment_id, kind=ActivityKind.TRIGGER_ACCEPTED, at=rt.clock.now(),
            event_id=event.id, detail=event.workflow_id,
        )  # fmt: skip
        await activities.write(scope.database, [line])
    return Triggered(
        status=TriggerStatus.PROCESSED, transaction_id=event.transaction_id, event_id=event.id, executions=len(people)
    )


async def _duplicate(scope: Scope, event: NewEvent) -> Triggered:
    seen = await events.seen(scope, event.transaction_id)
    assert seen is not None
    event_id, print_, executions = seen
    if print_ != event.fingerprint:
        raise TransactionIdReused(
            f"The transaction id {event.transaction_id!r} was used before with another body.",
            hint="Use a new transactionId for a new event; repeat the same body to ask again safely.",
            issues=[Issue("/transactionId", "transaction_id_reused", "Used before with another body.")],
        )
    return Triggered(
        status=TriggerStatus.PROCESSED, transaction_id=event.transaction_id, event_id=event_id, executions=executions,
        duplicate=True,
    )  # fmt: skip


async def _workflow(rt: Runtime, scope: Scope, name: str) -> StoredWorkflow:
    workflow = await workflows.get(scope, name)
    if workflow is not None:
        return workflow
    known = [w.spec.id for w in await workflows.all(scope)]
    if name in {w.id for w in rt.registry}:
        hint = "It is in the code but not in this environment yet. Run: novukit sync"
    elif not known:
        hint = "This environment has no workflows yet. Run: novukit sync"
    else:
        hint = did_you_mean(name, known)
    raise WorkflowNotFound(f"There is no workflow {name[:64]!r} in this environment.", hint=hint)


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
            sources.append({"topic": str(topic.id), "exclude": left_out})
    return sources


def fingerprint(ask: Trigger) -> str:
    """What makes two triggers the same: everything but the transaction id, however it was spelled."""
    text = json.dumps(ask.model_dump(mode="json", exclude={"transaction_id"}, exclude_none=True), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
