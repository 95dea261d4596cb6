"""Unknown outcomes over HTTP: listed, and resolved one by one, by message, and many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from novukit.model import Environment, Message
from novukit.store import Scope, executions, history, messages

from ..rows import Rows
from .conftest import Checksum
from .ringing import Ringing

pytestmark = pytest.mark.anyio


@pytest.fixture
def runtime(runtime: Any) -> Ringing:
    """The runtime with a bell."""
    return Ringing.over(runtime)


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def unknown(
    rows: Rows, status: str = "parked", step: str = "code", key: str = "", **values: Any
) -> tuple[UUID, Message]:
    """An execution that ended at a message of which nobody knows whether it went out."""
    name = f"{step}[{key}]" if key else step
    made = await rows.execution(status=status, reason="outcome_unknown", step=name, **values)
    message = await rows.message(
        execution_id=made, step_id=step, step_key=key, channel="sms", status="unknown", sent_at=None
    )
    await rows.checkpoint(
        made, step, "sms", "unknown" if status == "parked" else "failed", step_key=key, reason="outcome_unknown",
        message_id=message.id, attempts=3,
    )  # fmt: skip
    return made, message


async def ids(api: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await api.get("/v1/executions", params=query)
    assert 200 == answer.status_code, answer.text
    return [each["id"] for each in answer.json()["data"]]


async def test_they_are_listed(api: httpx.AsyncClient, rows: Rows) -> None:
    """Parked ones and those that failed without anybody knowing; none that ended otherwise."""
    parked, _ = await unknown(rows)
    failed, _ = await unknown(rows, "failed")
    other, _ = await unknown(rows, workflow_id="other")
    await rows.execution(status="parked", reason="replay_diverged")
    await rows.execution(status="failed", reason="step_failed", step="code")
    await rows.execution(status="completed")
    assert [str(other), str(failed), str(parked)] == await ids(api, unknown="true")
    assert [str(failed)] == await ids(api, unknown="true", status="failed")
    assert [str(other)] == await ids(api, unknown="true", workflowId="other")
    assert 6 == len(await ids(api, unknown="false"))


@pytest.mark.parametrize(
    ("outcome", "step", "message"),
    [
        ("sent", ("completed", None), ("sent", "sent")),
        ("not_sent", ("retrying", "not_sent"), ("retrying", "warning")),
        ("failed", ("failed", "given_up"), ("failed", "error")),
    ],
)
@pytest.mark.parametrize("status", ["parked", "failed"])
async def test_resolve_one(
    api: httpx.AsyncClient, rows: Rows, runtime: Ringing, status: str, outcome: str, step: Any, message: Any
) -> None:
    """The execution is due again, step and message say what was said, the log says by whom; the bell is rung."""
    made, sent = await unknown(rows, status, key="7")
    for _ in range(2):  # again is the same
        answer = await api.post(f"/v1/executions/{made}/resolve", json={"outcome": outcome, "note": "in their log"})
        assert (200, "pending") == (answer.status_code, answer.json()["data"]["status"]), answer.text
    assert [rows.scope.environment_id] == runtime.rung
    story = (await api.get(f"/v1/executions/{made}")).json()["data"]
    assert step == (story["steps"][0]["status"], story["steps"][0]["reason"])
    assert message[0] == story["messages"][0]["status"]
    (line,) = story["activity"]
    assert (f"step.resolved_{outcome}", "code[7]", str(sent.id)) == (line["kind"], line["step"], line["messageId"])
    assert line["detail"].startswith("key '")
    assert line["detail"].endswith(": in their log")
    listed = (await api.get("/v1/messages")).json()["data"]
    assert message[1] == listed[0]["status"]
    assert [] == await ids(api, unknown="true")


async def test_something_else_cannot_be_said_later(api: httpx.AsyncClient, rows: Rows) -> None:
    """What was said first holds."""
    made, _ = await unknown(rows)
    await api.post(f"/v1/executions/{made}/resolve", json={"outcome": "sent"})
    answer = await api.post(f"/v1/executions/{made}/resolve", json={"outcome": "not_sent"})
    assert (422, "resolved_otherwise") == (answer.status_code, answer.json()["code"])
    assert "sent" in answer.json()["message"]


@pytest.mark.parametrize("status", ["pending", "running", "waiting", "completed", "cancelled", "failed", "parked"])
async def test_nothing_is_changed_where_nothing_is_unknown(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum, status: str
) -> None:
    """Refused with a code, whatever the execution's state; and so is its message."""
    made = await rows.execution(status=status, step="mail", reason="step_failed" if status == "failed" else None)
    message = await rows.message(execution_id=made, step_id="mail", status="failed")
    await rows.checkpoint(made, "mail", "email", "failed", reason="provider_rejected", message_id=message.id)
    before = await checksum()
    for path in (f"/v1/executions/{made}/resolve", f"/v1/messages/{message.id}/resolve"):
        answer = await api.post(path, json={"outcome": "sent"})
        assert (422, "nothing_to_resolve") == (answer.status_code, answer.json()["code"])
    assert before == await checksum()


async def test_resolve_by_message(api: httpx.AsyncClient, rows: Rows) -> None:
    """For whoever looks at messages; it must be the one at which the execution stands."""
    made, message = await unknown(rows)
    earlier = await rows.message(execution_id=made, step_id="before", channel="sms", status="unknown")
    answer = await api.post(f"/v1/messages/{earlier.id}/resolve", json={"outcome": "sent"})
    assert (422, "nothing_to_resolve") == (answer.status_code, answer.json()["code"])
    answer = await api.post(f"/v1/messages/{message.id}/resolve", json={"outcome": "sent"})
    assert (200, "sent") == (answer.status_code, answer.json()["data"]["state"]), answer.text
    kept = await messages.get(rows.scope, message.id)
    assert kept is not None
    assert kept.sent_at is not None
    assert "pending" == (await executions.statuses(rows.scope, [made]))[made].value


async def test_resolve_many(api: httpx.AsyncClient, rows: Rows) -> None:
    """By ids, or all that fit a filter; the others are counted and left as they are."""
    one, _ = await unknown(rows)
    two, _ = await unknown(rows, step="other")
    three, _ = await unknown(rows, workflow_id="other")
    fine = await rows.execution(status="failed", reason="step_failed")

    async def resolve(outcome: str = "sent", **more: Any) -> tuple[int, int, int]:
        answer = await api.post("/v1/executions/resolve", json={"outcome": outcome, **more})
        assert 200 == answer.status_code, answer.text
        data = answer.json()["data"]
        return data["resolved"], data["already"], data["others"]

    assert (1, 0, 1) == await resolve(executionIds=[str(one), str(fine)])
    assert (0, 1, 0) == await resolve(executionIds=[str(one)])
    assert (0, 0, 1) == await resolve("failed", executionIds=[str(one)])
    assert (1, 0, 0) == await resolve(filter={"workflowId": "other"})
    assert (0, 0, 0) == await resolve(filter={"step": "code"})
    assert (1, 0, 0) == await resolve(filter={})
    assert {"pending"} == {found.value for found in (await executions.statuses(rows.scope, [one, two, three])).values()}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/outcome"),
        ({"outcome": "maybe"}, "/outcome"),
        ({"outcome": "sent", "note": "x" * 501}, "/note"),
        ({"outcome": "sent", "force": True}, "/force"),
    ],
)
async def test_bad_bodies(api: httpx.AsyncClient, rows: Rows, checksum: Checksum, body: Any, path: str) -> None:
    """Each field that is wrong is named, and nothing is changed."""
    made, message = await unknown(rows)
    before = await checksum()
    for target in (f"/v1/executions/{made}/resolve", f"/v1/messages/{message.id}/resolve"):
        answer = await api.post(target, json=body)
        assert (422, [path]) == (answer.status_code, [each["path"] for each in answer.json()["details"]])
    for which in ({}, {"executionIds": [], "filter": {}}):
        answer = await api.post("/v1/executions/resolve", json={"outcome": "sent", **which})
        assert 422 == answer.status_code
    assert before == await checksum()


async def test_another_environment_sees_nothing(
    other: httpx.AsyncClient, rows: Rows, checksum: Checksum, api: httpx.AsyncClient
) -> None:
    """Ids of one environment are unknown in the other."""
    made, message = await unknown(rows)
    before = await checksum()
    for path in (f"/v1/executions/{made}/resolve", f"/v1/messages/{message.id}/resolve"):
        assert 404 == (await other.post(path, json={"outcome": "sent"})).status_code
    answer = await other.post("/v1/executions/resolve", json={"outcome": "sent", "executionIds": [str(made)]})
    assert {"resolved": 0, "already": 0, "others": 1} == answer.json()["data"]
    assert [] == await ids(other, unknown="true")
    assert before == await checksum()


async def test_an_execution_that_waits_can_be_told_that_it_arrived(api: httpx.AsyncClient, rows: Rows) -> None:
    """A retry that is not needed any more; a cancel that was asked for meanwhile is not forgotten."""
    made = await rows.execution(
        status="waiting", step="code", wake_at=rows.scope.now(), cancel_requested_at=rows.scope.now()
    )
    await rows.checkpoint(made, "code", "sms", "retrying", reason="outcome_unknown")
    answer = await api.post(f"/v1/executions/{made}/resolve", json={"outcome": "sent"})
    assert 200 == answer.status_code, answer.text
    (step,) = await history.steps(rows.scope, made)
    assert "completed" == step.status
    found = await rows.scope.database.fetch("select cancel_requested_at from novukit_execution where id = $1", made)
    assert found[0]["cancel_requested_at"] is not None
