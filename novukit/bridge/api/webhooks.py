"""Where an integration's vendor tells what happens to messages: the URL to enter there, and what to tick."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath
from pydantic import Field

from ...errors import InvalidInput
from ...providers import EventKind
from ...store import integrations
from ..auth import Here, TheCaller, TheRuntime
from ..wire import Data, Wire, envelope, identify
from .callbacks import path_of

TAGS = ["Integrations"]


class WebhookOut(Wire):
    """What to enter at the vendor."""

    path: str = Field(description="The path of the URL.")
    url: str | None = Field(description="The URL; null while `public_url` is not set.")
    events: list[EventKind] = Field(description="What the provider understands of what its vendor tells.")
    setup: str = Field(description="What to do at the vendor, as the provider says it.")


@get("/v1/integrations/{integration_id:str}/webhook", summary="Show an integration's callback URL", tags=TAGS)
async def show(integration_id: FromPath[str], here: Here, caller: TheCaller, runtime: TheRuntime) -> Data[WebhookOut]:
    """The URL to enter at the vendor, so that it tells what happens to messages."""
    one = await integrations.get(here, runtime.secrets, identify(integration_id, "integration"))
    provider = runtime.host.get(one.provider_id)
    if not provider.events:
        raise InvalidInput(
            f"The provider {provider.id!r} has no callbacks: its vendor tells nothing, or the plugin does not read it.",
            hint="The table in the README of a plugin names the events that it reports.",
        )
    path, base = path_of(caller.environment, one), runtime.settings.public_url
    events = sorted(provider.events, key=list(EventKind).index)
    return envelope(
        WebhookOut(path=path, url=f"{base}{path}" if base else None, events=events, setup=provider.callback_setup)
    )


HANDLERS: list[Any] = [show]
