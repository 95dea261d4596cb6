"""Notices: whoever listens anywhere hears what is published anywhere, and a Redis that is away delays nobody."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from novukit.engine import Notice
from novukit.queue import Notices
from novukit.queue import notices as module

from .conftest import until
from .redises import Own, own_redis, wire

pytestmark = pytest.mark.anyio

ENVIRONMENT, ADA, BOB = uuid4(), uuid4(), uuid4()


class Ears:
    """What somebody has heard."""

    def __init__(self) -> None:
        self.told: list[tuple[UUID, Notice]] = []
        self.misses = 0

    def heard(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        self.told += [(environment_id, notice) for notice in notices]

    def missed(self) -> None:
        self.misses += 1


@pytest.fixture
def own() -> Iterator[Own]:
    """A Redis of the test's own."""
    with own_redis() as found:
        yield found


Make = Callable[[str], Notices]


@pytest.fixture
async def make(anyio_backend: str) -> AsyncIterator[Make]:
    """Makes the notices of one process, as it were; they are closed with the test."""
    made: list[Notices] = []

    def one(url: str) -> Notices:
        notices = Notices(url)
        notices.open()
        made.append(notices)
        return notices

    yield one
    await asyncio.gather(*(notices.close() for notices in made))


async def _listening(own: Own, clients: int) -> None:
    """Until so many processes listen."""

    async def looked() -> bool:
        return (await own.ask("PUBSUB", "NUMSUB", "novukit.notices"))[1] == clients

    await until(looked, 20, f"{clients} listeners")


async def test_in_one_process_they_are_heard_at_once(make: Make) -> None:
    """Before ``publish`` is back, without any server."""
    notices, ears = make("memory://"), Ears()
    notices.listen(ears)
    await notices.publish(ENVIRONMENT, [(ADA, BOB), (BOB, None)])
    assert [(ENVIRONMENT, (ADA, BOB)), (ENVIRONMENT, (BOB, None))] == ears.told


async def test_two_processes_hear_each_other_and_themselves_once(own: Own, make: Make) -> None:
    """What comes back through Redis to whom it came from is dropped."""
    one, two, worker, first, second = make(own.url), make(own.url), make(own.url), Ears(), Ears()
    one.listen(first)
    two.listen(second)
    await _listening(own, 2)
    await one.publish(ENVIRONMENT, [(ADA, None)])
    await worker.publish(ENVIRONMENT, [(BOB, ADA)])
    wanted = [(ENVIRONMENT, (ADA, None)), (ENVIRONMENT, (BOB, ADA))]
    for ears in (first, second):
        await until(lambda ears=ears: sorted(ears.told, key=str) == sorted(wanted, key=str))


async def test_what_gathers_goes_together(own: Own, make: Make) -> None:
    """5000 notices of single commits take a few messages, and none is lost."""
    one, two, ears = make(own.url), make(own.url), Ears()
    two.listen(ears)
    await _listening(own, 1)
    for _ in range(5000):
        await one.publish(ENVIRONMENT, [(ADA, uuid4())])
    await until(lambda: len(ears.told) == 5000)
    info = await own.ask("INFO", "commandstats")
    assert int(info["cmdstat_publish"]["calls"]) <= 12


async def test_a_redis_that_was_killed_is_found_again(own: Own, make: Make) -> None:
    """Meanwhile they are heard where they are published; after that the others know that they missed some."""
    one, two, first, second = make(own.url), make(own.url), Ears(), Ears()
    one.listen(first)
    two.listen(second)
    await _listening(own, 2)
    before = second.misses
    own.kill()
    began = time.monotonic()
    for _ in range(100):
        await one.publish(ENVIRONMENT, [(ADA, None)])
    assert time.monotonic() - began < 0.5
    assert 100 == len(first.told)
    own.start()
    await _listening(own, 2)
    await until(lambda: second.misses > before, 20, "word of what was missed")
    await one.publish(ENVIRONMENT, [(BOB, None)])
    await until(lambda: (ENVIRONMENT, (BOB, None)) in second.told)


async def test_a_redis_that_says_nothing_delays_nobody(
    own: Own, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes bytes and gives none back: publishing goes on, and listeners connect anew."""
    monkeypatch.setattr(module, "BLOCK", 0.2)
    async with wire(own.port) as way:
        one, two, ears = make(f"redis://127.0.0.1:{way.port}/0"), make(own.url), Ears()
        one.listen(ears)
        await _listening(own, 1)
        way.silence()
        await until(lambda: "it does not answer" in caplog.text)
        before, began = ears.misses, time.monotonic()
        await one.publish(ENVIRONMENT, [(ADA, None)])
        assert time.monotonic() - began < 0.1
        way.talk()
        await until(lambda: ears.misses > before, 20, "a new connection")
        await two.publish(ENVIRONMENT, [(BOB, None)])
        await until(lambda: (ENVIRONMENT, (BOB, None)) in ears.told, 20)


async def test_more_than_can_wait_is_told_as_lost(own: Own, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Redis is away memory does not grow."""
    one, two, ears = make(own.url), make(own.url), Ears()
    two.listen(ears)
    await _listening(own, 1)
    before = ears.misses
    await one.publish(ENVIRONMENT, [(ADA, uuid4()) for _ in range(module.WAITING + 1)])
    await until(lambda: len(ears.told) == module.WAITING)
    assert ears.misses == before + 1


@pytest.mark.parametrize(
    "said", [b"", b"\xff", b"[]", b"{}", b'{"by":1,"lost":0,"notices":[[1,2,3]]}', b'"x"', b"null"]
)
async def test_what_is_no_notice_is_left_alone(own: Own, make: Make, said: bytes) -> None:
    """Whoever can write to Redis cannot break a listener."""
    notices, ears = make(own.url), Ears()
    notices.listen(ears)
    await _listening(own, 1)
    async with Redis.from_url(own.url) as client:
        await client.publish("novukit.notices", said)
        fine = {"by": "x", "lost": False, "notices": [[str(ENVIRONMENT), str(ADA), None]]}
        await client.publish("novukit.notices", json.dumps(fine))
    await until(lambda: ears.told)
    assert [(ENVIRONMENT, (ADA, None))] == ears.told
