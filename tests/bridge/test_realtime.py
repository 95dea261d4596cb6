"""Open inboxes hear at once of what is new, through both doors, and the last counters are true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from novukit.store import messages, sessions, subscribers

from ..queue.conftest import until
from .sockets import DOORS, Client, Site, environment_of, plain, secret_of, site, socket_io

pytestmark = pytest.mark.anyio


@pytest.fixture
async def novukit(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Site]:
    """A server with a worker, on SQLite."""
    async with site(f"sqlite:///{tmp_path / 'novukit.db'}", tmp_path, working=True) as found:
        yield found


@pytest.fixture(params=list(DOORS))
def door(request: pytest.FixtureRequest) -> Any:
    """Each of the two doors."""
    return DOORS[request.param]


async def _trigger(novukit: Site, *to: str, secret: str = "", of: str = "Hello") -> None:
    told = {"name": "note", "to": list(to), "payload": {"of": of}}
    await novukit.api("POST", "/v1/events/trigger", secret, json=told)


async def test_a_notification_arrives_with_both_counters(novukit: Site, door: Any) -> None:
    """From a trigger to the page: the message as Novu's clients read it, then what the bell shows."""
    async with door(novukit.url, await novukit.token()) as client:
        await _trigger(novukit, "ada")
        await client.counters(1, 1)

    (message,) = [told["message"] for told in client.told("notification_received")]
    assert ("Hello", "ada", "in_app", "none") == tuple(
        message[k] for k in ("subject", "content", "channel", "severity")
    )
    assert (False, False, False, {}) == tuple(message[key] for key in ("read", "seen", "archived", "cta"))
    assert "ada" == message["subscriber"]["subscriberId"]
    assert {"total": 1, "severity": {"high": 0, "medium": 0, "low": 0, "none": 1}} == client.told(
        "unread_count_changed"
    )[-1]["counts"]


async def test_where_a_click_leads_is_in_the_message(novukit: Site, door: Any) -> None:
    """The redirect, both buttons, and which of them was pressed."""
    ada = await novukit.rows.subscriber("ada", first_name="Ada")
    action = {"label": "Go", "redirect": {"url": "/go", "target": "_blank"}}
    content = {
        "body": "B", "redirect": {"url": "/x", "target": "_self"}, "primary_action": action,
        "secondary_action": {"label": "Later"},
    }  # fmt: skip
    one = await novukit.rows.message("ada", content=content, severity="high", primary_done_at=novukit.scope.now())
    async with door(novukit.url, await novukit.token()) as client:
        await novukit.publish(one.id, to=ada)
        await until(lambda: client.received)

    message = client.told("notification_received")[0]["message"]
    assert {
        "data": {"url": "/x", "target": "_self"},
        "action": {
            "buttons": [
                {"type": "primary", "content": "Go", "url": "/go", "target": "_blank"},
                {"type": "secondary", "content": "Later"},
            ],
            "status": "done", "result": {"type": "primary"},
        },
    } == message["cta"]  # fmt: skip
    assert "Ada" == message["subscriber"]["firstName"]


@pytest.mark.parametrize("path", ["socket.io", "v1/inbox/socket.io"])
@pytest.mark.parametrize("namespace", ["/", "/v1/inbox/ws"])
async def test_socket_io_is_at_two_paths_and_takes_any_namespace(novukit: Site, path: str, namespace: str) -> None:
    """Novu's client makes a namespace of the path in a socketUrl."""
    async with socket_io(novukit.url, await novukit.token(), path=path, namespace=namespace) as client:
        await _trigger(novukit, "ada")
        await client.counters(1, 1)


async def test_a_ping_is_answered(novukit: Site) -> None:
    """With the text that Novu's client ignores; what else a client says is not heard."""
    url = f"{novukit.url.replace('http', 'ws')}/v1/inbox/ws?token={await novukit.token()}"
    async with websockets.connect(url) as connection:
        for said in ("hello", b"\x00\xff", "{}", "ping"):
            await connection.send(said)
        assert "pong" == await asyncio.wait_for(connection.recv(), 10)


async def test_a_burst_changes_the_counters_a_few_times(novukit: Site, door: Any) -> None:
    """1000 notices: every notification comes, each once, and the counters are the last word."""
    ada = await novukit.rows.subscriber("ada")
    execution = await novukit.rows.execution(subscriber_id="ada")
    ids = [(await novukit.rows.message("ada", execution_id=execution, step_key=str(n))).id for n in range(150)]
    async with door(novukit.url, await novukit.token()) as client:
        await asyncio.gather(*(novukit.publish(one, to=ada) for one in ids))
        await asyncio.gather(*(novukit.publish(to=ada) for _ in range(850)))
        await until(lambda: len(client.received) == len(ids))
        await client.counters(100, 100)  # as far as they count
    assert {str(one) for one in ids} == set(client.received)
    assert len(client.told("unread_count_changed")) < 10
    assert client.told("unread_count_changed")[-1]["hasMore"]


async def test_counters_follow_each_mark(novukit: Site, door: Any) -> None:
    """Read, unread, archived, all seen: what the list would count is what the socket tells."""
    first = await novukit.rows.message("ada")
    await novukit.rows.message("ada", severity="high")
    base = "/v2/subscribers/ada/notifications"
    async with door(novukit.url, await novukit.token()) as client:
        await novukit.api("PATCH", f"{base}/{first.id}/read")
        await client.counters(1, 1)
        await novukit.api("PATCH", f"{base}/{first.id}/unread")
        await client.counters(2, 1)
        await novukit.api("PATCH", f"{base}/{first.id}/archive")
        await client.counters(1, 1)
        await novukit.api("POST", f"{base}/seen", json={})
        await client.counters(1, 0)
        await novukit.api("POST", f"{base}/read", json={})
        await client.counters(0, 0)
        await novukit.api("POST", f"{base}/delete", json={})
    assert 0 == await messages.count(novukit.scope, first.subscriber_uuid)


async def test_who_comes_late_gets_the_counters_and_who_missed_nothing_does_not(novukit: Site, door: Any) -> None:
    """Reconnecting converges: something changed since the page's session was opened."""
    token = await novukit.token()
    async with door(novukit.url, token) as client:
        await until(lambda: novukit.app.runtime is not None)
    assert [] == client.events
    await _trigger(novukit, "ada")
    ada = await subscribers.get(novukit.scope, "ada")
    assert ada is not None
    await until(lambda: messages.count(novukit.scope, ada.id))
    async with door(novukit.url, token) as client:
        await client.counters(1, 1)
    assert [] == client.received


async def test_a_tab_and_a_telephone_hear_the_same(novukit: Site) -> None:
    """All sockets of a subscriber, whatever door they came through."""
    token = await novukit.token()
    async with (
        plain(novukit.url, token) as one,
        socket_io(novukit.url, token) as two,
        plain(novukit.url, token) as three,
    ):
        await _trigger(novukit, "ada")
        for client in (one, two, three):
            await client.counters(1, 1)
    assert one.received == two.received == three.received


async def test_p10_nobody_hears_of_others(novukit: Site) -> None:
    """5000 notifications to twenty inboxes, with the same subscriber ids in two environments, through both doors."""
    production = await environment_of(novukit.app, "production")
    secret = await secret_of(novukit.app, production)
    names = [f"s{n}" for n in range(10)]
    inboxes = [(name, environment) for environment in (novukit.environment, production) for name in names]
    clients: list[Client] = []
    opened: list[Any] = []
    for number, (name, environment) in enumerate(inboxes):
        opened.append((plain, socket_io)[number % 2](novukit.url, await _proven(novukit, name, environment)))
        clients.append(await opened[-1].__aenter__())
    for key, of in [(novukit.secret, "development"), (secret, "production")] * 5:
        told = {"name": "note", "to": names, "payload": {"of": of}}
        await novukit.api("POST", "/v1/events/trigger/bulk", key, json={"events": [told] * 50})
    await until(lambda: all(len(client.received) == 250 for client in clients), 60, "all notifications")
    for client in clients:
        await client.counters(100, 100)
    for one in opened:
        await one.__aexit__(None, None, None)

    for (name, environment), client in zip(inboxes, clients, strict=True):
        told = [data["message"] for data in client.told("notification_received")]
        assert {(environment.slug, name)} == {(one["subject"], one["content"]) for one in told}
        assert {str(environment.id)} == {one["_environmentId"] for one in told}
        assert 250 == len(set(client.received))


async def _proven(novukit: Site, name: str, environment: Any) -> str:
    import hashlib
    import hmac

    key = await secret_of(novukit.app, environment)
    told = hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()
    return await novukit.token(name, environment, subscriberHash=told)


async def test_who_is_online_follows_the_sockets(novukit: Site, door: Any) -> None:
    """Online with the first socket, and gone with the last one, a moment later."""
    token = await novukit.token()

    async def online() -> Any:
        found = await subscribers.get(novukit.scope, "ada")
        assert found is not None
        return found

    async with door(novukit.url, token):
        async with door(novukit.url, token):
            await until(lambda: _is(online, True), 10)
        await asyncio.sleep(0)
        assert (await online()).is_online
    await until(lambda: _is(online, False), 10)
    assert (await online()).last_online_at is not None


async def _is(look: Any, wanted: bool) -> bool:
    return (await look()).is_online is wanted


async def test_a_deleted_subscriber_loses_their_sockets(novukit: Site, door: Any) -> None:
    """At once; those of others stay."""
    async with door(novukit.url, await novukit.token("bob")) as bob, door(novukit.url, await novukit.token()) as ada:
        await novukit.api("DELETE", "/v2/subscribers/bob")
        await until(lambda: bob.ended, 10, "the end of Bob's socket")
        await _trigger(novukit, "ada")
        await ada.counters(1, 1)
    if door is plain:
        assert [(4401, "the subscriber was deleted")] == bob.ended


async def test_the_end_of_all_sessions_ends_sockets(novukit: Site, door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When their token is looked at again."""
    monkeypatch.setattr("novukit.bridge.realtime.admission.LOOK_AGAIN", 0.2)
    async with door(novukit.url, await novukit.token()) as client:
        await sessions.rotate(novukit.scope, novukit.app.runtime.secrets)
        await until(lambda: client.ended, 10, "the end of the socket")
    if door is plain:
        assert 4401 == client.ended[0][0]


async def test_what_is_deleted_through_the_api_is_counted_no_more(novukit: Site, door: Any) -> None:
    """One message, and all of a transaction."""
    first, _, third = [await novukit.rows.message("ada", transaction_id=f"tx-{n}") for n in range(3)]
    async with door(novukit.url, await novukit.token()) as client:
        await novukit.api("DELETE", f"/v1/messages/{first.id}")
        await client.counters(2, 2)
        await novukit.api("DELETE", f"/v1/messages/transaction/{third.transaction_id}")
        await client.counters(1, 1)


async def test_open_sockets_are_counted(tmp_path: Path, door: Any) -> None:
    """For the metrics."""
    async with site(f"sqlite:///{tmp_path / 'counted.db'}", tmp_path, metrics=True) as novukit:

        async def shown() -> float:
            told = await novukit.api("GET", "/metrics")
            (line,) = [line for line in told.text.splitlines() if line.startswith("novukit_sockets ")]
            return float(line.split()[1])

        assert 0 == await shown()
        async with door(novukit.url, await novukit.token()):
            await until(lambda: _shows(shown, 1), 10)
        await until(lambda: _shows(shown, 0), 10)


async def _shows(shown: Any, wanted: float) -> bool:
    return await shown() == wanted
