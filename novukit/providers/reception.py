"""Hand a vendor's callback to its provider: whatever the plugin does, there are events, a refusal, or a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from ..errors import NovukitError
from .base import AnyProvider
from .callback import CallbackAnswer, CallbackRefused, CallbackRequest, DeliveryEvent
from .credentials import secrets_of
from .dispatch import ID_LIMIT, told
from .redaction import tell

SECONDS = 10.0


class CallbackFailed(NovukitError):
    """The plugin could not read a callback. The vendor is told so, and most try again later."""

    code = "callback_failed"
    retryable = True


async def receive(provider: AnyProvider, request: CallbackRequest) -> CallbackAnswer:
    """What ``request`` tells, each event with an id, and no secret in any detail.

    Raises CallbackRefused where the signature or the timestamp is wrong or the provider takes no callbacks, and
    CallbackFailed, which names the plugin, where it fails, takes longer than 10 seconds or returns something else.
    """
    if not provider.events:
        raise CallbackRefused(f"{provider.id} takes no callbacks.")
    secrets = secrets_of(provider.credentials)
    try:
        async with asyncio.timeout(SECONDS):
            found = cast("object", await provider.callback(request))
        answer = (
            found if isinstance(found, CallbackAnswer) else CallbackAnswer(list(cast("Iterable[DeliveryEvent]", found)))
        )
        return replace(answer, events=[kept(event, secrets) for event in answer.events])
    except CallbackRefused:
        raise
    except (Exception, SystemExit) as err:
        plugin = f"{provider.id} ({type(provider).__module__})"
        raise CallbackFailed(tell(f"{plugin} {told(err)}", secrets)) from None


def kept(event: DeliveryEvent, secrets: list[str]) -> DeliveryEvent:
    """``event`` as it may be stored: with an id, on one line, without secrets."""
    given = cast("object", event)
    if not isinstance(given, DeliveryEvent):
        raise TypeError(f"{type(given).__name__} is no DeliveryEvent")
    message_id = event.provider_message_id
    return replace(
        event,
        id=tell(event.id, secrets, ID_LIMIT) or event.derived_id(),
        provider_message_id=tell(message_id, secrets, ID_LIMIT) if message_id else None,
        detail=tell(event.detail, secrets),
    )
