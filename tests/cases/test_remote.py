"""Workflows that run in another application: asked step by step, done here, with the promises of our own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from novukit import Subscriber
from novukit.engine import remote
from novukit.errors import BridgeUnavailable, InvalidInput, PayloadInvalid
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import environments, history, workflows
from novukit.testing import Harness

from .application import Application, application

ADA = Subscriber(subscriber_id="ada", email="ada@example.com", first_name="Ada")


@pytest.fixture
async def app(anyio_backend: str) -> AsyncIterator[Application]:
    """An application that says nothing yet."""
    async with application() as found:
        yield found


async def synced(novukit: Harness, app: Application) -> None:
    """Bring what the application declares to Development."""
    await remote.sync(novukit.app.runtime, novukit.scope, app.url)


def says(**outputs: Any) -> Any:
    """A step that always says the same."""
    return lambda _: dict(outputs)


def skips(_: dict[str, Any]) -> dict[str, Any]:
    """A step whose skip function says yes."""
    return {"answer": {"outputs": {}, "providers": {}, "options": {"skip": True}}}


async def steps_of(novukit: Harness) -> list[tuple[str, StepStatus, Reason | None]]:
    """The steps of the only execution, without the calls of the bridge."""
    (execution,) = await novukit.executions()
    return [(s.step_id, s.status, s.reason) for s in await history.steps(novukit.scope, execution.id) if not s.key]


async def test_what_the_application_says_is_sent(novukit: Harness, app: Application) -> None:
    """In the inbox and by mail, in its words; each step is asked for once, signed, with what came before."""
    app.has(
        "welcome",
        ("bell", "in_app", says(subject="Hi", body="there", data={"n": 1.0})),
        (
            "mail",
            "email",
            lambda body: {"subject": f"Dear {body['subscriber']['firstName']}", "body": "<p>Welcome</p>"},
        ),
    )
    await synced(novukit, app)

    await novukit.trigger("welcome", to=ADA, payload={"plan": "free"})

    (bell,), (mail,) = await novukit.inbox("ada"), novukit.outbox.email
    assert ("Hi", "there") == (bell.subject, bell.body)
    assert ("ada@example.com", "Dear Ada", "<p>Welcome</p>") == (mail.to, mail.subject, mail.content.get("html"))
    assert {"bell": 1, "mail": 1} == app.asked
    assert app.headers["novu-signature"] == app.headers["x-novu-signature"]
    assert {"stepId": "trigger", "outputs": {"plan": "free"}, "state": {"status": "completed", "error": None}} == (
        app.bodies["mail"]["state"][-1]
    )
    assert {"seen": False, "read": False, "lastSeenDate": None, "lastReadDate": None} == (
        app.bodies["mail"]["state"][0]["outputs"]
    )


async def test_a_skipped_step_is_on_record_as_skipped(novukit: Harness, app: Application) -> None:
    """Its own skip function, and a workflow that ends before it, are two reasons; what follows goes on."""
    app.has("w", ("a", "email", skips), ("b", "sms", says()), ("c", "in_app", says(body="here")))
    await synced(novukit, app)

    await novukit.trigger("w", to=ADA)

    assert [
        ("a", StepStatus.SKIPPED, Reason.SKIP_CONDITION),
        ("b", StepStatus.SKIPPED, Reason.NOT_REACHED),
        ("c", StepStatus.COMPLETED, None),
    ] == await steps_of(novukit)


async def test_a_delay_waits_and_tells_how_long(novukit: Harness, app: Application) -> None:
    """The application is asked again only when the time has come, and hears what was seen meanwhile."""
    app.has(
        "later",
        ("bell", "in_app", says(body="look")),
        ("wait", "delay", says(type="regular", amount=2, unit="hours")),
        ("mail", "email", says(subject="You missed", body="it")),
    )
    await synced(novukit, app)
    await novukit.trigger("later", to=ADA)
    await novukit.travel(hours=1)
    assert {"bell": 1, "wait": 1} == app.asked
    await novukit.mark_seen("ada")

    await novukit.travel(hours=1)

    state = {one["stepId"]: one["outputs"] for one in app.bodies["mail"]["state"]}
    assert {"duration": 7_200_000} == state["wait"]
    assert (True, False) == (state["bell"]["seen"], state["bell"]["read"])
    assert {"bell": 1, "wait": 1, "mail": 1} == app.asked


@pytest.mark.parametrize(
    ("outputs", "payload", "hours"),
    [
        ({"type": "timed", "cron": "0 18 * * *"}, {}, 30),
        ({"type": "dynamic", "dynamicKey": "payload.when"}, {"when": {"amount": 3, "unit": "hours"}}, 3),
        ({"amount": 1, "unit": "months"}, {}, 24 * 31),
    ],
    ids=["cron", "dynamic", "months"],
)
async def test_every_way_to_say_a_time_ends(
    novukit: Harness, app: Application, outputs: dict[str, Any], payload: dict[str, Any], hours: int
) -> None:
    """Cron, a duration in the payload and calendar months are waited for, and no argument changes on the way."""
    app.has("w", ("wait", "delay", says(**outputs)), ("bell", "in_app", says(body="now")))
    await synced(novukit, app)
    await novukit.trigger("w", to=ADA, payload=payload)
    assert [] == await novukit.inbox("ada")

    await novukit.travel(hours=hours)

    assert ["now"] == [one.body for one in await novukit.inbox("ada")]
    (execution,) = await novukit.executions()
    lines = await history.activity(novukit.scope, execution_id=execution.id)
    assert "step.arguments_changed" not in [line.kind.value for line in lines]


async def test_a_digest_gathers_by_its_key(novukit: Harness, app: Application) -> None:
    """Later triggers of one key join; the application is asked for what follows once, with all events."""
    app.has(
        "daily",
        ("gather", "digest", says(type="regular", amount=1, unit="days", digestKey="post")),
        ("mail", "email", lambda body: {"subject": str(body["state"][0]["outputs"]["eventCount"]), "body": "new"}),
    )
    await synced(novukit, app)
    for n in range(3):
        await novukit.trigger("daily", to=ADA, payload={"post": "p1", "n": n})
    await novukit.trigger("daily", to=ADA, payload={"post": "p2", "n": 9})

    await novukit.travel(days=1)

    assert ["1", "3"] == sorted(mail.subject or "" for mail in novukit.outbox.email)
    assert 2 == app.asked["mail"]
    statuses = [one.status for one in await novukit.executions()]
    assert 2 == statuses.count(ExecutionStatus.MERGED)


async def test_a_throttle_stops_what_is_too_much(novukit: Harness, app: Application) -> None:
    """The second within the window ends at the throttle, and the application is not asked for what follows."""
    app.has(
        "w",
        ("limit", "throttle", says(type="fixed", amount=1, unit="hours", threshold=1)),
        ("bell", "in_app", says(body="x")),
    )
    await synced(novukit, app)
    await novukit.trigger("w", to=ADA)
    await novukit.trigger("w", to=ADA)

    assert 1 == len(await novukit.inbox("ada"))
    assert {"limit": 2, "bell": 1} == app.asked
    state = {one["stepId"]: one["outputs"] for one in app.bodies["bell"]["state"]}
    assert (False, 1, 1) == tuple(state["limit"][name] for name in ("throttled", "executionCount", "threshold"))


async def test_a_custom_step_hands_its_outputs_on(novukit: Harness, app: Application) -> None:
    """What a custom step returned is in the state of the later ones."""
    app.has("w", ("load", "custom", says(total=12.5)), ("bell", "in_app", says(body="x")))
    await synced(novukit, app)

    await novukit.trigger("w", to=ADA)

    assert {"total": 12.5} == app.bodies["bell"]["state"][0]["outputs"]


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


async def test_preferences_hold_for_remote_workflows(novukit: Harness, app: Application) -> None:
    """A channel that the subscriber switched off is skipped, as for any workflow."""
    app.has("w", ("mail", "email", says(subject="s", body="b")))
    await synced(novukit, app)
    await novukit.subscriber("ada", email="ada@example.com")
    await novukit.prefer("ada", "w", email=False)

    await novukit.trigger("w", to="ada")

    assert [("mail", StepStatus.SKIPPED, Reason.PREFERENCE)] == await steps_of(novukit)


async def test_a_payload_is_held_to_the_discovered_schema(novukit: Harness, app: Application) -> None:
    """What is wrong is refused at the trigger; a field too many is the framework's to take away."""
    schema = {
        "type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"], "additionalProperties": False,
    }  # fmt: skip
    app.has("w", ("bell", "in_app", says(body="x")), payload=schema)
    await synced(novukit, app)

    with pytest.raises(PayloadInvalid, match="/payload/n"):
        await novukit.trigger("w", to=ADA, payload={"n": "one"})
    await novukit.trigger("w", to=ADA, payload={"n": 1, "more": True})

    assert 1 == len(await novukit.inbox("ada"))


async def test_a_sync_takes_away_what_is_gone_and_leaves_the_code_alone(novukit: Harness, app: Application) -> None:
    """Only workflows that came from the application go with it."""
    app.has("one", ("bell", "in_app", says(body="x")))
    app.has("two", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)
    del app.workflows["one"]

    await synced(novukit, app)

    assert ["two"] == [w.spec.id for w in await workflows.all(novukit.scope) if w.remote]


async def test_what_novukit_cannot_run_is_refused_by_name(novukit: Harness, app: Application) -> None:
    """A step of a type that novukit does not have; nothing is stored."""
    app.has("fine", ("bell", "in_app", says(body="x")))
    app.has("robot", ("use", "tool", says(body="x")))

    with pytest.raises(InvalidInput, match="'robot' has a step of the type 'tool'"):
        await synced(novukit, app)

    assert [] == [w.spec.id for w in await workflows.all(novukit.scope) if w.remote]


async def test_an_application_that_is_away_cannot_be_synced(novukit: Harness, app: Application) -> None:
    """The error says so, and nothing changes."""
    with pytest.raises(BridgeUnavailable, match="does not answer"):
        await remote.sync(novukit.app.runtime, novukit.scope, "http://127.0.0.1:9/api/novu")


async def test_overrides_of_a_provider_reach_it(novukit: Harness, app: Application) -> None:
    """Those of the provider that sends are used, past the framework's checks too; those of another are not."""
    answer = {
        "outputs": {"subject": "s", "body": "b"}, "options": {"skip": False},
        "providers": {"outbox-email": {"a": 1, "_passthrough": {"body": {"b": 2}}}, "sendgrid": {"c": 3}},
    }  # fmt: skip
    app.has("w", ("mail", "email", lambda _: {"answer": answer}))
    await synced(novukit, app)

    await novukit.trigger("w", to=ADA)

    (mail,) = novukit.outbox.email
    assert {"a": 1, "b": 2} == mail.content["overrides"]


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


async def test_the_application_hears_who_and_where(novukit: Harness, app: Application) -> None:
    """Subscriber, actor, context and environment are in the call, in the framework's names."""
    app.has("w", ("bell", "in_app", says(body="x")))
    await synced(novukit, app)

    await novukit.trigger("w", to=ADA, actor="eve", context={"tenant": "acme"})

    told = app.bodies["bell"]
    assert {"subscriberId": "ada", "firstName": "Ada", "email": "ada@example.com", "data": {}} == told["subscriber"]
    assert "eve" == told["actor"]["subscriberId"]
    assert {"tenant": {"id": "acme", "data": {}}} == told["context"]
    assert ("Development", "dev") == (told["env"]["name"], told["env"]["type"])


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
