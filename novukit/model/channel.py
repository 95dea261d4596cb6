"""Where chat and phone providers reach a subscriber: endpoints, and the connections to workspaces they go through."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from .base import Model
from .step import Channel

EndpointType = Literal[
    "slack_channel",
    "slack_user",
    "webhook",
    "phone",
    "ms_teams_channel",
    "ms_teams_user",
    "telegram_chat",
    "webex_room",
    "webex_person",
    "line_user",
]
"""What an endpoint may be: Novu's types but those of its tools (PagerDuty, Opsgenie, Grafana), for which there is no
channel here."""

ENDPOINT_TYPES: tuple[EndpointType, ...] = get_args(EndpointType)


class ConnectionAuth(Model):
    """What a workspace has granted. It is stored sealed, and leaves the process only to the provider."""

    access_token: str
    refresh_token: str | None = None
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None

    def __repr__(self) -> str:
        return "ConnectionAuth(…)"

    __str__ = __repr__


class ChannelConnection(Model):
    """A workspace that has let a provider's app in: of one subscriber, or shared (``subscriber_id`` is None)."""

    id: UUID
    identifier: str
    integration_id: UUID
    integration_identifier: str
    provider_id: str
    channel: Channel
    subscriber_id: str | None
    context_keys: str
    workspace: dict[str, Any]
    auth: ConnectionAuth
    created_at: datetime
    updated_at: datetime


class ChannelEndpoint(Model):
    """One place where an integration reaches a subscriber. ``endpoint`` has the keys of its type, as on the wire."""

    id: UUID
    identifier: str
    integration_id: UUID
    integration_identifier: str
    provider_id: str
    channel: Channel
    connection_id: UUID | None
    connection_identifier: str | None
    subscriber_id: str
    context_keys: str
    type: EndpointType
    endpoint: dict[str, Any]
    created_at: datetime
    updated_at: datetime
