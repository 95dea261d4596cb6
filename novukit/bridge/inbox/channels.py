"""Where chat and phone providers reach a subscriber, as far as it is theirs: looked at and taken back.

What would let a page add such a place is left out: it takes a secret of the vendor's, or the vendor's own page.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get
from litestar.params import FromPath, FromQuery, QueryParameter

from ...errors import Issue
from ...model import Channel
from ...store import connections, endpoints
from ...store.connections import Filter
from ..api import channel_connections, channel_endpoints
from ..api.channel_connections import ByProvider, ConnectionOut, Named, Whose, meant
from ..api.channel_endpoints import EndpointOut
from ..auth import Here, TheRuntime
from ..contexts import context_filter
from ..cursors import CURSOR, ContextKeys, ThePart
from ..issues import refusal
from ..wire import CursorPage, Data, cursor_page, envelope, missing
from .auth import TheSession
from .token import Session

TAGS = ["Inbox"]
_CONNECTIONS, _ENDPOINTS = "/v1/inbox/channel-connections", "/v1/inbox/channel-endpoints"

Mode = Annotated[Literal["subscriber", "shared"] | None, QueryParameter(name="connectionMode")]


@get(_CONNECTIONS, summary="List your channel connections", tags=TAGS, dependencies=CURSOR)
async def list_connections(
    *,
    here: Here,
    session: TheSession,
    runtime: TheRuntime,
    part: ThePart,
    subscriber_id: Whose = None,
    connection_mode: Mode = None,
    channel: FromQuery[Channel | None] = None,
    provider_id: ByProvider = None,
    integration_identifier: Named = None,
    context_keys: ContextKeys = None,
) -> CursorPage[ConnectionOut]:
    """A page of your own connections in this context, newest first. Of shared ones a page is told nothing."""
    _check(session, subscriber_id, context_keys)
    filters = Filter(
        subscriber_id=session.subscriber_id,
        channel=channel,
        provider_ids=meant(runtime, provider_id),
        integration_identifier=integration_identifier,
        context_keys=session.context_keys,
        shared=connection_mode == "shared",
    )
    page = await connections.page(here, runtime.secrets, part, filters)
    return cursor_page(page, lambda one: channel_connections.to_wire(one, runtime))


# Without the envelope: that is how Novu's client reads this one.
@get(_CONNECTIONS + "/{identifier:str}", summary="Show your channel connection", tags=TAGS)
async def show_connection(
    *, here: Here, session: TheSession, runtime: TheRuntime, identifier: FromPath[str], connection_mode: Mode = None
) -> ConnectionOut:
    """One connection of your own."""
    one = await connections.get(here, runtime.secrets, identifier, subscriber_id=session.subscriber_id)
    if one is None or connection_mode == "shared" or one.context_keys != session.context_keys:
        raise missing("channel connection", identifier)
    return channel_connections.to_wire(one, runtime)


@delete(_CONNECTIONS + "/{identifier:str}", summary="Delete your channel connection", tags=TAGS)
async def remove_connection(here: Here, session: TheSession, runtime: TheRuntime, identifier: FromPath[str]) -> None:
    """Forget a connection with its token, and the endpoints that are reached through it."""
    one = await connections.get(here, runtime.secrets, identifier, subscriber_id=session.subscriber_id)
    if one is None or one.context_keys != session.context_keys:
        raise missing("channel connection", identifier)
    await connections.delete(here, identifier, subscriber_id=session.subscriber_id)


@get(_ENDPOINTS, summary="List your channel endpoints", tags=TAGS, dependencies=CURSOR)
async def list_endpoints(
    *,
    here: Here,
    session: TheSession,
    runtime: TheRuntime,
    part: ThePart,
    subscriber_id: Whose = None,
    channel: FromQuery[Channel | None] = None,
    provider_id: ByProvider = None,
    integration_identifier: Named = None,
    connection_identifier: Annotated[str | None, QueryParameter(name="connectionIdentifier", max_length=100)] = None,
    context_keys: ContextKeys = None,
) -> CursorPage[EndpointOut]:
    """A page of your own endpoints in this context, newest first."""
    _check(session, subscriber_id, context_keys)
    filters = Filter(
        subscriber_id=session.subscriber_id,
        channel=channel,
        provider_ids=meant(runtime, provider_id),
        integration_identifier=integration_identifier,
        connection_identifier=connection_identifier,
        context_keys=session.context_keys,
    )
    page = await endpoints.page(here, part, filters)
    return cursor_page(page, lambda one: channel_endpoints.to_wire(one, runtime))


@get(_ENDPOINTS + "/{identifier:str}", summary="Show your channel endpoint", tags=TAGS)
async def show_endpoint(
    here: Here, session: TheSession, runtime: TheRuntime, identifier: FromPath[str]
) -> Data[EndpointOut]:
    """One endpoint of your own."""
    one = await endpoints.get(here, identifier, subscriber_id=session.subscriber_id)
    if one is None or one.context_keys != session.context_keys:
        raise missing("channel endpoint", identifier)
    return envelope(channel_endpoints.to_wire(one, runtime))


@delete(_ENDPOINTS + "/{identifier:str}", summary="Delete your channel endpoint", tags=TAGS)
async def remove_endpoint(here: Here, session: TheSession, identifier: FromPath[str]) -> None:
    """Forget an endpoint: nothing goes there any more."""
    one = await endpoints.get(here, identifier, subscriber_id=session.subscriber_id)
    if one is None or one.context_keys != session.context_keys:
        raise missing("channel endpoint", identifier)
    await endpoints.delete(here, identifier, subscriber_id=session.subscriber_id)


def _check(session: Session, subscriber_id: str | None, context_keys: list[str] | None) -> None:
    """Raise :class:`InvalidInput` when somebody else's are asked for: an answer would be taken for theirs."""
    wrong: list[Issue] = []
    if subscriber_id not in (None, session.subscriber_id):
        wrong.append(Issue("/subscriberId", "not_yours", "is another subscriber than the session's", "Leave it out."))
    if context_filter(context_keys) not in (None, session.context_keys):
        wrong.append(Issue("/contextKeys", "not_yours", "is another context than the session's", "Leave it out."))
    if wrong:
        raise refusal(wrong, "The query")


HANDLERS: list[Any] = [
    list_connections, show_connection, remove_connection, list_endpoints, show_endpoint, remove_endpoint,
]  # fmt: skip
