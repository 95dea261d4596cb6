"""Subscriptions over HTTP: several of one subscriber, within contexts, and with preferences of their own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import StepKind, StepSpec, WorkflowPreferences, WorkflowSpec
from novukit.store import Scope, contexts, workflows

pytestmark = pytest.mark.anyio

NEWS = "/v2/topics/news/subscriptions"
LARGE = {">": [{"var": "payload.amount"}, 100]}


@pytest.fixture(autouse=True)
async def _ground(api: httpx.AsyncClient, scope: Scope) -> None:
    people = [{"subscriberId": "ada"}, {"subscriberId": "bob"}]
    assert 201 == (await api.post("/v1/subscribers/bulk", json={"subscribers": people})).status_code
    steps = [StepSpec(id="inbox", kind=StepKind.IN_APP)]
    specs = [
        WorkflowSpec(id="order", name="Order", steps=steps, tags=("shop",)),
        WorkflowSpec(id="offer", name="Offer", steps=steps, tags=("shop", "extra")),
        WorkflowSpec(id="chat", name="Chat", steps=steps),
        WorkflowSpec(
            id="alarm", name="Alarm", steps=steps, tags=("shop",), preferences=WorkflowPreferences(read_only=True)
        ),
    ]
    await workflows.apply(scope, create=specs)


def _wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    return [(detail["path"], detail["code"]) for detail in answer.json()["details"]]


def _said(preferences: list[dict[str, Any]]) -> dict[str, tuple[bool, Any]]:
    return {one["workflow"]["identifier"]: (one["enabled"], one.get("condition")) for one in preferences}


async def _subscribe(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post(NEWS, json={"subscriptions": ["ada"]} | body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["data"][0]


async def test_preferences_name_workflows_or_their_tags(api: httpx.AsyncClient) -> None:
    """One by its id alone, one under a condition, and all that have a tag; critical ones are left out of those."""
    made = await _subscribe(
        api,
        preferences=[
            "chat",
            {"filter": {"tags": ["shop"]}, "enabled": False},
            {"workflowId": "order", "condition": LARGE},
        ],
    )
    assert {"chat": (True, None), "offer": (False, None), "order": (True, LARGE)} == _said(made["preferences"])
    assert {made["_id"]} == {one["subscriptionId"] for one in made["preferences"]}
    assert {"id", "identifier", "name", "critical", "severity", "tags"} == set(made["preferences"][0]["workflow"])
    listed = (await api.get(NEWS)).json()["data"]
    assert made["preferences"] == listed[0]["preferences"]


async def test_one_subscription_is_shown_and_changed(api: httpx.AsyncClient) -> None:
    """A name alone leaves the preferences; preferences take the place of those that there were."""
    made = await _subscribe(api, preferences=["chat"])
    path = f"{NEWS}/{made['identifier']}"
    shown = (await api.get(path)).json()["data"]
    assert (made["_id"], made["identifier"], made["preferences"], []) == (
        shown["id"], shown["identifier"], shown["preferences"], shown["contextKeys"],
    )  # fmt: skip
    named = (await api.patch(path, json={"name": "Mine"})).json()["data"]
    assert ("Mine", made["preferences"]) == (named["name"], named["preferences"])
    changed = (await api.patch(path, json={"preferences": [{"workflowId": "order", "enabled": False}]})).json()["data"]
    assert ("Mine", {"order": (False, None)}) == (changed["name"], _said(changed["preferences"]))
    assert [] == (await api.patch(path, json={"preferences": []})).json()["data"]["preferences"]


async def test_a_subscription_that_is_not_there_is_404(api: httpx.AsyncClient) -> None:
    """Of a topic that is, and of one that is not."""
    await _subscribe(api)
    for path in (f"{NEWS}/other", "/v2/topics/nothing/subscriptions/other"):
        assert 404 == (await api.get(path)).status_code
        assert 404 == (await api.patch(path, json={"name": "X"})).status_code


async def test_a_context_makes_another_subscription_and_filters_find_it(api: httpx.AsyncClient, scope: Scope) -> None:
    """Its keys are in the default identifier; the context is known from then on."""
    plain = await _subscribe(api)
    within = await _subscribe(api, context={"tenant": {"id": "acme", "data": {"plan": "gold"}}, "app": "shop"})
    assert "tk_news:si_ada:ctx_app:shop,tenant:acme" == within["identifier"]
    assert ["app:shop", "tenant:acme"] == within["contextKeys"]
    kept = await contexts.get(scope, "tenant", "acme")
    assert kept is not None
    assert {"plan": "gold"} == kept.data
    for path in (NEWS, "/v2/subscribers/ada/subscriptions"):
        for keys, wanted in (
            (["tenant:acme", "app:shop"], [within]), (["tenant:acme"], []), ([""], [plain]),
        ):  # fmt: skip
            found = (await api.get(path, params={"contextKeys": keys})).json()
            assert [one["_id"] for one in wanted] == [one["_id"] for one in found["data"]]
    shown = await api.get(f"{NEWS}/{within['identifier']}")
    assert within["contextKeys"] == shown.json()["data"]["contextKeys"]


async def test_unsubscribing_a_subscriber_ends_all_that_they_have(api: httpx.AsyncClient) -> None:
    """By identifier, it ends that one."""
    for identifier in ("one", "two", "three"):
        await _subscribe(api, subscriptions=[{"subscriberId": "ada", "identifier": identifier}])
    await api.request("DELETE", NEWS, json={"subscriptions": [{"subscriberId": "ada", "identifier": "two"}]})
    assert ["three", "one"] == [one["identifier"] for one in (await api.get(NEWS)).json()["data"]]
    answer = await api.request("DELETE", NEWS, json={"subscriptions": ["ada"]})
    assert {"totalCount": 1, "successful": 1, "failed": 0} == answer.json()["meta"]
    assert 0 == (await api.get(NEWS)).json()["totalCount"]


@pytest.mark.parametrize(
    ("preferences", "path", "code"),
    [
        (["nothing"], "/preferences/0", "workflow_not_found"),
        (["alarm"], "/preferences/0", "workflow_critical"),
        ([{"workflowId": "nothing"}], "/preferences/0/workflowId", "workflow_not_found"),
        ([{"enabled": False}], "/preferences/0", "required"),
        ([{"filter": {}}], "/preferences/0/filter", "required"),
        ([{"filter": {"workflowIds": ["nothing"]}}], "/preferences/0/filter/workflowIds/0", "workflow_not_found"),
        ([{"workflowId": "chat", "filter": {"tags": ["shop"]}}], "/preferences/0", "required"),
        ([{"workflowId": "chat", "condition": {"like": [1, 2]}}], "/preferences/0/condition/like", "unknown_operator"),
        ([{"workflowId": "chat", "when": {}}], "/preferences/0/when", "unknown_field"),
        ([5], "/preferences/0", "wrong_type"),
    ],
)
async def test_preferences_that_cannot_be_are_refused(
    api: httpx.AsyncClient, preferences: list[Any], path: str, code: str
) -> None:
    """By their place; nobody is subscribed."""
    assert (path, code) in _wrong(await api.post(NEWS, json={"subscriptions": ["ada"], "preferences": preferences}))
    assert 404 == (await api.get(NEWS)).status_code


async def test_a_context_that_cannot_be_is_refused(api: httpx.AsyncClient) -> None:
    """In a body and in a filter."""
    body = {"subscriptions": ["ada"], "context": {"tenant": "a:b"}}
    assert [("/context/tenant", "bad_format")] == _wrong(await api.post(NEWS, json=body))
    for path in (NEWS, "/v2/subscribers/ada/subscriptions"):
        assert [("/contextKeys", "bad_format")] == _wrong(await api.get(path, params={"contextKeys": "acme"}))


async def test_another_environment_sees_no_subscription(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """The wall over HTTP."""
    made = await _subscribe(api)
    await other.post("/v2/topics", json={"key": "news"})
    assert 404 == (await other.get(f"{NEWS}/{made['identifier']}")).status_code
    assert 404 == (await other.patch(f"{NEWS}/{made['identifier']}", json={"name": "X"})).status_code
