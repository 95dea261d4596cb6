"""Subscribers: created, found, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from litestar import Response, delete, get, patch, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from pydantic import Field

from ...engine import Runtime
from ...errors import InvalidInput
from ...model import (
    Caller,
    ChannelAddress,
    Email,
    Locale,
    Phone,
    StoredSubscriber,
    Subscriber,
    SubscriberData,
    SubscriberId,
    TimeZone,
)
from ...providers.novu_ids import NOVU_IDS
from ...store import Scope, subscribers
from ...store.subscribers import KnownIntegration
from ..auth import Here, TheCaller, TheRuntime
from ..body import LARGE_BODY
from ..cursors import CURSOR, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, missing, read

TAGS = ["Subscribers"]
MOST_AT_ONCE = 500

CLOSED_IDS = NOVU_IDS["chat"] | NOVU_IDS["push"]
"""The provider ids that may appear in a subscriber's channels: the SDKs refuse any other."""

Filter = Annotated[str | None, QueryParameter(max_length=320)]
FailIfExists = Annotated[
    bool, QueryParameter(name="failIfExists", description="Answer 409 with what exists instead of updating it.")
]


class Profile(Wire):
    """What may be told of a subscriber. In a change, null clears."""

    first_name: str | None = Field(default=None, max_length=255)
    last_name: str | None = Field(default=None, max_length=255)
    email: Email | None = None
    phone: Phone | None = None
    avatar: str | None = Field(default=None, max_length=2048)
    locale: Locale | None = None
    timezone: TimeZone | None = None
    data: SubscriberData | None = None


class NewSubscriber(Profile):
    """A subscriber with profile."""

    subscriber_id: SubscriberId


class ManySubscribers(Wire):
    """Up to 500 subscribers; each may fail alone."""

    subscribers: list[dict[str, Any]] = Field(max_length=MOST_AT_ONCE)


class OnlineFlag(Wire):
    """Whether the subscriber is there."""

    is_online: bool


class CredentialsOut(Wire):
    """Where a provider reaches the subscriber."""

    webhook_url: str | None = None
    channel: str | None = None
    device_tokens: list[str]


class ChannelOut(Wire):
    """One provider's address of a subscriber."""

    provider_id: str
    integration_id: Annotated[str, Field(alias="_integrationId")]
    integration_identifier: str | None = None
    credentials: CredentialsOut


class SubscriberOut(Wire):
    """A subscriber."""

    id: Annotated[str, Field(alias="_id")]
    organization_id: Annotated[str, Field(alias="_organizationId")]
    environment_id: Annotated[str, Field(alias="_environmentId")]
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    avatar: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any]
    channels: list[ChannelOut]
    topics: list[str] = Field(description="The keys of the topics that they are members of.")
    is_online: bool | None = None
    last_online_at: Timestamp | None = None
    deleted: bool = False
    created_at: Timestamp
    updated_at: Timestamp


class SubscriberName(Wire):
    """A subscriber's id alone."""

    subscriber_id: str


class Failed(Wire):
    """A subscriber that was not kept, and why."""

    subscriber_id: str | None = None
    message: str


class BulkOut(Wire):
    """What became of each subscriber."""

    created: list[SubscriberName]
    updated: list[SubscriberName]
    failed: list[Failed]


class Deleted(Wire):
    """It is gone."""

    acknowledged: bool = True
    status: str = "deleted"


@get("/v2/subscribers", summary="Search subscribers", tags=TAGS, dependencies=CURSOR)
async def search(
    *,
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    part: ThePart,
    email: Filter = None,
    phone: Filter = None,
    name: Annotated[str | None, QueryParameter(max_length=320, description="A part of «first last».")] = None,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId", max_length=320)] = None,
) -> CursorPage[SubscriberOut]:
    """A page of subscribers, newest first. Filters mind the case; all but the name are exact."""
    page = await subscribers.page(here, part, email=email, phone=phone, name=name, subscriber_id=subscriber_id)
    return cursor_page(page, await writer(here, caller, runtime, page.data))


@post("/v2/subscribers", summary="Create or update a subscriber", tags=TAGS)
async def create(
    data: JSONBody[NewSubscriber],
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    fail_if_exists: FailIfExists = False,
) -> Response[Any]:
    """Create a subscriber, or update one with what is given. A field left out, or null, stays as it is."""
    subscriber = Subscriber(**data.model_dump())
    status = 201
    if not fail_if_exists:
        await subscribers.upsert_many(here, [subscriber])
    elif await subscribers.create(here, subscriber) is None:
        status = 409
    shown = await show(here, caller, runtime, await found(here, data.subscriber_id))
    # An SDK reads the subscriber itself from a 409, without the envelope.
    return Response(envelope(shown) if status == 201 else shown, status_code=status)


@post("/v1/subscribers/bulk", summary="Create or update many subscribers", tags=TAGS, request_max_body_size=LARGE_BODY)
async def create_bulk(data: JSONBody[ManySubscribers], here: Here) -> Data[BulkOut]:
    """Create or update up to 500 subscribers. What is wrong with one does not stop the others."""
    wanted: list[Subscriber] = []
    failed: list[Failed] = []
    for value in data.subscribers:
        try:
            wanted.append(Subscriber(**read(NewSubscriber, value).model_dump()))
        except InvalidInput as err:
            name = value.get("subscriberId")
            message = "; ".join(" ".join(filter(None, (i.path, i.message, i.hint))) for i in err.issues)
            failed.append(Failed(subscriber_id=name[:255] if isinstance(name, str) else None, message=message))
    done = await subscribers.upsert_each(here, wanted)
    names = {
        made: [SubscriberName(subscriber_id=n) for n, it in done.items() if it.created is made]
        for made in (True, False)
    }
    return envelope(BulkOut(created=names[True], updated=names[False], failed=failed))


@get("/v2/subscribers/{subscriber_id:str}", summary="Show a subscriber", tags=TAGS)
async def retrieve(
    subscriber_id: FromPath[str], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Response[Data[SubscriberOut]]:
    """One subscriber. The header ETag names this state for `If-Match`."""
    return await _with_etag(here, caller, runtime, await found(here, subscriber_id))


@patch("/v2/subscribers/{subscriber_id:str}", summary="Change a subscriber", tags=TAGS)
async def change(
    *,
    subscriber_id: FromPath[str],
    data: JSONBody[Profile],
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    if_match: Annotated[str | None, HeaderParameter(name="If-Match")] = None,
) -> Response[Data[SubscriberOut]]:
    """Change what is given; null clears. With `If-Match` only the state that it names, else the answer is 412."""
    changes = {field: getattr(data, field) for field in data.model_fields_set}
    if if_match is None or if_match.strip() == "*":
        changed = await subscribers.patch(here, subscriber_id, changes)
    else:
        current = await found(here, subscriber_id)
        changed = None
        if if_match.strip() == _etag(current.updated_at):
            changed = await subscribers.patch(here, subscriber_id, changes, unchanged_since=current.updated_at)
        if changed is None:
            await found(here, subscriber_id)
            detail = "The subscriber has changed since the state that If-Match names. Get it again and decide anew."
            raise HTTPException(status_code=412, detail=detail)
    if changed is None:
        raise missing("subscriber", subscriber_id)
    return await _with_etag(here, caller, runtime, changed)


@delete("/v2/subscribers/{subscriber_id:str}", summary="Delete a subscriber", tags=TAGS, status_code=200)
async def remove(subscriber_id: FromPath[str], here: Here, runtime: TheRuntime) -> Data[Deleted]:
    """Forget a subscriber with addresses, preferences, topic subscriptions and messages."""
    found = await subscribers.get(here, subscriber_id)
    if found is None or not await subscribers.delete(here, subscriber_id):
        raise missing("subscriber", subscriber_id)
    await runtime.publish(here.environment_id, [(found.id, None)])  # whoever has the inbox open is sent away
    return envelope(Deleted())


@patch("/v1/subscribers/{subscriber_id:str}/online-status", summary="Note that a subscriber is online", tags=TAGS)
async def update_online_flag(
    subscriber_id: FromPath[str], data: JSONBody[OnlineFlag], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[SubscriberOut]:
    """Set `isOnline`; going offline notes the time as `lastOnlineAt`."""
    changed = await subscribers.set_online(here, subscriber_id, data.is_online)
    if changed is None:
        raise missing("subscriber", subscriber_id)
    return envelope(await show(here, caller, runtime, changed))


async def found(here: Scope, subscriber_id: str) -> StoredSubscriber:
    """The subscriber. Raises :class:`NotFound`."""
    if (subscriber := await subscribers.get(here, subscriber_id)) is None:
        raise missing("subscriber", subscriber_id)
    return subscriber


async def show(here: Scope, caller: Caller, runtime: Runtime, subscriber: StoredSubscriber) -> SubscriberOut:
    """A subscriber as the wire has it."""
    return (await writer(here, caller, runtime, [subscriber]))(subscriber)


async def writer(
    here: Scope, caller: Caller, runtime: Runtime, people: Sequence[StoredSubscriber]
) -> Callable[[StoredSubscriber], SubscriberOut]:
    """What makes wire subscribers of ``people``; it has looked once for the integrations that their addresses name,
    and for their topics."""
    topics = await subscribers.topics_of(here, [one.id for one in people]) if people else {}
    known = await subscribers.known_integrations(here) if any(one.addresses for one in people) else []

    def write(one: StoredSubscriber) -> SubscriberOut:
        addresses = [address for address in one.addresses if address.provider_id in CLOSED_IDS]
        return SubscriberOut(
            id=str(one.id),
            organization_id=str(caller.organization_id),
            environment_id=str(caller.environment.id),
            channels=[_channel(address, _integration(address, known, runtime)) for address in addresses],
            topics=topics.get(one.id, []),
            **one.model_dump(exclude={"id", "addresses", "endpoints"}),
        )

    return write


def _channel(address: ChannelAddress, integration: KnownIntegration | None) -> ChannelOut:
    return ChannelOut(
        provider_id=address.provider_id,
        integration_id=str(integration.id) if integration else "",
        integration_identifier=address.integration_identifier or (integration.identifier if integration else None),
        credentials=CredentialsOut(
            webhook_url=address.webhook_url, channel=address.channel, device_tokens=list(address.device_tokens)
        ),
    )


def _integration(
    address: ChannelAddress, known: Sequence[KnownIntegration], runtime: Runtime
) -> KnownIntegration | None:
    """The integration that an address is for: the one that it names, else the first whose provider it fits."""
    if address.integration_identifier:
        return next((one for one in known if one.identifier == address.integration_identifier), None)
    for one in known:
        kind = runtime.host.providers.get(one.provider_id)
        if address.provider_id in (one.provider_id, kind.novu_id if kind else None):
            return one
    return None


def _etag(at: datetime) -> str:
    return f'"{int(at.timestamp() * 1_000_000):x}"'


async def _with_etag(
    here: Scope, caller: Caller, runtime: Runtime, one: StoredSubscriber
) -> Response[Data[SubscriberOut]]:
    shown = envelope(await show(here, caller, runtime, one))
    return Response(shown, headers={"ETag": _etag(one.updated_at)})


HANDLERS = [search, create, create_bulk, retrieve, change, remove, update_online_flag]
