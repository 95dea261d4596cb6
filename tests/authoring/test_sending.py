"""A trigger goes to the sender of its context, else to the server that the variables name, else it says why not."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from novukit import Context, Triggered, workflow
from novukit.authoring import sender, sending, use_sender
from novukit.errors import SettingsInvalid
from novukit.model import Subscriber, Trigger, TriggerStatus

pytestmark = pytest.mark.anyio

TRIGGER = Trigger(workflow="one", to=(Subscriber(subscriber_id="ada"),))


class Server:
    """What stands where a client would: it notes where it was told to go."""

    connected: ClassVar[list[Server]] = []

    def __init__(self, url: str, secret_key: str) -> None:
        self.address = (url, secret_key)
        self.connected.append(self)

    async def trigger(self, trigger: Trigger) -> Triggered:
        return Triggered(status=TriggerStatus.PROCESSED)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """Every server that was connected to, with the environment variables set."""
    monkeypatch.setenv("NOVUKIT_URL", "http://a")
    monkeypatch.setenv("NOVUKIT_SECRET_KEY", "k1")
    monkeypatch.setattr(Server, "connected", [])
    monkeypatch.setattr(sending, "_door", sending._Door(lambda url, key: Server(url, key).trigger))
    monkeypatch.setattr(sending, "_line", sending._Line())
    return Server.connected


async def test_the_sender_of_the_context_comes_first(servers: list[Server]) -> None:
    """And the one around it comes back."""

    async def outer(trigger: Trigger) -> Triggered:
        return Triggered(status=TriggerStatus.PROCESSED)

    async def inner(trigger: Trigger) -> Triggered:
        return Triggered(status=TriggerStatus.NOT_ACTIVE)

    with use_sender(outer):
        with use_sender(inner):
            assert inner is sender()
        assert outer is sender()
    assert [] == servers


async def test_the_variables_name_the_server(servers: list[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection serves many triggers; another address is another connection."""
    await sender()(TRIGGER)
    await sender()(TRIGGER)
    monkeypatch.setenv("NOVUKIT_SECRET_KEY", "k2")
    await sender()(TRIGGER)

    assert [("http://a", "k1"), ("http://a", "k2")] == [server.address for server in servers]


def test_each_event_loop_has_its_own_connection(servers: list[Server]) -> None:
    """A script may call ``asyncio.run`` again and again."""

    async def send() -> None:
        await sender()(TRIGGER)

    asyncio.run(send())
    asyncio.run(send())

    assert 2 == len(servers)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (["NOVUKIT_URL"], "NOVUKIT_URL is not set"),
        (["NOVUKIT_SECRET_KEY"], "NOVUKIT_SECRET_KEY is not set"),
        (["NOVUKIT_URL", "NOVUKIT_SECRET_KEY"], "NOVUKIT_URL and NOVUKIT_SECRET_KEY are not set"),
    ],
)
async def test_without_a_server_the_error_says_what_to_set(
    missing: list[str], words: str, servers: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable is as good as none; tests have their own door."""
    for name in missing:
        monkeypatch.setenv(name, " ")

    @workflow("one")
    async def one(ctx: Context[None]) -> None: ...

    with pytest.raises(SettingsInvalid, match=rf"{words}.*novukit\.testing"):
        await one.trigger(to="ada")
    assert [] == servers
