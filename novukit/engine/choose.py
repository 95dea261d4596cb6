"""Choose: the integration of a message, and the next one when that cannot take it.

A message is handed on only if it surely did not go out, and not for a fault of its own: another integration would
refuse a bad address, too. What nobody knows stays where it is, unless the step or the integration allows more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from ..model import (
    AnyContent,
    Channel,
    ChannelInput,
    Checkpoint,
    Facts,
    Integration,
    Reason,
    Retry,
    SmsInput,
    StepCall,
    StoredSubscriber,
)  # fmt: skip
from ..providers import Delivery, Outcome
from . import compose
from .compose import Uncomposable
from .country import country_of
from .frame import Frame
from .route import NoRoute, Route

RETRY = Retry()
TOO_LONG = 60.0
"""Seconds that a provider may ask a message to wait while another integration could take it."""

_OF_THE_INTEGRATION = frozenset({Reason.CREDENTIALS_INVALID, Reason.UNSUPPORTED_FEATURE})
"""Refusals that say nothing against the message."""
_ANOTHER_MAY = frozenset({Reason.NO_ADDRESS, Reason.NO_SENDER})
"""Why a message cannot be made for one integration, and perhaps can for another: addresses belong to providers."""


@dataclass(eq=False)
class HandedOn(Exception):
    """The message goes on to another integration: ``row`` as it stands, who left it and why, and who takes it."""

    row: Checkpoint
    by: UUID
    by_name: str
    reason: Reason
    detail: str
    to: Route
    content: AnyContent


def first(frame: Frame, call: StepCall, asked: ChannelInput) -> tuple[Route, AnyContent]:
    """The integration for a new message, and its content. Raises :class:`Uncomposable`."""
    found = _candidates(frame, call, asked)
    if isinstance(found, NoRoute):
        raise Uncomposable(found.reason, found.detail)
    if len(found) == 1:
        return found[0], compose.for_provider(frame, call, found[0])
    return _best(frame, call, found)


def pass_on(
    frame: Frame, call: StepCall, asked: ChannelInput, row: Checkpoint, by: Integration | UUID | None, reason: Reason,
    detail: str,
) -> None:  # fmt: skip
    """Raise :class:`HandedOn` if there is an integration to take the message over; ``by`` an id where it is gone."""
    left, name = (by.id, by.identifier) if isinstance(by, Integration) else (by, "")
    onward = _next(frame, call, asked, row, left)
    if onward is not None and left is not None:
        kept = Reason.OUTCOME_UNKNOWN if row.reason is Reason.OUTCOME_UNKNOWN else reason
        raise HandedOn(replace(row, reason=kept), left, name, reason, detail, *onward)


def _next(
    frame: Frame, call: StepCall, asked: ChannelInput, row: Checkpoint, by: UUID | None
) -> tuple[Route, AnyContent] | None:
    """The integration that takes a message over from ``by``: none that has had it before, and none if one was named."""
    if _named(frame, call, asked) is not None:
        return None
    found = _candidates(frame, call, asked)
    gone = {by, *(one for one, _ in row.way.left)} if row.way else {by}
    others = [] if isinstance(found, NoRoute) else [one for one in found if one.integration.id not in gone]
    if not others:
        return None
    try:
        return _best(frame, call, others)
    except Uncomposable:
        return None


def calls_for_another(asked: ChannelInput, row: Checkpoint, route: Route, delivery: Delivery) -> bool:
    """Whether what came of a call is a reason to try another integration."""
    if (delivery.outcome is Outcome.UNKNOWN or row.reason is Reason.OUTCOME_UNKNOWN) and not allows_twice(asked, route):
        return False
    spent = tries(row) >= (asked.retry or RETRY).attempts
    match delivery.outcome:
        case Outcome.REJECTED:
            return delivery.reason in _OF_THE_INTEGRATION
        case Outcome.THROTTLED:
            return spent or (delivery.retry_after or 0.0) > TOO_LONG
        case Outcome.UNAVAILABLE:
            return spent or route.breaker.is_open
        case Outcome.UNKNOWN:
            return spent or route.provider.idempotency == "none"
        case _:
            return False


def allows_twice(asked: ChannelInput, route: Route) -> bool:
    """Whether a message that may have gone out may go out by another integration as well."""
    return asked.on_unknown == "next" or (
        asked.on_unknown == "retry" and route.integration.routing.on_unknown == "next"
    )


def tries(row: Checkpoint) -> int:
    """How many attempts the integration that has the message now has begun."""
    return row.attempts - (row.way.before if row.way else 0)


def _best(frame: Frame, call: StepCall, those: list[Route]) -> tuple[Route, AnyContent]:
    """The first one that the message can be made for, and that is not resting while another is not."""
    refused: Uncomposable | None = None
    resting: tuple[Route, AnyContent] | None = None
    now = frame.rt.clock.monotonic()
    for route in those:
        try:
            made = route, compose.for_provider(frame, call, route)
        except Uncomposable as no:
            if no.reason not in _ANOTHER_MAY:
                raise
            refused = refused or no
            continue
        if route.breaker.wait(now) == 0:
            return made
        resting = resting or made
    if resting is not None:
        return resting
    assert refused is not None
    raise refused


def _candidates(frame: Frame, call: StepCall, asked: ChannelInput) -> list[Route] | NoRoute:
    rt, execution = frame.rt, frame.execution
    return rt.routes.candidates(
        execution.environment_id, call.kind.value, execution.id, lambda: _facts(frame, call, asked),
        _named(frame, call, asked), rt.registry.routers.get(call.kind.value),
    )  # fmt: skip


def _named(frame: Frame, call: StepCall, asked: ChannelInput) -> str | None:
    over = compose.overrides_for(frame.execution.overrides, call, None)
    return asked.integration or over.get("integrationIdentifier")


def _facts(frame: Frame, call: StepCall, asked: ChannelInput) -> Facts:
    execution, workflow = frame.execution, frame.workflow
    subscriber = execution.subscriber
    assert subscriber is not None
    phone = (asked.to if isinstance(asked, SmsInput) else None) or subscriber.phone
    return Facts(
        channel=cast("Channel", call.kind.value), workflow=workflow.id, tags=tuple(workflow.tags), step=call.name,
        execution_id=execution.id, tenant=(execution.tenant or {}).get("identifier"),
        subscriber=profile(subscriber),
        payload=execution.payload, locate=lambda: country_of(phone, subscriber.locale),
    )  # fmt: skip


def profile(subscriber: StoredSubscriber) -> dict[str, Any]:
    """A subscriber as conditions see them: in novukit's words and in those of Novu's API, for they come from there."""
    person = subscriber.model_dump(mode="json", exclude={"id", "addresses", "endpoints"})
    return person | {_camel(name): value for name, value in person.items()}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
