"""Channel connections: workspaces that have let an integration's app in. Their tokens never go out whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import AwareDatetime, Field, StringConstraints

from ...engine import Runtime
from ...errors import Issue, NotFound, did_you_mean
from ...model import Channel, ChannelConnection, ConnectionAuth, Identifier, Integration, Subscriber
from ...model.context import keys_of, listed
from ...providers.novu_ids import novu_id_of
from ...store import Scope, connections, integrations, subscribers
from ...store.connections import Filter
from .. import issues
from ..auth import Here, TheRuntime
from ..contexts import context_filter, read_context
from ..cursors import CURSOR, ContextKeys, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, iso, missing

TAGS = ["Channel connections"]
MASK = "****"
"""What stands for the part of a token that is not shown."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=8192)]
Named = Annotated[str | None, QueryParameter(name="integrationIdentifier", max_length=100)]
Whose = Annotated[str | None, QueryParameter(name="subscriberId", max_length=255)]
ByProvider = Annotated[
    str | None,
    QueryParameter(name="providerId", max_length=100, description="A plugin's id, or Novu's id for it."),
]


class Workspace(Wire):
    """The workspace, as its vendor calls it."""

    id: Text
    name: Text | None = None
    bot_user_id: Text | None = None


class AuthIn(Wire):
    """What the workspace has granted."""

    access_token: Token
    refresh_token: Token | None = None
    expires_at: AwareDatetime | None = None
    refresh_token_expires_at: AwareDatetime | None = None


class ConnectionChanges(Wire):
    """What takes the place of what was there. A token given as it is shown (`****` and its end) stays as it is."""

    workspace: Workspace
    auth: AuthIn


class NewConnection(ConnectionChanges):
    """A workspace that has let the app of an integration in: for one subscriber, or shared by all."""

    integration_identifier: Text
    identifier: Identifier | None = None
    subscriber_id: Text | None = None
    context: dict[str, Any] | None = Field(default=None, description="`{type: id}`: only messages of that context.")
    connection_mode: Literal["subscriber", "shared"] | None = Field(
        default=None, description="`subscriber` needs a subscriberId, `shared` has none; left out, that decides."
    )


class AuthOut(Wire):
    """What the workspace has granted, with only the end of each token."""

    access_token: str
    refresh_token: str | None = None
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None


class ConnectionOut(Wire):
    """A workspace that has let the app of an integration in."""

    identifier: str
    channel: Channel | None
    provider_id: str | None
    integration_identifier: str | None
    subscriber_id: str | None
    context_keys: list[str]
    workspace: dict[str, Any]
    auth: AuthOut
    created_at: Timestamp
    updated_at: Timestamp


@get("/v1/channel-connections", summary="List channel connections", tags=TAGS, dependencies=CURSOR)
async def list_all(
    *,
    here: Here,
    runtime: TheRuntime,
    part: ThePart,
    subscriber_id: Whose = None,
    connection_mode: Annotated[Literal["subscriber", "shared"] | None, QueryParameter(name="connectionMode")] = None,
    channel: FromQuery[Channel | None] = None,
    provider_id: ByProvider = None,
    integration_identifier: Named = None,
    context_keys: ContextKeys = None,
) -> CursorPage[ConnectionOut]:
    """A page of connections, newest first."""
    filters = Filter(
        subscriber_id=subscriber_id,
        channel=channel,
        provider_ids=meant(runtime, provider_id),
        integration_identifier=integration_identifier,
        context_keys=context_filter(context_keys),
        shared=None if connection_mode is None else connection_mode == "shared",
    )
    page = await connections.page(here, runtime.secrets, part, filters)
    return cursor_page(page, lambda one: to_wire(one, runtime))


@post("/v1/channel-connections", summary="Create a channel connection", tags=TAGS)
async def create(data: JSONBody[NewConnection], here: Here, runtime: TheRuntime) -> Data[ConnectionOut]:
    """Keep the token that a workspace has granted to the app of an integration."""
    found: list[Issue] = []
    context = read_context(data.context, "/context", found)
    integration = await the_integration(here, runtime, data.integration_identifier, found)
    if data.connection_mode == "subscriber" and data.subscriber_id is None:
        found.append(Issue("/subscriberId", "required", "is needed for a connection of one subscriber"))
    if data.connection_mode == "shared" and data.subscriber_id is not None:
        hint = "Leave it out, or the connectionMode."
        found.append(Issue("/subscriberId", "excluded", "a shared connection is nobody's alone", hint))
    who = None
    if data.subscriber_id is not None:
        who = await subscribers.get(here, data.subscriber_id)
        if who is None:
            found.append(unknown_subscriber())
    if found or integration is None:
        raise issues.refusal(found)
    made = await connections.create(
        here,
        runtime.secrets,
        identifier=data.identifier,
        integration_id=integration.id,
        subscriber_uuid=who.id if who else None,
        context_keys=keys_of(context),
        workspace=data.workspace.model_dump(by_alias=True, exclude_none=True),
        auth=_auth(data.auth),
    )
    if made is None:
        raise issues.refusal([taken("connection", data.identifier)])
    return envelope(to_wire(made, runtime))


@get("/v1/channel-connections/{identifier:str}", summary="Show a channel connection", tags=TAGS)
async def retrieve(identifier: FromPath[str], here: Here, runtime: TheRuntime) -> Data[ConnectionOut]:
    """One connection by its identifier."""
    return envelope(to_wire(await _found(here, runtime, identifier), runtime))


@patch("/v1/channel-connections/{identifier:str}", summary="Change a channel connection", tags=TAGS)
async def update(
    identifier: FromPath[str], data: JSONBody[ConnectionChanges], here: Here, runtime: TheRuntime
) -> Data[ConnectionOut]:
    """Give a connection another workspace and token; what was sent with the old one stays sent."""
    old = await _found(here, runtime, identifier)
    workspace = data.workspace.model_dump(by_alias=True, exclude_none=True)
    auth = _unmasked(_auth(data.auth), old.auth)
    changed = await connections.update(here, runtime.secrets, identifier, workspace=workspace, auth=auth)
    if changed is None:
        raise missing("channel connection", identifier)
    return envelope(to_wire(changed, runtime))


@delete("/v1/channel-connections/{identifier:str}", summary="Delete a channel connection", tags=TAGS)
async def remove(identifier: FromPath[str], here: Here) -> None:
    """Forget a connection with its token, and the endpoints that are reached through it."""
    if not await connections.delete(here, identifier):
        raise missing("channel connection", identifier)


async def the_integration(
    here: Scope, runtime: Runtime, identifier: str, found: list[Issue], *, path: str = "/integrationIdentifier"
) -> Integration | None:
    """The integration of this identifier; ``None``, and what is wrong in ``found``, when there is none."""
    try:
        return await integrations.by_identifier(here, runtime.secrets, identifier)
    except NotFound:
        names = [one.identifier for one in await subscribers.known_integrations(here)]
        hint = did_you_mean(identifier, names)
        found.append(Issue(path, "unknown_integration", "is not an integration of this environment", hint))
        return None


def unknown_subscriber() -> Issue:
    """The issue of a subscriber who is not there."""
    return Issue("/subscriberId", "unknown_subscriber", "there is no such subscriber", "Create the subscriber first.")


def taken(what: str, identifier: str | None) -> Issue:
    """The issue of an identifier that is in use. No 409: Novu's SDKs would try that again for an hour."""
    message = f"there is a channel {what} {identifier!r} already"
    return Issue("/identifier", "taken", message, "Choose another identifier, or leave it out.")


def meant(runtime: Runtime, provider_id: str | None) -> list[str] | None:
    """The ids of the providers that a filter means, by their own id or by Novu's."""
    if provider_id is None:
        return None
    return [provider_id, *(name for name, kind in runtime.host.providers.items() if kind.novu_id == provider_id)]


def wire_id(runtime: Runtime, provider_id: str, channel: Channel) -> str:
    """The id of a provider where the list of them is closed."""
    kind = runtime.host.providers.get(provider_id)
    return novu_id_of(kind.novu_id if kind else provider_id, channel)


async def make_sure(here: Scope, subscriber_id: str) -> None:
    """Create the subscriber if there is none of this id."""
    await subscribers.upsert_many(here, [Subscriber(subscriber_id=subscriber_id)])


async def _found(here: Scope, runtime: Runtime, identifier: str) -> ChannelConnection:
    if (one := await connections.get(here, runtime.secrets, identifier)) is None:
        raise missing("channel connection", identifier)
    return one


def _auth(asked: AuthIn) -> ConnectionAuth:
    return ConnectionAuth(
        access_token=asked.access_token,
        refresh_token=asked.refresh_token,
        expires_at=iso(asked.expires_at) if asked.expires_at else None,
        refresh_token_expires_at=iso(asked.refresh_token_expires_at) if asked.refresh_token_expires_at else None,
    )


def _unmasked(new: ConnectionAuth, old: ConnectionAuth) -> ConnectionAuth:
    """``new``, with the tokens of ``old`` where they were given back as they are shown."""
    kept = {
        name: getattr(old, name)
        for name in ("access_token", "refresh_token")
        if (was := getattr(old, name)) is not None and getattr(new, name) == _masked(was)
    }
    return new.model_copy(update=kept)


def _masked(token: str) -> str:
    return f"{MASK}{token[-4:]}" if len(token) >= 16 else MASK


def to_wire(one: ChannelConnection, runtime: Runtime) -> ConnectionOut:
    return ConnectionOut(
        identifier=one.identifier,
        channel=one.channel,
        provider_id=wire_id(runtime, one.provider_id, one.channel),
        integration_identifier=one.integration_identifier,
        subscriber_id=one.subscriber_id,
        context_keys=listed(one.context_keys),
        workspace=one.workspace,
        auth=AuthOut(
            access_token=_masked(one.auth.access_token),
            refresh_token=_masked(one.auth.refresh_token) if one.auth.refresh_token else None,
            expires_at=one.auth.expires_at,
            refresh_token_expires_at=one.auth.refresh_token_expires_at,
        ),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


HANDLERS: list[Any] = [list_all, create, retrieve, update, remove]
