"""Suppressions: addresses that are not written to any more; listed, added, and released again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from pydantic import Field

from ...errors import InvalidInput, Issue
from ...model import Caller, SuppressibleChannel, Suppression, SuppressionLine, SuppressionReason, address_of
from ...store import Scope, keys, suppressions
from ..auth import Here, TheCaller
from ..cursors import CURSOR, ThePart
from ..wire import CursorPage, Data, Timestamp, Wire, cursor_page, envelope, identify, missing

TAGS = ["Suppressions"]


class SuppressionIn(Wire):
    """An address that is not to be written to any more."""

    channel: SuppressibleChannel
    address: Annotated[str, Field(min_length=3, max_length=suppressions.LONGEST_ADDRESS)]
    note: str = Field(default="", max_length=500, description="Why; it is kept beside who said so.")


class SuppressionOut(Wire):
    """An address that is not written to through a channel; ``releasedAt`` once that was taken back."""

    id: str
    channel: SuppressibleChannel
    address: str
    reason: SuppressionReason
    detail: str
    created_at: Timestamp
    released_at: Timestamp | None


class ChangeOut(Wire):
    """One change of a suppression."""

    kind: Literal["added", "released"]
    reason: SuppressionReason
    by: str
    detail: str
    at: Timestamp


class SuppressionStory(SuppressionOut):
    """A suppression with every change of it, oldest first."""

    history: list[ChangeOut]


@get("/v1/suppressions", summary="List suppressions", tags=TAGS, dependencies=CURSOR)
async def list_all(
    *,
    here: Here,
    channel: FromQuery[SuppressibleChannel | None] = None,
    address: FromQuery[str | None] = None,
    reason: FromQuery[SuppressionReason | None] = None,
    released: Annotated[
        bool, QueryParameter(description="Those that were released, in place of those in force.")
    ] = False,
    part: ThePart,
) -> CursorPage[SuppressionOut]:
    """Addresses that are not written to, newest first."""
    found = await suppressions.page(here, part, channel=channel, address=address, reason=reason, released=released)
    return cursor_page(found, _out)


@get("/v1/suppressions/{suppression_id:str}", summary="Show a suppression", tags=TAGS)
async def show(here: Here, suppression_id: FromPath[str]) -> Data[SuppressionStory]:
    """A suppression with its history: who added and who released it."""
    found = await suppressions.get(here, identify(suppression_id, "suppression"))
    if found is None:
        raise missing("suppression", suppression_id)
    return envelope(await _story(here, found))


@post("/v1/suppressions", summary="Suppress an address", tags=TAGS)
async def add(here: Here, caller: TheCaller, data: JSONBody[SuppressionIn]) -> Data[SuppressionStory]:
    """Write no more to an address. One that is suppressed already stays as it is."""
    if not address_of(data.channel, data.address):
        message = "holds no address"
        raise InvalidInput(f"/address {message}.", issues=[Issue("/address", "bad_format", message)])
    by = await _by(here, caller)
    await suppressions.suppress(here, data.channel, data.address, SuppressionReason.MANUAL, by=by, detail=data.note)
    found = await suppressions.in_force(here, data.channel, data.address)
    if found is None:  # somebody has just released it
        raise missing("suppression", data.address)
    return envelope(await _story(here, found))


@delete("/v1/suppressions/{suppression_id:str}", status_code=200, summary="Release an address", tags=TAGS)
async def release(
    here: Here, caller: TheCaller, suppression_id: FromPath[str], note: FromQuery[str | None] = None
) -> Data[SuppressionStory]:
    """Let an address be written to again. What is suppressed stays on record, with who released it."""
    by = await _by(here, caller)
    found = await suppressions.release(here, identify(suppression_id, "suppression"), by=by, detail=note or "")
    if found is None:
        raise missing("suppression", suppression_id)
    return envelope(await _story(here, found))


async def _by(scope: Scope, caller: Caller) -> str:
    named = [key.name for key in await keys.list_all(scope) if key.id == caller.key_id]
    return f"key {named[0]!r}" if named else "a key"


async def _story(scope: Scope, found: Suppression) -> SuppressionStory:
    lines = await suppressions.history(scope, found.id)
    return SuppressionStory(**dict(_out(found)), history=[_change(line) for line in lines])


def _out(one: Suppression) -> SuppressionOut:
    return SuppressionOut(
        id=str(one.id),
        channel=one.channel,
        address=one.address,
        reason=one.reason,
        detail=one.detail,
        created_at=one.created_at,
        released_at=one.released_at,
    )


def _change(line: SuppressionLine) -> ChangeOut:
    return ChangeOut(kind=line.kind, reason=line.reason, by=line.said_by, detail=line.detail, at=line.at)


HANDLERS: list[Any] = [list_all, show, add, release]
