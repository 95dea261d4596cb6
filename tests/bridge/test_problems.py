"""Every error of ours has its status and its body; the trigger routes have Novu's own for some."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, get, post
from litestar.datastructures import State

from novukit import errors
from novukit.bridge import asgi as asgi_module
from novukit.bridge import create_asgi, until_stopped
from novukit.errors import Issue, NovukitError

from .bad_input import shape
from .conftest import client

pytestmark = pytest.mark.anyio

ISSUE = Issue("/payload/name", "required", "is required", "Send it.")
raised: list[Exception] = []


@get("/v1/anything")
async def anything() -> None:
    """Fail."""
    raise raised[-1]


@post(["/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast"])
async def trigger() -> None:
    """Fail."""
    raise raised[-1]


@pytest.fixture
def failing(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """The bridge with routes that do nothing but fail."""
    monkeypatch.setattr(asgi_module, "HANDLERS", [anything, trigger])
    return create_asgi(runtime)


@pytest.fixture
async def broken(failing: Litestar, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API of that bridge."""
    async with client(failing, f"ApiKey {secret}") as found:
        yield found


async def fail(broken: httpx.AsyncClient, error: Exception, path: str = "") -> httpx.Response:
    """What is answered when ``error`` is raised."""
    raised.append(error)
    answer = await (broken.post(path) if path else broken.get("/v1/anything"))
    shape(answer)
    return answer


STATUS: dict[type[NovukitError], int] = {
    errors.InvalidInput: 422,
    errors.MalformedBody: 400,
    errors.PayloadInvalid: 422,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.NotSupported: 404,
    errors.WorkflowNotFound: 404,
    errors.ProviderNotFound: 422,
    errors.Conflict: 409,
    errors.SyncConflict: 409,
    errors.SyncRefused: 422,
    errors.TransactionIdReused: 422,
    errors.Unauthorized: 401,
    errors.CredentialsInvalid: 422,
    errors.SettingsInvalid: 422,
    errors.DecryptionFailed: 503,
    errors.DatabaseUnavailable: 503,
    errors.SchemaOutdated: 503,
}


@pytest.mark.parametrize("kind", STATUS)
async def test_an_error_of_ours_has_its_status(kind: type[NovukitError], broken: httpx.AsyncClient) -> None:
    """Its code, message, hint and issues are in the body."""
    answer = await fail(broken, kind("It is so.", hint="Do this.", issues=[ISSUE]))

    body = answer.json()
    assert (STATUS[kind], kind.code) == (answer.status_code, body["code"])
    assert ("It is so.", "Do this.") == (body["message"], body["hint"])
    assert [{"path": "/payload/name", "code": "required", "message": "is required", "hint": "Send it."}] == body[
        "details"
    ]


async def test_what_may_succeed_soon_says_when(broken: httpx.AsyncClient) -> None:
    """A database that does not answer is asked again a second later."""
    assert "1" == (await fail(broken, errors.DatabaseUnavailable())).headers["retry-after"]


async def test_a_refused_field_is_named_as_novu_names_it(broken: httpx.AsyncClient) -> None:
    """By its name, with a list of messages; its value is not repeated."""
    body = (await fail(broken, errors.InvalidInput(issues=[ISSUE]))).json()

    assert {"payload.name": {"messages": ["is required"]}} == body["errors"]


@pytest.mark.parametrize("path", ["/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast"])
async def test_a_trigger_tells_of_its_payload_as_novu_does(path: str, broken: httpx.AsyncClient) -> None:
    """Without ``type`` and ``errors`` the SDKs could not read a 400 of these routes."""
    payload = await fail(broken, errors.PayloadInvalid(issues=[ISSUE]), path)
    malformed = await fail(broken, errors.MalformedBody(), path)
    unknown = await fail(broken, errors.WorkflowNotFound(), path)

    assert (400, "PAYLOAD_VALIDATION_ERROR") == (payload.status_code, payload.json()["type"])
    assert [{"field": "/payload/name", "message": "is required", "schemaPath": ""}] == payload.json()["errors"]
    assert (400, "malformed_body", []) == (
        malformed.status_code, malformed.json()["type"], malformed.json()["errors"],
    )  # fmt: skip
    assert (422, {}) == (unknown.status_code, unknown.json()["errors"])


@pytest.mark.parametrize("error", [RuntimeError("hunter2"), KeyError("hunter2"), ValueError("hunter2")])
async def test_what_is_unexpected_is_not_told(error: Exception, broken: httpx.AsyncClient) -> None:
    """Only that it happened, and under which id the log has it."""
    answer = await fail(broken, error)

    assert (500, "internal_error") == (answer.status_code, answer.json()["code"])
    assert "hunter2" not in answer.text
    assert answer.json()["errorId"] == answer.json()["requestId"]


async def test_under_a_prefix_the_allowed_methods_are_found(failing: Litestar, secret: str) -> None:
    """An application that mounts us gives its path in ``root_path``."""
    transport = httpx.ASGITransport(failing, root_path="/notify")
    async with httpx.AsyncClient(transport=transport, base_url="http://novukit.test") as mounted:
        answer = await mounted.put("/notify/v1/anything", headers={"Authorization": f"ApiKey {secret}"})

    assert (405, "GET") == (answer.status_code, answer.headers["allow"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_stopping_server_cuts_off_is_a_503(runtime: Any) -> None:
    """uvicorn cancels what takes longer than its grace, and would say 500: but the caller may well ask again."""
    begun = asyncio.Event()

    @get("/v1/anything")
    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    app = until_stopped(Litestar([forever], state=State({"runtime": runtime})))

    async def stopping(scope: Any, receive: Any, send: Any) -> None:
        asking = asyncio.create_task(app(scope, receive, send))
        await begun.wait()
        asking.cancel()
        await asking

    async with httpx.AsyncClient(transport=httpx.ASGITransport(stopping), base_url="http://novukit") as asker:
        answer = await asker.get("/v1/anything")
    assert (503, "1") == (answer.status_code, answer.headers["retry-after"])
    assert "server_stopping" == answer.json()["code"]
