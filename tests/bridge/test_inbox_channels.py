"""Where a subscriber is reached, seen and taken back by themselves; and what a page may not do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar

from novukit.model import Environment
from novukit.store import Scope, integrations

from .inboxes import inbox_of

pytestmark = pytest.mark.anyio

CONNECTIONS, ENDPOINTS = "/v1/inbox/channel-connections", "/v1/inbox/channel-endpoints"


@pytest.fixture
async def filled(api: httpx.AsyncClient, scope: Scope, runtime: Any) -> None:
    """Ada and Bob have a connection and an endpoint each, Ada one more of each in a context; one is shared."""
    name = "team"
    await integrations.create(
        scope, runtime.secrets, provider_id="null-chat", channel="chat", credentials={}, identifier=name
    )
    for who in ("ada", "bob"):
        await api.post("/v2/subscribers", json={"subscriberId": who})
    token = {"workspace": {"id": "W"}, "auth": {"accessToken": "xoxb-1234567890-abcdef"}}
    connections = [
        {"identifier": "ada-c", "subscriberId": "ada"}, {"identifier": "bob-c", "subscriberId": "bob"},
        {"identifier": "acme-c", "subscriberId": "ada", "context": {"tenant": "acme"}}, {"identifier": "all-c"},
    ]  # fmt: skip
    for one in connections:
        answer = await api.post("/v1/channel-connections", json={"integrationIdentifier": name, **token, **one})
        assert 201 == answer.status_code, answer.text
    for who, more in (("ada", {}), ("bob", {}), ("ada", {"context": {"tenant": "acme"}})):
        kind = {"type": "webhook", "endpoint": {"url": "https://example.com/hook"}}
        place = {"identifier": f"{'acme' if more else who}-e", "subscriberId": who, **kind, **more}
        answer = await api.post("/v1/channel-endpoints", json={"integrationIdentifier": name, **place})
        assert 201 == answer.status_code, answer.text


async def names(browser: httpx.AsyncClient, path: str, **query: Any) -> list[str]:
    answer = await browser.get(path, params=query)
    assert 200 == answer.status_code, answer.text
    body = answer.json()
    assert {"data", "next", "previous", "totalCount", "totalCountCapped"} == body.keys()
    return [one["identifier"] for one in body["data"]]


@pytest.mark.parametrize(("path", "kind"), [(CONNECTIONS, "c"), (ENDPOINTS, "e")])
async def test_one_sees_and_deletes_ones_own(
    asgi: Litestar, development: Environment, filled: None, path: str, kind: str
) -> None:
    """In the session's context; not what is shared, nor another's, nor another context's."""
    async with inbox_of(asgi, development) as browser:
        assert [f"ada-{kind}"] == await names(browser, path)
        assert [f"ada-{kind}"] == await names(browser, path, subscriberId="ada", contextKeys="")
        for query in ({"subscriberId": "bob"}, {"contextKeys": "tenant:acme"}):
            assert 422 == (await browser.get(path, params=query)).status_code
        for name in (f"bob-{kind}", f"acme-{kind}", "all-c", "nothing", "a:b,c@d"):
            assert 404 == (await browser.get(f"{path}/{name}")).status_code, name
            assert 404 == (await browser.delete(f"{path}/{name}")).status_code, name
        shown = (await browser.get(f"{path}/ada-{kind}")).json()
        assert "ada" == (shown if kind == "c" else shown["data"])["subscriberId"]
        assert "xoxb" not in str(shown)
        assert 204 == (await browser.delete(f"{path}/ada-{kind}")).status_code
        assert [] == await names(browser, path)
    async with inbox_of(asgi, development, "bob") as browser:
        assert [f"bob-{kind}"] == await names(browser, path)
    async with inbox_of(asgi, development, context={"tenant": "acme"}) as browser:
        assert [f"acme-{kind}"] == await names(browser, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{CONNECTIONS}/oauth"), ("POST", f"{ENDPOINTS}/oauth"), ("POST", f"{ENDPOINTS}/link"),
        ("POST", "/v1/inbox/chat/oauth"), ("POST", CONNECTIONS), ("POST", ENDPOINTS), ("POST", "/v1/inbox/events"),
        ("GET", "/v1/web-chat/conversations?agentId=x"), ("POST", "/v1/web-chat/conversations/1/messages"),
    ],
)  # fmt: skip
async def test_what_is_left_out_says_so(asgi: Litestar, development: Environment, method: str, path: str) -> None:
    """404 with a code and a sentence, never silence."""
    async with inbox_of(asgi, development) as browser:
        answer = await browser.request(method, path, json={"anything": 1}, headers={"Origin": "http://localhost:3000"})
    assert (404, "not_supported") == (answer.status_code, answer.json()["code"])
    assert "left out" in answer.json()["message"] or "cannot" in answer.json()["message"]
    assert "http://localhost:3000" == answer.headers["access-control-allow-origin"]
