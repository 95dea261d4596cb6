"""Credentials of subscribers: the device tokens and webhooks where push and chat providers reach them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from litestar import delete, patch, put
from litestar.params import FromPath, JSONBody
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ...engine import Runtime
from ...errors import Issue, did_you_mean
from ...model import ChannelAddress
from ...store import Scope, subscribers
from .. import issues
from ..auth import Here, TheCaller, TheRuntime
from ..wire import Data, Wire, envelope, missing
from .subscribers import CLOSED_IDS, SubscriberOut, show

TAGS = ["Subscribers"]


def web_address(url: str) -> str:
    """Refuse what is not a URL of the web. Where it leads is looked at when it is called."""
    if not re.fullmatch(r"https?://[^\s/?#]+\S*", url):
        raise PydanticCustomError("bad_format", "must be a URL that begins with https://")
    return url


Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Webhook = Annotated[str, StringConstraints(max_length=2048), AfterValidator(web_address)]


class Credentials(Wire):
    """Where the provider reaches the subscriber: ``deviceTokens`` for push, ``webhookUrl`` for chat."""

    webhook_url: Webhook | None = None
    channel: str | None = Field(default=None, max_length=255)
    device_tokens: list[Token] | None = Field(default=None, max_length=subscribers.LARGEST_TOKEN_COUNT)


class CredentialsIn(Wire):
    """The credentials for one provider, and for one of its integrations if named."""

    provider_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    integration_identifier: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    credentials: Credentials


@put("/v1/subscribers/{subscriber_id:str}/credentials", summary="Replace credentials", tags=TAGS)
async def update(
    subscriber_id: FromPath[str], data: JSONBody[CredentialsIn], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[SubscriberOut]:
    """Make these the subscriber's credentials for the provider, in place of what was there."""
    address = await _address(here, runtime, data)
    changed = await subscribers.set_address(here, subscriber_id, address)
    if changed is None:
        raise missing("subscriber", subscriber_id)
    return envelope(await show(here, caller, runtime, changed))


@patch("/v1/subscribers/{subscriber_id:str}/credentials", summary="Add credentials", tags=TAGS)
async def append(
    subscriber_id: FromPath[str], data: JSONBody[CredentialsIn], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[SubscriberOut]:
    """Add device tokens to those on record; a webhook or channel that is given replaces."""
    address = await _address(here, runtime, data)
    changed = await subscribers.append_address(here, subscriber_id, address)
    if changed is None:
        raise missing("subscriber", subscriber_id)
    return envelope(await show(here, caller, runtime, changed))


@delete("/v1/subscribers/{subscriber_id:str}/credentials/{provider_id:str}", summary="Delete credentials", tags=TAGS)
async def remove(subscriber_id: FromPath[str], provider_id: FromPath[str], here: Here, runtime: TheRuntime) -> None:
    """Forget where a provider reaches the subscriber. That there was nothing to forget is no error."""
    done = await subscribers.delete_addresses(here, subscriber_id, provider_id)
    if done is None:
        raise missing("subscriber", subscriber_id)
    if not done and provider_id not in _known_providers(runtime):
        raise missing("chat or push provider", provider_id)


async def _address(here: Scope, runtime: Runtime, asked: CredentialsIn) -> ChannelAddress:
    """What was asked as an address. Raises :class:`InvalidInput` for a provider or integration that does not exist."""
    found = unknown_providers(runtime, {"/providerId": asked.provider_id})
    if asked.integration_identifier is not None:
        identifiers = [one.identifier for one in await subscribers.known_integrations(here)]
        if asked.integration_identifier not in identifiers:
            hint = did_you_mean(asked.integration_identifier, identifiers)
            message = "is not an integration of this environment"
            found.append(Issue("/integrationIdentifier", "unknown_integration", message, hint))
    if found:
        raise issues.refusal(found)
    return ChannelAddress(
        provider_id=asked.provider_id,
        integration_identifier=asked.integration_identifier,
        device_tokens=tuple(asked.credentials.device_tokens or ()),
        webhook_url=asked.credentials.webhook_url,
        channel=asked.credentials.channel,
    )


def unknown_providers(runtime: Runtime, named: Mapping[str, str]) -> list[Issue]:
    """Those of ``named``, provider ids by the pointer of where they are named, that reach no subscriber."""
    known = _known_providers(runtime) if named else frozenset[str]()
    return [
        Issue(path, "unknown_provider", "is not a chat or push provider", did_you_mean(name, known))
        for path, name in named.items()
        if name not in known
    ]


def _known_providers(runtime: Runtime) -> frozenset[str]:
    """Novu's chat and push providers, and those of the plugins."""
    return CLOSED_IDS | {name for name, kind in runtime.host.providers.items() if kind.channel in ("chat", "push")}


HANDLERS = [update, append, remove]
