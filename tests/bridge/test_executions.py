"""Executions over HTTP: looked at, resumed, cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from novukit.model import ActivityKind, Environment, ExecutionStatus
from novukit.store import Scope, executions

from ..rows import Rows
from .ringing import Ringing

pytestmark = pytest.mark.anyio

START = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def runtime(runtime: Any) -> Ringing:
    """The runtime with a bell."""
    return Ringing.over(runtime)


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def _status(rows: Rows, *ids: UUID) -> list[str]:
    found = await executions.statuses(rows.scope, ids)
    return [found[each].value for each in ids]


async def test_the_list_goes_by_cursor(api: httpx.AsyncClient, rows: Rows) -> None:
    """Newest first, with all five keys of a page, forwards and back."""
    made = [str(await rows.execution()) for _ in range(3)]
    first = (await api.get("/v1/executions", params={"limit": 2})).json()
    assert {"data", "next", "previous", "totalCount", "totalCountCapped"} == first.keys()
    assert ([made[2], made[1]], None, 3) == ([e["id"] for e in first["data"]], first["previous"], first["totalCount"])
    second = (await api.get("/v1/executions", params={"limit": 2, "after": first["next"]})).json()
    assert ([made[0]], None) == ([e["id"] for e in second["data"]], second["next"])
    back = (await api.get("/v1/executions", params={"limit": 2, "before": second["previous"]})).json()
    assert first["data"] == back["data"]


async def test_the_list_is_filtered(api: httpx.AsyncClient, rows: Rows) -> None:
    """By status (one or several), workflow, subscriber, transaction and reason."""
    one = await rows.execution(await rows.event("tx-a"), "ada", "failed", reason="provider_rejected", step="email")
    two = await rows.execution(await rows.event("tx-b"), "bob", "parked")
    await rows.execution(await rows.event("tx-c"), "cy", workflow_id="other")

    async def ids(**query: Any) -> list[str]:
        answer = await api.get("/v1/executions", params=query)
        assert 200 == answer.status_code, answer.text
        return [e["id"] for e in answer.json()["data"]]

    assert [str(two), str(one)] == await ids(status=["failed", "parked"])
    assert [str(one)] == await ids(status="failed")
    assert [str(two), str(one)] == await ids(workflowId="welcome")
    assert [str(two)] == await ids(subscriberId="bob")
    assert [str(one)] == await ids(transactionId="tx-a")
    assert [str(one)] == await ids(reason="provider_rejected")
    for query, path in (
        ({"status": "done"}, "/status"),
        ({"reason": "bad_luck"}, "/reason"),
        ({"after": "x"}, "/after"),
    ):
        answer = await api.get("/v1/executions", params=query)
        assert (422, [path]) == (answer.status_code, [d["path"] for d in answer.json()["details"]])


async def test_an_execution_is_shown_with_all_that_happened(api: httpx.AsyncClient, rows: Rows) -> None:
    """Steps with timings, messages with content, activity in sentences."""
    event = await rows.event("tx")
    shown = await rows.execution(event, status="failed", step="mail", reason="step_failed", detail="550", runs=2)
    end = rows.scope.now() + timedelta(milliseconds=1500)
    await rows.checkpoint(shown, "inbox", result='{"status":"sent"}', finished_at=end)
    await rows.checkpoint(
        shown, "mail", "email", "failed", position=1, reason="provider_rejected", detail="550", attempts=3
    )
    message = await rows.message(execution_id=shown)
    await rows.line(ActivityKind.STEP_COMPLETED, shown, event, step="inbox", message_id=message.id)
    answer = await api.get(f"/v1/executions/{shown}")
    assert 200 == answer.status_code, answer.text
    found = answer.json()["data"]

    expected = {
        "id": str(shown), "eventId": str(event), "transactionId": "tx", "workflowId": "welcome",
        "workflowVersion": "v1",
        "subscriberId": "ada", "status": "failed", "canResume": True, "step": "mail", "reason": "step_failed",
        "detail": "550", "runs": 2, "wakeAt": None, "createdAt": START, "startedAt": None, "finishedAt": None,
    }  # fmt: skip
    assert expected == {key: found[key] for key in expected}
    inbox, mail = found["steps"]
    assert ("inbox", "in_app", "completed", 1500.0, {"status": "sent"}) == (
        inbox["stepId"], inbox["kind"], inbox["status"], inbox["durationMs"], inbox["result"],
    )  # fmt: skip
    assert ("failed", "provider_rejected", 3, None) == (
        mail["status"],
        mail["reason"],
        mail["attempts"],
        mail["result"],
    )
    (sent,) = found["messages"]
    assert (str(message.id), "inbox", "sent", {"subject": "Hello", "body": "World"}) == (
        sent["id"], sent["stepId"], sent["status"], sent["content"],
    )  # fmt: skip
    (line,) = found["activity"]
    assert ("step.completed", "The step is complete.", "inbox", str(message.id)) == (
        line["kind"], line["sentence"], line["step"], line["messageId"],
    )  # fmt: skip


async def test_what_is_not_there_is_not_found(api: httpx.AsyncClient) -> None:
    """By any route."""
    for name in ("nonsense", "019b7000-0000-7000-8000-000000000000"):
        assert 404 == (await api.get(f"/v1/executions/{name}")).status_code
        assert 404 == (await api.post(f"/v1/executions/{name}/resume")).status_code
        assert 404 == (await api.post(f"/v1/executions/{name}/cancel")).status_code


async def test_resume_one(api: httpx.AsyncClient, rows: Rows, runtime: Ringing) -> None:
    """It is due again, and the bell is rung; resuming it twice is refused."""
    failed = await rows.execution(status="failed")
    answer = await api.post(f"/v1/executions/{failed}/resume")
    assert (200, "pending") == (answer.status_code, answer.json()["data"]["status"])
    assert [rows.scope.environment_id] == runtime.rung
    again = await api.post(f"/v1/executions/{failed}/resume")
    assert 422 == again.status_code
    assert "The execution is pending" in again.json()["message"]


async def test_resume_many_by_filter(api: httpx.AsyncClient, rows: Rows) -> None:
    """Those that failed or are parked and fit; the others stay as they are."""
    failed = await rows.execution(status="failed", reason="provider_rejected")
    parked = await rows.execution(status="parked")
    done = await rows.execution(status="completed")
    other = await rows.execution(status="failed", workflow_id="other")

    async def resume(filters: dict[str, Any]) -> int:
        answer = await api.post("/v1/executions/resume", json={"filter": filters})
        assert 200 == answer.status_code, answer.text
        return answer.json()["data"]["resumed"]

    assert 0 == await resume({"subscriberId": "nobody"})
    assert 1 == await resume({"status": "failed", "reason": "provider_rejected", "workflowId": "welcome"})
    assert ["pending", "parked", "completed", "failed"] == await _status(rows, failed, parked, done, other)
    assert 2 == await resume({})
    assert ["pending", "pending", "completed", "pending"] == await _status(rows, failed, parked, done, other)


async def test_resume_many_by_id(api: httpx.AsyncClient, rows: Rows) -> None:
    """What cannot be resumed among them is left as it is."""
    failed, done = await rows.execution(status="failed"), await rows.execution()
    answer = await api.post("/v1/executions/resume", json={"executionIds": [str(failed), str(done)]})
    assert (200, {"resumed": 1}) == (answer.status_code, answer.json()["data"])
    assert ["pending", "completed"] == await _status(rows, failed, done)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filter": {}, "executionIds": []},
        {"filter": {"status": "completed"}},
        {"filter": {"status": ["failed", "running"]}},
        {"filter": {"workflow": "x"}},
        {"filter": {"reason": "bad_luck"}},
        {"executionIds": ["nonsense"]},
    ],
)
async def test_a_bad_resume_is_refused(api: httpx.AsyncClient, rows: Rows, body: dict[str, Any]) -> None:
    """422, and nothing is resumed."""
    failed = await rows.execution(status="failed")
    answer = await api.post("/v1/executions/resume", json=body)
    assert 422 == answer.status_code, answer.text
    assert ["failed"] == await _status(rows, failed)


async def test_cancel_one(api: httpx.AsyncClient, rows: Rows) -> None:
    """A waiting one is cancelled, a running one is about to be, an ended one is left as it is."""
    waiting = await rows.execution(status="waiting")
    running = await rows.execution(status="running", worker_id=rows.scope.new_id())
    done = await rows.execution()

    async def cancel(id: UUID) -> tuple[int, int]:
        found = (await api.post(f"/v1/executions/{id}/cancel")).json()["data"]
        return found["cancelled"], found["cancelling"]

    assert [(1, 0), (0, 1), (0, 0)] == [await cancel(each) for each in (waiting, running, done)]
    assert ["cancelled", "running", "completed"] == await _status(rows, waiting, running, done)


async def test_cancel_a_transaction(api: httpx.AsyncClient, other: httpx.AsyncClient, rows: Rows) -> None:
    """What is cancelled and what is still stopping are told apart; an unknown one is not found."""
    event = await rows.event(transaction_id="t-1")
    await rows.execution(event_id=event, subscriber_id="ada", status="waiting")
    await rows.execution(event_id=event, subscriber_id="bob", status="running")
    asked = {"transactionId": "t-1"}

    assert 404 == (await other.post("/v1/executions/cancel", json=asked)).status_code
    found = (await api.post("/v1/executions/cancel", json=asked)).json()["data"]
    assert {"cancelled": 1, "cancelling": 1} == found
    assert 404 == (await api.post("/v1/executions/cancel", json={"transactionId": "t-2"})).status_code


async def test_the_other_environment_has_none_of_it(other: httpx.AsyncClient, rows: Rows) -> None:
    """Not in the list, not by id, and nothing of it is resumed or cancelled."""
    failed, waiting = await rows.execution(status="failed"), await rows.execution(status="waiting")
    assert [] == (await other.get("/v1/executions")).json()["data"]
    assert 404 == (await other.get(f"/v1/executions/{failed}")).status_code
    assert 404 == (await other.post(f"/v1/executions/{failed}/resume")).status_code
    assert 404 == (await other.post(f"/v1/executions/{waiting}/cancel")).status_code
    for body in ({"filter": {}}, {"executionIds": [str(failed)]}):
        assert {"resumed": 0} == (await other.post("/v1/executions/resume", json=body)).json()["data"]
    assert [ExecutionStatus.FAILED.value, "waiting"] == await _status(rows, failed, waiting)
