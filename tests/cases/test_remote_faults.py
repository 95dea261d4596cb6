"""What goes wrong between novukit and an application: what passes is waited for, what does not is told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from novukit.engine import remote
from novukit.errors import BridgeUnavailable
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import environments, history
from novukit.testing import Harness

from .application import ADA, Application, says, synced


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504, 521])
async def test_what_may_pass_is_waited_for(novukit: Harness, app: Application, status: int) -> None:
    """The execution sleeps on record with its own reason, and goes on when the application answers again."""
    app.has("w", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    app.breaks(status)
    app.breaks(status)

    await novukit.trigger("w", to=ADA)
    (execution,) = await novukit.executions()
    (asking,) = await history.steps(novukit.scope, execution.id)
    assert (ExecutionStatus.WAITING, "bridge", StepStatus.RETRYING, Reason.BRIDGE_UNAVAILABLE) == (
        execution.status, asking.key, asking.status, asking.reason,
    )  # fmt: skip
    await novukit.travel(minutes=1)

    assert 1 == len(await novukit.inbox("ada"))
    assert {"bell": 3} == app.asked


async def test_it_waits_as_long_as_it_is_told(novukit: Harness, app: Application) -> None:
    """``Retry-After`` is honoured."""
    app.has("w", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    app.breaks(429, retry_after="1800")
    await novukit.trigger("w", to=ADA)

    await novukit.travel(minutes=29)
    assert {"bell": 1} == app.asked
    await novukit.travel(minutes=1)
    assert {"bell": 2} == app.asked


async def test_an_application_that_is_silent_is_left_after_its_time(novukit: Harness, app: Application) -> None:
    """No answer within the time-out is as if it were away."""
    novukit.app.runtime.remotes.http.timeout = 0.2
    app.has("w", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    app.faults.append(None)

    await novukit.trigger("w", to=ADA)
    await novukit.travel(minutes=1)

    assert 1 == len(await novukit.inbox("ada"))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>", "no JSON object"),
        (200, b"[]", "no JSON object"),
        (200, b'{"providers": {}}', "without outputs"),
        (200, b'{"outputs": {"x": "' + b"y" * 1_100_000 + b'"}}', "more than 1 MB"),
        (200, b'{"outputs": {"amount": 1, "unit": "years"}}', "years"),
        (404, json.dumps({"code": "StepNotFoundError", "message": "There is no step."}).encode(), "StepNotFoundError"),
        (502, json.dumps({"code": "StepExecutionFailedError", "message": "It threw."}).encode(), "It threw"),
    ],
    ids=["html", "list", "no-outputs", "huge", "wrong-outputs", "wrong-step", "thrown"],
)
async def test_what_will_not_pass_fails_the_step(
    novukit: Harness, app: Application, status: int, body: bytes, words: str
) -> None:
    """With the application's own code and sentence; a resume asks again."""
    app.has("w", ("wait", "delay", says(amount=0, unit="seconds")), ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    app.breaks(status, body)
    await novukit.trigger("w", to=ADA)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.FAILED, Reason.STEP_FAILED, "wait[bridge]") == (
        execution.status, execution.reason, execution.step,
    )  # fmt: skip
    assert words in execution.detail
    assert execution.detail.startswith("bridge_failed")

    await novukit.resume()

    assert 1 == len(await novukit.inbox("ada"))
    assert {"wait": 2, "bell": 1} == app.asked


async def test_a_retry_sends_the_words_that_are_on_record(novukit: Harness, app: Application) -> None:
    """The provider fails, the application would say something else by now: what was said first is sent."""
    said = iter(["first", "second"])
    app.has("w", ("mail", "email", lambda _: {"subject": next(said), "body": "x"}))
    await synced(novukit, app)
    novukit.fail_next("email", "rejected")
    await novukit.trigger("w", to=ADA)
    assert [] == novukit.outbox.email

    await novukit.resume()

    assert ["first"] == [mail.subject for mail in novukit.outbox.email]
    assert {"mail": 1} == app.asked


async def test_a_cancelled_wait_for_the_application_ends(novukit: Harness, app: Application) -> None:
    """An execution that waits for an application can be cancelled like any other."""
    app.has("w", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    app.breaks(503)
    done = await novukit.trigger("w", to=ADA)

    await novukit.cancel(done.transaction_id or "")
    await novukit.travel(timedelta(hours=1))

    assert [ExecutionStatus.CANCELLED] == [e.status for e in await novukit.executions()]
    assert {"bell": 1} == app.asked


async def test_an_application_that_is_away_cannot_be_synced(novukit: Harness, app: Application) -> None:
    """The error says so, and nothing changes."""
    with pytest.raises(BridgeUnavailable, match="does not answer"):
        await remote.sync(novukit.app.runtime, novukit.scope, "http://127.0.0.1:9/api/novu")


async def test_a_workflow_that_is_gone_fails_and_can_be_resumed(novukit: Harness, app: Application) -> None:
    """What was on its way when its workflow was deleted here, while another environment still has one of that id."""
    rt = novukit.app.runtime
    app.has("w", ("wait", "delay", says(amount=1, unit="hours")), ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    found = await environments.all(
        novukit.app.database, (await environments.get(rt.database, novukit.scope.environment_id)).organization_id
    )
    (elsewhere,) = [rt.scope(one.id) for one in found if one.slug == "production"]
    await remote.sync(rt, elsewhere, app.url)
    await novukit.trigger("w", to=ADA)
    kept, app.workflows = app.workflows, {}
    await synced(novukit, app)

    await novukit.travel(hours=1)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.FAILED, Reason.WORKFLOW_GONE) == (execution.status, execution.reason)
    app.workflows = kept
    await synced(novukit, app)
    await novukit.resume()

    assert 1 == len(await novukit.inbox("ada"))


async def test_a_bridge_in_line_is_bounded(novukit: Harness) -> None:
    """An application that hangs has three quarters of a worker's places at most."""
    heads = novukit.app.runtime.routes.bulkheads
    head = heads.of_bridge(novukit.scope.environment_id)

    assert head is heads.of_bridge(novukit.scope.environment_id)
    assert novukit.app.settings.worker.concurrency * 3 // 4 == head.limit
