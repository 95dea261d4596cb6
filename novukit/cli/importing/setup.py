"""What an environment is set up with: integrations without their secrets, workflows by name, contexts."""

from __future__ import annotations

from typing import Any, cast

from ...client import segment
from ...errors import InvalidInput, NotFound, Unauthorized, Unreachable
from ...model import CHANNELS
from .ledger import Stage
from .move import PAGE, Move, Record, listed, said, text, within

SENDING = frozenset(kind.value for kind in CHANNELS) - {"in_app"}


async def environment_of(move: Move) -> str | None:
    """The id of the source's environment, if the source tells it."""
    try:
        return text(cast("Record", await move.read("/v1/environments/me")), "_id")
    except (InvalidInput, NotFound, Unauthorized):
        pass
    try:
        rows = listed(cast("Record", await move.read("/v2/subscribers", limit=1)), "data")
    except NotFound:
        raise Unreachable(
            f"{move.source.url} has no /v2/subscribers.",
            hint="Is it Novu, of version 2 or later, and --url without a path?",
        ) from None
    return text(rows[0], "_environmentId") if rows else None


async def integrations(move: Move, stage: Stage) -> None:
    """Each integration of the environment, inactive: a server never tells its credentials."""
    found = _records(await move.read("/v1/integrations"))
    here = {str(one.get("identifier")) for one in _records(await move.to.request("GET", "/v1/integrations"))}
    ours = [one for one in found if move.environment_id in (None, one.get("_environmentId"))]
    stage.total = len(ours)
    for one in ours:
        stage.read += 1
        identifier = text(one, "identifier") or str(one.get("_id"))
        if one.get("deleted") is True or one.get("kind") == "agent":
            stage.leave_out(identifier, "is deleted there" if one.get("deleted") else "belongs to an agent")
        elif one.get("channel") == "in_app":
            stage.there += 1  # the inbox needs none here
        elif one.get("channel") not in SENDING:
            stage.leave_out(identifier, f"is for the channel {one.get('channel')}, which is not here")
        elif identifier in here:
            stage.there += 1
        else:
            await _integration(move, stage, identifier, one)


async def _integration(move: Move, stage: Stage, identifier: str, one: Record) -> None:
    body: Record = {
        "providerId": one.get("providerId"),
        "channel": one.get("channel"),
        "identifier": identifier,
        "name": text(one, "name") or identifier,
        "active": False,
    }
    if conditions := [_condition(each) for each in listed(one, "conditions") if listed(each, "children")]:
        body["conditions"] = conditions
    try:
        await move.put("POST", "/v1/integrations", body)
    except InvalidInput as err:
        if any(issue.code == "taken" for issue in err.issues):
            stage.there += 1  # an answer was lost, and the first attempt had made it
        else:
            stage.leave_out(identifier, f"{said(err)} {err.hint or ''}".strip())
        return
    stage.moved += 1
    stage.note(identifier, "needs its credentials, and is inactive until it has them")


def _condition(one: Record) -> Record:
    """A condition without what a database adds to it."""
    children = [
        {key: each.get(key) for key in ("field", "value", "operator", "on")} for each in listed(one, "children")
    ]
    kept = {"isNegated": bool(one.get("isNegated")), "type": one.get("type") or "GROUP", "value": one.get("value")}
    return {**kept, "children": children}


async def workflows(move: Move, stage: Stage) -> None:
    """Which workflows of the source the code has: they are moved by writing them."""
    here = await _workflows(move.to)
    there = await _workflows(move.source)
    stage.total = stage.read = len(there)
    stage.there = len(there & here)
    for name in sorted(there - here):
        stage.leave_out(name, "is not in the code, or not synced yet")
    move.workflows = frozenset(here)


async def _workflows(client: Any) -> set[str]:
    found: set[str] = set()
    offset = 0
    while True:
        page = cast("Record", await client.request("GET", "/v2/workflows", params={"limit": PAGE, "offset": offset}))
        rows = listed(page, "workflows")
        found |= {name for row in rows if (name := text(row, "workflowId"))}
        offset += PAGE
        if len(rows) < PAGE:
            return found


async def contexts(move: Move, stage: Stage) -> None:
    """Each context with its data. One that the destination has already stays as it is."""
    try:
        async for rows in move.pages(stage, "/v2/contexts"):
            await move.each(rows, lambda row: _context(move, stage, row))
    except NotFound:
        stage.note("contexts", "the source has none: it is older than they are")


async def _context(move: Move, stage: Stage, row: Record) -> None:
    kind, name = text(row, "type"), text(row, "id")
    stage.read += 1
    if kind is None or name is None:
        stage.leave_out(str(row.get("id")), "has no type or no id")
        return
    try:
        await move.to.request("GET", f"/v2/contexts/{segment(kind)}/{segment(name)}")
        stage.there += 1
    except NotFound:
        try:
            await move.put("POST", "/v2/contexts", {"type": kind, "id": name, "data": within(row, "data")})
            stage.moved += 1
        except (InvalidInput, NotFound) as err:
            stage.leave_out(f"{kind}:{name}", said(err))


def _records(answer: Any) -> list[Record]:
    return listed({"data": answer}, "data")
