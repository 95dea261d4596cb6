"""Channel endpoints: the places where an integration reaches a subscriber, such as a Slack user or a Telegram chat."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from ...engine import Runtime
from ...errors import Issue, did_you_mean
from ...model import (
    ENDPOINT_TYPES,
    Channel,
    ChannelConnection,
    ChannelEndpoint,
    Email,
    EndpointType,
    Identifier,
    Integration,
    Phone,
    SubscriberId,
)
from ...model.context import keys_of, listed
from ...store import Scope, connections, endpoints, subscribers
from ...store.connections import Filter
from .. import issues
from ..auth import Here, TheRuntime
from ..contexts import context_filter, read_context
from ..cursors import CURSOR, ContextKeys, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, missing
from .channel_connections import (
    ByProvider,
    Named,
    Text,
    Whose,
    make_sure,
    meant,
    taken,
    the_integration,
    unknown_subscriber,
    wire_id,
)
from .credentials import Webhook
from .recipients import read_at

TAGS = ["Channel endpoints"]
Place = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class ChannelPlace(Wire):
    """A channel of a workspace."""

    channel_id: Place


class UserPlace(Wire):
    """A person in a workspace or app."""

    user_id: Place


class TeamPlace(Wire):
    """A channel of a team."""

    team_id: Place
    channel_id: Place


class ChatPlace(Wire):
    """A chat with a bot."""

    chat_id: Place


class RoomPlace(Wire):
    """A room."""

    room_id: Place


class WebexPlace(Wire):
    """A person, by id or by e-mail address."""

    person_id: Place | None = None
    person_email: Email | None = None

    @model_validator(mode="after")
    def _one(self) -> WebexPlace:
        if (self.person_id is None) == (self.person_email is None):
            raise PydanticCustomError("bad_format", "must have either personId or personEmail")
        return self


class WebhookPlace(Wire):
    """A webhook, and the channel of it where it serves several."""

    url: Webhook
    channel: Place | None = None


class PhonePlace(Wire):
    """A phone number."""

    phone_number: Phone


PLACES: dict[EndpointType, type[Wire]] = {
    "slack_channel": ChannelPlace,
    "slack_user": UserPlace,
    "webhook": WebhookPlace,
    "phone": PhonePlace,
    "ms_teams_channel": TeamPlace,
    "ms_teams_user": UserPlace,
    "telegram_chat": ChatPlace,
    "webex_room": RoomPlace,
    "webex_person": WebexPlace,
    "line_user": UserPlace,
}


class EndpointChanges(Wire):
    """Where the endpoint leads from now on; its type stays."""

    endpoint: dict[str, Any]


class NewEndpoint(EndpointChanges):
    """A place where an integration reaches a subscriber. What `endpoint` holds depends on the `type`."""

    subscriber_id: SubscriberId
    integration_identifier: Text
    type: str = Field(max_length=64, description=f"One of {', '.join(ENDPOINT_TYPES)}.")
    identifier: Identifier | None = None
    connection_identifier: Text | None = Field(
        default=None, description="The connection whose token reaches it; left out, the integration's own does."
    )
    context: dict[str, Any] | None = Field(default=None, description="`{type: id}`: only messages of that context.")
    create_subscriber_if_missing: bool = False


class EndpointOut(Wire):
    """A place where an integration reaches a subscriber."""

    identifier: str
    channel: Channel | None
    provider_id: str | None
    integration_identifier: str | None
    connection_identifier: str | None
    subscriber_id: str | None
    context_keys: list[str]
    type: EndpointType
    endpoint: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp


@get("/v1/channel-endpoints", summary="List channel endpoints", tags=TAGS, dependencies=CURSOR)
async def list_all(
    *,
    here: Here,
    runtime: TheRuntime,
    part: ThePart,
    subscriber_id: Whose = None,
    channel: FromQuery[Channel | None] = None,
    provider_id: ByProvider = None,
    integration_identifier: Named = None,
    connection_identifier: Annotated[str | None, QueryParameter(name="connectionIdentifier", max_length=100)] = None,
    context_keys: ContextKeys = None,
) -> CursorPage[EndpointOut]:
    """A page of endpoints, newest first."""
    filters = Filter(
        subscriber_id=subscriber_id,
        channel=channel,
        provider_ids=meant(runtime, provider_id),
        integration_identifier=integration_identifier,
        connection_identifier=connection_identifier,
        context_keys=context_filter(context_keys),
    )
    page = await endpoints.page(here, part, filters)
    return cursor_page(page, lambda one: to_wire(one, runtime))


@post("/v1/channel-endpoints", summary="Create a channel endpoint", tags=TAGS)
async def create(data: JSONBody[NewEndpoint], here: Here, runtime: TheRuntime) -> Data[EndpointOut]:
    """Let an integration reach a subscriber at one more place. A message to its channel goes to each of them."""
    found: list[Issue] = []
    context = read_context(data.context, "/context", found)
    kind = _kind(data.type, found)
    place = read_at(PLACES[kind], data.endpoint, "/endpoint", found) if kind else None
    integration = await the_integration(here, runtime, data.integration_identifier, found)
    if integration is not None and kind is not None:
        found += _unreachable(runtime, integration, kind)
    connection = await _connection(here, runtime, data, integration, found)
    who = await subscribers.get(here, data.subscriber_id)
    if who is None and not data.create_subscriber_if_missing:
        found.append(unknown_subscriber())
    if found or integration is None or kind is None or place is None:
        raise issues.refusal(found)
    if who is None:
        await make_sure(here, data.subscriber_id)
        who = await subscribers.get(here, data.subscriber_id)
        if who is None:
            raise missing("subscriber", data.subscriber_id)
    made = await endpoints.create(
        here,
        identifier=data.identifier,
        integration_id=integration.id,
        connection_id=connection.id if connection else None,
        subscriber_uuid=who.id,
        context_keys=keys_of(context),
        type=kind,
        endpoint=place.model_dump(by_alias=True, exclude_none=True),
    )
    if made is None:
        raise issues.refusal([taken("endpoint", data.identifier)])
    return envelope(to_wire(made, runtime))


@get("/v1/channel-endpoints/{identifier:str}", summary="Show a channel endpoint", tags=TAGS)
async def retrieve(identifier: FromPath[str], here: Here, runtime: TheRuntime) -> Data[EndpointOut]:
    """One endpoint by its identifier."""
    return envelope(to_wire(await _found(here, identifier), runtime))


@patch("/v1/channel-endpoints/{identifier:str}", summary="Change a channel endpoint", tags=TAGS)
async def update(
    identifier: FromPath[str], data: JSONBody[EndpointChanges], here: Here, runtime: TheRuntime
) -> Data[EndpointOut]:
    """Let an endpoint lead elsewhere. Messages that are on record already go where it led."""
    found: list[Issue] = []
    place = read_at(PLACES[(await _found(here, identifier)).type], data.endpoint, "/endpoint", found)
    if place is None:
        raise issues.refusal(found)
    changed = await endpoints.update(here, identifier, place.model_dump(by_alias=True, exclude_none=True))
    if changed is None:
        raise missing("channel endpoint", identifier)
    return envelope(to_wire(changed, runtime))


@delete("/v1/channel-endpoints/{identifier:str}", summary="Delete a channel endpoint", tags=TAGS)
async def remove(identifier: FromPath[str], here: Here) -> None:
    """Forget an endpoint: nothing goes there any more."""
    if not await endpoints.delete(here, identifier):
        raise missing("channel endpoint", identifier)


def _kind(name: str, found: list[Issue]) -> EndpointType | None:
    for kind in ENDPOINT_TYPES:
        if kind == name:
            return kind
    message = f"must be one of {', '.join(ENDPOINT_TYPES)}"
    found.append(Issue("/type", "not_allowed", message, did_you_mean(name, ENDPOINT_TYPES)))
    return None


def _unreachable(runtime: Runtime, integration: Integration, kind: EndpointType) -> list[Issue]:
    """Why the provider of an integration could never send to an endpoint of this type."""
    provider = runtime.host.providers.get(integration.provider_id)
    if provider is None or provider.any_address or kind in provider.endpoints:
        return []
    message = f"the provider {provider.id!r} of this integration reaches no {kind}"
    hint = f"It reaches {', '.join(sorted(provider.endpoints))}." if provider.endpoints else "It reaches no endpoints."
    return [Issue("/type", "unreachable", message, hint)]


async def _connection(
    here: Scope, runtime: Runtime, data: NewEndpoint, integration: Integration | None, found: list[Issue]
) -> ChannelConnection | None:
    """The connection that is named. It must be of the same integration, and not of another subscriber alone."""
    if data.connection_identifier is None:
        return None
    one = await connections.get(here, runtime.secrets, data.connection_identifier)
    path = "/connectionIdentifier"
    if one is None:
        found.append(Issue(path, "unknown_connection", "is not a channel connection of this environment"))
    elif integration is not None and one.integration_id != integration.id:
        said = f"is a connection of the integration {one.integration_identifier!r}"
        found.append(Issue(path, "other_integration", said, "Name a connection of the same integration."))
    elif one.subscriber_id not in (None, data.subscriber_id):
        found.append(Issue(path, "other_subscriber", "is a connection of another subscriber alone"))
    return one


async def _found(here: Scope, identifier: str) -> ChannelEndpoint:
    if (one := await endpoints.get(here, identifier)) is None:
        raise missing("channel endpoint", identifier)
    return one


def to_wire(one: ChannelEndpoint, runtime: Runtime) -> EndpointOut:
    return EndpointOut(
        identifier=one.identifier,
        channel=one.channel,
        provider_id=wire_id(runtime, one.provider_id, one.channel),
        integration_identifier=one.integration_identifier,
        connection_identifier=one.connection_identifier,
        subscriber_id=one.subscriber_id,
        context_keys=listed(one.context_keys),
        type=one.type,
        endpoint=one.endpoint,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


HANDLERS: list[Any] = [list_all, create, retrieve, update, remove]
