"""The smtp provider getting in: logging in, and encryption."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from novukit.providers import Outcome, PluginHost, Reason, check, deliver

from .mail import Line, Mailbox, certificate, mailbox, scripted, send, smtp
from .samples import EMAIL

pytestmark = pytest.mark.anyio

CANARY = "CANARY_3_9f3a"


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(installed=False)


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


# Logging in


async def test_a_login_is_used_and_a_check_needs_no_message(host: PluginHost) -> None:
    """Connect, greet, log in, leave."""
    async with mailbox(auth=True) as box:
        credentials = {"user": "ada", "password": "right"}
        assert Outcome.ACCEPTED is (await send(host, box.port, **credentials)).outcome
        assert (await check(smtp(host, box.port, **credentials))).accepted
        assert [(login, password) for _, login, password in box.logins] == [(b"ada", b"right")] * 2
        assert len(box.envelopes) == 1


async def test_a_wrong_password_is_tried_once(host: PluginHost) -> None:
    """And told as what it is, without the password."""
    async with mailbox(auth=True) as box:
        delivery = await send(host, box.port, user="ada", password=CANARY)
        checked = await check(smtp(host, box.port, user="ada", password=CANARY))

        for told in (delivery, checked):
            assert (told.outcome, told.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)
            assert "CANARY" not in repr(told)
        assert len(box.logins) == 2


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("535 5.7.8 Wrong", Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
        ("534 5.7.9 Too weak", Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
        ("454 4.7.0 Later", Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    ],
)
async def test_a_refused_login_is_sorted_by_its_code(
    answer: str, outcome: Outcome, reason: Reason, host: PluginHost
) -> None:
    """A server that only cannot check the password now says 454 (RFC 4954)."""

    async def refuse(line: Line) -> None:
        await line.say("220 mail.test")
        await line.hear()
        await line.say("250-mail.test\r\n250 AUTH PLAIN LOGIN")
        echoed = await line.hear()
        await line.say(f"{answer} {echoed}")
        await line.hear()

    async with scripted(refuse) as port:
        delivery = await send(host, port, user="ada", password=CANARY)

    assert (outcome, reason) == (delivery.outcome, delivery.reason)


async def test_a_server_without_login_is_told_apart_from_a_wrong_password(host: PluginHost, box: Mailbox) -> None:
    """There is nothing to log in with."""
    delivery = await send(host, box.port, user="ada", password="right")

    assert Reason.CREDENTIALS_INVALID is delivery.reason
    assert "offers no login" in delivery.detail


async def test_another_mechanism_is_tried_where_the_server_does_not_know_its_own(host: PluginHost) -> None:
    """504 says that the mechanism is not there, nothing about the password."""
    heard: list[str] = []

    async def fickle(line: Line) -> None:
        await line.say("220 mail.test")
        await line.hear()
        await line.say("250-mail.test\r\n250 AUTH PLAIN LOGIN")
        heard.append(await line.hear())
        await line.say("504 Not after all")
        heard.append(await line.hear())
        await line.say("334 UGFzc3dvcmQ6")
        await line.hear()
        await line.say("235 Welcome")
        await line.hear()
        await line.say("221 Bye")

    async with scripted(fickle) as port:
        assert (await check(smtp(host, port, user="ada", password="right"))).accepted
    assert [" ".join(command.split()[:2]) for command in heard] == ["AUTH PLAIN", "AUTH LOGIN"]


async def test_a_mechanism_can_be_demanded(host: PluginHost) -> None:
    """A token is shown by XOAUTH2, and nothing else is tried with it."""
    heard: list[str] = []

    async def modern(line: Line) -> None:
        await line.say("220 mail.test")
        await line.hear()
        await line.say("250-mail.test\r\n250 AUTH PLAIN XOAUTH2")
        heard.append(await line.hear())
        await line.say("235 Welcome")
        await line.hear()
        await line.say("221 Bye")

    async with scripted(modern) as port:
        assert (await check(smtp(host, port, user="ada", password="t0ken", auth="xoauth2"))).accepted
        refused = await check(smtp(host, port, user="ada", password="right", auth="cram-md5"))

    mechanism, shown = heard[0].removeprefix("AUTH ").split()
    assert (mechanism, base64.b64decode(shown)) == ("XOAUTH2", b"user=ada\x01auth=Bearer t0ken\x01\x01")
    assert "no login by cram-md5" in refused.detail


# Encryption


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate that this test's clients trust."""
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    return context


@pytest.mark.parametrize(
    ("credentials", "encrypted"),
    [({}, True), ({"requireTls": True}, True), ({"ignoreTls": True}, False), ({"require_tls": "true"}, True)],
)
async def test_encryption_is_used_where_it_is_offered(
    credentials: dict[str, Any], encrypted: bool, tls: ssl.SSLContext, host: PluginHost
) -> None:
    """Unless it was switched off."""
    async with mailbox(tls=tls) as box:
        assert Outcome.ACCEPTED is (await send(host, box.port, **credentials)).outcome
        assert [encrypted] == box.encrypted


async def test_encryption_from_the_first_byte(tls: ssl.SSLContext, host: PluginHost) -> None:
    """``secure``, as on port 465."""
    async with mailbox(tls=tls, implicit=True, auth=True) as box:
        delivery = await send(host, box.port, at="localhost", secure=True, user="ada", password="right")

        assert Outcome.ACCEPTED is delivery.outcome
        assert [mechanism for mechanism, *_ in box.logins] == ["PLAIN"]


async def test_encryption_that_is_required_and_not_offered_is_refused(host: PluginHost, box: Mailbox) -> None:
    """Someone in between may have taken the offer out."""
    delivery = await send(host, box.port, requireTls=True)

    assert Outcome.REJECTED is delivery.outcome
    assert "offers no STARTTLS" in delivery.detail
    assert box.envelopes == []


async def test_a_certificate_that_is_not_trusted_stops_everything(tmp_path: Path, host: PluginHost) -> None:
    """Before anything was said that matters, be it STARTTLS or TLS from the first byte."""
    context, _ = certificate(tmp_path)
    for implicit in (False, True):
        async with mailbox(tls=context, implicit=implicit) as box:
            delivery = await send(host, box.port, secure=implicit)

            assert Outcome.UNAVAILABLE is delivery.outcome
            assert "ertificate" in delivery.detail
            assert box.envelopes == []


async def test_a_password_is_not_sent_in_the_clear_to_another_machine(
    host: PluginHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the server would take it; ``ignoreTls`` says that it is meant."""
    monkeypatch.setattr("novukit.providers.builtin.smtp_session.Connection.is_loopback", False)
    async with mailbox(auth=True) as box:
        refused = await send(host, box.port, user="ada", password="right")
        assert (refused.outcome, box.logins) == (Outcome.REJECTED, [])
        assert "no encryption" in refused.detail

        meant = await send(host, box.port, user="ada", password="right", ignoreTls=True)
        assert (meant.outcome, len(box.logins)) == (Outcome.ACCEPTED, 1)


@pytest.mark.parametrize("implicit", [False, True])
async def test_an_authority_of_ones_own_is_trusted(implicit: bool, tmp_path: Path, host: PluginHost) -> None:
    """As a text, as a file, or where Novu has it."""
    context, authority = certificate(tmp_path)
    pem = authority.read_text()
    ways = [{"ca": pem}, {"ca": pem.replace("\n", "\\n")}, {"caFile": str(authority)}, {"tlsOptions": {"ca": pem}}]
    async with mailbox(tls=context, implicit=implicit) as box:
        for way in ways:
            assert Outcome.ACCEPTED is (await send(host, box.port, secure=implicit, **way)).outcome
        assert len(ways) == len(box.envelopes)


async def test_a_file_of_authorities_that_is_not_there_is_the_credentials_fault(host: PluginHost, box: Mailbox) -> None:
    """It may be there on another machine, so it is looked for when it is needed."""
    delivery = await send(host, box.port, caFile="/nowhere/ca.pem")

    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)
    assert "/nowhere/ca.pem" in delivery.detail


@pytest.mark.parametrize("way", [{"verify": False}, {"tlsOptions": '{"rejectUnauthorized": false}'}])
async def test_a_certificate_that_is_not_looked_at_is_warned_of_once(
    way: dict[str, Any], tmp_path: Path, host: PluginHost, caplog: pytest.LogCaptureFixture
) -> None:
    """Encrypted, but nobody knows to whom."""
    context, _ = certificate(tmp_path)
    async with mailbox(tls=context) as box:
        provider = smtp(host, box.port, messagesPerConnection=1, **way)
        with caplog.at_level(logging.WARNING):
            assert {(await deliver(provider, EMAIL, key)).outcome for key in ("1", "2")} == {Outcome.ACCEPTED}

    assert [True, True] == box.encrypted
    assert ["the certificate of 127.0.0.1 is not verified: whoever sits in between can read the messages"] == [
        record.getMessage() for record in caplog.records if record.name == "novukit.providers.smtp"
    ]


async def test_a_connection_in_the_clear_to_another_machine_is_warned_of(
    host: PluginHost, box: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is used all the same: many a relay knows nothing else."""
    monkeypatch.setattr("novukit.providers.builtin.smtp_session.Connection.is_loopback", False)
    with caplog.at_level(logging.WARNING):
        assert Outcome.ACCEPTED is (await send(host, box.port)).outcome

    assert ["the connection to 127.0.0.1 is not encrypted: everyone on the way can read the messages"] == [
        record.getMessage() for record in caplog.records if record.name == "novukit.providers.smtp"
    ]
