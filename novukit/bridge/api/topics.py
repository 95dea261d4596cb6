"""Topics, and the subscriptions of their members."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import AfterValidator, Field, StringConstraints

from ...engine import Runtime
from ...errors import Issue
from ...model import SubscriberId, Topic, TopicKey, TopicSubscription
from ...model.subscriber import plain_id
from ...store import Scope, topics
from ...store.topics import Subscribed
from .. import issues
from ..auth import Here, TheRuntime
from ..cursors import CURSOR, ContextKeys, ThePart, no_contexts, refuse_contexts
from ..problems import ErrorBody, request_id
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, iso, missing
from .recipients import read_at
from .subscribers import FailIfExists, found

TAGS = ["Topics"]
MOST_AT_ONCE = 100
T = TypeVar("T", bound=Wire)

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(plain_id)]


class NewTopic(Wire):
    """A topic, known by its key."""

    key: TopicKey
    name: Name | None = None


class TopicName(Wire):
    """What may be changed of a topic."""

    name: Name | None


class TopicOut(Wire):
    """A topic."""

    id: Annotated[str, Field(alias="_id")]
    key: str
    name: str | None = None
    created_at: Timestamp
    updated_at: Timestamp


class Gone(Wire):
    """It was deleted."""

    acknowledged: bool = True


class MemberOut(Wire):
    """Who is subscribed."""

    id: Annotated[str, Field(alias="_id")]
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    avatar: str | None = None


class SubscriptionOut(Wire):
    """One subscriber's place in a topic."""

    id: Annotated[str, Field(alias="_id")]
    identifier: str
    name: str | None = None
    topic: TopicOut
    subscriber: MemberOut
    preferences: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    context_keys: list[str] = Field(default_factory=list[str])
    created_at: Timestamp
    updated_at: Timestamp


class SubscriptionIn(Wire):
    """Who is to be subscribed, and what the subscription is called."""

    subscriber_id: SubscriberId
    identifier: Identifier | None = None
    name: Name | None = None
    context: Any = None
    preferences: Any = None


class SubscriptionName(Wire):
    """Which subscription is to end: by its identifier, by its subscriber, or by both."""

    subscriber_id: SubscriberId | None = None
    identifier: Identifier | None = None


class Unwanted(Wire):
    """Up to 100 subscriptions; ``subscriberIds`` is the older way to name them."""

    subscriptions: list[Any] | None = None
    subscriber_ids: list[SubscriberId] | None = None


class Wanted(Unwanted):
    """Up to 100 subscriptions. ``name`` is the topic's."""

    name: Name | None = None
    context: Any = None
    preferences: Any = None


class Meta(Wire):
    """How many there were, and what became of them."""

    total_count: int
    successful: int
    failed: int


class RefusedOut(Wire):
    """One that could not be done, and why."""

    subscriber_id: str
    code: str
    message: str


class SubscribedOut(Wire):
    """What became of each subscription."""

    data: list[SubscriptionOut]
    meta: Meta
    errors: list[RefusedOut] | None = None


@get("/v2/topics", summary="List topics", tags=TAGS, dependencies=CURSOR)
async def list_all(
    here: Here,
    part: ThePart,
    key: Annotated[str | None, QueryParameter(max_length=255)] = None,
    name: Annotated[str | None, QueryParameter(max_length=255, description="A part of the name.")] = None,
) -> CursorPage[TopicOut]:
    """A page of topics, newest first. The key is exact; both filters mind the case."""
    return cursor_page(await topics.page(here, part, key=key, name=name), _topic)


@post("/v2/topics", summary="Create or rename a topic", tags=TAGS)
async def create(data: JSONBody[NewTopic], here: Here, fail_if_exists: FailIfExists = False) -> Response[Any]:
    """Create a topic (201), or find it (200) and rename it if a name is given."""
    if not fail_if_exists:
        topic, made = await topics.upsert(here, data.key, data.name)
        return Response(envelope(_topic(topic)), status_code=201 if made else 200)
    if topic := await topics.create(here, data.key, data.name):
        return Response(envelope(_topic(topic)), status_code=201)
    # An SDK reads the topic itself from a 409, without the envelope.
    return Response(_topic(await _found(here, data.key)), status_code=409)


@get("/v2/topics/{topic_key:str}", summary="Show a topic", tags=TAGS)
async def retrieve(topic_key: FromPath[str], here: Here) -> Data[TopicOut]:
    """One topic."""
    return envelope(_topic(await _found(here, topic_key)))


@patch("/v2/topics/{topic_key:str}", summary="Rename a topic", tags=TAGS)
async def rename(topic_key: FromPath[str], data: JSONBody[TopicName], here: Here) -> Data[TopicOut]:
    """Give a topic another name; null takes it away."""
    if (topic := await topics.rename(here, topic_key, data.name)) is None:
        raise missing("topic", topic_key)
    return envelope(_topic(topic))


@delete("/v2/topics/{topic_key:str}", summary="Delete a topic", tags=TAGS, status_code=200)
async def remove(topic_key: FromPath[str], here: Here) -> Data[Gone]:
    """Delete a topic with its subscriptions."""
    if not await topics.delete(here, topic_key):
        raise missing("topic", topic_key)
    return envelope(Gone())


@get("/v2/topics/{topic_key:str}/subscriptions", summary="List a topic's subscriptions", tags=TAGS, dependencies=CURSOR)
async def subscriptions(
    topic_key: FromPath[str],
    here: Here,
    part: ThePart,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId", max_length=320)] = None,
    context_keys: ContextKeys = None,
) -> CursorPage[SubscriptionOut]:
    """A page of a topic's subscriptions, newest first."""
    refuse_contexts(context_keys)
    topic = await _found(here, topic_key)
    page = await topics.subscription_page(here, topic, part, subscriber_id=subscriber_id)
    return cursor_page(page, _subscription)


@get(
    "/v2/subscribers/{subscriber_id:str}/subscriptions",
    summary="List a subscriber's topics",
    tags=TAGS,
    dependencies=CURSOR,
)
async def of_subscriber(
    subscriber_id: FromPath[str],
    here: Here,
    part: ThePart,
    key: Annotated[str | None, QueryParameter(max_length=255, description="The topic's key.")] = None,
    context_keys: ContextKeys = None,
) -> CursorPage[SubscriptionOut]:
    """A page of a subscriber's subscriptions, newest first."""
    refuse_contexts(context_keys)
    subscriber = await found(here, subscriber_id)
    return cursor_page(await topics.of_subscriber(here, subscriber.id, part, key=key), _subscription)


@post("/v2/topics/{topic_key:str}/subscriptions", summary="Subscribe to a topic", tags=TAGS)
async def subscribe(
    request: Request[Any, Any, Any], topic_key: FromPath[str], data: JSONBody[Wanted], here: Here, runtime: TheRuntime
) -> Response[Any]:
    """Make up to 100 subscribers members of a topic, which is made if it is missing.

    Who is a member already stays one. When none could be subscribed the answer is 400.
    """
    wrong = _unsupported(data, "")
    wanted = _items(data, SubscriptionIn, wrong)
    for at, item in enumerate(wanted):
        wrong += _unsupported(item, f"/subscriptions/{at}")
    key = read_at(NewTopic, {"key": topic_key}, "", bad_key := list[Issue]())
    wrong += [Issue("", issue.code, f"the topic key in the path {issue.message}", issue.hint) for issue in bad_key]
    if wrong or key is None:
        raise issues.refusal(wrong)
    asked = [(item.subscriber_id, item.identifier, item.name) for item in wanted]
    done = await topics.subscribe(here, topic_key, asked, data.name)
    return _told(request, runtime, done, len(asked), 201)


@delete("/v2/topics/{topic_key:str}/subscriptions", summary="Unsubscribe from a topic", tags=TAGS, status_code=200)
async def unsubscribe(
    request: Request[Any, Any, Any], topic_key: FromPath[str], data: JSONBody[Unwanted], here: Here, runtime: TheRuntime
) -> Response[Any]:
    """End up to 100 subscriptions. When none could be ended the answer is 400."""
    wrong: list[Issue] = []
    unwanted = _items(data, SubscriptionName, wrong)
    for at, item in enumerate(unwanted):
        if item.subscriber_id is None and item.identifier is None:
            wrong.append(Issue(f"/subscriptions/{at}", "required", "needs a subscriberId or an identifier"))
    if wrong:
        raise issues.refusal(wrong)
    topic = await _found(here, topic_key)
    asked = [(item.subscriber_id, item.identifier) for item in unwanted]
    return _told(request, runtime, await topics.unsubscribe(here, topic, asked), len(asked), 200)


def _items(data: Unwanted, model: type[T], wrong: list[Issue]) -> list[T]:
    """What the body names, each a subscriber id or an object; what is wrong with it goes to ``wrong``."""
    if (data.subscriptions is None) == (data.subscriber_ids is None):
        wrong.append(Issue("", "required", "needs either subscriptions or subscriberIds"))
        return []
    name = "subscriptions" if data.subscriber_ids is None else "subscriberIds"
    given = cast("list[Any]", data.subscriptions if data.subscriber_ids is None else data.subscriber_ids)
    if not 1 <= len(given) <= MOST_AT_ONCE:
        code, hint = ("too_long", "Send them in several calls.") if given else ("empty", None)
        wrong.append(Issue(f"/{name}", code, f"must have 1 to {MOST_AT_ONCE} items, not {len(given)}", hint))
        return []
    items: list[T] = []
    for at, value in enumerate(given):
        path = f"/{name}/{at}"
        if isinstance(value, str):
            item = read_at(model, {"subscriberId": value}, path, bad := list[Issue]())
            wrong += [Issue(path, issue.code, issue.message, issue.hint) for issue in bad]
        else:
            item = read_at(model, value, path, wrong)
        if item is not None:
            items.append(item)
    return items


def _unsupported(asked: Wanted | SubscriptionIn, path: str) -> list[Issue]:
    """What would otherwise be passed over in silence."""
    wrong = [no_contexts(f"{path}/context")] if asked.context is not None else []
    if asked.preferences:
        message = "is not supported: novukit keeps preferences by subscriber, not by subscription"
        wrong.append(Issue(f"{path}/preferences", "not_supported", message, "Use the subscriber's preferences."))
    return wrong


def _told(
    request: Request[Any, Any, Any], runtime: Runtime, outcome: Subscribed, asked: int, status: int
) -> Response[Any]:
    refused = [RefusedOut(subscriber_id=it.subscriber_id, code=it.code, message=it.message) for it in outcome.refused]
    told = SubscribedOut(
        data=[_subscription(one) for one in outcome.done],
        meta=Meta(total_count=asked, successful=asked - len(refused), failed=len(refused)),
        errors=refused or None,
    )
    if outcome.done:
        return Response(told, status_code=status)
    error = ErrorBody(
        status_code=HTTPStatus.BAD_REQUEST,
        timestamp=iso(runtime.clock.now()),
        path=request.url.path,
        message="None of the subscriptions could be " + ("made." if status == HTTPStatus.CREATED else "ended."),
        error=HTTPStatus.BAD_REQUEST.phrase,
        code="nothing_done",
        request_id=request_id(request.scope, runtime.new_id),
        hint="`errors` tells why, for each.",
    )
    # One of the SDKs' readers wants the error here, the other the outcome: the body is both.
    both = error.model_dump(mode="json", by_alias=True) | told.model_dump(mode="json", by_alias=True)
    return Response(both, status_code=HTTPStatus.BAD_REQUEST)


async def _found(here: Scope, key: str) -> Topic:
    if (topic := await topics.by_key(here, key)) is None:
        raise missing("topic", key)
    return topic


def _topic(topic: Topic) -> TopicOut:
    return TopicOut(
        id=str(topic.id), key=topic.key, name=topic.name, created_at=topic.created_at, updated_at=topic.updated_at
    )


def _subscription(one: TopicSubscription) -> SubscriptionOut:
    return SubscriptionOut(
        id=str(one.id),
        identifier=one.identifier,
        name=one.name,
        topic=_topic(one.topic),
        subscriber=MemberOut(
            id=str(one.subscriber_uuid), subscriber_id=one.subscriber_id, first_name=one.first_name,
            last_name=one.last_name, email=one.email, avatar=one.avatar,
        ),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )  # fmt: skip


HANDLERS = [
    list_all, create, retrieve, rename, remove, subscriptions, of_subscriber, subscribe, unsubscribe,
]  # fmt: skip
