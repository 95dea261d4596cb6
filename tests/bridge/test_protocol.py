"""Our workflows, run by Novu's server through the bridge protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from novukit import Context, workflow
from novukit.authoring import Registry
from novukit.bridge.protocol import BridgeProtocol
from novukit.rendering import Renderer
from novukit.testing.clock import VirtualClock

from .novu_code import clock, effects, known, novu, protocol
from .novu_worker import ADA, NovuWorker

__all__ = ["clock", "novu", "protocol"]

pytestmark = pytest.mark.anyio


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


async def test_variables_and_contexts_come_with_the_call(clock: VirtualClock) -> None:
    """What Novu knows of its environment, and what the event happens in."""

    @workflow("shop")
    async def shop(ctx: Context[None]) -> None:
        await ctx.step.chat("chat", body=f"{ctx.env['SHOP_URL']} for {ctx.contexts['tenant'].id}")

    novu = NovuWorker(BridgeProtocol(Registry([shop]), clock, known), clock)
    more = {
        "env": {"name": "Production", "SHOP_URL": "https://shop"},
        "context": {"tenant": {"id": "acme", "data": {}}},
    }

    answer = await novu.post({"payload": {}, **more}, action="execute", workflowId="shop", stepId="chat")

    assert {"body": "https://shop for acme"} == answer.json()["outputs"]


async def test_a_template_is_rendered_before_novu_sees_it(clock: VirtualClock, tmp_path: Path) -> None:
    """With its layout and the variables that it has here; without templates the step is refused by name."""
    (tmp_path / "hi.html").write_text("<p>{{ greeting }} {{ subscriber.first_name }} {{ env.PLACE }}</p>")

    @workflow("hi")
    async def hi(ctx: Context[None]) -> None:
        await ctx.step.email("mail", subject="Hi", template="hi.html", variables={"greeting": "Good morning"})

    body = {"payload": {}, "subscriber": ADA, "env": {"PLACE": "here"}}
    query = {"action": "execute", "workflowId": "hi", "stepId": "mail"}
    rendering = BridgeProtocol(Registry([hi]), clock, known, renderer=Renderer((tmp_path,)))
    good = await NovuWorker(rendering, clock).post(body, **query)
    bad = await NovuWorker(BridgeProtocol(Registry([hi]), clock, known), clock).post(body, **query)

    assert "Good morning Ada here</p>" in good.json()["outputs"]["body"]
    assert "where no templates are configured" in bad.json()["message"]
