"""Browsers: which pages may speak to the inbox, and that none may speak to the rest of the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from novukit.bridge import create_asgi
from novukit.model import Environment
from novukit.settings import InboxSettings, Settings
from novukit.store import Scope, subscribers

from .conftest import client

pytestmark = pytest.mark.anyio

SESSION = "/v1/inbox/session"
APP, EVIL = "https://app.example.com", "https://evil.example.net"


def serve(runtime: Any, **inbox: Any) -> httpx.AsyncClient:
    """The bridge of a server that is not for development."""
    settings = Settings(environment="production", public_url="https://notify.example.com", inbox=InboxSettings(**inbox))
    return client(create_asgi(replace(runtime, settings=settings)), None)


async def preflight(browser: httpx.AsyncClient, origin: str, path: str = SESSION) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    return await browser.options(path, headers={"Origin": origin, **asked})


@pytest.mark.parametrize(
    "origin", [APP, "https://shop.eu.example.org", "http://novukit.test", "https://notify.example.com"]
)
@pytest.mark.parametrize("path", [SESSION, "/v1/inbox/notifications", "/socket.io/", "/v1/inbox/not-there"])
async def test_welcome_pages_are_told_so_ahead(runtime: Any, origin: str, path: str) -> None:
    """Those that are listed, those below a listed domain, and the server's own; every header by its name."""
    async with serve(runtime, origins=[APP, "https://*.example.org"]) as browser:
        answer = await preflight(browser, origin, path)
    assert (204, origin, b"") == (answer.status_code, answer.headers["access-control-allow-origin"], answer.content)
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert {"Authorization", "Content-Type", "Novu-API-Version", "Novu-Client-Version"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" == answer.headers["vary"]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://app.example.com", "https://app.example.com.evil.net", "https://example.org", "x"]
)
async def test_others_are_refused_before_anything_changes(
    runtime: Any, development: Environment, scope: Scope, origin: str
) -> None:
    """403 with a code and the setting that would let them in; also on the request itself."""
    body = {"applicationIdentifier": development.identifier, "subscriber": "ada"}
    async with serve(runtime, origins=[APP, "https://*.example.org"]) as browser:
        ahead = await preflight(browser, origin)
        answer = await browser.post(SESSION, json=body, headers={"Origin": origin})
    for one in (ahead, answer):
        assert (403, "origin_not_allowed") == (one.status_code, one.json()["code"])
        assert "[inbox] origins" in one.json()["hint"]
        assert "access-control-allow-origin" not in one.headers
    assert None is await subscribers.get(scope, "ada")


async def test_elsewhere_than_in_development_no_page_is_welcome_unless_it_is_listed(runtime: Any) -> None:
    """But the server's own, and whoever is no page at all."""
    async with serve(runtime) as browser:
        assert 403 == (await preflight(browser, APP)).status_code
        assert 401 == (await browser.get("/v1/inbox/notifications")).status_code


async def test_in_development_every_page_is_welcome(anonymous: httpx.AsyncClient, development: Environment) -> None:
    """And may read the answers, the errors too."""
    body = {"applicationIdentifier": development.identifier, "subscriber": "ada"}
    for path, sent, status in ((SESSION, body, 201), (SESSION, {}, 422), ("/v1/inbox/nothing", {}, 404)):
        answer = await anonymous.post(path, json=sent, headers={"Origin": "http://localhost:5173"})
        assert (status, "http://localhost:5173") == (
            answer.status_code, answer.headers["access-control-allow-origin"],
        )  # fmt: skip
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


async def test_the_rest_of_the_api_is_for_no_page(api: httpx.AsyncClient) -> None:
    """Secret keys have no place in a browser."""
    answer = await api.get("/v2/subscribers", headers={"Origin": APP})
    ahead = await preflight(api, APP, "/v2/subscribers")
    assert 200 == answer.status_code
    assert not [one for one in (answer, ahead) if "access-control-allow-origin" in one.headers]
