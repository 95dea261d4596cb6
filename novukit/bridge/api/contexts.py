"""Contexts: what events happen in, such as tenants; made by hand or by the first trigger that names them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from ...errors import Issue
from ...model import ContextPart, StoredContext, SubscriberData
from ...store import contexts
from ..auth import Here
from ..cursors import CURSOR, ThePart
from ..issues import refusal
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, missing

TAGS = ["Contexts"]


class NewContext(Wire):
    """A context, known by its type and id."""

    type: ContextPart
    id: ContextPart
    data: SubscriberData | None = None


class ContextChange(Wire):
    """The data that a context is to have, in the place of what it has."""

    data: SubscriberData


class ContextOut(Wire):
    """A context."""

    type: str
    id: str
    data: dict[str, Any] = Field(description="Whatever is known of it.")
    created_at: Timestamp
    updated_at: Timestamp


@get("/v2/contexts", summary="List contexts", tags=TAGS, dependencies=CURSOR)
async def list_all(
    here: Here,
    part: ThePart,
    id: Annotated[str | None, QueryParameter(max_length=128)] = None,
    search: Annotated[str | None, QueryParameter(max_length=257, description="A part of `type:id`.")] = None,
) -> CursorPage[ContextOut]:
    """A page of contexts, newest first. The id is exact; both filters mind the case."""
    return cursor_page(await contexts.page(here, part, context_id=id, search=search), _out)


@post("/v2/contexts", summary="Create a context", tags=TAGS)
async def create(data: JSONBody[NewContext], here: Here) -> Data[ContextOut]:
    """Create a context. One that is there already stays as it is, and that is a 422: SDKs repeat a 409 for an hour."""
    made = await contexts.create(here, data.type, data.id, data.data or {})
    if made is None:
        message = f"there is a context {data.type}:{data.id} already"
        raise refusal([Issue("/id", "already_exists", message, "Change it with PATCH.")])
    return envelope(_out(made))


@get("/v2/contexts/{kind:str}/{context_id:str}", summary="Show a context", tags=TAGS)
async def retrieve(kind: FromPath[str], context_id: FromPath[str], here: Here) -> Data[ContextOut]:
    """One context."""
    return envelope(_out(_there(await contexts.get(here, kind, context_id), kind, context_id)))


@patch("/v2/contexts/{kind:str}/{context_id:str}", summary="Change a context", tags=TAGS)
async def update(
    kind: FromPath[str], context_id: FromPath[str], data: JSONBody[ContextChange], here: Here
) -> Data[ContextOut]:
    """Replace the data of a context. Events that were accepted before keep what they had."""
    return envelope(_out(_there(await contexts.update(here, kind, context_id, data.data), kind, context_id)))


@delete("/v2/contexts/{kind:str}/{context_id:str}", summary="Delete a context", tags=TAGS)
async def remove(kind: FromPath[str], context_id: FromPath[str], here: Here) -> None:
    """Forget a context. What was sent within it, and who subscribed within it, stays so."""
    if not await contexts.delete(here, kind, context_id):
        raise missing("context", f"{kind}:{context_id}")


def _there(found: StoredContext | None, kind: str, context_id: str) -> StoredContext:
    if found is None:
        raise missing("context", f"{kind}:{context_id}")
    return found


def _out(one: StoredContext) -> ContextOut:
    return ContextOut(
        type=one.type, id=one.context_id, data=one.data, created_at=one.created_at, updated_at=one.updated_at
    )


HANDLERS: list[Any] = [list_all, create, retrieve, update, remove]
