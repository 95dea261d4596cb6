"""The smtp provider's connections: when one is used again, when it is not, and that none is left open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from novukit.providers import AnyProvider, Delivery, Outcome, PluginHost, Reason, deliver

from .mail import Line, Mailbox, certificate, mailbox, scripted, smtp
from .samples import EMAIL

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(installed=False)


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


async def send(provider: AnyProvider, key: str = "key-1") -> Delivery:
    return await deliver(provider, EMAIL, key)


async def test_a_connection_is_used_again(tmp_path: Path, host: PluginHost) -> None:
    """Greeted, encrypted and logged in once; between messages it is reset."""
    context, authority = certificate(tmp_path)
    async with mailbox(tls=context, auth=True) as box:
        provider = smtp(host, box.port, ca=authority.read_text(), user="ada", password="right")
        for key in ("1", "2", "3"):
            assert (await send(provider, key)).accepted
        await provider.close()

        assert (box.connections, len(box.logins), box.resets, len(box.envelopes)) == (1, 1, 2, 3)
        await box.until_closed()


async def test_a_connection_has_a_last_message(host: PluginHost, box: Mailbox) -> None:
    """Servers count, too, and hang up on who sends for ever."""
    provider = smtp(host, box.port, messagesPerConnection=2)
    for key in "12345":
        assert (await send(provider, key)).accepted
    await provider.close()

    assert 3 == box.connections
    await box.until_closed()


async def test_a_connection_that_nobody_needs_is_closed(host: PluginHost, box: Mailbox) -> None:
    """After ``idle`` seconds, without anyone asking for it."""
    provider = smtp(host, box.port, idle=0.01)
    await send(provider)
    await box.until_closed()

    assert (await send(provider)).accepted
    assert 2 == box.connections


async def test_a_refusal_does_not_end_the_connection(host: PluginHost, box: Mailbox) -> None:
    """Both sides know where they stand; the next message begins anew."""
    provider = smtp(host, box.port)
    box.refuse = {"RCPT": "550 5.1.1 Unknown"}
    assert Outcome.RECIPIENT_GONE is (await send(provider)).outcome
    box.refuse = {"DATA": "554 5.6.0 Spam"}
    assert Outcome.REJECTED is (await send(provider)).outcome
    box.refuse = {}
    assert (await send(provider)).accepted
    await provider.close()

    assert (box.connections, box.resets) == (1, 2)
    assert [["ada@example.com"]] == [envelope.rcpt_tos for envelope in box.envelopes]


async def test_a_server_that_restarted_is_not_noticed(host: PluginHost, box: Mailbox) -> None:
    """All connections are dead; every message goes out by a fresh one, once."""
    provider = smtp(host, box.port, connections=4)
    await asyncio.gather(*(send(provider, f"a{n}") for n in range(8)))
    box.hang_up()

    deliveries = await asyncio.gather(*(send(provider, f"b{n}") for n in range(8)))
    await provider.close()

    assert {Outcome.ACCEPTED} == {delivery.outcome for delivery in deliveries}
    assert 16 == len(box.envelopes) == len({bytes(envelope.content or b"") for envelope in box.envelopes})


# A kept connection fails in every place before the message

PLACES = ["RSET", "MAIL", "RCPT", "DATA"]


async def one_message(line: Line) -> None:
    """Take one message, politely."""
    await line.until_data()
    await line.message()
    await line.say("250 OK")


@pytest.mark.parametrize("answer", ["", "421 4.4.2 Idle too long", "what?"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_kept_connection_that_fails_before_the_message_is_made_up_for(
    place: str, answer: str, host: PluginHost
) -> None:
    """Cut, closed by the server, or gone astray: the message goes out by a fresh connection at once."""
    taken = 0

    async def tired(line: Line) -> None:
        nonlocal taken
        first = not taken
        await one_message(line)
        taken += 1
        while first and not (heard := await line.hear()).startswith(place):
            await line.say("250 OK" if heard else "")
        if first and answer:
            await line.say(answer)
            await line.hear()
        elif first:
            line.cut()
        else:
            await line.silence()

    async with scripted(tired) as port:
        provider = smtp(host, port)
        assert (await send(provider, "1")).accepted
        assert (await send(provider, "2")).accepted
        await provider.close()
    assert 2 == taken


async def test_a_kept_connection_that_fell_silent_is_given_up_soon(host: PluginHost) -> None:
    """A firewall has forgotten it, and tells nobody: its share of the time is half at most."""
    taken = 0

    async def forgotten(line: Line) -> None:
        nonlocal taken
        await one_message(line)
        taken += 1
        await line.silence()

    async with scripted(forgotten) as port:
        provider = smtp(host, port, timeout=2)
        assert (await send(provider, "1")).accepted
        assert (await send(provider, "2")).accepted
    assert 2 == taken


async def test_a_kept_connection_that_is_cut_after_the_message_leaves_it_unknown(host: PluginHost) -> None:
    """It is not sent again by another one: the server may have it. The next message takes a fresh one."""
    messages: list[bytes] = []

    async def dying(line: Line) -> None:
        await one_message(line)
        await line.until_data_again()
        messages.append(await line.message())
        line.cut()

    async with scripted(dying) as port:
        provider = smtp(host, port)
        assert (await send(provider, "1")).accepted
        lost = await send(provider, "2")
        assert (lost.outcome, lost.reason) == (Outcome.UNKNOWN, Reason.OUTCOME_UNKNOWN)
        assert 1 == len(messages)
        assert (await send(provider, "3")).accepted
        again = await send(provider, "2")
        await provider.close()

    assert Outcome.UNKNOWN is again.outcome
    first, second = ([line for line in raw.splitlines() if line.startswith(b"Message-ID:")] for raw in messages)
    assert first == second != []


async def test_a_connection_without_an_answer_is_not_used_again(host: PluginHost) -> None:
    """A late answer to the last message would be taken for one to the next. Not even good-bye is said on it."""
    messages: list[bytes] = []
    rest: list[bytes] = []

    async def silent_at_first(line: Line) -> None:
        await line.until_data()
        messages.append(await line.message())
        if len(messages) == 1:
            rest.append(await line.reader.read())
        else:
            await line.say("250 OK")
            await line.silence()

    async with scripted(silent_at_first) as port:
        provider = smtp(host, port, timeout=1)
        assert Outcome.UNKNOWN is (await send(provider, "1")).outcome
        assert (await send(provider, "2")).accepted
        await provider.close()
    assert (len(messages), rest) == (2, [b""])


async def test_being_cancelled_at_the_message_leaves_no_word_that_could_be_read_as_one(host: PluginHost) -> None:
    """After DATA a good-bye would be a line of the message."""
    begun, ended = asyncio.Event(), asyncio.Event()
    rest: list[bytes] = []

    async def slow(line: Line) -> None:
        await line.say("220 mail.test")
        while await line.hear() != "DATA":
            await line.say("250 OK")
        begun.set()
        rest.append(await line.reader.read())
        ended.set()

    async with scripted(slow) as port:
        task = asyncio.create_task(send(smtp(host, port), "1"))
        await begun.wait()
        task.cancel()
        async with asyncio.timeout(5):
            await ended.wait()
    assert [b""] == rest


async def test_who_waits_too_long_for_a_connection_was_not_sent(
    host: PluginHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be tried again; waiting never leaves an outcome unknown."""
    monkeypatch.setattr("novukit.providers.builtin.smtp_pool.LINE_SECONDS", 0.05)
    begun = asyncio.Event()

    async def slow(line: Line) -> None:
        begun.set()
        await line.silence()

    async with scripted(slow) as port:
        provider = smtp(host, port, connections=1)
        first = asyncio.create_task(send(provider, "1"))
        await begun.wait()
        second = await send(provider, "2")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    assert (second.outcome, second.reason) == (Outcome.THROTTLED, Reason.PROVIDER_THROTTLED)
    assert "1 connections" in second.detail


# Being cancelled, and closing


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_being_cancelled_anywhere_loses_no_place(steps: int, host: PluginHost, box: Mailbox) -> None:
    """Whatever a message was doing, its connection is closed or kept whole, and the next one gets through."""
    provider = smtp(host, box.port, connections=1)
    await send(provider, "0")
    task = asyncio.create_task(send(provider, "1"))
    waiting = asyncio.create_task(send(provider, "2"))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (await waiting).accepted
    assert (await send(provider, "3")).accepted
    await box.until_closed(left=1)
    await provider.close()
    await box.until_closed()


async def test_closing_ends_what_is_kept_and_then_what_is_in_use(host: PluginHost, box: Mailbox) -> None:
    """A message that is on its way is finished first."""
    provider = smtp(host, box.port, connections=2)
    await asyncio.gather(send(provider, "1"), send(provider, "2"))
    task = asyncio.create_task(send(provider, "3"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await provider.close()

    assert (await task).accepted
    await box.until_closed()


async def test_the_host_closes_the_connections(box: Mailbox) -> None:
    """As the server and the worker do when they stop."""
    own = PluginHost(installed=False)
    provider = smtp(own, box.port)
    await send(provider)
    assert 1 == box.open_connections
    await own.close()

    await box.until_closed()


async def test_encryption_ends_in_order(tmp_path: Path, host: PluginHost) -> None:
    """Closing a kept connection under TLS says good-bye in both layers."""
    context: ssl.SSLContext
    context, authority = certificate(tmp_path)
    async with mailbox(tls=context, implicit=True) as box:
        provider = smtp(host, box.port, ca=authority.read_text(), secure=True)
        await send(provider)
        await provider.close()
        await box.until_closed()
