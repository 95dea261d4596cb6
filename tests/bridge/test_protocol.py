"""Our workflows, run by Novu's server through the bridge protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from novukit import Context, Redirect, StepFailed, workflow
from novukit.authoring import Registry
from novukit.bridge import create_asgi
from novukit.bridge.protocol import BridgeProtocol
from novukit.model import Action
from novukit.settings import Settings
from novukit.testing.clock import VirtualClock

from .novu_worker import SECRET, NovuWorker

pytestmark = pytest.mark.anyio

effects: list[str] = []


class Order(BaseModel):
    number: int
    vip: bool = False


class Receipt(BaseModel):
    total: float


async def charge(number: int) -> Receipt:
    effects.append(f"charged {number}")
    return Receipt(total=number * 1.5)


async def count() -> int:
    return 3


@workflow("order", name="An order", tags=["shop"], severity="high", critical=True)
async def order(ctx: Context[Order]) -> None:
    """Every kind of step."""
    step, payload = ctx.step, ctx.payload
    receipt = await step.custom("charge", charge, payload.number)
    number = await step.custom("count", count)
    await step.in_app(
        "bell", subject=f"Order {payload.number}", body=f"{receipt.total:.2f} × {number}", redirect="/orders",
        primary_action=Action(label="Look", redirect=Redirect(url="https://example.org/")), data={"n": payload.number},
    )  # fmt: skip
    await step.delay("wait", timedelta(hours=36))
    gathered = await step.digest("gather", window=timedelta(minutes=90), look_back=timedelta(hours=1))
    await step.throttle("limit", limit=2, window=timedelta(hours=1))
    await step.email(
        "mail", subject=f"{len(gathered)} for {ctx.subscriber.first_name}", body="<b>\nThanks", unless_seen="bell",
        sender="shop@example.com", preheader="soon", providers={"sendgrid": {"category": "x"}},
    )  # fmt: skip
    if payload.vip:
        await step.sms("call", body="We call you")
    await step.push("push", subject="Hi", body=ctx.environment)
    await step.chat("chat", body="Done")


@workflow("fallback")
async def fallback(ctx: Context[None]) -> None:
    """Falls back when the first one failed."""
    try:
        await ctx.step.email("mail", subject="A", body="B")
    except StepFailed:
        await ctx.step.sms("sms", body="Instead")


@workflow("wrong")
async def wrong(ctx: Context[None]) -> None:
    """Asks for what Novu has no words for, and raises."""
    step = ctx.step
    await step.email("cc", subject="A", body="B", cc=["x@example.com"])
    await step.digest("by", window=timedelta(hours=1), key="x")
    await step.throttle("short", limit=1, window=timedelta(seconds=90))
    await step.email("plain", subject="A", overrides={"x": 1})
    for n in range(2):
        await step.sms("loop", body="x", key=str(n))
    raise RuntimeError("It broke")


@workflow("nightly")
async def nightly(ctx: Context[None]) -> None:
    """Waits for a slot, and for a moment that has passed."""
    await ctx.step.digest("gather", cron="0 9 * * *")
    await ctx.step.delay("until", until=datetime(2020, 1, 1, tzinfo=UTC))
    await ctx.step.in_app("bell", body="Morning")


REGISTRY = Registry([order, fallback, wrong, nightly])


async def known() -> list[str]:
    """The keys that may sign."""
    return ["another", SECRET]


@pytest.fixture
def clock() -> VirtualClock:
    """The first moment of 2026."""
    return VirtualClock()


@pytest.fixture
def protocol(clock: VirtualClock) -> BridgeProtocol:
    """The workflows above, served strictly."""
    effects.clear()
    return BridgeProtocol(REGISTRY, clock, known)


@pytest.fixture
def novu(protocol: BridgeProtocol, clock: VirtualClock) -> NovuWorker:
    """Novu's worker."""
    return NovuWorker(protocol, clock)


def done(step: str, **outputs: Any) -> dict[str, Any]:
    """An entry of the state."""
    return {"stepId": step, "outputs": outputs, "state": {"status": "completed", "error": None}}


async def test_every_step_is_done_by_novu(novu: NovuWorker) -> None:
    """Each step in Novu's words; its code has run once, what is behind a condition never."""
    await novu.run("order", {"number": 4})

    assert [
        ("charge", {"total": 6.0}),
        ("count", {"_value": 3}),
        ("bell", {
            "subject": "Order 4", "body": "6.00 × 3", "data": {"n": 4},
            "redirect": {"url": "/orders", "target": "_self"},
            "primaryAction": {"label": "Look", "redirect": {"url": "https://example.org/", "target": "_self"}},
        }),
        ("wait", {"type": "regular", "amount": 36, "unit": "hours"}),
        ("gather", {
            "type": "regular", "amount": 90, "unit": "minutes", "lookBackWindow": {"amount": 1, "unit": "hours"},
        }),
        ("limit", {"type": "fixed", "amount": 1, "unit": "hours", "threshold": 2}),
        ("mail", {
            "subject": "1 for Ada", "body": "&lt;b&gt;<br>\nThanks", "preheader": "soon",
            "from": {"email": "shop@example.com", "name": "shop@example.com"},
        }),
        ("call", "skipped"),
        ("push", {"subject": "Hi", "body": "Production"}),
        ("chat", {"body": "Done"}),
    ] == novu.log  # fmt: skip
    assert ["charged 4"] == effects


async def test_a_message_that_was_seen_holds_the_mail_back(novu: NovuWorker) -> None:
    """`unless_seen` is answered with a skip."""
    novu.results["bell"] = {"seen": True, "read": False}

    await novu.run("order", {"number": 4})

    assert ("mail", "skipped") in novu.log


async def test_providers_travel_beside_the_outputs(novu: NovuWorker) -> None:
    """Overrides by provider, options and metadata are in the answer's own places."""
    state = [
        done("charge", total=1), done("count", _value=3), done("bell", seen=False), done("wait", duration=1),
        done("gather", events=[]), done("limit", throttled=False),
    ]  # fmt: skip

    answer = (await novu.ask("order", "mail", payload={"number": 1}, state=state)).json()

    assert {"sendgrid": {"category": "x"}} == answer["providers"]
    assert {"skip": False} == answer["options"]
    assert ("success", False) == (answer["metadata"]["status"], answer["metadata"]["error"])


async def test_a_failed_step_is_caught_by_its_author(novu: NovuWorker) -> None:
    """What Novu calls failed raises in the workflow, as it does here."""
    failed = {"stepId": "mail", "outputs": {}, "state": {"status": "failed", "error": "bounced"}}

    assert {"body": "Instead"} == (await novu.ask("fallback", "sms", state=[failed])).json()["outputs"]
    assert {} == (await novu.ask("fallback", "sms", state=[done("mail")])).json()["outputs"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("cc", "cc= cannot be said"), ("by", "key= cannot be said"), ("short", "whole number of minutes"),
        ("plain", "overrides= cannot be said"), ("loop", "key= cannot be said"),
    ],
)  # fmt: skip
async def test_what_novu_has_no_words_for_is_refused_by_name(novu: NovuWorker, step: str, words: str) -> None:
    """The answer names the step and the argument."""
    events = {"by": {"events": []}, "short": {"throttled": False}}
    state = [done(name, **events.get(name, {})) for name in ("cc", "by", "short", "plain") if name != step]

    answer = await novu.ask("wrong", step, state=state)

    assert (502, "StepExecutionFailedError") == (answer.status_code, answer.json()["code"])
    assert words in answer.json()["message"]
    assert repr(step) in answer.json()["message"]


async def test_a_slot_in_another_zone_is_refused_and_one_in_utc_said(novu: NovuWorker, clock: VirtualClock) -> None:
    """Novu knows no subscriber's zone; a moment that has passed is skipped."""
    there = await novu.ask("nightly", "gather")
    berlin = {"subscriberId": "ada", "timezone": "Europe/Berlin"}
    body = {"payload": {}, "subscriber": berlin, "state": []}
    refused = await novu.post(body, action="execute", workflowId="nightly", stepId="gather")
    late = await novu.ask("nightly", "until", state=[done("gather", events=[])])

    assert {"type": "timed", "cron": "0 9 * * *"} == there.json()["outputs"]
    assert "time zone Europe/Berlin" in refused.json()["message"]
    assert {"skip": True} == late.json()["options"]


async def test_what_an_author_raises_is_told_with_its_stack(novu: NovuWorker) -> None:
    """A 502 with the code that Novu knows."""
    answer = await novu.ask("order", "charge", payload={"number": 4})
    assert 200 == answer.status_code

    async def breaks(ctx: Context[None]) -> None:
        await ctx.step.sms("sms", body="x")
        raise RuntimeError("never reached")

    async def early(ctx: Context[None]) -> None:
        if ctx.subscriber.first_name:
            raise RuntimeError("It broke")
        await ctx.step.sms("sms", body="x")

    for function, status in ((breaks, 200), (early, 502)):
        one = workflow("one")(function)
        served = NovuWorker(BridgeProtocol(Registry([one]), VirtualClock(), known), VirtualClock())
        answer = await served.ask("one", "sms")
        assert status == answer.status_code
    assert "RuntimeError: It broke" in answer.json()["message"]
    assert "in early" in answer.json()["data"]["stack"]


async def test_a_step_that_a_condition_leads_around_is_not_reached(novu: NovuWorker) -> None:
    """Novu asks for every step that was discovered: the answer for one in the other branch is empty."""
    state = [
        done("charge", total=1), done("count", _value=3), done("bell", seen=False), done("wait", duration=1),
        done("gather", events=[]), done("limit", throttled=False), done("mail"),
    ]  # fmt: skip

    around = await novu.ask("order", "call", payload={"number": 1}, state=state)
    there = await novu.ask("order", "call", payload={"number": 1, "vip": True}, state=state)

    assert ({}, {"skip": False}) == (around.json()["outputs"], around.json()["options"])
    assert {"body": "We call you"} == there.json()["outputs"]


async def test_a_state_that_lacks_a_step_is_corrupt(novu: NovuWorker) -> None:
    """And one that does not fit the step is named as that."""
    lacking = await novu.ask("order", "count", payload={"number": 4})
    unfit = await novu.ask("order", "count", payload={"number": 4}, state=[done("charge", total="much")])

    assert (400, "ExecutionStateCorruptError", {"workflowId": "order", "stepId": "charge"}) == (
        lacking.status_code, lacking.json()["code"], lacking.json()["data"],
    )  # fmt: skip
    assert (400, "ExecutionStateResultInvalidError") == (unfit.status_code, unfit.json()["code"])


async def test_a_payload_that_does_not_fit_is_told_by_field(novu: NovuWorker) -> None:
    """With the pointers that Novu shows."""
    answer = await novu.ask("order", "charge", payload={"number": "x"})

    assert (400, "ExecutionEventPayloadInvalidError") == (answer.status_code, answer.json()["code"])
    assert ["/number"] == [one["path"] for one in answer.json()["data"]]


async def test_a_preview_makes_up_what_came_before(novu: NovuWorker) -> None:
    """A payload out of the schema, results of earlier steps, and no effect."""
    mail = (await novu.ask("order", "mail", action="preview")).json()
    charged = (await novu.ask("order", "charge", action="preview")).json()

    assert "1 for Ada" == mail["outputs"]["subject"]
    assert {"total"} == set(charged["outputs"])
    assert [] == effects


async def test_discovery_tells_all_that_is_declared(novu: NovuWorker) -> None:
    """Names, tags, severity, what the author wrote of preferences, schemas, steps in order with their source."""
    found = {one["workflowId"]: one for one in (await novu.get(action="discover")).json()["workflows"]}
    told = found["order"]

    assert ("An order", "high", ["shop"]) == (told["name"], told["severity"], told["tags"])
    assert {"all": {"enabled": True, "readOnly": True}} == told["preferences"]
    assert ["number"] == told["payload"]["schema"]["required"]
    assert [
        "charge:custom", "count:custom", "bell:in_app", "wait:delay", "gather:digest", "limit:throttle", "mail:email",
        "call:sms", "push:push", "chat:chat",
    ] == [f"{step['stepId']}:{step['type']}" for step in told["steps"]]  # fmt: skip
    assert told["steps"][3]["code"] == 'await step.delay("wait", timedelta(hours=36))'
    assert told["code"].startswith('@workflow("order"')
    empty = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert {"schema": empty, "unknownSchema": empty} == found["nightly"]["payload"] == told["controls"]


async def test_code_is_shown(novu: NovuWorker) -> None:
    """Of a workflow, and of a step."""
    whole = (await novu.get(action="code", workflowId="nightly")).json()["code"]
    step = (await novu.get(action="code", workflowId="nightly", stepId="bell")).json()["code"]

    assert "async def nightly" in whole
    assert 'await ctx.step.in_app("bell", body="Morning")' == step


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"novu-signature": ""}, "SignatureNotFoundError"),
        ({"novu-signature": "v1=abc"}, "SignatureInvalidError"),
        ({"novu-signature": "t=x,v1=abc"}, "SignatureInvalidError"),
        ({"novu-signature": "t=1,v1=abc"}, "SignatureExpiredError"),
        ({"novu-signature": "t=1767225600000,v1=ab\u00e9"}, "SignatureMismatchError"),
    ],
)
async def test_what_is_wrong_with_a_signature_has_a_code(
    protocol: BridgeProtocol, change: dict[str, str], code: str
) -> None:
    """Each flaw has Novu's own code, and all are 401."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(protocol), base_url="http://app.test") as http:
        headers = {name: value.encode("latin-1") for name, value in change.items()}
        answer = await http.get("/api/novu", params={"action": "discover"}, headers=headers)  # type: ignore[arg-type]

    assert (401, code) == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("minutes", [-6, -4, 4, 6])
async def test_a_signature_is_good_for_five_minutes(novu: NovuWorker, clock: VirtualClock, minutes: int) -> None:
    """Either way."""
    at = clock.now() + timedelta(minutes=minutes)
    async with novu._http as http:
        answer = await http.get("/api/novu", params={"action": "discover"}, headers=novu.signed("{}", at))

    assert (200 if abs(minutes) < 5 else 401) == answer.status_code


async def test_the_signature_is_over_the_bytes_that_came(novu: NovuWorker) -> None:
    """Spaces and order are the sender's: what was signed is what was sent."""
    text = json.dumps({"state": [], "subscriber": {"subscriberId": "a"}, "payload": {}}, indent=1)
    query = {"action": "execute", "workflowId": "nightly", "stepId": "gather"}
    async with novu._http as http:
        good = await http.post("/api/novu", params=query, content=text, headers=novu.signed(text))
        bad = await http.post("/api/novu", params=query, content=text.replace(" ", ""), headers=novu.signed(text))

    assert (200, 401) == (good.status_code, bad.status_code)


async def test_health_and_options_need_no_signature(protocol: BridgeProtocol) -> None:
    """With the headers that Novu's framework sends; other methods and unknown names have its codes."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(protocol), base_url="http://app.test") as http:
        health = await http.get("/api/novu")
        options = await http.options("/api/novu", params={"action": "execute"})
        put = await http.put("/api/novu")

    assert {
        "status": "ok", "sdkVersion": "2.13.2", "frameworkVersion": "2024-06-26",
        "discovered": {"workflows": 4, "steps": 20},
    } == health.json()  # fmt: skip
    assert (200, {}) == (options.status_code, options.json())
    assert (405, "MethodNotAllowedError") == (put.status_code, put.json()["code"])
    assert {
        "application/json", "*", "true", "GET, POST", "604800", "2024-06-26", "2.13.2", "novukit",
        "novu-framework:v2.13.2",
    } <= set(health.headers.values())  # fmt: skip


async def test_names_that_are_not_there_have_their_codes(novu: NovuWorker) -> None:
    """Workflow, step, action."""
    answers = [
        await novu.ask("nothing", "x"),
        await novu.ask("order", "nothing", payload={"number": 1}),
        await novu.post({}, action="dance"),
        await novu.post([], action="execute", workflowId="order", stepId="mail"),
    ]

    assert [
        (404, "WorkflowNotFoundError"), (404, "StepNotFoundError"), (400, "InvalidActionError"),
        (400, "InvalidActionError"),
    ] == [(one.status_code, one.json()["code"]) for one in answers]  # fmt: skip


async def test_the_server_serves_it_with_the_environments_keys(runtime: Any, secret: str) -> None:
    """At /api/novu: any key of the environment signs, and so does Novu's own; strict where the settings say so."""
    settings = Settings.model_validate({"bridge": {"strict": True}})
    asgi: Any = create_asgi(replace(runtime, registry=REGISTRY, settings=settings))
    good, bad = (NovuWorker(asgi, runtime.clock, key) for key in (secret, "nk_wrong"))

    found = await good.get(action="discover")
    refused = await bad.get(action="discover")

    assert 4 == len(found.json()["workflows"])
    assert (401, "SignatureMismatchError") == (refused.status_code, refused.json()["code"])


async def test_a_trigger_is_passed_on(runtime: Any, secret: str, api: httpx.AsyncClient) -> None:
    """A trigger through the bridge is one of the environment; a wrong one says why."""
    asgi: Any = create_asgi(replace(runtime, registry=REGISTRY))
    manifest = {name: one.model_dump(mode="json") for name, one in REGISTRY.manifest().workflows.items()}
    (await api.put("/v1/sync", json={"workflows": manifest})).raise_for_status()
    novu = NovuWorker(asgi, runtime.clock, secret)

    good = await novu.post({"to": "ada", "payload": {"number": 1}}, action="trigger", workflowId="order")
    bad = await novu.post({"to": "ada", "payload": {}}, action="trigger", workflowId="order")

    assert (200, "processed", 1) == (
        good.status_code, good.json()["data"]["status"], good.json()["data"]["executions"],
    )  # fmt: skip
    assert (500, "BridgeError") == (bad.status_code, bad.json()["code"])
    assert "number" in bad.json()["message"]
