"""Workflows over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.model import Environment, WorkflowSpec
from novukit.store import Scope, workflows
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"orderId": {"type": "string"}}, "required": ["orderId"]}


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def _list(api: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await api.get("/v2/workflows", params=query)
    assert 200 == answer.status_code, answer.text
    return answer.json()["data"]


async def test_the_list_is_as_the_contract_says(api: httpx.AsyncClient, rows: Rows) -> None:
    """Each entry with all that the SDKs insist on."""
    steps = [{"id": "inbox", "kind": "in_app"}, {"id": "wait", "kind": "delay"}, {"id": "late", "kind": "in_app"}]
    await rows.workflow("welcome", name="Welcome!", tags=["social"], steps=steps)
    stored = await workflows.get(rows.scope, "welcome")
    assert stored is not None
    moment = "2026-01-01T00:00:00.000Z"
    assert {
        "totalCount": 1,
        "workflows": [
            {
                "_id": str(stored.id), "workflowId": "welcome", "slug": "welcome", "name": "Welcome!",
                "status": "ACTIVE", "origin": "external", "tags": ["social"], "stepTypeOverviews": ["in_app", "delay"],
                "steps": [{"slug": step["id"], "type": step["kind"]} for step in steps], "createdAt": moment,
                "updatedAt": moment, "lastTriggeredAt": None,
            }
        ],
    } == await _list(api)  # fmt: skip


async def test_the_list_is_sorted_filtered_and_paged(api: httpx.AsyncClient, rows: Rows, clock: VirtualClock) -> None:
    """By any of four orders, by words, tags and status; offset and limit may be floats."""
    for name, title, tags in (("a", "Zebra", ["x"]), ("b", "apple", ["y"]), ("c", "Mango", [])):
        await rows.workflow(name, name=title, tags=tags)
        clock.advance(timedelta(minutes=1))
    await workflows.touch_triggered(rows.scope, "b")
    await workflows.set_active(rows.scope, "a", False)

    async def ids(**query: Any) -> list[str]:
        return [one["workflowId"] for one in (await _list(api, **query))["workflows"]]

    assert ["c", "b", "a"] == await ids()
    assert ["a", "b", "c"] == await ids(orderDirection="ASC")
    assert ["b", "c", "a"] == await ids(orderBy="name", orderDirection="ASC")
    assert ["a", "c", "b"] == await ids(orderBy="updatedAt")
    assert ["b", "c", "a"] == await ids(orderBy="lastTriggeredAt")
    assert ["b"] == await ids(query="APP")
    assert ["b", "a"] == await ids(tags=["x", "y"])
    assert ["a"] == await ids(status="INACTIVE")
    assert ["b"] == await ids(limit="1.0", offset="1.0")
    assert 3 == (await _list(api, limit=1))["totalCount"]
    assert 422 == (await api.get("/v2/workflows", params={"orderBy": "age"})).status_code


async def test_a_workflow_is_shown_by_either_id(api: httpx.AsyncClient, rows: Rows) -> None:
    """With steps, preferences and the payload's schema."""
    await rows.workflow(
        "order", name="Order", description="D", severity="high", payload_schema=SCHEMA,
        preferences={"channels": {"sms": False}, "read_only": True}, steps=[{"id": "mail", "kind": "email"}],
    )  # fmt: skip
    stored = await workflows.get(rows.scope, "order")
    assert stored is not None
    answer = await api.get("/v2/workflows/order")
    assert 200 == answer.status_code, answer.text
    found = answer.json()["data"]
    expected = {
        "_id": str(stored.id), "workflowId": "order", "name": "Order", "description": "D", "severity": "high",
        "status": "ACTIVE", "active": True, "payloadSchema": SCHEMA, "validatePayload": True, "origin": "external",
        "version": stored.version,
    }  # fmt: skip
    assert expected == {key: found[key] for key in expected}
    default = found["preferences"]["default"]
    assert ({"enabled": True, "readOnly": True}, False, True) == (
        default["all"], default["channels"]["sms"]["enabled"], default["channels"]["email"]["enabled"],
    )  # fmt: skip
    (step,) = found["steps"]
    assert {
        "_id": f"{stored.id}:mail", "stepId": "mail", "name": "mail", "slug": "mail", "type": "email",
        "origin": "external", "workflowId": "order", "workflowDatabaseId": str(stored.id), "variables": SCHEMA,
        "controls": {"values": {"subject": ""}},
    } == step  # fmt: skip
    assert found == (await api.get(f"/v2/workflows/{stored.id}")).json()["data"]


async def test_an_unknown_workflow_is_not_found_with_the_closest(api: httpx.AsyncClient, rows: Rows) -> None:
    """404, and did you mean."""
    await rows.workflow("welcome")
    answer = await api.get("/v2/workflows/welcom")
    assert (404, "Did you mean 'welcome'?") == (answer.status_code, answer.json()["hint"])


async def test_switching_off_and_on(api: httpx.AsyncClient, rows: Rows) -> None:
    """``active`` is all that can be changed here; the rest is in the code."""
    await rows.workflow("welcome")
    off = await api.patch("/v2/workflows/welcome", json={"active": False})
    assert (200, False, "INACTIVE") == (off.status_code, off.json()["data"]["active"], off.json()["data"]["status"])
    on = await api.patch("/v2/workflows/welcome", json={"active": True})
    assert "ACTIVE" == on.json()["data"]["status"]
    refused = await api.patch("/v2/workflows/welcome", json={"name": "Other", "active": False})
    assert (422, ["/name"]) == (refused.status_code, [one["path"] for one in refused.json()["details"]])
    assert "novukit sync" in refused.json()["hint"]
    stored = await workflows.get(rows.scope, "welcome")
    assert stored is not None
    assert True is stored.active


async def test_versions_are_listed(api: httpx.AsyncClient, rows: Rows, clock: VirtualClock) -> None:
    """Newest first, and which one counts."""
    old = await rows.workflow("a", name="Old")
    clock.advance(timedelta(days=1))
    new = WorkflowSpec(id="a", name="New")
    await workflows.apply(rows.scope, change=[new])
    await workflows.apply(rows.scope, change=[old])
    found = (await api.get("/v1/workflows/a/versions")).json()["data"]
    assert [(new.version, False), (old.version, True)] == [(one["version"], one["current"]) for one in found]
    assert "2026-01-02T00:00:00.000Z" == found[0]["createdAt"]


async def test_a_workflow_with_executions_in_flight_is_not_deleted(api: httpx.AsyncClient, rows: Rows) -> None:
    """Only when all have ended."""
    await rows.workflow("welcome")
    execution = await rows.execution(status="waiting")
    answer = await api.delete("/v2/workflows/welcome")
    assert 422 == answer.status_code
    assert "executions in flight: 1" in answer.json()["message"]
    await rows.scope.database.fetch("update novukit_execution set status = 'completed' where id = $1", execution)
    assert 204 == (await api.delete("/v2/workflows/welcome")).status_code
    assert 404 == (await api.delete("/v2/workflows/welcome")).status_code


async def test_the_other_environment_has_none_of_it(other: httpx.AsyncClient, rows: Rows) -> None:
    """Not in the list, not by id, not to be changed."""
    await rows.workflow("welcome")
    stored = await workflows.get(rows.scope, "welcome")
    assert stored is not None
    assert {"workflows": [], "totalCount": 0} == await _list(other)
    for name in ("welcome", str(stored.id)):
        assert 404 == (await other.get(f"/v2/workflows/{name}")).status_code
        assert 404 == (await other.patch(f"/v2/workflows/{name}", json={"active": False})).status_code
        assert 404 == (await other.delete(f"/v2/workflows/{name}")).status_code
    assert stored == await workflows.get(rows.scope, "welcome")


async def test_a_change_says_what_the_code_says_or_is_refused(api: httpx.AsyncClient, rows: Rows) -> None:
    """Workflows are made in code alone: only whether one is on is changed from here."""
    await rows.workflow("welcome", name="Welcome", tags=["social"])
    same = {"name": "Welcome", "tags": ["social"], "description": "", "validatePayload": False}
    assert (await api.patch("/v2/workflows/welcome", json=same)).status_code == 200
    other = await api.patch("/v2/workflows/welcome", json={**same, "tags": []})
    assert (other.status_code, [d["path"] for d in other.json()["details"]]) == (422, ["/tags"])


async def test_a_workflow_is_copied_to_another_environment(
    api: httpx.AsyncClient, other: httpx.AsyncClient, rows: Rows, development: Environment, production: Environment
) -> None:
    """It alone, in the version that it has here."""
    await rows.workflow("welcome", name="Welcome")
    await rows.workflow("bye")
    answer = await api.put("/v2/workflows/welcome/sync", json={"targetEnvironmentId": str(production.id)})
    assert answer.status_code == 200, answer.text
    here, there = [(await one.get("/v2/workflows/welcome")).json()["data"] for one in (api, other)]
    assert answer.json()["data"] == there
    assert (there["version"], there["_id"] == here["_id"]) == (here["version"], False)
    assert (await other.get("/v2/workflows/bye")).status_code == 404

    same = await api.put("/v2/workflows/welcome/sync", json={"targetEnvironmentId": str(development.id)})
    assert (same.status_code, same.json()["details"][0]["code"]) == (422, "same_environment")
    nowhere = await api.put("/v2/workflows/welcome/sync", json={"targetEnvironmentId": "x"})
    assert nowhere.status_code == 404
