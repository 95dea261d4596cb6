"""The door of the bridge protocol: signatures, methods, names, and whose keys are good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.bridge import create_asgi
from novukit.bridge.protocol import BridgeProtocol
from novukit.settings import Settings
from novukit.testing.clock import VirtualClock

from .novu_code import REGISTRY, clock, novu, protocol
from .novu_worker import NovuWorker

__all__ = ["clock", "novu", "protocol"]

pytestmark = pytest.mark.anyio


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
