"""A broker is named by its URL; what is wrong with a URL is said in words."""

from __future__ import annotations

import asyncio
import sys

import pytest
from taskiq import BrokerMessage, InMemoryBroker
from taskiq_redis import RedisStreamBroker

from novukit.errors import ExtraMissing, SettingsInvalid
from novukit.queue import make_broker
from novukit.queue.broker import QueueBroker

pytestmark = pytest.mark.anyio


async def test_each_kind_of_url_has_its_broker() -> None:
    """In process, Redis Streams, or a class by its path with options."""
    assert type(make_broker("memory://")) is QueueBroker
    assert type(make_broker("redis://127.0.0.1:1/0")) is RedisStreamBroker
    assert type(make_broker("rediss://user:secret@127.0.0.1:1/0")) is RedisStreamBroker
    assert type(make_broker("taskiq:InMemoryBroker")) is InMemoryBroker
    by_path = make_broker("taskiq_redis.redis_broker:RedisStreamBroker?queue_name=elsewhere&url=redis:%2F%2Fhost")
    assert "elsewhere" == getattr(by_path, "queue_name", None)


@pytest.mark.parametrize(
    "url", ["", "memory", "amqp://host/", "http://host", "redis", "no.such.module:Broker", "taskiq:NoSuch",
            "json:loads", "taskiq:InMemoryBroker?no_such_option=1", "json:JSONDecoder", ":Broker", "..:Broker"],
)  # fmt: skip
def test_a_wrong_url_is_refused_in_words(url: str) -> None:
    """Whatever it is, it is the settings that are wrong."""
    with pytest.raises(SettingsInvalid):
        make_broker(url)


def test_no_password_is_told() -> None:
    """The URL is named without what stands before the host."""
    with pytest.raises(SettingsInvalid) as err:
        make_broker("amqp://user:secret@host/")
    assert "secret" not in str(err.value)
    assert "redis://" in (err.value.hint or "")


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is an extra; the hint says which one."""
    monkeypatch.setitem(sys.modules, "taskiq_redis", None)
    with pytest.raises(ExtraMissing) as err:
        make_broker("redis://127.0.0.1:1/0")
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
