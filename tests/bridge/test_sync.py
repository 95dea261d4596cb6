"""Sync over HTTP: the plan, the apply, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import Environment, Manifest, WorkflowSpec
from novukit.store import Scope, workflows

from ..rows import Rows
from .conftest import Checksum

pytestmark = pytest.mark.anyio


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


def body(*ids: str, **more: Any) -> dict[str, Any]:
    """A manifest of simple workflows as `novukit sync` sends it."""
    steps = [{"id": "inbox", "kind": "in_app"}]
    specs = {name: WorkflowSpec(id=name, name=name.title(), steps=steps) for name in ids}  # type: ignore[arg-type]
    return Manifest(workflows=specs).model_dump(mode="json") | more


async def test_plan_then_apply(api: httpx.AsyncClient, rows: Rows, checksum: Checksum) -> None:
    """A plan changes nothing; the apply does what it said, and makes the next plan empty."""
    before = await checksum()
    planned = await api.post("/v1/sync/plan", json=body("welcome"))
    assert 200 == planned.status_code, planned.text
    plan = planned.json()["data"]
    change = {
        "workflowId": "welcome", "name": "Welcome", "fields": [], "inFlight": 0,
        "steps": [{"sign": "+", "stepId": "inbox", "kind": "in_app", "waiting": 0}],
    }  # fmt: skip
    assert {
        "create": [change], "change": [], "delete": [], "unchanged": [], "empty": False, "state": plan["state"],
    } == plan  # fmt: skip
    assert before == await checksum()

    applied = await api.put("/v1/sync", json=body("welcome", state=plan["state"]))
    assert (200, plan) == (applied.status_code, applied.json()["data"])
    again = (await api.put("/v1/sync", json=body("welcome"))).json()["data"]
    assert (True, ["welcome"]) == (again["empty"], again["unchanged"])


async def test_the_manifest_is_shown_as_it_was_sent(api: httpx.AsyncClient, rows: Rows) -> None:
    """With the state that a plan would have."""
    sent = body("a", "b")
    await api.put("/v1/sync", json=sent)
    found = (await api.get("/v1/sync/manifest")).json()["data"]
    assert sent["workflows"] == found["workflows"]
    assert await workflows.state(rows.scope) == found["state"]


async def test_a_change_tells_what_waits(api: httpx.AsyncClient, rows: Rows) -> None:
    """And in which step."""
    await rows.workflow("welcome", steps=[{"id": "hourly", "kind": "digest"}])
    await rows.checkpoint(await rows.execution(status="waiting"), "hourly", "digest", "waiting")
    plan = (await api.post("/v1/sync/plan", json=body("welcome"))).json()["data"]
    (change,) = plan["change"]
    assert 1 == change["inFlight"]
    assert [("+", "inbox", 0), ("-", "hourly", 1)] == [(s["sign"], s["stepId"], s["waiting"]) for s in change["steps"]]


async def test_a_deletion_needs_a_flag(api: httpx.AsyncClient, rows: Rows, checksum: Checksum) -> None:
    """422, nothing changed, and the message names workflow and flag; then each flag works."""
    await rows.workflow("a")
    await rows.workflow("b")
    await rows.workflow("c")
    before = await checksum()
    refused = await api.put("/v1/sync", json=body("c"))
    assert (422, "sync_refused") == (refused.status_code, refused.json()["code"])
    assert "a (executions in flight: 0), b" in refused.json()["message"]
    assert "--allow-delete a" in refused.json()["hint"]
    assert before == await checksum()
    assert 422 == (await api.put("/v1/sync", json=body("c", allowDelete=["a"]))).status_code
    assert 200 == (await api.put("/v1/sync", json=body("b", "c", allowDelete=["a"]))).status_code
    assert 200 == (await api.put("/v1/sync", json=body("c", prune=True))).status_code
    assert ["c"] == await workflows.ids(rows.scope)


async def test_an_empty_manifest_is_refused(api: httpx.AsyncClient, rows: Rows) -> None:
    """Even with prune: it is most likely a wrong import path."""
    await rows.workflow("a")
    refused = await api.put("/v1/sync", json={"workflows": {}, "prune": True})
    assert 422 == refused.status_code
    assert "0 workflows found; 1 workflow would be deleted." == refused.json()["message"]


async def test_an_old_plan_is_a_conflict(api: httpx.AsyncClient, rows: Rows) -> None:
    """409 when another sync came first."""
    plan = (await api.post("/v1/sync/plan", json=body("a"))).json()["data"]
    await rows.workflow("b")
    answer = await api.put("/v1/sync", json=body("a", "b", state=plan["state"]))
    assert (409, "sync_conflict") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({}, "/workflows"),
        ({"workflows": []}, "/workflows"),
        ({"workflows": {}, "alowDelete": []}, "/alowDelete"),
        ({"workflows": {"a": {"id": "a"}}}, "/workflows/a/name"),
        ({"workflows": {"a": {"id": "b", "name": "B"}}}, "/workflows/a/id"),
        ({"workflows": {"a": {"id": "a", "name": "A", "nmae": "A"}}}, "/workflows/a/nmae"),
        (
            {"workflows": {"a": {"id": "a", "name": "A", "steps": [{"id": "x", "kind": "fax"}]}}},
            "/workflows/a/steps/0/kind",
        ),
        ({"workflows": {"a/b": {"id": "a/b", "name": "A"}}}, "/workflows/a~1b/id"),
    ],
)
async def test_a_bad_manifest_is_refused(
    api: httpx.AsyncClient, checksum: Checksum, sent: dict[str, Any], path: str
) -> None:
    """422 with the pointer of what is wrong, and nothing changed."""
    before = await checksum()
    answer = await api.put("/v1/sync", json=sent)
    assert 422 == answer.status_code, answer.text
    assert path in [one["path"] for one in answer.json()["details"]]
    assert before == await checksum()


async def test_a_large_manifest_is_taken(api: httpx.AsyncClient, rows: Rows) -> None:
    """Two thousand workflows and two megabytes."""
    steps = [{"id": "inbox", "kind": "in_app"}]
    specs = {f"w{n}": {"id": f"w{n}", "name": "x", "description": "d" * 1000, "steps": steps} for n in range(500)}
    answer = await api.put("/v1/sync", json={"workflows": specs})
    assert 200 == answer.status_code, answer.text
    assert 500 == len(await workflows.ids(rows.scope))


async def test_the_other_environment_stays_as_it_was(
    api: httpx.AsyncClient, other: httpx.AsyncClient, rows: Rows
) -> None:
    """Each environment has its own workflows."""
    await api.put("/v1/sync", json=body("a"))
    assert {} == (await other.get("/v1/sync/manifest")).json()["data"]["workflows"]
    assert 200 == (await other.put("/v1/sync", json=body("b"))).status_code
    assert ["a"] == await workflows.ids(rows.scope)
