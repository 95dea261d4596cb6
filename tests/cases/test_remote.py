"""Workflows that run in another application: asked step by step, done here, with the promises of our own."""

from __future__ import annotations

from typing import Any

import pytest

from novukit.errors import InvalidInput, PayloadInvalid
from novukit.model import ExecutionStatus, Reason, StepStatus
from novukit.store import history, timeline, workflows
from novukit.testing import Harness

from .application import ADA, Application, says, skips, synced


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
    lines = await timeline.of_execution(novukit.scope, execution.id)
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


async def test_a_custom_steps_outputs_are_its_authors(novukit: Harness, app: Application) -> None:
    """Names that mean something elsewhere mean nothing in them."""
    app.has("w", ("load", "custom", says(extendToSchedule=True, amount="much")), ("bell", "in_app", says(body="x")))
    await synced(novukit, app)

    await novukit.trigger("w", to=ADA)

    assert {"extendToSchedule": True, "amount": "much"} == app.bodies["bell"]["state"][0]["outputs"]
