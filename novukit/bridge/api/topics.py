"""Topics: named groups of subscribers."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field, StringConstraints

from ...model import Topic, TopicKey
from ...store import Scope, topics
from ..auth import Here
from ..cursors import CURSOR, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, missing
from .subscribers import FailIfExists

TAGS = ["Topics"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


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


@get("/v2/topics", summary="List topics", tags=TAGS, dependencies=CURSOR)
async def list_all(
    here: Here,
    part: ThePart,
    key: Annotated[str | None, QueryParameter(max_length=255)] = None,
    name: Annotated[str | None, QueryParameter(max_length=255, description="A part of the name.")] = None,
) -> CursorPage[TopicOut]:
    """A page of topics, newest first. The key is exact; both filters mind the case."""
    return cursor_page(await topics.page(here, part, key=key, name=name), topic_out)


@post("/v2/topics", summary="Create or rename a topic", tags=TAGS)
async def create(data: JSONBody[NewTopic], here: Here, fail_if_exists: FailIfExists = False) -> Response[Any]:
    """Create a topic (201), or find it (200) and rename it if a name is given."""
    if not fail_if_exists:
        topic, made = await topics.upsert(here, data.key, data.name)
        return Response(envelope(topic_out(topic)), status_code=201 if made else 200)
    if topic := await topics.create(here, data.key, data.name):
        return Response(envelope(topic_out(topic)), status_code=201)
    # An SDK reads the topic itself from a 409, without the envelope.
    return Response(topic_out(await topic_of(here, data.key)), status_code=409)


@get("/v2/topics/{topic_key:str}", summary="Show a topic", tags=TAGS)
async def retrieve(topic_key: FromPath[str], here: Here) -> Data[TopicOut]:
    """One topic."""
    return envelope(topic_out(await topic_of(here, topic_key)))


@patch("/v2/topics/{topic_key:str}", summary="Rename a topic", tags=TAGS)
async def rename(topic_key: FromPath[str], data: JSONBody[TopicName], here: Here) -> Data[TopicOut]:
    """Give a topic another name; null takes it away."""
    if (topic := await topics.rename(here, topic_key, data.name)) is None:
        raise missing("topic", topic_key)
    return envelope(topic_out(topic))


@delete("/v2/topics/{topic_key:str}", summary="Delete a topic", tags=TAGS, status_code=200)
async def remove(topic_key: FromPath[str], here: Here) -> Data[Gone]:
    """Delete a topic with its subscriptions."""
    if not await topics.delete(here, topic_key):
        raise missing("topic", topic_key)
    return envelope(Gone())


async def topic_of(here: Scope, key: str) -> Topic:
    """The topic that a path names. Raises :class:`NotFound`."""
    if (topic := await topics.by_key(here, key)) is None:
        raise missing("topic", key)
    return topic


def topic_out(topic: Topic) -> TopicOut:
    """A topic as it goes out."""
    return TopicOut(
        id=str(topic.id), key=topic.key, name=topic.name, created_at=topic.created_at, updated_at=topic.updated_at
    )


HANDLERS = [list_all, create, retrieve, rename, remove]
