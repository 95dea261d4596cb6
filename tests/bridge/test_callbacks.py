"""A callback as the provider gets it, and its answer as the vendor gets it; tests/cases has what follows from one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from novukit.bridge import create_asgi
from novukit.engine import Runtime
from novukit.model import Environment
from novukit.providers import (
    CallbackAnswer,
    CallbackRefused,
    CallbackRequest,
    ChatContent,
    ChatProvider,
    DeliveryEvent,
    EventKind,
    PluginHost,
    Receipt,
    hookimpl,
)  # fmt: skip
from novukit.providers.credentials import NoCredentials
from novukit.settings import Settings
from novukit.store import Scope, integrations

pytestmark = pytest.mark.anyio


class Told:
    """A plugin that keeps what it is handed, and answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[CallbackRequest] = []
        self.answer: CallbackAnswer | BaseException = CallbackAnswer()
        self.built = 0

    @hookimpl
    def novukit_providers(self) -> list[Any]:
        told = self

        class Teller(ChatProvider[NoCredentials]):
            id = "teller"
            events = frozenset({EventKind.DELIVERED})

            def __init__(self, credentials: NoCredentials, http: Any) -> None:
                super().__init__(credentials, http)
                told.built += 1

            async def send(self, content: ChatContent, key: str) -> Receipt:
                return Receipt()

            async def callback(self, request: CallbackRequest) -> CallbackAnswer:
                told.requests.append(request)
                if isinstance(told.answer, BaseException):
                    raise told.answer
                return told.answer

        return [Teller]


@pytest.fixture
def told() -> Told:
    """The plugin."""
    return Told()


Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def call(runtime: Runtime, scope: Scope, development: Environment, told: Told) -> Call:
    """Call the URL of an integration of the plugin, on a server with these settings, mounted at ``root``."""
    host = PluginHost([told], installed=False)
    servers: dict[str, Any] = {}

    async def ask(
        method: str = "POST", query: str = "", *, public: str | None = None, root: str = "", path: str = "", **more: Any
    ) -> httpx.Response:
        if not servers:
            await integrations.create(
                scope, runtime.secrets, provider_id="teller", channel="chat", credentials={}, identifier="the.chat"
            )
        name = f"{public}{root}"
        if name not in servers:
            servers[name] = create_asgi(replace(runtime, host=host, settings=Settings(public_url=public)))
        transport = httpx.ASGITransport(servers[name], root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="https://inside.test:8443") as http:
            one = await integrations.by_identifier(scope, runtime.secrets, "the.chat")
            named = path.format(environment=development.id, integration=one.id)
            url = f"{root}{named or f'/v1/callbacks/{development.identifier}/the%2Echat'}{query}"
            return await http.request(method, url, **more)

    return ask


async def test_the_url_is_that_which_was_called(call: Call, told: Told, development: Environment) -> None:
    """To the letter, by the Host header; behind a proxy by `public_url`; never by X-Forwarded headers."""
    path = f"/v1/callbacks/{development.identifier}/the%2Echat"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    await call(query="?b=%7E1&a=+x&a=", headers=forged)
    await call(public="https://notify.example.com/hooks/", query="?a=1", headers=forged)
    await call(public="https://notify.example.com/app", root="/app")
    assert [
        f"https://inside.test:8443{path}?b=%7E1&a=+x&a=",
        f"https://notify.example.com/hooks{path}?a=1",
        f"https://notify.example.com/app{path}",
    ] == [request.url for request in told.requests]


async def test_the_provider_gets_the_bytes_as_they_came(call: Call, told: Told) -> None:
    """Body, method and headers, a repeated one too; whatever the content type says."""
    body = b"\xff\x00{ not json"
    await call(content=body, headers=[("X-One", "a"), ("x-one", "b"), ("Content-Type", "application/json")])
    await call("GET", "?challenge=7")
    first, second = told.requests
    assert ("POST", body, "a, b") == (first.method, first.body, first.headers["X-ONE"])
    assert ("GET", b"", {"challenge": "7"}) == (second.method, second.body, second.query)


async def test_the_vendor_gets_what_the_plugin_says(call: Call, told: Told) -> None:
    """Body, type and status, but never a 5xx; and a browser takes it for nothing else."""
    told.answer = CallbackAnswer(body=b"<b>7</b>", content_type="text/html", status=202)
    answer = await call("GET")
    assert (202, b"<b>7</b>") == (answer.status_code, answer.content)
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "sandbox" in answer.headers["content-security-policy"]
    for status in (0, 500, 999):
        told.answer = CallbackAnswer(status=status)
        assert 200 == (await call()).status_code


async def test_what_the_plugin_says_of_a_refusal_stays_inside(
    call: Call, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes to the log, at most once a minute for an integration: whoever forges cannot fill it."""
    said: list[tuple[int, str]] = []
    for told.answer in (CallbackRefused("The key is too short."), RuntimeError("boom"), SystemExit(3)):
        answer = await call()
        said.append((answer.status_code, answer.json()["code"]))
        assert "short" not in answer.text
        assert "boom" not in answer.text
    assert [(401, "callback_refused"), (422, "callback_failed"), (422, "callback_failed")] == said
    assert 1 == len([one for one in caplog.records if one.name == "novukit.callbacks"])
    assert "The key is too short." in caplog.text


async def test_a_provider_is_built_once(call: Call, told: Told, scope: Scope, runtime: Runtime) -> None:
    """It may hold its vendor's keys; a change of the integration makes it anew."""
    for _ in range(3):
        await call()
    assert 1 == told.built
    one = await integrations.by_identifier(scope, runtime.secrets, "the.chat")
    await integrations.update(scope, runtime.secrets, one.id, name="Another", active=False)
    assert 200 == (await call()).status_code, "what was sent before is told of all the same"
    assert 2 == told.built


TRACK = "/v2/inbound-webhooks/delivery-providers/{environment}/{integration}"


async def test_the_url_of_novu_takes_the_same_and_lists_what_was_understood(call: Call, told: Told) -> None:
    """In Novu's words, whose list is closed; the provider gets the bytes as they came."""
    at = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    told.answer = CallbackAnswer([
        DeliveryEvent(kind, provider_message_id=f"m-{kind}", at=at, id=kind.value, detail="250 ok")
        for kind in EventKind
    ])  # fmt: skip
    answer = await call(path=TRACK, content=b'{"event": "all"}')

    assert 200 == answer.status_code, answer.text
    results = answer.json()["data"]
    body = {
        "status": "complaint", "date": "2026-01-01T00:00:01.000Z", "externalId": "m-complained", "response": "250 ok",
        "row": '{"event": "all"}',
    }  # fmt: skip
    assert {"id": "m-complained", "event": body} in results
    assert len(EventKind) == len(results)
    assert [b'{"event": "all"}'] == [request.body for request in told.requests]


async def test_the_url_of_novu_opens_to_nobody_else_either(call: Call, told: Told) -> None:
    """What is not signed is refused, what does not exist is the same 404, and a vendor may be told something."""
    told.answer = CallbackRefused("no")
    assert 401 == (await call(path=TRACK)).status_code
    nobody = "0198c0de-0000-7000-8000-000000000000"
    for path in (TRACK.replace("{integration}", nobody), TRACK.replace("{environment}", nobody), f"{TRACK}x"):
        assert 404 == (await call(path=path)).status_code
    told.answer = CallbackAnswer(body=b"challenge")
    assert b"challenge" == (await call(path=TRACK)).content
