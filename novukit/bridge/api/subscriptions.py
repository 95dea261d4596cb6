"""Subscriptions: the places of subscribers in topics, and what each of them wants."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import AfterValidator, Field, StringConstraints

from ...engine import Runtime
from ...errors import Issue
from ...model import SubscriberId, TopicSubscription
from ...model.context import keys_of, listed
from ...model.subscriber import plain_id
from ...store import contexts, subscriptions, workflows
from ...store.subscriptions import Subscribed
from .. import issues
from ..auth import Here, TheRuntime
from ..contexts import context_filter, read_context
from ..cursors import CURSOR, ContextKeys, ThePart
from ..problems import ErrorBody, request_id
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, iso, missing
from . import choices
from .choices import ChoiceOut, Known
from .recipients import read_at
from .subscribers import found
from .topics import Name, NewTopic, TopicOut, topic_of, topic_out

TAGS = ["Topics"]
MOST_AT_ONCE = 100
T = TypeVar("T", bound=Wire)

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(plain_id)]


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
    preferences: list[ChoiceOut]
    context_keys: list[str]
    created_at: Timestamp
    updated_at: Timestamp


class OneSubscriptionOut(Wire):
    """A subscription with its preferences."""

    id: str
    identifier: str
    name: str | None = None
    preferences: list[ChoiceOut]
    context_keys: list[str]


class SubscriptionChange(Wire):
    """What is to be changed of a subscription; what is left out stays."""

    name: Name | None = None
    preferences: list[Any] | None = None


class SubscriptionIn(Wire):
    """Who is to be subscribed, and what the subscription is called."""

    subscriber_id: SubscriberId
    identifier: Identifier | None = None
    name: Name | None = None


class SubscriptionName(Wire):
    """Which subscription is to end: by its identifier, by its subscriber, or by both."""

    subscriber_id: SubscriberId | None = None
    identifier: Identifier | None = None


class Unwanted(Wire):
    """Up to 100 subscriptions; ``subscriberIds`` is the older way to name them."""

    subscriptions: list[Any] | None = None
    subscriber_ids: list[SubscriberId] | None = None


class Wanted(Unwanted):
    """Up to 100 subscriptions. ``name`` is the topic's; context and preferences are those of each."""

    name: Name | None = None
    context: Any = None
    preferences: list[Any] | None = None


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


@get("/v2/topics/{topic_key:str}/subscriptions", summary="List a topic's subscriptions", tags=TAGS, dependencies=CURSOR)
async def list_subscriptions(
    topic_key: FromPath[str],
    here: Here,
    part: ThePart,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId", max_length=320)] = None,
    context_keys: ContextKeys = None,
) -> CursorPage[SubscriptionOut]:
    """A page of a topic's subscriptions, newest first."""
    asked = context_filter(context_keys)
    topic = await topic_of(here, topic_key)
    page = await subscriptions.page(here, topic, part, subscriber_id=subscriber_id, context_keys=asked)
    known = await choices.known_for(here, page.data)
    return cursor_page(page, lambda one: _subscription(one, known))


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
    asked = context_filter(context_keys)
    subscriber = await found(here, subscriber_id)
    page = await subscriptions.of_subscriber(here, subscriber.id, part, key=key, context_keys=asked)
    known = await choices.known_for(here, page.data)
    return cursor_page(page, lambda one: _subscription(one, known))


@get("/v2/topics/{topic_key:str}/subscriptions/{identifier:str}", summary="Show a subscription", tags=TAGS)
async def subscription(topic_key: FromPath[str], identifier: FromPath[str], here: Here) -> Data[OneSubscriptionOut]:
    """One subscription of a topic, with its preferences."""
    one = await subscriptions.get(here, await topic_of(here, topic_key), identifier)
    if one is None:
        raise missing("subscription", identifier)
    known = await choices.known_for(here, [one])
    return envelope(
        OneSubscriptionOut(
            id=str(one.id), identifier=one.identifier, name=one.name, context_keys=listed(one.context_keys),
            preferences=choices.told(one, known),
        )
    )  # fmt: skip


@patch("/v2/topics/{topic_key:str}/subscriptions/{identifier:str}", summary="Change a subscription", tags=TAGS)
async def change(
    topic_key: FromPath[str], identifier: FromPath[str], data: JSONBody[SubscriptionChange], here: Here
) -> Data[SubscriptionOut]:
    """Give a subscription another name, or other preferences in the place of those that it has."""
    wrong: list[Issue] = []
    known = await workflows.all(here)
    wanted = choices.read(data.preferences, "/preferences", known, wrong)
    if wrong:
        raise issues.refusal(wrong)
    topic = await topic_of(here, topic_key)
    one = await subscriptions.change(here, topic, identifier, name=data.name, preferences=wanted)
    if one is None:
        raise missing("subscription", identifier)
    return envelope(_subscription(one, {each.spec.id: each for each in known}))


@post("/v2/topics/{topic_key:str}/subscriptions", summary="Subscribe to a topic", tags=TAGS)
async def subscribe(
    request: Request[Any, Any, Any], topic_key: FromPath[str], data: JSONBody[Wanted], here: Here, runtime: TheRuntime
) -> Response[Any]:
    """Make up to 100 subscribers members of a topic, which is made if it is missing.

    A subscription that is there already stays, and takes over a name and preferences that are given. When none could
    be made the answer is 400.
    """
    wrong: list[Issue] = []
    context = read_context(data.context, "/context", wrong)
    known = await workflows.all(here) if data.preferences else []
    preferences = choices.read(data.preferences, "/preferences", known, wrong)
    wanted = _items(data, SubscriptionIn, wrong)
    key = read_at(NewTopic, {"key": topic_key}, "", bad_key := list[Issue]())
    wrong += [Issue("", issue.code, f"the topic key in the path {issue.message}", issue.hint) for issue in bad_key]
    if wrong or key is None:
        raise issues.refusal(wrong)
    asked = [(item.subscriber_id, item.identifier, item.name) for item in wanted]
    if context:
        await contexts.see(here, context)
    done = await subscriptions.subscribe(
        here, topic_key, asked, data.name, context_keys=keys_of(context), preferences=preferences
    )
    return _told(request, runtime, done, len(asked), 201, await choices.known_for(here, done.done))


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
    topic = await topic_of(here, topic_key)
    asked = [(item.subscriber_id, item.identifier) for item in unwanted]
    done = await subscriptions.unsubscribe(here, topic, asked)
    return _told(request, runtime, done, len(asked), 200, await choices.known_for(here, done.done))


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


def _told(
    request: Request[Any, Any, Any],
    runtime: Runtime,
    outcome: Subscribed,
    asked: int,
    status: int,
    known: Known,
) -> Response[Any]:
    refused = [RefusedOut(subscriber_id=it.subscriber_id, code=it.code, message=it.message) for it in outcome.refused]
    told = SubscribedOut(
        data=[_subscription(one, known) for one in outcome.done],
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


def _subscription(one: TopicSubscription, known: Known) -> SubscriptionOut:
    return SubscriptionOut(
        id=str(one.id),
        identifier=one.identifier,
        name=one.name,
        topic=topic_out(one.topic),
        subscriber=MemberOut(
            id=str(one.subscriber_uuid), subscriber_id=one.subscriber_id, first_name=one.first_name,
            last_name=one.last_name, email=one.email, avatar=one.avatar,
        ),
        preferences=choices.told(one, known),
        context_keys=listed(one.context_keys),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )  # fmt: skip


HANDLERS = [list_subscriptions, of_subscriber, subscription, change, subscribe, unsubscribe]
