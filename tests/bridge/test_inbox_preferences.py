"""What a subscriber chooses for themselves, in a browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar

from novukit.model import Environment
from novukit.store import Scope, preferences

from ..rows import Rows
from .inboxes import inbox_of

pytestmark = pytest.mark.anyio

BASE = "/v1/inbox/preferences"
STEPS = [{"id": "inbox", "kind": "in_app"}, {"id": "mail", "kind": "email"}]


@pytest.fixture
async def rows(scope: Scope, development: Environment) -> Rows:
    """Three workflows: one of them critical, one that is switched off by default."""
    found = Rows(scope, development.organization_id)
    await found.workflow("news", name="News", steps=STEPS, tags=["social", "weekly"], severity="low")
    await found.workflow("alarm", name="Alarm", steps=STEPS, preferences={"read_only": True}, severity="high")
    await found.workflow("tips", name="Tips", steps=STEPS[:1], preferences={"channels": {"in_app": False}})
    return found


async def names(browser: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await browser.get(f"{BASE}{query}")
    assert 200 == answer.status_code, answer.text
    first, *others = answer.json()["data"]
    assert "global" == first["level"]
    return [one["workflow"]["identifier"] for one in others]


async def change(browser: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await browser.patch(f"{BASE}{path}", json=body)
    assert status == answer.status_code, answer.text
    return answer.json().get("data")


async def test_the_list_begins_with_what_holds_everywhere(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """Then each workflow with its channels and who it is; critical ones only if they are asked for."""
    async with inbox_of(asgi, development) as browser:
        first, *others = (await browser.get(BASE)).json()["data"]
        assert {"level": "global", "enabled": True, "channels": {"email": True, "in_app": True}} == first
        news = next(one for one in others if one["workflow"]["identifier"] == "news")
        told = news.pop("workflow")
        assert {"level": "template", "enabled": True, "channels": {"email": True, "in_app": True}} == news
        assert ("News", False, "low", ["social", "weekly"]) == (
            told["name"], told["critical"], told["severity"], told["tags"],
        )  # fmt: skip
        assert first == (await browser.get(f"{BASE}/global")).json()["data"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["news", "tips"]),
        ("?criticality=critical", ["alarm"]),
        ("?criticality=all", ["alarm", "news", "tips"]),
        ("?tags[]=weekly&tags[]=other", ["news"]),
        ("?severity[]=low&severity[]=high&criticality=all", ["alarm", "news"]),
        ("?severity=low", ["news"]),
    ],
)
async def test_the_list_is_narrowed(
    asgi: Litestar, development: Environment, rows: Rows, query: str, wanted: list[str]
) -> None:
    """By criticality, tags and severity, with brackets or without."""
    async with inbox_of(asgi, development) as browser:
        assert wanted == await names(browser, query)


async def test_choices_hold_in_layers(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """A workflow's own above the one for everything; a workflow may be named by either id."""
    async with inbox_of(asgi, development) as browser:
        assert {"email": False, "in_app": True} == (await change(browser, "", {"email": False}))["channels"]
        listed = (await browser.get(BASE)).json()["data"]
        news = next(one for one in listed if one.get("workflow", {}).get("identifier") == "news")
        assert False is news["channels"]["email"]
        for name in ("news", news["workflow"]["id"]):
            changed = await change(browser, f"/{name}", {"email": True})
            assert ("news", True) == (changed["workflow"]["identifier"], changed["channels"]["email"])
        assert False is (await browser.get(f"{BASE}/global")).json()["data"]["channels"]["email"]


async def test_several_are_changed_at_once_or_none(
    asgi: Litestar, development: Environment, rows: Rows, scope: Scope
) -> None:
    """In the order of the call; a critical or unknown one among them refuses all."""
    async with inbox_of(asgi, development) as browser:
        several = [{"workflowId": "tips", "in_app": True}, {"workflowId": "news", "email": False}]
        done = await change(browser, "/bulk", {"preferences": several})
        assert [("tips", {"in_app": True}), ("news", {"email": False, "in_app": True})] == [
            (one["workflow"]["identifier"], one["channels"]) for one in done
        ]
        who = await rows.subscriber("ada")
        before = await preferences.all_of(scope, who)
        for wrong in ("alarm", "nothing"):
            body = {"preferences": [{"workflowId": "news", "email": True}, {"workflowId": wrong, "email": False}]}
            await change(browser, "/bulk", body, 422)
        assert before == await preferences.all_of(scope, who)
        await change(browser, "/alarm", {"email": False}, 422)
        await change(browser, "/nothing", {"email": False}, 404)
        await change(browser, "/news", {"fax": False}, 422)


async def test_choices_are_ones_own(asgi: Litestar, development: Environment, rows: Rows, scope: Scope) -> None:
    """What Ada switches off, Bob still gets."""
    async with inbox_of(asgi, development) as ada, inbox_of(asgi, development, "bob") as bob:
        await change(ada, "", {"email": False})
        await change(ada, "/news", {"in_app": False})
        assert {"email": True, "in_app": True} == (await bob.get(f"{BASE}/global")).json()["data"]["channels"]
    assert [] == await preferences.all_of(scope, await rows.subscriber("bob"))


async def test_ones_hours_are_ones_own(asgi: Litestar, development: Environment, scope: Scope) -> None:
    """The page's proposal counts only while there are none; what the subscriber sets stays, and must make sense."""
    morning = {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": True, "hours": [
        {"start": "09:00 AM", "end": "05:00 PM"}]}}}  # fmt: skip
    async with inbox_of(asgi, development, defaultSchedule=morning) as browser:
        assert morning == (await browser.get(f"{BASE}/global")).json()["data"]["schedule"]
        off = {"isEnabled": False}
        assert off == (await change(browser, "", {"schedule": off}))["schedule"]
        wrong = {"isEnabled": True, "weeklySchedule": {"someday": {"isEnabled": True}}}
        await change(browser, "", {"schedule": wrong}, 422)
    async with inbox_of(asgi, development, defaultSchedule=morning) as browser:
        assert off == (await browser.get(f"{BASE}/global")).json()["data"]["schedule"]
