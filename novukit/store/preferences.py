"""Preferences: what a subscriber chose, everywhere and for single workflows. ``model.resolve`` adds the layers up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ..model import Channel, Preference
from .database import Row, Scope, decode, encode
from .each import each

Choice = dict[Channel, bool]

_EVERYWHERE = ""
"""What stands for «every workflow» in the column, so that the unique key holds for it too."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a subscriber chose everywhere and for one workflow, and when each was last changed."""

    everywhere: Choice = field(default_factory=dict[Channel, bool])
    here: Choice = field(default_factory=dict[Channel, bool])
    everywhere_at: datetime | None = None
    here_at: datetime | None = None
    schedule: str | None = None
    """The schedule, as JSON text; see :mod:`novukit.model.schedule`."""


async def chosen(scope: Scope, subscriber_uuid: UUID, workflow_id: str) -> Chosen:
    """What the subscriber chose everywhere, and for this workflow; in one query."""
    return (await of_many(scope, {(subscriber_uuid, workflow_id)}))[subscriber_uuid, workflow_id]


async def of_many(scope: Scope, wanted: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Chosen]:
    """What several subscribers chose, each for a workflow; in one query."""
    rows = await scope.database.fetch_hot(
        f"select subscriber_uuid, workflow_id, channels, schedule, updated_at from {each('uuid')} "
        "join novukit_preference p on p.environment_id = each.environment_id and p.subscriber_uuid = each.key",
        scope.environment_id, sorted({who for who, _ in wanted}),
    )  # fmt: skip
    found = {(row["subscriber_uuid"], row["workflow_id"]): row for row in rows}
    answer: dict[tuple[UUID, str], Chosen] = {}
    for who, workflow_id in wanted:
        everywhere, here = found.get((who, _EVERYWHERE)), found.get((who, workflow_id))
        answer[who, workflow_id] = Chosen(
            decode(everywhere["channels"]) if everywhere else {}, decode(here["channels"]) if here else {},
            everywhere["updated_at"] if everywhere else None, here["updated_at"] if here else None,
            everywhere["schedule"] if everywhere else None,
        )  # fmt: skip
    return answer


async def all_of(scope: Scope, subscriber_uuid: UUID) -> list[Preference]:
    """All that a subscriber chose: the global preference first, then by workflow id."""
    rows = await scope.database.fetch(
        "select workflow_id, channels, schedule, updated_at from novukit_preference "
        "where environment_id = $1 and subscriber_uuid = $2",
        scope.environment_id, subscriber_uuid,
    )  # fmt: skip
    return [_preference(row) for row in sorted(rows, key=lambda row: row["workflow_id"])]


async def set(  # noqa: A001 (`preferences.set`)
    scope: Scope,
    subscriber_uuid: UUID,
    workflow_id: str | None,
    channels: Mapping[Channel, bool],
    schedule: Mapping[str, Any] | None = None,
) -> Preference | None:
    """Change what the subscriber chose for ``channels`` and leave the other channels alone.

    ``workflow_id`` ``None`` means everywhere. A ``schedule`` of ``None`` stays as it is. ``None`` when there is no such
    subscriber.
    """
    where = (scope.environment_id, subscriber_uuid, workflow_id or _EVERYWHERE)
    async with scope.database.transaction():
        held = await scope.database.fetch(
            "select id from novukit_subscriber where environment_id = $1 and id = $2 for key share", *where[:2]
        )
        if not held:
            return None
        await scope.database.fetch(
            "insert into novukit_preference (environment_id, subscriber_uuid, workflow_id, id, channels, updated_at) "
            "values ($1, $2, $3, $4, $5, $6) on conflict (environment_id, subscriber_uuid, workflow_id) do nothing",
            *where, scope.new_id(), "{}", scope.now(),
        )  # fmt: skip
        before = await scope.database.fetch(
            "select channels from novukit_preference "
            "where environment_id = $1 and subscriber_uuid = $2 and workflow_id = $3 for update",
            *where,
        )
        rows = await scope.database.fetch(
            "update novukit_preference set channels = $4, schedule = coalesce($5, schedule), updated_at = $6 "
            "where environment_id = $1 and subscriber_uuid = $2 and workflow_id = $3 "
            "returning workflow_id, channels, schedule, updated_at",
            *where, encode({**decode(before[0]["channels"]), **channels}),
            None if schedule is None else encode(dict(schedule)), scope.now(),
        )  # fmt: skip
    return _preference(rows[0])


async def set_many(scope: Scope, subscriber_uuid: UUID, choices: Mapping[str, Mapping[Channel, bool]]) -> bool:
    """Change what the subscriber chose for several workflows at once; ``False`` when there is no such subscriber."""
    async with scope.database.transaction():
        for workflow_id in sorted(choices):  # in one order, so that two calls cannot wait for each other in a circle
            if await set(scope, subscriber_uuid, workflow_id, choices[workflow_id]) is None:
                return False
    return True


def _preference(row: Row) -> Preference:
    return Preference(
        workflow_id=row["workflow_id"] or None,
        channels=decode(row["channels"]),
        schedule=decode(row["schedule"]),
        updated_at=row["updated_at"],
    )
