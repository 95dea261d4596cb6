"""A subscriber's own subscriptions to topics, in a browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar

from novukit.model import Environment
from novukit.store import Scope

from ..rows import Rows
from .inboxes import inbox_of

pytestmark = pytest.mark.anyio

NEWS = "/v1/inbox/topics/news/subscriptions"
DEFAULT = "tk_news:si_ada"


@pytest.fixture(autouse=True)
async def rows(scope: Scope, development: Environment) -> Rows:
    """Two workflows that subscribers may choose for, and one that they may not."""
    found = Rows(scope, development.organization_id)
    await found.workflow("daily", name="Daily", tags=["news"])
    await found.workflow("weekly", name="Weekly", tags=["news"])
    await found.workflow("alarm", preferences={"read_only": True})
    return found


async def call(browser: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await browser.request(method, path, **({} if body is None else {"json": body}))
    assert status == answer.status_code, answer.text
    return answer.json()["data"] if status < 204 else None


async def test_a_subscription_from_its_making_to_its_end(asgi: Litestar, development: Environment) -> None:
    """Its identifier is the default one unless it is given; what is not there is a 204, not an error."""
    async with inbox_of(asgi, development) as browser:
        await call(browser, "GET", f"{NEWS}/{DEFAULT}", status=204)
        assert [] == await call(browser, "GET", NEWS)
        made = await call(
            browser, "POST", NEWS,
            {"identifier": "", "name": "Mine", "topic": {"name": "The news"}, "preferences": ["daily"]}, 201,
        )  # fmt: skip
        assert (DEFAULT, "Mine", []) == (made["identifier"], made["name"], made["contextKeys"])
        (choice,) = made["preferences"]
        assert (made["id"], True, "daily") == (
            choice["subscriptionId"], choice["enabled"], choice["workflow"]["identifier"],
        )  # fmt: skip
        assert [made] == await call(browser, "GET", NEWS)
        assert made == await call(browser, "GET", f"{NEWS}/{DEFAULT}")
        body = {"name": "Ours", "preferences": [{"workflowId": "weekly", "enabled": False}]}
        changed = await call(browser, "PATCH", f"{NEWS}/{DEFAULT}", body)
        assert ("Ours", [("weekly", False)]) == (
            changed["name"], [(one["workflow"]["identifier"], one["enabled"]) for one in changed["preferences"]],
        )  # fmt: skip
        await call(browser, "DELETE", f"{NEWS}/{DEFAULT}", status=204)
        await call(browser, "DELETE", f"{NEWS}/{DEFAULT}", status=404)
        assert [] == await call(browser, "GET", NEWS)


async def test_what_is_wanted_of_given_workflows(asgi: Litestar, development: Environment) -> None:
    """By id or by tag, whether anything was chosen or not: that is what a page shows switches for."""
    async with inbox_of(asgi, development) as browser:
        await call(browser, "POST", NEWS, {"preferences": [{"workflowId": "daily", "enabled": False}]}, 201)
        for query in ("workflowIds=daily&workflowIds=weekly", "tags=news"):
            found = await call(browser, "GET", f"{NEWS}/{DEFAULT}?{query}")
            assert [("daily", False), ("weekly", True)] == [
                (one["workflow"]["identifier"], one["enabled"]) for one in found["preferences"]
            ]


async def test_one_workflow_is_switched(asgi: Litestar, development: Environment) -> None:
    """By the subscription's identifier or its id; a condition outlives a switch; a critical workflow has none."""
    rule = {"==": [{"var": "payload.kind"}, "urgent"]}
    async with inbox_of(asgi, development) as browser:
        made = await call(browser, "POST", NEWS, {}, 201)
        for name in (DEFAULT, made["id"]):
            path = f"/v1/inbox/subscriptions/{name}/preferences"
            alike = dict.fromkeys(("enabled", "email", "sms", "in_app", "chat", "push"), False)
            assert False is (await call(browser, "PATCH", f"{path}/daily", alike))["enabled"]
            chosen = await call(browser, "PATCH", f"{path}/daily", {"condition": rule})
            assert (False, rule, made["id"]) == (chosen["enabled"], chosen["condition"], chosen["subscriptionId"])
            again = await call(browser, "PATCH", f"{path}/{chosen['workflow']['id']}", {"enabled": True})
            assert (True, rule) == (again["enabled"], again["condition"])
            await call(browser, "PATCH", f"{path}/alarm", {"enabled": False}, 422)
            await call(browser, "PATCH", f"{path}/daily", {"condition": {"frobnicate": 1}}, 422)
        several = [
            {"subscriptionIdentifier": DEFAULT, "workflowId": one, "enabled": False} for one in ("daily", "weekly")
        ]
        done = await call(browser, "PATCH", "/v1/inbox/preferences/bulk", {"preferences": several})
        assert [("daily", False), ("weekly", False)] == [
            (one["workflow"]["identifier"], one["enabled"]) for one in done
        ]


async def test_a_context_has_subscriptions_of_its_own(asgi: Litestar, development: Environment) -> None:
    """Their identifier ends in it, with colon and comma, and is found as it is."""
    context = {"tenant": "acme", "app": "shop"}
    name = f"{DEFAULT}:ctx_app:shop,tenant:acme"
    async with inbox_of(asgi, development, context=context) as browser:
        made = await call(browser, "POST", NEWS, {"identifier": name}, 201)
        assert (name, ["app:shop", "tenant:acme"]) == (made["identifier"], made["contextKeys"])
        assert made == await call(browser, "GET", f"{NEWS}/{name}")
        assert made == await call(browser, "POST", NEWS, {}, 201)
    async with inbox_of(asgi, development) as browser:
        assert [] == await call(browser, "GET", NEWS)
        await call(browser, "GET", f"{NEWS}/{name}", status=204)


async def test_nobody_elses_subscription_can_be_touched(
    asgi: Litestar, development: Environment, api: httpx.AsyncClient
) -> None:
    """Not seen, changed, ended or taken over, by identifier or by id."""
    async with inbox_of(asgi, development, "bob") as bob:
        theirs = await call(bob, "POST", NEWS, {"identifier": "bobs@1"}, 201)
        async with inbox_of(asgi, development) as ada:
            assert [] == await call(ada, "GET", NEWS)
            for name in ("bobs@1", theirs["id"]):
                await call(ada, "GET", f"{NEWS}/{name}", status=204)
                await call(ada, "PATCH", f"{NEWS}/{name}", {"name": "x"}, 404)
                await call(ada, "DELETE", f"{NEWS}/{name}", status=404)
                await call(ada, "PATCH", f"/v1/inbox/subscriptions/{name}/preferences/daily", {"enabled": False}, 404)
            await call(ada, "POST", NEWS, {"identifier": "bobs@1"}, 422)
        assert theirs == await call(bob, "GET", f"{NEWS}/bobs@1")
