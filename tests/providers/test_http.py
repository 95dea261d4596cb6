"""The HTTP client: what a network that misbehaves in every way it can makes of a message."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from novukit.providers import HttpClient, Outcome, Rejected, Unavailable, Unknown, deliver, read_json
from novukit.providers.http import BODY_LIMIT

from .samples import CANARY, EMAIL, post
from .web import WebServer, reply, web_server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with web_server() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(allow_private=True, timeout=0.2)
    yield client
    await client.aclose()


async def test_a_request_and_its_answer_arrive(web: WebServer, http: HttpClient) -> None:
    """Headers, key and body go out; the id comes back."""
    web.answer = reply(202, b'{"id": "m1"}')

    delivery = await deliver(post(http, url=web.url), EMAIL, "key-1")

    assert (delivery.outcome, delivery.provider_message_id) == (Outcome.ACCEPTED, "m1")
    assert b"idempotency-key: key-1" in web.requests[0].lower()
    assert b'{"to":"ada@example.com"}' in web.requests[0].replace(b" ", b"")


async def test_what_may_not_leave_any_more_does_not(web: WebServer, http: HttpClient) -> None:
    """Asked when the connection stands, and not before: meanwhile the right to send may have been lost."""
    met: list[int] = []

    def may_depart() -> bool:
        met.append(web.connections)
        return False

    delivery = await deliver(post(http, url=web.url), EMAIL, "key-1", may_depart=may_depart)

    assert (True, Outcome.UNAVAILABLE) == (delivery.held_back, delivery.outcome)
    assert [1] == met
    assert [] == web.requests


async def test_no_call_waits_for_another(web: WebServer) -> None:
    """However many are under way: that all connections are busy would be no fault of the provider's."""
    client, many, all_there = HttpClient(allow_private=True, timeout=20), 150, asyncio.Event()

    async def when_all_are_there(writer: asyncio.StreamWriter) -> None:
        if len(web.requests) == many:
            all_there.set()
        await all_there.wait()
        writer.write(reply())
        await writer.drain()

    web.answer = when_all_are_there
    answers = await asyncio.gather(*[client.post(web.url, json={}) for _ in range(many)])
    await client.aclose()
    assert {200} == {answer.status_code for answer in answers}


async def test_a_refused_connection_was_certainly_not_sent(http: HttpClient) -> None:
    """Nobody listens: the message may be tried again without a second thought."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    delivery = await deliver(post(http, url=f"http://127.0.0.1:{port}/"), EMAIL, "key")

    assert Outcome.UNAVAILABLE is delivery.outcome


async def test_a_name_without_address_was_certainly_not_sent() -> None:
    """DNS says no."""

    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    http = HttpClient(resolver=unknown)

    delivery = await deliver(post(http), EMAIL, "key")
    await http.aclose()

    assert Outcome.UNAVAILABLE is delivery.outcome
    assert "post.example could not be resolved: Name or service not known" in delivery.detail


async def test_a_resolver_that_hangs_was_certainly_not_sent() -> None:
    """The call is cut off by the provider's timeout, before any byte could have left."""

    async def hangs(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    http = HttpClient(resolver=hangs)

    delivery = await deliver(post(http), EMAIL, "key", timeout=0.05)
    await http.aclose()

    assert Outcome.UNAVAILABLE is delivery.outcome


async def test_a_failed_tls_handshake_was_certainly_not_sent(web: WebServer, http: HttpClient) -> None:
    """A server that speaks no TLS gets no request."""
    web.answer = b"this is not TLS"

    delivery = await deliver(post(http, url=web.url.replace("http:", "https:")), EMAIL, "key")

    assert Outcome.UNAVAILABLE is delivery.outcome
    assert web.requests == []


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def close(writer: asyncio.StreamWriter) -> None:
    return None


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 O")


@pytest.mark.parametrize("answer", [hang, close, reset, half, b"garbage\r\n\r\n"])
async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(
    answer: object, web: WebServer, http: HttpClient
) -> None:
    """The provider had the request; whether it took the message on cannot be known."""
    web.answer = answer  # type: ignore[assignment]

    delivery = await deliver(post(http, url=web.url), EMAIL, "key")

    assert Outcome.UNKNOWN is delivery.outcome
    assert len(web.requests) == 1


async def test_the_timeout_of_a_call_is_unknown_once_the_request_has_left(web: WebServer, http: HttpClient) -> None:
    """The whole call's time is up while the provider thinks."""
    web.answer = hang

    delivery = await deliver(post(http, url=web.url), EMAIL, "key", timeout=0.1)

    assert (delivery.outcome, delivery.detail) == (Outcome.UNKNOWN, "post did not answer within 0.1 s.")


async def test_a_preparing_request_that_is_lost_sent_nothing(web: WebServer, http: HttpClient) -> None:
    """Fetching a token cannot make a message go out."""
    web.answer = hang

    with pytest.raises(Unavailable):
        await http.post(web.url, json={}, sends=False)
    with pytest.raises(Unavailable):
        await http.get(web.url)
    with pytest.raises(Unknown):
        await http.post(web.url, json={})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int, web: WebServer, http: HttpClient) -> None:
    """It could lead anywhere, and with it the key."""
    async with web_server() as other:
        web.answer = reply(status, Location=other.url)

        delivery = await deliver(post(http, url=web.url), EMAIL, "key")

        assert (Outcome.REJECTED, f"answered {status}: the redirect was refused") == (delivery.outcome, delivery.detail)
        assert other.connections == 0


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    await asyncio.Event().wait()


async def broken_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


@pytest.mark.parametrize(
    "answer",
    [
        flood,
        drip,
        broken_off,
        reply(200, b""),
        reply(204, b""),
        reply(200, b"<html>"),
        reply(299, b"{"),
        reply(200, b"[]"),
        reply(200, b"\xff\xfe\x00"),
        reply(200, b"not gzip", Content_Encoding="gzip"),
        reply(200, b'{"other": 1}'),
        reply(200, b"x", Content_Encoding="br"),
        reply(200, b"[" * 100000),
        reply(200, b"{}", Content_Type="a; charset=no"),
    ],
)
async def test_a_2xx_is_accepted_whatever_its_body(answer: object, web: WebServer, http: HttpClient) -> None:
    """Endless, slow, cut, empty or unreadable: the status has said it, only the id is missing."""
    web.answer = answer  # type: ignore[assignment]

    delivery = await deliver(post(http, url=web.url), EMAIL, "key")

    assert (delivery.outcome, delivery.provider_message_id) == (Outcome.ACCEPTED, None)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_compressed_answer_is_read_though_none_was_asked_for(pack, web: WebServer, http: HttpClient) -> None:
    """Some servers compress whatever they are told."""
    encoding = "gzip" if pack is gzip.compress else "deflate"
    web.answer = reply(200, pack(b'{"id": "m1"}'), Content_Encoding=encoding)

    response = await http.post(web.url, json={})

    assert read_json(response) == {"id": "m1"}
    assert b"accept-encoding: identity" in web.requests[0].lower()


async def test_a_compression_bomb_unfolds_to_a_megabyte_at_most(web: WebServer, http: HttpClient) -> None:
    """A hundred kilobytes that would be a hundred megabytes."""
    web.answer = reply(200, gzip.compress(b"0" * 100_000_000), Content_Encoding="gzip")

    response = await http.post(web.url, json={})

    assert len(response.content) == BODY_LIMIT
    assert response.extensions["cut"] is True


async def test_no_cookie_travels_from_one_request_to_the_next(web: WebServer, http: HttpClient) -> None:
    """Integrations share the client, not their sessions."""
    web.answer = reply(200, Set_Cookie="session=abc; Path=/")

    await http.post(web.url, json={})
    await http.post(web.url, json={})

    assert b"cookie" not in web.requests[1].lower()


async def test_the_environment_has_no_say(
    web: WebServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """Neither a proxy nor a netrc file changes where requests go and what they carry."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    await http.post(web.url, json={})

    assert b"authorization" not in web.requests[0].lower()


@pytest.mark.parametrize("secret", [f"{CANARY}\nX-Evil: 1", f"{CANARY}ü", f"{CANARY}\r\n\r\nGET / HTTP/1.1"])
async def test_a_header_that_cannot_be_written_is_rejected(secret: str, web: WebServer, http: HttpClient) -> None:
    """A key with a line break never becomes a header more, and is not told either."""
    provider = post(http, url=web.url)
    provider.credentials = provider.credentials.model_copy(
        update={"api_key": type(provider.credentials.api_key)(secret)}
    )

    delivery = await deliver(provider, EMAIL, "key")

    assert Outcome.REJECTED is delivery.outcome
    assert CANARY not in delivery.detail
    assert web.requests == []


async def test_a_body_that_is_no_json_is_rejected(http: HttpClient) -> None:
    """NaN and objects have no JSON; nothing is opened for them."""
    for body in (float("nan"), object()):
        with pytest.raises(Rejected, match="could not be written"):
            await http.post("http://127.0.0.1:9/", json=body)


async def test_basic_authentication_and_forms_are_written_as_usual(web: WebServer, http: HttpClient) -> None:
    """What SMS gateways ask for."""
    await http.post(web.url, data={"a": "1 2"}, auth=("user", "pass"), params={"q": "x"})

    head, _, body = web.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /send?q=x ")
    assert b"Authorization: Basic dXNlcjpwYXNz" in head
    assert body == b"a=1+2"


async def test_parameters_are_added_to_those_of_the_url(web: WebServer, http: HttpClient) -> None:
    """A webhook's URL has its key in the query; without parameters it goes out as it is."""
    await http.post(f"{web.url}?key=k%2F1&n=1", json={}, params={"n": 2, "wait": True})
    await http.post(f"{web.url}?key=k%2F1", json={})

    assert web.requests[0].startswith(b"POST /send?key=k%2F1&n=2&wait=true ")
    assert web.requests[1].startswith(b"POST /send?key=k%2F1 ")


async def test_a_client_can_be_used_again_after_it_was_closed(web: WebServer, http: HttpClient) -> None:
    """It opens new connections."""
    await http.post(web.url, json={})
    await http.aclose()
    await http.post(web.url, json={})

    assert len(web.requests) == 2


async def test_a_transport_of_the_test_replaces_the_network() -> None:
    """A plugin's tests answer by themselves, and the size limit holds there too."""
    http = HttpClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"1" * 2 * BODY_LIMIT)))

    response = await http.post("https://post.example/", json={})

    assert len(response.content) == BODY_LIMIT


async def test_a_lost_answer_of_a_tests_transport_is_unknown() -> None:
    """A transport that fails after connecting counts as a request that has left."""

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    for transport, outcome in ((lost, Outcome.UNKNOWN), (refused, Outcome.UNAVAILABLE)):
        http = HttpClient(transport=httpx.MockTransport(transport))
        assert outcome is (await deliver(post(http), EMAIL, "key")).outcome


async def test_many_calls_share_one_client(web: WebServer, http: HttpClient) -> None:
    """A hundred at once keep their own outcomes."""
    web.answer = reply(200, json.dumps({"id": "m"}).encode())
    provider = post(http, url=web.url)

    deliveries = await asyncio.gather(*(deliver(provider, EMAIL, f"key-{n}") for n in range(100)))

    assert {Outcome.ACCEPTED} == {delivery.outcome for delivery in deliveries}
    assert len(web.requests) == 100
