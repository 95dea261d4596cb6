"""Topics with their subscriptions."""

from __future__ import annotations

from collections import defaultdict

from ...client import segment
from ...errors import InvalidInput, NotFound
from .ledger import Stage
from .move import PAGE, Move, Record, listed, page_of, said, text, within


async def topics(move: Move, stage: Stage) -> None:
    """Each topic, and who is subscribed to it."""
    async for rows in move.pages(stage, "/v2/topics"):
        await move.each(rows, lambda row: _topic(move, stage, row))
        stage.within.clear()


async def _topic(move: Move, stage: Stage, row: Record) -> None:
    key, name = text(row, "key"), text(row, "name")
    if key is None:
        stage.leave_out(str(row.get("_id")), "has no key")
        return
    try:
        await move.put("POST", "/v2/topics", {"key": key, **({"name": name} if name else {})})
    except InvalidInput as err:
        stage.read += 1
        stage.leave_out(key, said(err))
        return
    seen: set[str] = set()
    while True:
        after = stage.within.get(key)
        try:
            page = await move.read(
                f"/v2/topics/{segment(key)}/subscriptions", limit=PAGE, after=after, orderDirection="ASC"
            )
        except InvalidInput:
            if after is None:
                raise
            del stage.within[key]
            continue
        except NotFound:  # deleted meanwhile
            break
        members, onward = page_of(page)
        await _subscribe(move, stage, key, members)
        if onward is None or onward in seen:
            break
        seen.add(onward)
        stage.within[key] = onward
        move.kept(stage)
    stage.read += 1
    stage.moved += 1


async def _subscribe(move: Move, stage: Stage, key: str, members: list[Record]) -> None:
    """Subscribe a page of members, those of each context in a call of their own."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for one in members:
        who, identifier = text(within(one, "subscriber"), "subscriberId"), text(one, "identifier")
        if who is None:
            stage.leave_out(key, "has a subscription of nobody")
            continue
        named: Record = {"subscriberId": who}
        named |= {"identifier": identifier} if identifier else {}
        named |= {"name": name} if (name := text(one, "name")) else {}
        keys = one.get("contextKeys")
        groups[tuple(map(str, keys)) if isinstance(keys, list) else ()].append(named)  # pyright: ignore[reportUnknownArgumentType]
        if listed(one, "preferences"):
            stage.note(f"{key}: {who}", "without the preferences of this one subscription")
    for keys, those in groups.items():
        context = dict(each.split(":", 1) for each in keys if ":" in each)
        body: Record = {"subscriptions": those} | ({"context": context} if context else {})
        try:
            done = await move.put("POST", f"/v2/topics/{segment(key)}/subscriptions", body)
        except InvalidInput as err:
            stage.left_out += len(those) - 1
            stage.leave_out(key, f"without {len(those)} subscriptions: {said(err)}")
        else:
            for refused in listed(done, "errors"):
                stage.leave_out(f"{key}: {refused.get('subscriberId')}", str(refused.get("message")))
