"""A subscriber's own subscriptions to topics, and what each of them wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from ...errors import Issue
from ...model import StoredWorkflow, SubscriptionChoice, TopicSubscription
from ...model.context import listed
from ...store import Scope, subscriptions, workflows
from ...store.pages import PageQuery
from ..api import choices
from ..api.choices import ChoiceOut
from ..api.subscriptions import Identifier, OneSubscriptionOut, SubscriptionChange
from ..api.topics import Name, NewTopic
from ..auth import Here
from ..issues import refusal
from ..wire import Data, Wire, envelope, missing, read_at
from .auth import TheSession
from .token import Session

TAGS = ["Inbox"]
_MANY = "/v1/inbox/topics/{topic_key:str}/subscriptions"
_ONE = _MANY + "/{identifier:str}"
MOST = 100


class TopicIn(Wire):
    """What the topic is called, if it is made by this."""

    name: Name | None = None


class SubscriptionIn(Wire):
    """A subscription of one's own. An identifier that is empty becomes the default one."""

    identifier: Annotated[str, Field(max_length=0)] | Identifier | None = None
    name: Name | None = None
    topic: TopicIn | None = None
    preferences: list[Any] | None = None


class ChoiceChange(Wire):
    """Whether one workflow is wanted, or when. Channels are taken for the client's sake, which sends them all alike."""

    enabled: bool | None = None
    condition: dict[str, Any] | None = None
    email: bool | None = None
    in_app: Annotated[bool | None, Field(alias="in_app")] = None
    sms: bool | None = None
    push: bool | None = None
    chat: bool | None = None


@get(_MANY, summary="List your subscriptions to a topic", tags=TAGS)
async def list_all(here: Here, session: TheSession, topic_key: FromPath[str]) -> Data[list[OneSubscriptionOut]]:
    """All that you have to this topic in this context, oldest first; none to a topic that is not there."""
    page = await subscriptions.of_subscriber(
        here, session.subscriber_uuid, PageQuery(limit=MOST, ascending=True), key=topic_key,
        context_keys=session.context_keys,
    )  # fmt: skip
    known = await choices.known_for(here, page.data)
    return envelope([_out(one, choices.told(one, known)) for one in page.data])


@get(_ONE, summary="Show your subscription to a topic", tags=TAGS)
async def show(
    here: Here,
    session: TheSession,
    topic_key: FromPath[str],
    identifier: FromPath[str],
    workflow_ids: Annotated[
        list[str] | None, QueryParameter(name="workflowIds", description="What it wants of these, chosen or not.")
    ] = None,
    tags: Annotated[list[str] | None, QueryParameter(description="The same for workflows with any of these.")] = None,
) -> Response[Any]:
    """One subscription with its preferences. None is no error: the answer is 204, and the client shows it as unset."""
    one = await _find(here, session, identifier, topic_key)
    if one is None:
        return Response(None, status_code=204)
    if not workflow_ids and not tags:
        return Response(envelope(_out(one, choices.told(one, await choices.known_for(here, [one])))))
    known = {
        each.spec.id: each
        for each in await workflows.all(here)
        if {each.spec.id, str(each.id)} & set(workflow_ids or ()) or set(each.spec.tags) & set(tags or ())
    }
    wanted = {name: one.preferences.get(name, SubscriptionChoice()) for name in known}
    return Response(envelope(_out(one, choices.told(one.model_copy(update={"preferences": wanted}), known))))


@post(_MANY, summary="Subscribe yourself to a topic", tags=TAGS)
async def create(
    here: Here, session: TheSession, topic_key: FromPath[str], data: JSONBody[SubscriptionIn]
) -> Data[OneSubscriptionOut]:
    """Subscribe to a topic, which is made if it is missing. A subscription of yours of this identifier is changed."""
    wrong: list[Issue] = []
    known = await workflows.all(here) if data.preferences else []
    preferences = choices.read(data.preferences, "/preferences", known, wrong)
    if read_at(NewTopic, {"key": topic_key}, "", bad_key := list[Issue]()) is None:
        wrong += [Issue("", one.code, f"the topic key in the path {one.message}", one.hint) for one in bad_key]
    if wrong:
        raise refusal(wrong)
    done = await subscriptions.subscribe(
        here, topic_key, [(session.subscriber_id, data.identifier or None, data.name)],
        data.topic.name if data.topic else None, context_keys=session.context_keys, preferences=preferences,
    )  # fmt: skip
    if not done.done:
        raise refusal([Issue("/identifier", "taken", done.refused[0].message, "Choose another identifier.")])
    return envelope(_out(done.done[0], choices.told(done.done[0], _by_id(known))))


@patch(_ONE, summary="Change your subscription to a topic", tags=TAGS)
async def change(
    here: Here,
    session: TheSession,
    topic_key: FromPath[str],
    identifier: FromPath[str],
    data: JSONBody[SubscriptionChange],
) -> Data[OneSubscriptionOut]:
    """Give a subscription another name, or other preferences in the place of those that it has."""
    wrong: list[Issue] = []
    known = await workflows.all(here)
    preferences = choices.read(data.preferences, "/preferences", known, wrong)
    if wrong:
        raise refusal(wrong)
    mine = await find(here, session, identifier, topic_key)
    one = await subscriptions.change(here, mine.topic, mine.identifier, name=data.name, preferences=preferences)
    if one is None:
        raise missing("subscription", identifier)
    return envelope(_out(one, choices.told(one, _by_id(known))))


@delete(_ONE, summary="End your subscription to a topic", tags=TAGS)
async def remove(here: Here, session: TheSession, topic_key: FromPath[str], identifier: FromPath[str]) -> None:
    """End a subscription."""
    mine = await find(here, session, identifier, topic_key)
    await subscriptions.unsubscribe(here, mine.topic, [(session.subscriber_id, mine.identifier)])


@patch(
    "/v1/inbox/subscriptions/{identifier:str}/preferences/{workflow_id:str}",
    summary="Choose what your subscription wants of a workflow",
    tags=TAGS,
)
async def choose(
    here: Here,
    session: TheSession,
    identifier: FromPath[str],
    workflow_id: FromPath[str],
    data: JSONBody[ChoiceChange],
) -> Data[ChoiceOut]:
    """Switch a workflow on or off for a subscription, or say when it is wanted."""
    mine = await find(here, session, identifier)
    known = await workflows.all(here)
    wrong: list[Issue] = []
    chosen = changed(mine, workflow_id, data, "", known, wrong)
    if wrong:
        raise refusal(wrong)
    return envelope(await keep(here, mine, chosen, known))


def changed(
    mine: TopicSubscription, workflow_id: str, data: ChoiceChange, path: str, known: Sequence[StoredWorkflow],
    wrong: list[Issue],
) -> dict[str, SubscriptionChoice]:  # fmt: skip
    """What a subscription wants of a workflow after a change; what is wrong goes to ``wrong``.

    What the change says nothing of stays: a condition outlives a switch.
    """
    asked = {"workflowId": workflow_id, "enabled": data.enabled, "condition": data.condition}
    found = choices.read([asked], "", known, issues := list[Issue]())
    wrong += [Issue(path + one.path.removeprefix("/0"), one.code, one.message, one.hint) for one in issues]
    kept: dict[str, SubscriptionChoice] = {}
    for name, choice in (found or {}).items():
        old = mine.preferences.get(name, SubscriptionChoice())
        kept[name] = SubscriptionChoice(
            enabled=old.enabled if data.enabled is None else choice.enabled,
            condition=old.condition if data.condition is None else choice.condition,
        )
    return kept


async def keep(
    here: Scope, mine: TopicSubscription, chosen: Mapping[str, SubscriptionChoice], known: Sequence[StoredWorkflow]
) -> ChoiceOut:
    """Keep what a subscription wants of one workflow, and tell it. Raises :class:`NotFound` if it has just ended."""
    one = await subscriptions.choose(here, mine.topic, mine.identifier, chosen)
    if one is None:
        raise missing("subscription", mine.identifier)
    told = choices.told(one.model_copy(update={"preferences": dict(chosen)}), _by_id(known))
    return told[0]


async def find(here: Scope, session: Session, identifier: str, topic_key: str | None = None) -> TopicSubscription:
    """The session's own subscription, by its identifier or its id. Raises :class:`NotFound`."""
    if (one := await _find(here, session, identifier, topic_key)) is None:
        raise missing("subscription", identifier)
    return one


async def _find(here: Scope, session: Session, identifier: str, topic_key: str | None) -> TopicSubscription | None:
    one = await subscriptions.owned(here, session.subscriber_uuid, identifier, topic_key)
    return one if one is not None and one.context_keys == session.context_keys else None


def _by_id(known: Sequence[StoredWorkflow]) -> dict[str, StoredWorkflow]:
    return {one.spec.id: one for one in known}


def _out(one: TopicSubscription, preferences: list[ChoiceOut]) -> OneSubscriptionOut:
    return OneSubscriptionOut(
        id=str(one.id), identifier=one.identifier, name=one.name, preferences=preferences,
        context_keys=listed(one.context_keys),
    )  # fmt: skip


HANDLERS: list[Any] = [list_all, show, create, change, remove, choose]
