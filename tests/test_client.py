"""The client: what it sends, how it reads answers and refusals, and what it says when nobody answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from novukit import client as client_module
from novukit.client import Client, from_wire, segment
from novukit.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NovukitError,
    SettingsInvalid,
    SyncRefused,
    Unauthorized,
    Unreachable,
    WorkflowNotFound,
)  # fmt: skip
from novukit.model import Everyone, Subscriber, TopicRecipient, Trigger, Triggered, TriggerStatus

pytestmark = pytest.mark.anyio

Answer = Callable[[httpx.Request], httpx.Response]
URL = "http://server:8000"


def client(answer: Answer, **options: Any) -> Client:
    """A client whose server is a function."""
    return Client(URL, "nk_secret", transport=httpx.MockTransport(answer), **options)


def always(status: int, **response: Any) -> Answer:
    """A server that knows one answer."""
    return lambda _: httpx.Response(status, **response)


def refused(status: int, **body: Any) -> Answer:
    """A server that refuses, as the bridge does."""
    base = {"statusCode": status, "timestamp": "2026-01-01T00:00:00.000Z", "path": "/", "message": "No.", "error": "No"}
    return always(status, json={**base, **body})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0)


async def test_the_key_and_the_path_are_sent() -> None:
    """The secret goes as Novu's API wants it; parameters without a value stay away, lists repeat their name."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": 1})

    async with Client(f"{URL}/", "nk_secret", transport=httpx.MockTransport(answer)) as it:
        await it.request("GET", f"/v2/topics/{segment('a b')}", params={"x": None, "y": True, "tags": ["p", "q"]})

    assert str(seen[0].url) == f"{URL}/v2/topics/a%20b?y=true&tags=p&tags=q"
    assert seen[0].headers["authorization"] == "ApiKey nk_secret"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"data": {"a": 1}}, {"a": 1}),
        ({"data": True}, True),
        ({"data": [1], "next": None, "totalCount": 1}, {"data": [1], "next": None, "totalCount": 1}),
        ({"data": {"a": 1}, "acknowledged": True, "status": "processed"}, {"a": 1}),
        ([1, 2], [1, 2]),
    ],
)
async def test_the_envelope_is_taken_off(body: Any, value: Any) -> None:
    """A page of a list stays whole."""
    async with client(always(200, json=body)) as it:
        assert await it.request("GET", "/x") == value


async def test_no_content_is_none() -> None:
    """204."""
    async with client(always(204)) as it:
        assert await it.request("DELETE", "/x") is None


async def test_a_trigger_is_written_as_the_wire_wants_it() -> None:
    """camelCase, only what is known of a recipient, the answer as a ``Triggered``."""
    bodies: list[Any] = []
    event = uuid4()

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        told = {
            "acknowledged": True, "status": "processed", "transactionId": "t-1", "eventId": str(event), "executions": 2,
        }  # fmt: skip
        return httpx.Response(201, json={"data": told, **told})

    asked = Trigger(
        workflow="welcome",
        to=(Subscriber(subscriber_id="ada", first_name="Ada"), TopicRecipient(topic_key="staff", exclude=("bob",))),
        payload={"n": 1}, actor=Subscriber(subscriber_id="bob"), tenant={"identifier": "acme"}, transaction_id="t-1",
    )  # fmt: skip
    async with client(answer) as it:
        triggered = await it.trigger(asked)

    assert bodies == [
        {
            "name": "welcome", "payload": {"n": 1}, "actor": {"subscriberId": "bob"}, "tenant": {"identifier": "acme"},
            "transactionId": "t-1",
            "to": [
                {"subscriberId": "ada", "firstName": "Ada"}, {"type": "Topic", "topicKey": "staff", "exclude": ["bob"]},
            ],
        }
    ]  # fmt: skip
    assert triggered == Triggered(
        status=TriggerStatus.PROCESSED, transaction_id="t-1", event_id=event, executions=2, duplicate=False
    )


async def test_everyone_is_a_broadcast() -> None:
    """And stands alone."""
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(201, json={"data": {"acknowledged": True, "status": "processed", "transactionId": "t"}})

    async with client(answer) as it:
        await it.trigger(Trigger(workflow="news", to=(Everyone(),)))
        with pytest.raises(InvalidInput, match="stands alone"):
            await it.trigger(Trigger(workflow="news", to=(Everyone(), Subscriber(subscriber_id="ada"))))

    assert paths == ["/v1/events/trigger/broadcast"]


@pytest.mark.usefixtures("quick")
async def test_a_repeated_trigger_keeps_its_transaction_id() -> None:
    """A trigger whose answer was lost is asked again under the same id, so that it cannot begin twice."""
    ids: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids.append(json.loads(request.content)["transactionId"])
        if len(ids) == 1:
            raise httpx.ReadError("reset")
        if len(ids) == 2:
            return httpx.Response(503, json={"message": "busy", "statusCode": 503})
        return httpx.Response(201, json={"data": {"status": "processed", "transactionId": ids[0]}})

    async with client(answer) as it:
        triggered = await it.trigger(Trigger(workflow="welcome", to=(Subscriber(subscriber_id="ada"),)))

    assert len(ids) == 3
    assert set(ids) == {triggered.transaction_id}


@pytest.mark.usefixtures("quick")
async def test_what_must_not_be_repeated_is_asked_once() -> None:
    """A plain POST is not tried again."""
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.method)
        raise httpx.ReadError("reset")

    async with client(answer) as it:
        for method in ("POST", "PUT"):
            with pytest.raises(Unreachable):
                await it.request(method, "/x")

    assert calls == ["POST", "PUT", "PUT", "PUT"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, "workflow_not_found", WorkflowNotFound),
        (409, "sync_refused", SyncRefused),
        (401, "unauthorized", Unauthorized),
        (404, "something_newer", NotFound),
        (422, None, InvalidInput),
        (500, "internal", NovukitError),
    ],
)
async def test_a_refusal_comes_back_as_the_error_that_it_was(status: int, code: str | None, kind: type) -> None:
    """By its code; a code that this client does not know counts as its status does."""
    async with client(refused(status, message="Not so.", code=code, hint="Like this.")) as it:
        with pytest.raises(NovukitError) as caught:
            await it.request("GET", "/x")

    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.hint) == ("Not so.", "Like this.")


async def test_each_thing_that_is_wrong_comes_back() -> None:
    """``details`` become issues."""
    details = [{"path": "/to", "code": "missing", "message": "is missing", "hint": "Add it."}, {"path": "/name"}]
    async with client(refused(422, code="invalid_input", details=details)) as it:
        with pytest.raises(InvalidInput) as caught:
            await it.request("POST", "/x")

    assert [(issue.path, issue.hint) for issue in caught.value.issues] == [("/to", "Add it."), ("/name", None)]


async def test_a_failure_of_the_server_names_the_request() -> None:
    """The id is what one looks for in the log."""
    async with client(refused(500, requestId="r-7")) as it:
        with pytest.raises(NovukitError, match="r-7"):
            await it.request("POST", "/x")


async def test_what_exists_already_is_a_conflict() -> None:
    """Novu answers 409 with the thing itself."""
    async with client(always(409, json={"data": {"subscriberId": "ada"}})) as it:
        with pytest.raises(Conflict):
            await it.request("POST", "/v2/subscribers")


def test_a_code_is_known_for_every_error() -> None:
    """Each class of novukit that a server may answer with comes back as itself."""
    for kind in (InvalidInput, SyncRefused, Unreachable, Unauthorized, Conflict):
        assert type(from_wire(400, {"message": "x", "code": kind.code})) is kind


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (always(200, html="<html>"), "HTTP 200 and text/html"),
        (always(404, text="nope"), "not as a novukit server does"),
        (always(502, html="<html>"), "HTTP 502"),
        (always(307, headers={"location": "https://elsewhere/"}), "sends us on to https://elsewhere/"),
        (always(200, content=b"{bad", headers={"content-type": "application/json"}), "not as a novukit server does"),
    ],
)
@pytest.mark.usefixtures("quick")
async def test_a_stranger_is_recognised(answer: Answer, words: str) -> None:
    """C22: something answers, but it is no novukit server."""
    async with client(answer) as it:
        with pytest.raises(Unreachable) as caught:
            await it.request("GET", "/x")

    assert words in caught.value.message
    assert URL in caught.value.message


async def test_a_401_without_our_body_is_still_a_401() -> None:
    """A proxy may answer in our place."""
    async with client(always(401, text="no")) as it:
        with pytest.raises(Unauthorized):
            await it.request("GET", "/x")


@pytest.mark.usefixtures("quick")
async def test_nobody_there_is_told_with_the_url(unused_port: int) -> None:
    """C22: the URL that was tried, and how to start a server."""
    async with Client(f"http://127.0.0.1:{unused_port}", "nk_x") as it:
        with pytest.raises(Unreachable) as caught:
            await it.request("GET", "/x")

    assert f"http://127.0.0.1:{unused_port}" in caught.value.message
    assert "novukit dev" in (caught.value.hint or "")


@pytest.mark.usefixtures("quick")
async def test_https_to_a_plain_server_is_told_as_such(plain_server: int) -> None:
    """C22: a TLS error says so."""
    async with Client(f"https://127.0.0.1:{plain_server}", "nk_x") as it:
        with pytest.raises(Unreachable, match="TLS"):
            await it.request("GET", "/x")


@pytest.mark.parametrize("url", ["server:8000", "ftp://server", "http://", ""])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SettingsInvalid, match="not the URL of a server"):
        Client(url, "nk_x")


def test_a_key_that_no_key_can_be_is_refused() -> None:
    """It would not fit into a header."""
    with pytest.raises(Unauthorized):
        Client(URL, "nk_ä\n")


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
async def plain_server() -> Any:
    """A server that speaks plain HTTP only."""
    import asyncio

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
