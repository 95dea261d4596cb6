"""The older routes of a subscriber's notifications and of topics, which the SDKs still have."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import Field

from ...errors import Issue
from ...model import Message
from ...store import messages, subscriptions, topics
from ...store.messages import Button, InboxFilter, Notification
from ...store.pages import PageQuery
from ..auth import Here, TheCaller
from ..feed import Feed, TheFeed
from ..issues import refusal
from ..wire import Data, Limit, Timestamp, Wire, envelope, identify, missing
from .messages import LAST_PAGE, MessageOut, call_to_action, message_out
from .notifications import FEED

TAGS = ["Legacy"]
Mark = Literal["read", "seen", "unread", "unseen"]

_MARKS: dict[Mark, dict[str, bool]] = {
    "read": {"read": True}, "seen": {"seen": True}, "unread": {"read": False}, "unseen": {"seen": False},
}  # fmt: skip


class OwnerOut(Wire):
    """Whom an item of the feed is for."""

    id: str = Field(serialization_alias="_id")
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    avatar: str | None = None


class FeedItem(Wire):
    """A notification in its older shape."""

    id: str = Field(serialization_alias="_id")
    template_id: str = Field(serialization_alias="_templateId", description="The workflow.")
    environment_id: str = Field(serialization_alias="_environmentId")
    organization_id: str = Field(serialization_alias="_organizationId")
    notification_id: str = Field(serialization_alias="_notificationId", description="The execution that made it.")
    own_subscriber_id: str = Field(serialization_alias="_subscriberId")
    job_id: str = Field(serialization_alias="_jobId", description="The step of the execution.")
    transaction_id: str
    template_identifier: str
    channel: Literal["in_app"] = "in_app"
    provider_id: Literal["novu"] = "novu"
    status: Literal["sent"] = "sent"
    subject: str | None = None
    content: str
    read: bool
    seen: bool
    archived: bool
    cta: dict[str, Any]
    data: dict[str, Any]
    tags: list[str]
    subscriber: OwnerOut
    created_at: Timestamp
    updated_at: Timestamp


class FeedPage(Wire):
    """A page of the feed, newest first; ``page`` counts from 0, ``totalCount`` no further than 1000."""

    data: list[FeedItem]
    has_more: bool
    page: int
    page_size: int
    total_count: int


class Counted(Wire):
    """How many there are."""

    count: int


class MarkAllIn(Wire):
    """What all notifications become."""

    mark_as: Mark
    feed_identifier: Any = None


class MarkTheseIn(Wire):
    """What given notifications become."""

    message_id: str | list[str]
    mark_as: Mark


class PressIn(Wire):
    """Whether a button was pressed."""

    status: Literal["pending", "done"]
    payload: dict[str, Any] | None = None


class MembershipOut(Wire):
    """That a subscriber is in a topic."""

    organization_id_: str
    environment_id_: str
    subscriber_id_: str
    topic_id_: str
    topic_key: str
    external_subscriber_id: str


_MOST_COUNTED = 1_000
_BASE = "/v1/subscribers/{subscriber_id:str}"


@get(_BASE + "/notifications/feed", summary="List a subscriber's feed", tags=TAGS, dependencies=FEED)
async def feed_page(
    *,
    feed: TheFeed,
    caller: TheCaller,
    page: Annotated[int, QueryParameter(ge=0, le=LAST_PAGE)] = 0,
    limit: Limit = 10,
    read: FromQuery[bool | None] = None,
    seen: FromQuery[bool | None] = None,
    payload: Annotated[str | None, QueryParameter(description="Must be left out.")] = None,
) -> FeedPage:
    """A subscriber's notifications by page, newest first."""
    if payload:
        message, hint = "is not supported: the payload is not kept with a notification", "Filter by data in /v2."
        raise refusal([Issue("/payload", "not_supported", message, hint)], "The query")
    wanted = InboxFilter(read=read, seen=seen, context_keys=feed.context_keys)
    found = await messages.inbox_page(
        feed.scope, feed.subscriber_uuid, wanted, after=None, limit=limit, offset=page * limit
    )
    organization = str(caller.organization_id)
    return FeedPage(
        data=[_item(one, organization) for one in found.data],
        has_more=found.has_more,
        page=page,
        page_size=limit,
        total_count=await messages.count(feed.scope, feed.subscriber_uuid, wanted, _MOST_COUNTED),
    )


@get(_BASE + "/notifications/unseen", summary="Count what a subscriber has not seen", tags=TAGS, dependencies=FEED)
async def unseen(feed: TheFeed, seen: FromQuery[bool] = False, limit: Limit = 100) -> Data[Counted]:
    """How many were not seen, or with ``seen=true`` were; no further than ``limit``."""
    wanted = InboxFilter(seen=seen, context_keys=feed.context_keys)
    return envelope(Counted(count=await messages.count(feed.scope, feed.subscriber_uuid, wanted, limit)))


@post(_BASE + "/messages/mark-all", summary="Mark all of a subscriber's messages", tags=TAGS, dependencies=FEED)
async def mark_all(feed: TheFeed, data: JSONBody[MarkAllIn]) -> Data[int]:
    """Mark all notifications; the answer is how many changed."""
    if data.feed_identifier:
        message = "is not supported: a subscriber has one feed"
        raise refusal([Issue("/feedIdentifier", "not_supported", message, "Leave it out.")])
    return envelope(await feed.mark_all(InboxFilter(), **_MARKS[data.mark_as]))


@post(_BASE + "/messages/mark-as", summary="Mark some of a subscriber's messages", tags=TAGS, dependencies=FEED)
async def mark_these(feed: TheFeed, caller: TheCaller, data: JSONBody[MarkTheseIn]) -> Data[list[MessageOut]]:
    """Mark given notifications; the answer is those that are there, as they are then."""
    named = [data.message_id] if isinstance(data.message_id, str) else data.message_id
    if not 1 <= len(named) <= 100:
        raise refusal([Issue("/messageId", "too_long" if named else "empty", "must have 1 to 100 items")])
    ids = [found for one in named if (found := _id(one)) is not None]
    await feed.mark_all(ids, **_MARKS[data.mark_as])
    wanted = InboxFilter(ids=ids, context_keys=feed.context_keys)
    shown = await messages.inbox_page(feed.scope, feed.subscriber_uuid, wanted, after=None, limit=len(named), offset=0)
    return envelope([message_out(one.message, str(caller.organization_id)) for one in shown.data])


@post(
    _BASE + "/messages/{message_id:str}/actions/{button:str}",
    summary="Press a button of a message",
    tags=TAGS,
    dependencies=FEED,
)
async def press(
    feed: TheFeed, caller: TheCaller, message_id: FromPath[str], button: FromPath[str], data: JSONBody[PressIn]
) -> Data[MessageOut]:
    """Note that the primary or secondary button was pressed, or take that back."""
    if button not in ("primary", "secondary"):
        raise missing("action", button)
    chosen: Button = button
    await feed.press(message_id, chosen, done=data.status == "done")
    return envelope(message_out(await _message(feed, message_id), str(caller.organization_id)))


@get(
    "/v1/topics/{topic_key:str}/subscribers/{subscriber_id:str}",
    summary="Tell whether a subscriber is in a topic",
    tags=TAGS,
)
async def membership(
    topic_key: FromPath[str], subscriber_id: FromPath[str], here: Here, caller: TheCaller
) -> Data[MembershipOut]:
    """The membership, or 404."""
    topic = await topics.by_key(here, topic_key)
    if topic is None:
        raise missing("topic", topic_key)
    found = await subscriptions.page(here, topic, PageQuery(limit=1), subscriber_id=subscriber_id)
    if not found.data:
        raise missing("subscriber in this topic", subscriber_id)
    return envelope(
        MembershipOut(
            organization_id_=str(caller.organization_id),
            environment_id_=str(here.environment_id),
            subscriber_id_=str(found.data[0].subscriber_uuid),
            topic_id_=str(topic.id),
            topic_key=topic.key,
            external_subscriber_id=subscriber_id,
        )
    )


async def _message(feed: Feed, message_id: str) -> Message:
    one = await messages.notification(feed.scope, feed.subscriber_uuid, identify(message_id, "notification"))
    if one is None:
        raise missing("notification", message_id)
    return one.message


def _id(text: str) -> UUID | None:
    """What cannot be an id is nobody's."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _item(one: Notification, organization_id: str) -> FeedItem:
    message = one.message
    return FeedItem(
        id=str(message.id),
        template_id=str(one.workflow_uuid or message.workflow_id),
        environment_id=str(message.environment_id),
        organization_id=organization_id,
        notification_id=str(message.execution_id),
        own_subscriber_id=str(message.subscriber_uuid),
        job_id=f"{message.execution_id}:{message.step_id}",
        transaction_id=message.transaction_id,
        template_identifier=message.workflow_id,
        subject=message.content.get("subject"),
        content=message.content.get("body") or "",
        read=message.read_at is not None,
        seen=message.seen_at is not None,
        archived=message.archived_at is not None,
        cta=call_to_action(message),
        data=message.content.get("data") or {},
        tags=list(message.tags),
        subscriber=OwnerOut(
            id=str(message.subscriber_uuid),
            subscriber_id=message.subscriber_id,
            first_name=one.first_name,
            last_name=one.last_name,
            avatar=one.avatar,
        ),
        created_at=message.created_at,
        updated_at=message.updated_at,
    )


HANDLERS: list[Any] = [feed_page, unseen, mark_all, mark_these, press, membership]
