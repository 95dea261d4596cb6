"""The description of the API, and the page to try it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from novukit.bridge import docs
from novukit.bridge.api import absent
from novukit.bridge.inbox import refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def described(anonymous: httpx.AsyncClient) -> dict[str, Any]:
    """The description."""
    answer = await anonymous.get("/openapi.json")
    assert 200 == answer.status_code, answer.text
    return answer.json()


def resolve(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or what it refers to."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


async def test_bodies_are_described_as_they_are_on_the_wire(described: dict[str, Any]) -> None:
    """Requests and answers are camelCase, closed, and say what is required."""
    told = described["paths"]["/v1/integrations"]["post"]
    asked = resolve(described, told["requestBody"]["content"]["application/json"]["schema"])
    given = resolve(described, told["responses"]["201"]["content"]["application/json"]["schema"])

    assert ["providerId"] == asked["required"]
    assert {"providerId", "credentials", "active", "_environmentId"} <= asked["properties"].keys()
    assert {"_id", "providerId"} <= resolve(described, given["properties"]["data"])["properties"].keys()


async def test_every_operation_has_a_summary_and_its_errors(described: dict[str, Any]) -> None:
    """What goes wrong is described with our own body, not the framework's."""
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            where = f"{method} {path}"
            assert told.get("summary"), where
            if path.startswith("/v1/health/"):
                continue
            failures = {status: body for status, body in told["responses"].items() if status[0] in "45"}
            assert {"400", "401", "404", "422"} <= failures.keys(), where
            for body in failures.values():
                schema = resolve(described, next(iter(body["content"].values()))["schema"])
                assert {"code", "message", "hint", "requestId", "details"} <= schema["properties"].keys(), where


async def test_what_needs_a_key_says_so(described: dict[str, Any]) -> None:
    """All but health, what vendors call, who sign, and where a browser's session begins."""
    open_ones = {
        path
        for path, methods in described["paths"].items()
        for told in methods.values()
        if told.get("security") == [{}]
    }

    callback = "/v1/callbacks/{environment}/{integration}"
    assert {
        "/v1/health/live", "/v1/health/ready", callback, "/v1/inbox/session",
        "/v2/inbound-webhooks/delivery-providers/{environment_id}/{integration_id}",
    } == open_ones  # fmt: skip
    assert [{"secretKey": []}] == described["security"]


async def test_the_page_needs_nothing_from_elsewhere(anonymous: httpx.AsyncClient) -> None:
    """No script, style, font or picture of another host; and the browser is told to refuse any."""
    answer = await anonymous.get("/docs")

    assert 200 == answer.status_code
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.findall(r"""(?:src|href)\s*=|https?://|@import|innerHTML""", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_no_route_is_made_without_a_place_in_the_description(asgi: Litestar, described: dict[str, Any]) -> None:
    """Only the page, the description itself, and what is left out on purpose are not in it."""
    outside = {docs.__name__, absent.__name__, refused.__name__}
    routes = {
        (route.path_format, method)
        for route in asgi.routes
        for handler in (route.route_handlers if isinstance(route, HTTPRoute) else ())
        for method in handler.http_methods - {"OPTIONS", "HEAD"}
        if handler.fn.__module__ not in outside
    }

    assert routes == {(path, method.upper()) for path, methods in described["paths"].items() for method in methods}
