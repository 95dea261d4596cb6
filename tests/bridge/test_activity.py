"""The activity feed over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.model import ActivityKind, Environment, StepKind, StepStatus
from novukit.store import Scope, workflows
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

START = "2026-01-01T00:00:00.000Z"
JOB_WORDS = {"pending", "queued", "running", "completed", "failed", "delayed", "canceled", "merged", "skipped"}
DETAIL_WORDS = {"Success", "Warning", "Failed", "Pending", "Queued", "ReadConfirmation"}


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def _list(api: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await api.get("/v1/notifications", params=query)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def test_an_execution_is_an_activity_with_jobs(
    api: httpx.AsyncClient, rows: Rows, development: Environment
) -> None:
    """All keys that the SDKs insist on: workflow, subscriber, and a job for the trigger and for each step."""
    await rows.workflow(
        "welcome", name="Welcome!", tags=["social"], severity="high", preferences={"read_only": True},
        payload_schema={"type": "object", "properties": {"orderId": {"type": "string"}}},
        steps=[{"id": "inbox", "kind": "in_app"}, {"id": "hourly", "kind": "digest"}, {"id": "mail", "kind": "email"}],
    )  # fmt: skip
    stored = await workflows.get(rows.scope, "welcome")
    assert stored is not None
    who = await rows.subscriber("ada", first_name="Ada", email="ada@example.org")
    event = await rows.event("tx", payload='{"orderId":"7"}')
    execution = await rows.execution(event, "ada", "failed", step="mail")
    await rows.checkpoint(execution, "inbox")
    gathered = '[{"id":"tx","time":"2026-01-01T00:00:00+00:00","payload":{"orderId":"7"}}]'
    await rows.checkpoint(execution, "hourly", "digest", position=1, result=gathered)
    await rows.checkpoint(execution, "mail", "email", "failed", position=2)
    await rows.message(
        execution_id=execution, step_id="mail", channel="email", provider_id="console-email", status="failed"
    )
    await rows.line(ActivityKind.STEP_COMPLETED, execution, event, step="inbox")
    await rows.line(
        ActivityKind.STEP_RETRYING, execution, event, step="mail", reason="provider_throttled", detail="429"
    )
    await rows.line(ActivityKind.STEP_FAILED, execution, event, step="mail", reason="no_integration")
    await rows.line(ActivityKind.EXECUTION_FAILED, execution, event)
    page = await _list(api)

    assert (False, 0, 10) == (page["hasMore"], page["page"], page["pageSize"])
    (found,) = page["data"]
    expected = {
        "_id": str(execution), "_environmentId": str(development.id),
        "_organizationId": str(development.organization_id), "_templateId": str(stored.id), "_subscriberId": str(who),
        "transactionId": "tx", "createdAt": START, "updatedAt": START, "channels": ["in_app", "email"],
        "severity": "high", "critical": True, "tags": ["social"], "payload": {"orderId": "7"}, "topics": [],
        "to": {"subscriberId": "ada"}, "status": "failed",
        "subscriber": {"_id": str(who), "subscriberId": "ada", "firstName": "Ada", "email": "ada@example.org"},
        "template": {
            "_id": str(stored.id), "name": "Welcome!", "origin": "external",
            "triggers": [{"type": "event", "identifier": "welcome", "variables": [{"name": "orderId"}]}],
        },
    }  # fmt: skip
    assert expected == {key: found[key] for key in expected}
    trigger, inbox, hourly, mail = found["jobs"]
    assert [("trigger", "failed", "novu"), ("in_app", "completed", "novu"), ("digest", "completed", "novu")] == [
        (job["type"], job["status"], job["providerId"]) for job in (trigger, inbox, hourly)
    ]
    assert ("email", "failed", "email-webhook") == (mail["type"], mail["status"], mail["providerId"])
    assert {"type": "regular", "events": [{"orderId": "7"}]} == hourly["digest"]
    assert ["The execution failed and can be resumed."] == [one["detail"] for one in trigger["executionDetails"]]
    retry, failure = mail["executionDetails"]
    assert ("Warning", True, "Internal") == (retry["status"], retry["isRetry"], retry["source"])
    assert retry["detail"].endswith("(provider_throttled: 429)")
    assert ("Failed", False, "Credentials") == (failure["status"], failure["isRetry"], failure["source"])
    assert {"_id", "_templateId", "name", "active", "filters"} == mail["step"].keys()

    shown = await api.get(f"/v1/notifications/{execution}")
    assert (200, {"data": found}) == (shown.status_code, shown.json())


@pytest.mark.parametrize("status", StepStatus)
async def test_every_status_has_a_word_on_the_wire(api: httpx.AsyncClient, rows: Rows, status: StepStatus) -> None:
    """The lists are closed: job statuses, step types and providers, for every kind of step and line."""
    event = await rows.event()
    execution = await rows.execution(event, status="running")
    for n, kind in enumerate(StepKind):
        await rows.checkpoint(execution, kind.value, kind.value, status.value, position=n)
        await rows.message(
            execution_id=execution, step_id=kind.value, channel=kind.value if kind.is_channel else "sms",
            provider_id="of-a-plugin-that-is-gone",
        )  # fmt: skip
    for kind in ActivityKind:
        await rows.line(kind, execution, event, step="email")
    (found,) = (await _list(api))["data"]
    assert 1 + len(StepKind) == len(found["jobs"])
    for job in found["jobs"]:
        assert job["status"] in JOB_WORDS
        assert job["providerId"] in {"novu", "email-webhook", "generic-sms", "push-webhook", "chat-webhook"}
        for detail in job["executionDetails"]:
            assert detail["status"] in DETAIL_WORDS


async def test_a_cancelled_execution_has_cancelled_jobs(api: httpx.AsyncClient, rows: Rows) -> None:
    """Those that had not ended."""
    execution = await rows.execution(status="cancelled")
    await rows.checkpoint(execution, "inbox")
    await rows.checkpoint(execution, "wait", "delay", "waiting", position=1)
    (found,) = (await _list(api))["data"]
    assert ["canceled", "completed", "canceled"] == [job["status"] for job in found["jobs"]]


async def test_steps_in_a_loop_have_a_job_each(api: httpx.AsyncClient, rows: Rows) -> None:
    """Named with their key, and with their own lines."""
    event = await rows.event()
    execution = await rows.execution(event)
    for key in ("a", "b"):
        await rows.checkpoint(execution, "text", "sms", step_key=key)
        await rows.line(ActivityKind.STEP_COMPLETED, execution, event, step=f"text[{key}]")
    (found,) = (await _list(api))["data"]
    assert [("text[a]", 1), ("text[b]", 1)] == [
        (job["step"]["name"], len(job["executionDetails"])) for job in found["jobs"][1:]
    ]


async def test_what_is_gone_leaves_its_ids(api: httpx.AsyncClient, rows: Rows) -> None:
    """Of a deleted subscriber and workflow the activity still tells the ids."""
    await rows.execution(subscriber_id="ada")
    await api.delete("/v2/subscribers/ada")
    (found,) = (await _list(api))["data"]
    assert ("ada", "welcome", []) == (
        found["subscriber"]["subscriberId"], found["template"]["name"], found["channels"],
    )  # fmt: skip


async def test_filters_and_pages(api: httpx.AsyncClient, rows: Rows, clock: VirtualClock) -> None:
    """By channel, workflow, e-mail, subscriber, severity, transaction, words and time."""
    await rows.workflow("welcome", severity="high")
    await rows.workflow("other", steps=[{"id": "text", "kind": "sms"}])
    stored = await workflows.get(rows.scope, "other")
    assert stored is not None
    await rows.subscriber("bob", email="bob@example.org")
    await rows.execution(await rows.event("tx-a"), "ada")
    clock.advance(timedelta(hours=1))
    await rows.execution(await rows.event("tx-b"), "bob", workflow_id="other")

    async def who(**query: Any) -> list[str]:
        return [one["transactionId"][-1] for one in (await _list(api, **query))["data"]]

    assert ["b", "a"] == await who()
    assert ["a"] == await who(channels="in_app")
    assert ["b", "a"] == await who(channels=["in_app", "sms"])
    assert [] == await who(channels="push")
    assert ["b"] == await who(templates=str(stored.id))
    assert ["b"] == await who(emails="bob@example.org")
    assert ["a"] == await who(subscriberIds="ada")
    assert ["a"] == await who(severity="high")
    assert ["b"] == await who(transactionId="tx-b")
    assert ["b"] == await who(search="bo")
    assert ["b"] == await who(after="2026-01-01T00:30:00Z")
    assert ["a"] == await who(before="2026-01-01T00:30:00Z")
    assert ["a"] == await who(page="1.0", limit="1.0")
    assert True is (await _list(api, limit=1))["hasMore"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"channels": "fax"}, "/channels"),
        ({"after": "yesterday"}, "/after"),
        ({"before": "2026-01-01"}, "/before"),
        ({"topicKey": "t"}, "/topicKey"),
        ({"contextKeys": "a:b:c"}, "/contextKeys"),
        ({"subscriberId": "ada"}, "/subscriberId"),
    ],
)
async def test_a_bad_query_is_refused(api: httpx.AsyncClient, query: dict[str, str], path: str) -> None:
    """422; what novukit cannot filter by is not passed over in silence."""
    answer = await api.get("/v1/notifications", params=query)
    assert 422 == answer.status_code, answer.text
    assert [path] == [one["path"] for one in answer.json()["details"]]


async def test_the_other_environment_has_none_of_it(other: httpx.AsyncClient, rows: Rows) -> None:
    """Not in the list, not by id."""
    execution = await rows.execution()
    assert [] == (await _list(other))["data"]
    assert 404 == (await other.get(f"/v1/notifications/{execution}")).status_code
    assert 404 == (await other.get("/v1/notifications/nonsense")).status_code
