"""Reach: a subscriber's endpoints of an integration, and one message to each of them.

An endpoint comes before the addresses that a subscriber has at a provider. A message to several counts as sent when one
of them was reached; it is tried again only where none was, so nobody gets it twice for another's sake.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from ..errors import NovukitError
from ..model import AnyContent, ChannelEndpoint, ChatContent, ChatToEndpoints, Reason, Target
from ..providers import AnyProvider, Delivery, Outcome, dispatch
from ..store import connections
from .frame import Frame
from .route import Route

AT_ONCE = 20
"""Endpoints of one message that are called at a time."""

_KEYS = ("channelId", "userId", "chatId", "phoneNumber", "roomId", "personId", "personEmail", "channel")
"""Where an endpoint names its place, whatever its type."""

_WORST = (Outcome.UNKNOWN, Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.RECIPIENT_GONE, Outcome.REJECTED)
"""What stands for all where none was reached, as in ``providers.devices``: what may be tried again comes first."""


def targets(frame: Frame, route: Route) -> tuple[Target, ...]:
    """Where a chat message by ``route`` goes: the subscriber's endpoints of that integration, oldest first."""
    return tuple(
        Target(
            endpoint=one.identifier, webhook_url=one.endpoint.get("url"), channel=_place(one),
            connection_id=one.connection_id,
        )
        for one in _endpoints(frame, route)
    )  # fmt: skip


def number(frame: Frame, route: Route) -> str | None:
    """The phone number to which ``route`` sends: that of the subscriber's newest endpoint of the integration."""
    numbers = [_place(one) for one in _endpoints(frame, route) if one.type == "phone"]
    return numbers[-1] if numbers else None


def send(frame: Frame, route: Route, content: AnyContent, key: str) -> Coroutine[Any, Any, Delivery]:
    """Hand ``content`` to the provider of ``route``, once for each place that it goes to."""
    if isinstance(content, ChatToEndpoints):
        return _send_to_each(frame, route, content, key)
    return dispatch.deliver(route.provider, content, key, may_depart=frame.shift.holds)


def _endpoints(frame: Frame, route: Route) -> tuple[ChannelEndpoint, ...]:
    subscriber = frame.execution.subscriber
    if subscriber is None or not subscriber.endpoints:
        return ()
    context = frame.execution.context_keys
    return tuple(
        one
        for one in subscriber.endpoints
        if one.integration_id == route.integration.id and one.context_keys == context
    )


def _place(one: ChannelEndpoint) -> str | None:
    return next((str(one.endpoint[key]) for key in _KEYS if one.endpoint.get(key)), None)


async def _send_to_each(frame: Frame, route: Route, content: ChatToEndpoints, key: str) -> Delivery:
    room = asyncio.Semaphore(AT_ONCE)
    providers = {each: await _provider(frame, route, each) for each in {one.connection_id for one in content.targets}}
    words = content.model_dump(exclude={"targets", "webhook_url", "channel"})

    async def one(target: Target) -> Delivery:
        provider = providers[target.connection_id]
        if isinstance(provider, Delivery):
            return provider
        each = ChatContent(webhook_url=target.webhook_url, channel=target.channel, **words)
        async with room:
            own_key = _key(key, target, len(content.targets))
            return await dispatch.deliver(provider, each, own_key, may_depart=frame.shift.holds)

    return _together(await asyncio.gather(*(one(target) for target in content.targets)), content.targets)


async def _provider(frame: Frame, route: Route, connection_id: UUID | None) -> AnyProvider | Delivery:
    """Who sends through a connection: the integration's provider, with the connection's token; or why nobody does."""
    credential = route.provider.connection_credential
    if connection_id is None or not credential:
        return route.provider
    try:
        token = await connections.token(frame.scope, frame.rt.secrets, connection_id)
        if token is None:
            said = "The connection that the endpoint goes through is gone."
            return Delivery(Outcome.RECIPIENT_GONE, reason=Reason.RECIPIENT_GONE, detail=said)
        credentials = {**route.integration.credentials, credential: token}
        return _dressed_as(route.provider, frame.rt.host.build(route.integration.provider_id, credentials))
    except NovukitError as err:
        return Delivery(Outcome.REJECTED, reason=Reason.CREDENTIALS_INVALID, detail=str(err))


def _dressed_as(known: AnyProvider, made: AnyProvider) -> AnyProvider:
    """``made``, speaking to the same place as ``known``, which a test or a proxy may have sent elsewhere."""
    made.base_url, made.clock, made.timeout = known.base_url, known.clock, known.timeout
    return made


def _key(key: str, target: Target, of: int) -> str:
    """The idempotency key of one place: the message's own where there is but one."""
    if of == 1:
        return key
    return hashlib.blake2b(f"{key}/{target.endpoint}".encode(), digest_size=16).hexdigest()


def _together(deliveries: list[Delivery], targets: tuple[Target, ...]) -> Delivery:
    """One outcome of all: accepted if one was, with a word about the others; else the worst."""
    if len(deliveries) == 1:
        return deliveries[0]
    if held := [one for one in deliveries if one.held_back]:
        return held[0]  # whoever goes on asks all of them again, under the same keys
    reached = [one for one in deliveries if one.outcome is Outcome.ACCEPTED]
    missed = [
        f"{target.endpoint}: {one.detail or one.outcome.value}"
        for one, target in zip(deliveries, targets, strict=True)
        if one.outcome is not Outcome.ACCEPTED
    ]
    if reached:
        first = next((one for one in reached if one.receipt.provider_message_id), reached[0])
        detail = f"{len(reached)} of {len(deliveries)} endpoints; {missed[0]}" if missed else ""
        return Delivery(Outcome.ACCEPTED, receipt=first.receipt, detail=detail)
    worst = min(deliveries, key=lambda one: (_WORST.index(one.outcome), -(one.retry_after or 0.0)))
    return Delivery(
        worst.outcome, reason=worst.reason, detail=missed[deliveries.index(worst)], retry_after=worst.retry_after
    )
