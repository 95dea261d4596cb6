"""Subscribers with their addresses, and what they have chosen."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from ...client import segment
from ...errors import InvalidInput, NotFound, NovukitError
from ...model import Subscriber
from .ledger import Stage
from .move import Move, Record, listed, said, text, within

FIELDS = {
    "subscriberId": "subscriber_id",
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "phone": "phone",
    "avatar": "avatar",
    "locale": "locale",
    "timezone": "timezone",
    "data": "data",
}
CHANNELS = ("email", "sms", "in_app", "chat", "push")


async def subscribers(move: Move, stage: Stage) -> None:
    """Everyone with profile, data, device tokens and webhooks; whom the destination has is brought up to date."""
    async for rows in move.pages(stage, "/v2/subscribers"):
        people: dict[str, Record] = {}
        for row in rows:
            stage.read += 1
            if row.get("deleted") is True:
                stage.leave_out(str(row.get("subscriberId")), "is deleted there")
            elif (person := profile(row, stage)) is not None:
                people[name] = people.get(name := person["subscriberId"], {}) | person
        if people:
            done = await move.put("POST", "/v1/subscribers/bulk", {"subscribers": list(people.values())})
            for failed in listed(done, "failed"):
                people.pop(name := str(failed.get("subscriberId")), None)
                stage.leave_out(name, str(failed.get("message")))
        reached = [(name, one) for row in rows if (name := str(row.get("subscriberId"))) in people
                   for one in listed(row, "channels")]  # fmt: skip
        await move.each(reached, lambda pair: _reach(move, stage, *pair))
        stage.moved += len(people)


def profile(row: Record, stage: Stage) -> Record | None:
    """A subscriber as the destination takes them, without what it would refuse; ``None`` if nothing is left to name."""
    given: dict[str, Any] = {
        FIELDS[name]: value for name, value in row.items() if name in FIELDS and value not in (None, "")
    }
    about = str(row.get("subscriberId") or row.get("_id"))
    while True:
        try:
            made = Subscriber.model_validate(given)
        except ValidationError as err:
            problems = {str(one["loc"][0]): one["msg"] for one in err.errors(include_input=False)}
            if "subscriber_id" in problems:
                stage.leave_out(about, f"the subscriberId {problems['subscriber_id']}")
                return None
            for name, problem in problems.items():
                given.pop(name)
                stage.note(about, f"without {name.replace('_', ' ')}, which {problem}")
        else:
            told = made.model_dump(mode="json", exclude_none=True)
            return {name: told[field] for name, field in FIELDS.items() if field in told}


async def _reach(move: Move, stage: Stage, name: str, channel: Record) -> None:
    """Keep one address of a subscriber; if need be without the integration that it is for."""
    wanted = {key: within(channel, "credentials").get(key) for key in ("webhookUrl", "channel", "deviceTokens")}
    body: Record = {
        "providerId": channel.get("providerId"),
        "credentials": {key: value for key, value in wanted.items() if value},
    }
    if not body["credentials"]:
        return
    path, where = f"/v1/subscribers/{segment(name)}/credentials", text(channel, "integrationIdentifier")
    try:
        try:
            await move.put("PUT", path, body | ({"integrationIdentifier": where} if where else {}))
        except InvalidInput as err:
            if where is None or all(issue.path != "/integrationIdentifier" for issue in err.issues):
                raise
            await move.put("PUT", path, body)
            stage.note(name, f"their address at {body['providerId']} is for any integration: {where!r} is not here")
    except (InvalidInput, NotFound) as err:
        stage.note(name, f"without the address at {body['providerId']}: {said(err)}")


async def preferences(move: Move, stage: Stage) -> None:
    """What subscribers have chosen themselves: for all workflows, and for those that are here."""
    missing: dict[str, int] = {}

    async def one(row: Record) -> None:
        name = text(row, "subscriberId")
        if name is None:
            return
        stage.read += 1
        try:
            chosen = await move.read(f"/v2/subscribers/{segment(name)}/preferences", criticality="all")
        except NotFound:  # deleted meanwhile
            return
        await _choose(move, stage, name, chosen, missing)

    async for rows in move.pages(stage, "/v2/subscribers"):
        await move.each(rows, one)
        for workflow, number in missing.items():
            stage.left_out += number
            stage.note(workflow, f"is no workflow here: what {number} of a page had chosen for it is not moved")
        missing.clear()


async def _choose(move: Move, stage: Stage, name: str, chosen: Record, missing: dict[str, int]) -> None:
    path = f"/v2/subscribers/{segment(name)}/preferences"
    everywhere = within(chosen, "global")
    off = {channel: False for channel in CHANNELS if within(everywhere, "channels").get(channel) is False}
    schedule = within(everywhere, "schedule")
    changes: list[Record] = []
    for one in listed(chosen, "workflows"):
        workflow = str(within(one, "workflow").get("identifier"))
        theirs = {str(each.get("channel")) for each in listed(one, "overrides") if each.get("source") == "subscriber"}
        told = {
            channel: wanted
            for channel, wanted in within(one, "channels").items()
            # What is off everywhere is off here for that reason.
            if channel in theirs and channel in CHANNELS and isinstance(wanted, bool) and (wanted or channel not in off)
        }
        if told and workflow in move.workflows:
            changes.append({"workflowId": workflow, "channels": told})
        elif told:
            missing[workflow] = missing.get(workflow, 0) + 1
    try:
        if off:
            await move.put("PATCH", path, {"channels": off})
        for start in range(0, len(changes), 100):
            await move.put("PATCH", f"{path}/bulk", {"preferences": changes[start : start + 100]})
        stage.moved += bool(off) + len(changes)
    except NovukitError as err:
        if err.retryable:
            raise
        stage.leave_out(name, said(err))
    if schedule.get("isEnabled") is True:
        try:
            await move.put("PATCH", path, {"schedule": schedule})
            stage.moved += 1
        except (InvalidInput, NotFound) as err:
            stage.leave_out(name, f"without the hours in which they want to be told: {said(err)}")
