"""Steps over HTTP, and what they would say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from novukit import Context, workflow
from novukit.app import App
from novukit.authoring import Registry
from novukit.engine import sync
from novukit.providers import PluginHost
from novukit.settings import Settings
from novukit.store import layouts, translations, variables
from novukit.store.secrets import KeyRing, generate_master_key
from novukit.testing.clock import VirtualClock

from .conftest import checksum_of, client

pytestmark = pytest.mark.anyio


class Comment(BaseModel):
    author: str
    text: str
    urgent: bool = False


async def score(text: str) -> int:
    raise AssertionError("a preview does nothing")


@workflow("comment", name="A comment")
async def comment(ctx: Context[Comment]) -> None:
    """One step of each kind that a preview must pass."""
    await ctx.step.in_app("inbox", subject="New", body=f"{ctx.payload.author}: {ctx.payload.text}")
    points = await ctx.step.custom("score", score, ctx.payload.text)
    gathered = await ctx.step.digest("hourly", window=timedelta(hours=1))
    await ctx.step.delay("wait", timedelta(days=1))
    if await ctx.step.throttle("limit", limit=1, window=timedelta(days=1), on_limit="continue"):
        return
    await ctx.step.email("mail", subject=ctx.t("subject", n=len(gathered)), template="comment.html", layout="brand",
                         variables={"authors": [one.author for one in gathered]})  # fmt: skip
    await ctx.step.push("push", subject="New", body=f"{points + 1} points at {ctx.env['SHOP']}")
    await ctx.step.sms("sms", body=f"To {ctx.subscriber.first_name}")
    await ctx.step.chat("chat", body=f"hello {[one.id for one in ctx.contexts.values()]}")
    if ctx.payload.urgent:
        await ctx.step.in_app("alarm", body="Urgent")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """A novukit that has the code of ``comment``, on SQLite."""
    (tmp_path / "comment.html").write_text("<p>{{ authors|join(', ') }} wrote to {{ subscriber.first_name }}</p>")
    settings = Settings(root=tmp_path, templates=(tmp_path,), database=f"sqlite:///{tmp_path / 'novukit.db'}")
    async with App(
        settings, clock=VirtualClock(), host=PluginHost(installed=False), registry=Registry([comment]), seed=7,
        synchronous="OFF", inline=True, secrets=KeyRing([generate_master_key()]),
    ) as found:  # fmt: skip
        yield found


@pytest.fixture
async def api(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Its API; the environment has a layout, a translation and a variable."""
    from novukit.store import keys

    scope, ring = app.runtime.scope(await app.bootstrap()), app.runtime.secrets
    await sync.apply(app.runtime, scope, Registry([comment]).manifest())
    await layouts.create(scope, "brand", "Brand", "<body>Brand {{ content }}</body>")
    await translations.put(scope, [(("workflow", "comment"), "de", {"subject": "{n} neue"})])
    await variables.create(scope, ring, "SHOP", "the shop")
    async with client(app.asgi(), f"ApiKey {(await keys.reveal(scope, ring))[0][1]}") as found:
        yield found


async def _preview(api: httpx.AsyncClient, step: str, **given: Any) -> dict[str, Any]:
    answer = await api.post(f"/v2/workflows/comment/step/{step}/preview", json={"previewPayload": given})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_a_step_is_shown(api: httpx.AsyncClient) -> None:
    """By its id in the code, and by the one that the workflow shows."""
    whole = (await api.get("/v2/workflows/comment")).json()["data"]
    mail = next(step for step in whole["steps"] if step["stepId"] == "mail")
    for name in ("mail", mail["_id"]):
        assert (await api.get(f"/v2/workflows/comment/steps/{name}")).json()["data"] == mail
    lost = await api.get("/v2/workflows/comment/steps/mial")
    assert (lost.status_code, lost.json()["hint"]) == (404, "Did you mean 'mail'?")


async def test_what_is_missing_is_made_up(api: httpx.AsyncClient) -> None:
    """A payload that fits the schema, and a subscriber with every address."""
    told = await _preview(api, "inbox")
    assert told["result"] == {"type": "in_app", "preview": {"subject": "New", "body": "author: text", "data": {}}}
    assert told["previewPayloadExample"]["payload"] == {"author": "author", "text": "text", "urgent": False}
    assert told["previewPayloadExample"]["subscriber"]["firstName"] == "Ada"
    assert told["schema"]["required"] == ["author", "text"]


async def test_an_email_is_made_as_when_it_is_sent(api: httpx.AsyncClient) -> None:
    """With template, layout and translation, past a digest with the payloads that are given."""
    payloads = [{"author": name, "text": ""} for name in ("Bob", "Cy")]
    person = {"firstName": "Grace", "locale": "de"}
    told = await _preview(api, "mail", steps={"hourly": payloads}, subscriber=person)
    mail = told["result"]["preview"]
    assert mail["subject"] == "2 neue"
    assert "Brand <p>Bob, Cy wrote to Grace</p>" in mail["body"]


async def test_every_channel_has_a_preview(api: httpx.AsyncClient) -> None:
    """An action step says nothing. The result of a custom step is made up, or given."""
    assert (await _preview(api, "push"))["result"]["preview"] == {"subject": "New", "body": "2 points at the shop"}
    given = await _preview(api, "push", steps={"score": 41})
    assert given["result"]["preview"]["body"] == "42 points at the shop"
    assert (await _preview(api, "sms"))["result"] == {"type": "sms", "preview": {"body": "To Ada"}}
    assert (await _preview(api, "chat"))["result"] == {"type": "chat", "preview": {"body": "hello []"}}
    for context in ({"tenant": "acme"}, {"tenant": {"id": "acme", "data": {"plan": "pro"}}}):
        assert (await _preview(api, "chat", context=context))["result"]["preview"]["body"] == "hello ['acme']"
    assert (await _preview(api, "hourly"))["result"] == {"type": "digest", "preview": {}}


async def test_a_step_that_is_not_reached_says_so(api: httpx.AsyncClient) -> None:
    """And is, with other data."""
    answer = await api.post("/v2/workflows/comment/step/alarm/preview", json={})
    assert answer.status_code == 422
    assert "does not come to the step 'alarm'" in answer.json()["message"]
    told = await _preview(api, "alarm", payload={"urgent": True})
    assert told["result"]["preview"]["body"] == "Urgent"


async def test_bad_samples_are_refused(api: httpx.AsyncClient) -> None:
    """With what is wrong."""
    for given, words in (
        ({"payload": {"urgent": "perhaps"}}, "urgent"),
        ({"steps": {"score": "many"}}, "score"),
        ({"context": {"a": 1}}, "context"),
    ):
        answer = await api.post("/v2/workflows/comment/step/push/preview", json={"previewPayload": given})
        assert (answer.status_code, words in answer.json()["message"]) == (422, True), answer.text


async def test_a_preview_leaves_no_trace(api: httpx.AsyncClient, app: App) -> None:
    """No row is written."""
    before = await checksum_of(app.database)
    await _preview(api, "mail")
    assert await checksum_of(app.database) == before


async def test_who_uses_a_layout_or_a_variable_is_told(api: httpx.AsyncClient) -> None:
    """From the code."""
    users = [{"name": "A comment", "workflowId": "comment"}]
    assert (await api.get("/v2/layouts/brand/usage")).json()["data"]["workflows"] == users
    assert (await api.get("/v1/environment-variables/SHOP/usage")).json()["data"]["workflows"] == users
