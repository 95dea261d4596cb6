"""The errors of every route there is, as Novu's SDKs can read them: a key that is missing hides the error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from novukit.bridge.api import HANDLERS

pytestmark = pytest.mark.anyio

TRIGGERS = ("/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast")
REPEATED = {408, 409, 429}
"""What the SDKs repeat, beside all 5xx."""


def places(asgi: Litestar) -> Iterator[tuple[str, str, bool]]:
    """Method, path with nobody's names in it, and whether it takes a body, of every route of the API."""
    ours = {handler.fn for handler in HANDLERS}
    for route in asgi.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if handler.fn in ours:
                (method,) = handler.http_methods - {"HEAD", "OPTIONS"}
                takes_body = "data" in handler.parsed_fn_signature.parameters
                yield method, re.sub(r"\{\w+\}", "nobody", route.path_format), takes_body


def complaints(answer: httpx.Response, path: str) -> Iterator[str]:
    """What the SDKs would miss in an error."""
    told: dict[str, Any] = answer.json()
    status = answer.status_code
    if status in REPEATED or status >= 500:
        yield f"{status} is repeated for an hour"
    if not answer.headers["content-type"].startswith("application/json"):
        yield f"content type {answer.headers['content-type']}"
    if told.get("statusCode") != status or told.get("error") != HTTPStatus(status).phrase:
        yield f"statusCode {told.get('statusCode')}, error {told.get('error')}"
    yield from (f"no {key}" for key in ("timestamp", "path", "message", "code", "requestId") if not told.get(key))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        errors = told.get("errors")
        if not isinstance(errors, dict) or not all(field.get("messages") for field in errors.values()):
            yield f"errors of a 422: {errors}"
    if status == HTTPStatus.BAD_REQUEST and path in TRIGGERS:
        errors = told.get("errors")
        if not isinstance(told.get("type"), str) or not isinstance(errors, list):
            yield f"type and errors of a 400 to a trigger: {told.get('type')}, {errors}"
        elif not all({"field", "message"} <= each.keys() for each in errors):
            yield f"errors of a 400 to a trigger: {errors}"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff", 400),
        (b'{"a": 1, "a": 2}', 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"no such field": 1}', 422),
    ],
)
async def test_a_body_that_cannot_be(asgi: Litestar, api: httpx.AsyncClient, content: bytes, status: int) -> None:
    """Not JSON is a 400, the wrong JSON a 422, unless whoever the path names is not there; and each can be read."""
    wrong: list[str] = []
    tried = 0
    for method, path, takes_body in places(asgi):
        if takes_body:
            tried += 1
            sent = {"Content-Type": "application/json"}
            answer = await api.request(method, path, content=content, headers=sent)
            right = answer.status_code == status or (answer.status_code == 404 and "nobody" in path)
            found = [] if right else [f"status {answer.status_code}"]
            wrong += [f"{method} {path}: {each}" for each in [*found, *complaints(answer, path)]]
    assert not wrong, "\n".join(wrong)
    assert tried > 30


async def test_what_is_not_there_and_what_is_not_known(asgi: Litestar, api: httpx.AsyncClient) -> None:
    """An unknown query parameter is a 422, somebody who is not there a 404, and each can be read."""
    wrong: list[str] = []
    for method, path, takes_body in places(asgi):
        answers = [await api.request(method, f"{path}?nonsense=1")]
        if "nobody" in path and not takes_body:
            answers.append(await api.request(method, path))
        for answer in answers:
            if answer.is_error:
                wrong += [f"{method} {path}: {each}" for each in complaints(answer, path)]
        if answers[0].status_code != 422:
            wrong.append(f"{method} {path}: an unknown parameter gives {answers[0].status_code}")
    assert not wrong, "\n".join(wrong)


async def test_without_a_key(asgi: Litestar, anonymous: httpx.AsyncClient) -> None:
    """401 on every route, before anything else is looked at, and it can be read."""
    wrong: list[str] = []
    for method, path, _ in places(asgi):
        for headers in ({}, {"Idempotency-Key": "one"}):
            answer = await anonymous.request(method, path, content=b"{", headers=headers)
            if answer.status_code != 401:
                wrong.append(f"{method} {path}: {answer.status_code}")
            wrong += [f"{method} {path}: {each}" for each in complaints(answer, path)]
    assert not wrong, "\n".join(wrong)
