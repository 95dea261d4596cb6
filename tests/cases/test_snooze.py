"""A notification that was snoozed comes back by itself: at its time, unread, and with a word to whoever looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from novukit import Context, workflow
from novukit.engine import sweep
from novukit.store import environments
from novukit.testing import Harness


@workflow("note")
async def note(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", subject="Tea", body="It is ready.")


@asynccontextmanager
async def open_inbox(novukit: Harness) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's inbox, as a browser has it."""
    environment = await environments.get(novukit.app.database, novukit.scope.environment_id)
    body = {"applicationIdentifier": environment.identifier, "subscriber": "ada"}
    transport = httpx.ASGITransport(novukit.app.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://novukit.test") as browser:
        token = (await browser.post("/v1/inbox/session", json=body)).json()["data"]["token"]
        browser.headers["Authorization"] = f"Bearer {token}"
        yield browser


def wire(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_a_snooze_ends_by_itself(novukit: Harness) -> None:
    """Gone from list and bell until its time; then unread and unseen, and delivered a second time."""
    await novukit.trigger(note, to="ada")
    async with open_inbox(novukit) as browser:

        async def bell() -> int:
            asked = {"filters": '[{"read":false,"snoozed":false}]'}
            return (await browser.get("/v1/inbox/notifications/count", params=asked)).json()["data"][0]["count"]

        async def shown(query: str = "?snoozed=false") -> list[dict[str, Any]]:
            return (await browser.get(f"/v1/inbox/notifications{query}")).json()["data"]

        (before,) = await shown()
        path = f"/v1/inbox/notifications/{before['id']}"
        await browser.patch(f"{path}/read")
        until = novukit.now + timedelta(days=2)
        await browser.patch(f"{path}/snooze", json={"snoozeUntil": wire(until)})

        await novukit.travel(days=1, hours=23)
        assert ([], 0, 1) == (await shown(), await bell(), len(await shown("?snoozed=true")))

        await novukit.travel(hours=2)
        (after,) = await shown()
        assert (False, False, False, None) == (
            after["isSnoozed"], after["isRead"], after["isSeen"], after["snoozedUntil"],
        )  # fmt: skip
        assert [before["deliveredAt"][0], wire(until)] == after["deliveredAt"]
        assert 1 == await bell()

        # Once: what was read since stays read.
        await browser.patch(f"{path}/read")
        await novukit.travel(days=10)
        assert 0 == await bell()


async def test_a_word_goes_out_for_what_came_back(novukit: Harness) -> None:
    """With its id: for whoever looks it is like a new one."""
    await novukit.trigger(note, to="ada")
    told: list[Any] = []

    async def publish(environment_id: Any, notices: Any) -> None:
        told.extend(notices)

    async with open_inbox(novukit) as browser:
        (one,) = (await browser.get("/v1/inbox/notifications")).json()["data"]
        until = {"snoozeUntil": wire(novukit.now + timedelta(hours=1))}
        await browser.patch(f"/v1/inbox/notifications/{one['id']}/snooze", json=until)
    runtime = replace(novukit.app.runtime, publish=publish)
    for minutes in (59, 1):
        assert [] == told
        novukit.clock.advance(timedelta(minutes=minutes))
        assert (minutes == 1) is await sweep(runtime)
    await asyncio.sleep(0)
    assert [one["id"]] == [str(message_id) for _, message_id in told]
