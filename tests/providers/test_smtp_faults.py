"""The smtp provider against servers that fall silent, hang up or talk nonsense, before the message and after it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from novukit.providers import Outcome, PluginHost, Reason

from .mail import Line, scripted, send

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(installed=False)


async def test_a_refused_connection_was_certainly_not_sent(host: PluginHost) -> None:
    """Nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert Outcome.UNAVAILABLE is (await send(host, port)).outcome


async def test_a_host_without_address_was_certainly_not_sent(host: PluginHost) -> None:
    """``.invalid`` never has one (RFC 6761); a label of 64 letters cannot."""
    assert Outcome.UNAVAILABLE is (await send(host, 25, at="mail.invalid")).outcome
    assert Outcome.REJECTED is (await send(host, 25, at="x" * 64 + ".example")).outcome


async def silent_from_the_start(line: Line) -> None:
    await line.silence()


async def silent_after_ehlo(line: Line) -> None:
    await line.say("220 mail.test")
    await line.hear()
    await line.silence()


async def silent_at_data(line: Line) -> None:
    await line.say("220 mail.test")
    while await line.hear() != "DATA":
        await line.say("250 OK")
    await line.silence()


async def cut_at_once(line: Line) -> None:
    line.cut()


async def cut_after_ehlo(line: Line) -> None:
    await line.say("220 mail.test")
    await line.hear()
    line.cut()


async def cut_at_data(line: Line) -> None:
    await line.say("220 mail.test")
    while await line.hear() != "DATA":
        await line.say("250 OK")
    line.cut()


async def garbage(line: Line) -> None:
    await line.say("HTTP/1.1 400 Bad Request")


async def endless_banner(line: Line) -> None:
    await line.say("220-" + "x" * 10_000)
    await line.silence()


async def busy(line: Line) -> None:
    await line.say("421 Too many connections")


async def data_refused(line: Line) -> None:
    await line.until_data(answer_data="451 Not now")
    await line.hear()


async def odd_data(line: Line) -> None:
    await line.until_data(answer_data="250 What?")
    await line.hear()


BEFORE = [silent_from_the_start, silent_after_ehlo, silent_at_data, cut_at_once, cut_after_ehlo, cut_at_data, garbage]
BEFORE += [endless_banner, busy, data_refused, odd_data]


@pytest.mark.parametrize("script", BEFORE)
async def test_what_goes_wrong_before_the_message_was_certainly_not_sent(script: Any, host: PluginHost) -> None:
    """Silence, hanging up, nonsense: it may be tried again."""
    async with scripted(script) as port:
        delivery = await send(host, port, timeout=0.15)

    assert Outcome.UNAVAILABLE is delivery.outcome


async def test_a_server_that_will_never_serve_is_believed(host: PluginHost) -> None:
    """554 as a greeting (RFC 5321 §3.1)."""

    async def never(line: Line) -> None:
        await line.say("554 No mail here")

    async with scripted(never) as port:
        assert Outcome.REJECTED is (await send(host, port)).outcome


async def cut_after_the_dot(line: Line) -> None:
    await line.until_data()
    await line.message()
    line.cut()


async def closed_after_the_dot(line: Line) -> None:
    await line.until_data()
    await line.message()


async def silent_after_the_dot(line: Line) -> None:
    await line.until_data()
    await line.message()
    await line.silence()


async def cut_within_the_message(line: Line) -> None:
    await line.until_data()
    await line.reader.read(1)
    line.cut()


async def nonsense_after_the_dot(line: Line) -> None:
    await line.until_data()
    await line.message()
    await line.say("what?")
    await line.hear()


async def odd_code_after_the_dot(line: Line) -> None:
    await line.until_data()
    await line.message()
    await line.say("354 More?")
    await line.hear()


AFTER = [cut_after_the_dot, closed_after_the_dot, silent_after_the_dot, cut_within_the_message, nonsense_after_the_dot]
AFTER += [odd_code_after_the_dot]


@pytest.mark.parametrize("script", AFTER)
async def test_what_goes_wrong_after_the_message_leaves_the_outcome_unknown(script: Any, host: PluginHost) -> None:
    """The server may have it; nothing in SMTP can ask."""
    async with scripted(script) as port:
        delivery = await send(host, port, timeout=0.3)

    assert (delivery.outcome, delivery.reason) == (Outcome.UNKNOWN, Reason.OUTCOME_UNKNOWN)


async def test_what_happens_after_the_answer_does_not_matter(host: PluginHost) -> None:
    """The server hangs up instead of saying good-bye."""

    async def rude(line: Line) -> None:
        await line.until_data()
        await line.message()
        await line.say("250 OK")
        line.cut()

    async with scripted(rude) as port:
        assert Outcome.ACCEPTED is (await send(host, port)).outcome


async def test_an_older_server_is_greeted_in_its_own_way(host: PluginHost) -> None:
    """HELO, where EHLO is not known."""
    heard: list[str] = []

    async def old(line: Line) -> None:
        await line.say("220 mail.test")
        heard.append(await line.hear())
        await line.say("502 What?")
        heard.append(await line.hear())
        await line.say("250 mail.test")
        while (command := await line.hear()) != "DATA":
            heard.append(command)
            await line.say("250 OK")
        await line.say("354 Go on")
        await line.message()
        await line.say("250 OK")

    async with scripted(old) as port:
        assert Outcome.ACCEPTED is (await send(host, port)).outcome
    assert [command.split()[0] for command in heard] == ["EHLO", "HELO", "MAIL", "RCPT"]


async def test_being_cancelled_closes_the_connection(host: PluginHost) -> None:
    """The server sees the end of it."""
    ended = asyncio.Event()
    begun = asyncio.Event()

    async def watch(line: Line) -> None:
        await line.say("220 mail.test")
        await line.hear()
        begun.set()
        await line.reader.read()
        ended.set()

    async with scripted(watch) as port:
        task = asyncio.create_task(send(host, port))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await ended.wait()
