"""A broker is named by its URL; what is wrong with a URL is said in words."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from taskiq import AsyncBroker, BrokerMessage
from taskiq_redis import ListQueueBroker

from novukit.errors import ExtraMissing, SettingsInvalid
from novukit.queue import make_broker
from novukit.queue.broker import QueueBroker
from novukit.queue.redis import ClusterStream, SentinelStream, Stream

pytestmark = pytest.mark.anyio


class Quiet(AsyncBroker):
    """A broker of somebody's own, with an option."""

    def __init__(self, channel: str = "") -> None:
        super().__init__()
        self.channel = channel

    async def kick(self, message: BrokerMessage) -> None:
        raise NotImplementedError

    def listen(self) -> Any:
        raise NotImplementedError


async def test_each_kind_of_url_has_its_broker() -> None:
    """In process, Redis in its three forms, or a class by its path with options."""
    assert type(make_broker("memory://")) is QueueBroker
    assert type(make_broker("redis://127.0.0.1:1/0")) is Stream
    assert type(make_broker("rediss://user:secret@127.0.0.1:1/0?ssl_check_hostname=false")) is Stream
    assert type(make_broker("redis+cluster://127.0.0.1:1,127.0.0.1:2")) is ClusterStream
    by_path = make_broker(f"{__name__}:Quiet?channel=elsewhere")
    assert isinstance(by_path, Quiet)
    assert "elsewhere" == by_path.channel
    assert type(make_broker("taskiq_redis:ListQueueBroker?url=redis:%2F%2Fhost")) is ListQueueBroker


async def test_sentinels_are_named_with_what_they_watch() -> None:
    """Several hosts, the service, the database; the user and password are the server's."""
    broker = make_broker("rediss+sentinel://me:p%40ss@one:26380,[::1],three/main/4?queue=bells")
    assert isinstance(broker, SentinelStream)
    asked: Any = broker.sentinel
    places = [one.connection_pool.connection_kwargs for one in asked.sentinels]
    assert [("one", 26380), ("::1", 26379), ("three", 26379)] == [(one["host"], one["port"]) for one in places]
    kwargs = broker.client.connection_pool.connection_kwargs
    assert ("main", 4, "me", "p@ss") == (broker.master_name, kwargs["db"], kwargs["username"], kwargs["password"])
    assert "bells" == broker.queue_name


@pytest.mark.parametrize(
    "url", ["", "memory", "memory://x", "amqp://host/", "http://host", "redis", "no.such.module:Broker",
            "taskiq:NoSuch", "json:loads", f"{__name__}:Quiet?no_such_option=1", "json:JSONDecoder", ":Broker",
            "..:Broker", "taskiq:InMemoryBroker", "redis://", "redis://:x/0", "redis://host:port/0", "redis://host,other/0",
            "redis://host/0?no_such_option=1", "redis://host/0?queue=", "redis+sentinel://host", "redis+sentinel:///main",
            "redis+sentinel://host/main/zero", "redis+sentinel://host/main?no_such_option=1", "redis+cluster://",
            "redis+cluster://host:99999", "redis+cluster://host?no_such_option=1", "redis+ring://host"],
)  # fmt: skip
async def test_a_wrong_url_is_refused_in_words(url: str) -> None:
    """Whatever it is, it is the settings that are wrong."""
    with pytest.raises(SettingsInvalid) as err:
        make_broker(url)
    assert len(str(err.value)) > 20


@pytest.mark.parametrize(
    "url", ["amqp://user:secret@host/", "redis://user:secret@host/0?queue=", "redis://user:secret@host,other",
            "redis+sentinel://user:secret@host", "redis+cluster://user:secret@host?no_such_option=1"],
)  # fmt: skip
async def test_no_password_is_told(url: str) -> None:
    """The URL is named without what stands before the host."""
    with pytest.raises(SettingsInvalid) as err:
        make_broker(url)
    assert "secret" not in f"{err.value} {err.value.hint}"
    assert "redis" in (err.value.hint or "")


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is an extra; the hint says which one."""
    monkeypatch.setitem(sys.modules, "taskiq_redis", None)
    monkeypatch.delitem(sys.modules, "novukit.queue.redis")
    monkeypatch.delattr("novukit.queue.redis")
    with pytest.raises(ExtraMissing) as err:
        make_broker("redis+cluster://127.0.0.1:1")
    assert "novukit[redis]" in (err.value.hint or "")


async def test_rings_that_nobody_hears_do_not_pile_up() -> None:
    """A process without a worker rings its own bell for ever; one ring that is waiting says as much as a thousand."""
    broker = QueueBroker(size=3)
    for n in range(1000):
        await broker.kick(BrokerMessage(task_id=str(n), task_name="t", message=str(n).encode(), labels={}))
    heard = broker.listen()
    assert [b"0", b"1", b"2"] == [await anext(heard) for _ in range(3)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(heard)
