"""Several servers, and sockets that do not behave: nobody comes in who may not, and nobody holds others up."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets

from novukit.bridge.realtime import hub
from novukit.bridge.realtime import plain as plain_door
from novukit.settings import InboxSettings
from novukit.store import subscribers

from ..queue.conftest import until
from ..queue.redises import Own, own_redis
from .sockets import DOORS, Site, environment_of, plain, site, socket_io

pytestmark = pytest.mark.anyio


@pytest.fixture
def own() -> Iterator[Own]:
    """A Redis of the test's own."""
    with own_redis() as found:
        yield found


@pytest.fixture(params=list(DOORS))
def door(request: pytest.FixtureRequest) -> Any:
    """Each of the two doors."""
    return DOORS[request.param]


async def _trigger(novukit: Site, *to: str) -> None:
    told = {"name": "note", "to": list(to), "payload": {"of": "Hello"}}
    await novukit.api("POST", "/v1/events/trigger", json=told)


async def _hear(own: Own, servers: int) -> None:
    async def looked() -> bool:
        return (await own.ask("PUBSUB", "NUMSUB", "novukit.notices"))[1] == servers

    await until(looked, 20, f"{servers} servers")


async def test_sockets_of_all_servers_hear(database_url: str, tmp_path: Path, own: Own, door: Any) -> None:
    """A server without a worker, one with, and a mark that is set at one of them: through Redis all hear of it."""
    async with (
        site(database_url, tmp_path, broker=own.url) as one,
        site(database_url, tmp_path, broker=own.url, working=True) as two,
    ):
        await _hear(own, 2)
        async with door(one.url, await one.token()) as first, door(two.url, await one.token()) as second:
            await _trigger(one, "ada")
            for client in (first, second):
                await client.counters(1, 1)
                assert 1 == len(client.received)
            await two.api("POST", "/v2/subscribers/ada/notifications/read", json={})
            for client in (first, second):
                await client.counters(0, 0)
            ada = await subscribers.get(one.scope, "ada")
            assert ada is not None


async def test_redis_is_killed_and_comes_back(tmp_path: Path, own: Own) -> None:
    """Meanwhile a server's own sockets hear of what it does itself; after that all have the counters."""
    url = f"sqlite:///{tmp_path / 'novukit.db'}"
    async with site(url, tmp_path, broker=own.url) as one, site(url, tmp_path, broker=own.url, working=True) as two:
        await _hear(own, 2)
        async with plain(one.url, await one.token()) as first, plain(two.url, await one.token()) as second:
            own.kill()
            await _trigger(one, "ada")
            await second.counters(1, 1)
            assert first.unread is None
            own.start()
            await first.counters(1, 1)
            await _hear(own, 2)
            await _trigger(one, "ada")
            for client in (first, second):
                await client.counters(2, 2)


async def test_who_leaves_one_server_is_still_online_at_another(tmp_path: Path, own: Own) -> None:
    """The server that they left says so, and the other one knows better."""
    url = f"sqlite:///{tmp_path / 'novukit.db'}"
    async with site(url, tmp_path, broker=own.url) as one, site(url, tmp_path, broker=own.url) as two:
        await _hear(own, 2)
        token, told = await one.token(), []

        async def online() -> bool | None:
            found = await subscribers.get(one.scope, "ada")
            assert found is not None
            told.append(found.is_online)
            return found.is_online

        async with plain(one.url, token):
            async with plain(two.url, token):
                await until(online, 10)
            await until(lambda: _is(online, wanted=False), 10)
            await until(online, 10)


async def _is(look: Any, *, wanted: bool) -> bool:
    return (await look()) is wanted


async def test_a_server_stops_and_its_clients_come_back_by_themselves(tmp_path: Path) -> None:
    """socket.io's own client, to a server on the same port: it gets the counters of what it has missed."""
    url = f"sqlite:///{tmp_path / 'novukit.db'}"
    async with site(url, tmp_path, working=True) as one:
        port, token = urlsplit(one.url).port or 0, await one.token()
        coming_back = socket_io(one.url, token, again=True)
        client = await coming_back.__aenter__()
        async with plain(one.url, token) as other:
            await one.stop()
            await until(lambda: other.ended, 10, "the end of the plain socket")
        await one.rows.message("ada")
    assert 1012 == other.ended[0][0]  # «service restart»: come again
    assert client.unread is None
    async with site(url, tmp_path, port=port):
        await client.counters(1, 1)
        await coming_back.__aexit__(None, None, None)


async def _status(novukit: Site, path: str, origin: str | None, host: str = "") -> int:
    """How a handshake from a page of ``origin`` is answered."""
    at = urlsplit(novukit.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host or at.netloc}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *([f"Origin: {origin}"] if origin else []),
    ]  # fmt: skip
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answered = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(answered.split()[1])


PATHS = ["/v1/inbox/ws?token=x", "/socket.io/?token=x&EIO=4&transport=websocket"]


@pytest.mark.parametrize("path", PATHS)
async def test_an_evil_origin_gets_no_socket(tmp_path: Path, path: str) -> None:
    """In production none but the listed and the server's own; in development all, until some are listed."""
    listed = InboxSettings(origins=("https://app.example.com", "https://*.example.org"))
    url = f"sqlite:///{tmp_path / 'novukit.db'}"
    async with site(url, tmp_path, inbox=listed, environment="production") as novukit:
        asked = {
            None: 101, "https://app.example.com": 101, "https://a.example.org": 101, novukit.url: 101,
            "https://evil.example.com": 403, "http://app.example.com": 403, "https://app.example.com.evil.org": 403,
            "https://example.org": 403, "https://evilexample.org": 403, "null": 403,
        }  # fmt: skip
        assert asked == {origin: await _status(novukit, path, origin) for origin in asked}
    async with site(url, tmp_path, environment="production") as novukit:
        assert (403, 101) == (
            await _status(novukit, path, "https://app.example.com"),
            await _status(novukit, path, "https://novu.example.com", "novu.example.com"),
        )
    async with site(url, tmp_path) as novukit:
        assert 101 == await _status(novukit, path, "https://anything.example.com")


async def test_a_token_is_in_no_log(tmp_path: Path, door: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Servers write the URL of each handshake to their logs."""
    caplog.set_level(logging.INFO, "uvicorn.error")
    async with site(f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path) as novukit:
        token = await novukit.token()
        async with door(novukit.url, token):
            assert "[accepted]" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "novukit"))]
    assert not [said for said in ours if token in said]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "x" * 7000])
async def test_a_bad_token_is_told_so(tmp_path: Path, token: str) -> None:
    """The plain socket is closed with 4401, and socket.io's client hears that it is refused."""
    import socketio

    async with site(f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path) as novukit:
        async with plain(novukit.url, token) as client:
            await until(lambda: client.ended, 10)
        assert (4401, "The session's token is not valid.") == client.ended[0]
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with socket_io(novukit.url, token):
                pass


async def test_the_token_of_another_environment_opens_its_own_inbox_only(tmp_path: Path) -> None:
    """The same subscriber id in two environments is two people."""
    async with site(
        f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path, inbox=InboxSettings(require_hmac=False)
    ) as novukit:
        production = await environment_of(novukit.app, "production")
        theirs = await novukit.token("ada", production)
        async with plain(novukit.url, theirs) as other, plain(novukit.url, await novukit.token()) as own:
            one = await novukit.rows.message("ada")
            await novukit.publish(one.id, to=one.subscriber_uuid)
            await own.counters(1, 1)
    assert [] == other.events


async def test_sockets_of_one_subscriber_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: Any
) -> None:
    """One more than that is refused; others come in, and who leaves makes room."""
    monkeypatch.setattr(hub, "MOST_SOCKETS", 2)
    async with site(f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path) as novukit:
        token = await novukit.token()
        async with door(novukit.url, token), plain(novukit.url, token):
            async with door(novukit.url, token) as refused:
                await until(lambda: refused.ended, 10)
            async with door(novukit.url, await novukit.token("bob")) as bob:
                await _answers(novukit, "bob", bob)
        async with door(novukit.url, token) as client:
            await _answers(novukit, "ada", client)


async def _answers(novukit: Site, name: str, client: Any) -> None:
    one = await novukit.rows.message(name)
    await novukit.publish(one.id, to=one.subscriber_uuid)
    await until(lambda: client.received, 10)


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_does_not_read_is_let_go_and_holds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Its buffer is bounded. The other tab of the same subscriber hears all meanwhile."""
    from novukit.bridge.realtime import socket_io as socket_io_door

    monkeypatch.setattr(hub, "LOOKED_AT", 5)
    for module in (plain_door, socket_io_door):
        monkeypatch.setattr(module, "BUFFER", 20)
    async with site(f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path) as novukit:
        token = await novukit.token()
        at = urlsplit(novukit.url)
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (at.hostname, at.port))
        raw = websockets.ClientProtocol(websockets.uri.parse_uri(f"ws://{at.netloc}{path.replace('=x', f'={token}')}"))
        raw.send_request(raw.connect())
        await loop.sock_sendall(deaf, b"".join(raw.data_to_send()))
        if "socket.io" in path:
            await loop.sock_recv(deaf, 1000)
            mask = os.urandom(4)
            await loop.sock_sendall(deaf, b"\x81\x82" + mask + bytes(a ^ b for a, b in zip(b"40", mask, strict=False)))
        realtime = novukit.app._closing[0].__self__  # type: ignore[attr-defined]
        await until(lambda: realtime.hub.count == 1, 10, "the socket")
        async with plain(novukit.url, token) as client:
            execution = await novukit.rows.execution(subscriber_id="ada")
            content = {"body": "x" * 100_000}
            for number in range(200):
                one = await novukit.rows.message("ada", execution_id=execution, step_key=str(number), content=content)
                await novukit.publish(one.id, to=one.subscriber_uuid)
                if realtime.hub.count == 1:
                    break
            await until(lambda: realtime.hub.count == 1, 20, "the end of the one that does not read")
            await until(lambda: len(client.received) == number + 1, 20, "all for the other one")
        deaf.close()
