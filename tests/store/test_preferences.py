"""Tests of preferences in the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from novukit.store import Database, Scope, preferences
from novukit.testing.clock import VirtualClock

from .people import environment, subscriber

pytestmark = pytest.mark.anyio

NINE_TO_FIVE = {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": True, "hours": []}}}


@pytest.fixture
async def scope(database: Database) -> Scope:
    return await environment(database)


async def layers(scope: Scope, who: UUID, workflow_id: str) -> tuple[preferences.Choice, preferences.Choice]:
    """What was chosen everywhere, and here."""
    chosen = await preferences.chosen(scope, who, workflow_id)
    return chosen.everywhere, chosen.here


async def test_nothing_is_chosen_at_first(scope: Scope) -> None:
    """Two empty layers."""
    ada = await subscriber(scope)
    assert ({}, {}) == await layers(scope, ada.id, "welcome")
    assert [] == await preferences.all_of(scope, ada.id)


async def test_chosen_gives_the_layer_for_all_and_the_one_for_the_workflow(scope: Scope) -> None:
    """Another workflow's choice is not in it."""
    ada = await subscriber(scope)
    await preferences.set(scope, ada.id, None, {"email": False})
    await preferences.set(scope, ada.id, "welcome", {"sms": True})
    await preferences.set(scope, ada.id, "other", {"push": False})
    assert ({"email": False}, {"sms": True}) == await layers(scope, ada.id, "welcome")
    assert ({"email": False}, {}) == await layers(scope, ada.id, "unknown")


async def test_set_changes_the_named_channels_only(scope: Scope, clock: VirtualClock) -> None:
    """Channels add up; a schedule stays until another one comes."""
    ada = await subscriber(scope)
    await preferences.set(scope, ada.id, None, {"email": False, "sms": True}, NINE_TO_FIVE)
    clock.advance(timedelta(hours=1))
    changed = await preferences.set(scope, ada.id, None, {"email": True})
    assert changed is not None
    assert ({"email": True, "sms": True}, NINE_TO_FIVE, clock.now(), None) == (
        changed.channels, changed.schedule, changed.updated_at, changed.workflow_id,
    )  # fmt: skip
    changed = await preferences.set(scope, ada.id, None, {}, {"isEnabled": False})
    assert changed is not None
    assert {"isEnabled": False} == changed.schedule


async def test_all_of_begins_with_the_global_one(scope: Scope) -> None:
    """Then by workflow id."""
    ada = await subscriber(scope)
    for workflow_id in ("b", None, "a"):
        await preferences.set(scope, ada.id, workflow_id, {"email": False})
    assert [None, "a", "b"] == [it.workflow_id for it in await preferences.all_of(scope, ada.id)]


async def test_concurrent_choices_are_all_kept(scope: Scope) -> None:
    """Five switches at once, each for its own channel."""
    ada = await subscriber(scope)
    await asyncio.gather(
        *(
            preferences.set(scope, ada.id, "welcome", {channel: False})
            for channel in ("email", "in_app", "sms", "push", "chat")
        )
    )
    _, here = await layers(scope, ada.id, "welcome")
    assert {"email", "in_app", "sms", "push", "chat"} == set(here)


async def test_an_environment_never_sees_anothers_preferences(scope: Scope, database: Database) -> None:
    """The wall: neither read nor written from the other side."""
    other = await environment(database, "production")
    ada = await subscriber(scope)
    await preferences.set(scope, ada.id, "welcome", {"email": False})
    assert ({}, {}) == await layers(other, ada.id, "welcome")
    assert [] == await preferences.all_of(other, ada.id)
    assert await preferences.set(other, ada.id, "welcome", {"email": True}) is None
    assert ({}, {"email": False}) == await layers(scope, ada.id, "welcome")
