"""The smtp provider: what it sends, and what it makes of a refusal."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from novukit.errors import CredentialsInvalid
from novukit.providers import Attachment, Outcome, PluginHost, Reason, deliver

from .mail import Mailbox, mailbox, send, smtp
from .samples import EMAIL

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(installed=False)


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


async def test_a_message_arrives(host: PluginHost, box: Mailbox) -> None:
    """Envelope, headers and body; the receipt is the Message-ID."""
    delivery = await send(host, box.port, EMAIL.model_copy(update={"text": "one\n.two\n..three\n.\nfour"}))

    assert Outcome.ACCEPTED is delivery.outcome
    (envelope,) = box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hi@shop.example", ["ada@example.com"])
    message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
    assert delivery.provider_message_id == message["message-id"]
    text = message.get_body(("plain",))  # type: ignore[attr-defined]
    assert text.get_content().splitlines() == ["one", ".two", "..three", ".", "four"]


async def test_a_second_try_carries_the_same_message_id(host: PluginHost, box: Mailbox) -> None:
    """So that a receiver can tell a copy from a new message."""
    first, second = await send(host, box.port), await send(host, box.port)

    assert first.provider_message_id == second.provider_message_id
    assert len(box.envelopes) == 2


async def test_what_may_not_leave_any_more_does_not(host: PluginHost, box: Mailbox) -> None:
    """The text stays here; the connection, on which the server waits for it, is closed, and the next one arrives."""
    provider = smtp(host, box.port)

    held = await deliver(provider, EMAIL, "key-1", may_depart=lambda: False)
    sent = await deliver(provider, EMAIL, "key-2", may_depart=lambda: True)

    assert (True, Outcome.UNAVAILABLE) == (held.held_back, held.outcome)
    assert (False, Outcome.ACCEPTED) == (sent.held_back, sent.outcome)
    await provider.close()
    assert (1, 2) == (len(box.envelopes), box.connections)


async def test_copies_files_and_headers_arrive(host: PluginHost, box: Mailbox) -> None:
    """All that the provider says that it supports."""
    file = Attachment.model_construct(name="a.bin", content=bytes(range(256)) * 4, mime="image/png", content_id=None)
    content = EMAIL.model_copy(
        update={"cc": ("b@x.example",), "bcc": ("c@x.example",), "reply_to": "r@x.example"}
        | {"headers": {"X-Order": "17"}, "attachments": (file,), "to": "ada@bücher.example", "sender_name": "Jürgen"}
    )

    delivery = await send(host, box.port, content)

    assert (delivery.outcome, delivery.detail) == (Outcome.ACCEPTED, "")
    (envelope,) = box.envelopes
    assert envelope.rcpt_tos == ["ada@xn--bcher-kva.example", "b@x.example", "c@x.example"]
    message: Any = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
    assert (message["x-order"], message["reply-to"], message["bcc"]) == ("17", "r@x.example", None)
    assert message["from"].addresses[0].display_name == "Jürgen"
    assert file.content == next(iter(message.iter_attachments())).get_content()


TROUBLE = [
    ({"RCPT": "550 5.1.1 No such user"}, Outcome.RECIPIENT_GONE, Reason.RECIPIENT_GONE),
    ({"RCPT": "550 5.1.10 No such address"}, Outcome.RECIPIENT_GONE, Reason.RECIPIENT_GONE),
    ({"RCPT": "550 5.7.1 Blocked"}, Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    ({"RCPT": "550 Not here"}, Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    ({"RCPT": "550 5.1.8 Bad sender"}, Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    ({"RCPT": "450 4.2.0 Greylisted"}, Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    ({"RCPT": "450 4.7.28 Too fast"}, Outcome.THROTTLED, Reason.PROVIDER_THROTTLED),
    ({"MAIL": "451 4.4.5 Congestion"}, Outcome.THROTTLED, Reason.PROVIDER_THROTTLED),
    ({"MAIL": "552 5.3.4 Too big"}, Outcome.REJECTED, Reason.CONTENT_INVALID),
    ({"RCPT": "421 4.7.0 Too busy"}, Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    ({"MAIL": "451 Later"}, Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    ({"MAIL": "553 5.1.8 Bad sender"}, Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    ({"MAIL": "530 5.7.0 Authentication required"}, Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
    ({"DATA": "554 5.6.0 Spam"}, Outcome.REJECTED, Reason.PROVIDER_REJECTED),
    ({"DATA": "451 4.3.0 Try again"}, Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
    ({"DATA": "421 4.3.2 Going down"}, Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
]


@pytest.mark.parametrize(("refuse", "outcome", "reason"), TROUBLE)
async def test_a_refusal_is_sorted_by_its_code(
    refuse: dict[str, str], outcome: Outcome, reason: Reason, host: PluginHost, box: Mailbox
) -> None:
    """4yz is for now, 5yz for good, 5.1.x the recipient; the server's words are told."""
    box.refuse = refuse

    delivery = await send(host, box.port)

    assert (outcome, reason) == (delivery.outcome, delivery.reason)
    assert next(iter(refuse.values())).split(maxsplit=1)[1].split()[-1] in delivery.detail
    assert box.envelopes == []


async def test_copies_that_are_refused_are_named_and_the_message_goes_out(host: PluginHost, box: Mailbox) -> None:
    """It has reached whom it was for."""
    box.refuse = {"b@x.example": "550 5.1.1 Unknown", "c@x.example": "450 Later"}
    content = EMAIL.model_copy(update={"cc": ("b@x.example",), "bcc": ("c@x.example", "d@x.example")})

    delivery = await send(host, box.port, content)

    assert Outcome.ACCEPTED is delivery.outcome
    assert delivery.detail == "Refused copies: b@x.example (550 5.1.1 Unknown); c@x.example (450 Later)"
    assert box.envelopes[0].rcpt_tos == ["ada@example.com", "d@x.example"]


async def test_no_copy_goes_out_when_the_recipient_is_refused(host: PluginHost, box: Mailbox) -> None:
    """A copy of what was never sent would puzzle."""
    box.refuse = {"ada@example.com": "550 5.7.1 No"}

    delivery = await send(host, box.port, EMAIL.model_copy(update={"cc": ("b@x.example",)}))

    assert Outcome.REJECTED is delivery.outcome
    assert box.envelopes == []


async def test_addresses_outside_ascii_need_a_server_that_takes_them(host: PluginHost) -> None:
    """SMTPUTF8 (RFC 6531)."""
    content = EMAIL.model_copy(update={"to": "jürgen@x.example"})
    async with mailbox() as box:
        refused = await send(host, box.port, content)
        assert (refused.outcome, refused.reason) == (Outcome.REJECTED, Reason.CONTENT_INVALID)
        assert box.envelopes == []
    async with mailbox(enable_SMTPUTF8=True) as box:
        assert Outcome.ACCEPTED is (await send(host, box.port, content)).outcome
        assert box.envelopes[0].rcpt_tos == ["jürgen@x.example"]
        assert "To: jürgen@x.example\r\n".encode() in (box.envelopes[0].original_content or b"")


async def test_a_message_that_is_too_large_is_rejected(host: PluginHost) -> None:
    """The server says its limit, and is told the size before it is sent the message."""
    async with mailbox(data_size_limit=2000) as box:
        delivery = await send(host, box.port, EMAIL.model_copy(update={"text": "x" * 5000}))

        assert (delivery.outcome, box.envelopes) == (Outcome.REJECTED, [])


@pytest.mark.parametrize(
    "bad",
    [
        {"port": 0},
        {"port": 70000},
        {"port": "abc"},
        {"host": ""},
        {"password": "x"},
        {"timeout": 0},
        {"secure": "perhaps"},
        {"secure": True, "ignoreTls": True},
        {"requireTls": True, "ignoreTls": True},
        {"hostname": "x"},
        {"ca": "no certificate"},
        {"ca": "-----BEGIN CERTIFICATE-----", "caFile": "x.pem"},
        {"tlsOptions": {"minVersion": "TLSv1"}},
        {"tlsOptions": "{"},
        {"auth": "gssapi", "user": "a", "password": "b"},
        {"clientName": "two words"},
        {"returnPath": "nowhere"},
        {"connections": 0},
        {"messagesPerConnection": 0},
        {"domain": "shop.example"},
    ],
)
def test_credentials_that_make_no_sense_are_refused(bad: dict[str, Any], host: PluginHost) -> None:
    """When they are given, not when the first message is due."""
    with pytest.raises(CredentialsInvalid) as refused:
        host.build("smtp", {"host": "mail.example", **bad})
    assert refused.value.issues


def test_credentials_may_be_text_as_the_wire_has_them(host: PluginHost) -> None:
    """Ports and switches come as strings from Novu's clients and from the environment."""
    provider = host.build("smtp", {"host": "h", "port": "2525", "secure": "false", "from": "a@x", "senderName": "A"})

    assert (
        provider.credentials.port,
        provider.credentials.secure,
        provider.sender,
        provider.sender_name,
    ) == (2525, False, "a@x", "A")


async def test_many_messages_at_once(host: PluginHost, box: Mailbox) -> None:
    """They share the connections that there may be."""
    provider = smtp(host, box.port, connections=3)

    deliveries = await asyncio.gather(*(deliver(provider, EMAIL, f"key-{n}") for n in range(30)))

    assert 3 == box.connections
    await provider.close()

    assert {Outcome.ACCEPTED} == {delivery.outcome for delivery in deliveries}
    assert 30 == len({delivery.provider_message_id for delivery in deliveries}) == len(box.envelopes)


async def test_who_is_greylisted_is_let_in_on_the_next_try(host: PluginHost, box: Mailbox) -> None:
    """«Later» is no refusal; the second try is the same message, on the same connection."""
    provider = smtp(host, box.port)
    box.refuse = {"RCPT": "450 4.2.0 Greylisted, come again"}
    first = await deliver(provider, EMAIL, "key-1")
    box.refuse = {}
    second = await deliver(provider, EMAIL, "key-1")
    await provider.close()

    assert (first.outcome, second.outcome) == (Outcome.UNAVAILABLE, Outcome.ACCEPTED)
    assert (box.connections, box.resets, len(box.envelopes)) == (1, 1, 1)


async def test_no_line_is_too_long_and_no_dot_ends_the_message(host: PluginHost, box: Mailbox) -> None:
    """998 characters is the most (RFC 5321 §4.5.3.1.6); what arrives is what was sent."""
    text = "x" * 5000 + "\n.\n..\n" + "wörter " * 400 + "\n.end"
    address = "<https://shop.example/u/" + "t" * 700 + ">"
    headers = {"List-Unsubscribe": f"<mailto:u@shop.example>, {address}"}
    headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"

    await send(host, box.port, EMAIL.model_copy(update={"text": text, "html": "", "headers": headers}))

    raw = bytes(box.envelopes[0].content or b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    message: Any = email.message_from_bytes(raw, policy=email.policy.default)
    assert text.splitlines() == message.get_content().splitlines()
    # As they were given, but for where the line is folded.
    assert address.encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@pytest.mark.parametrize(
    ("path", "sender"),
    [
        ("bounces@bücher.example", "bounces@xn--bcher-kva.example"),
        ("bounce+{to}@shop.example", "bounce+ada=example.com@shop.example"),
    ],
)
async def test_bounces_go_where_they_are_wanted(path: str, sender: str, host: PluginHost, box: Mailbox) -> None:
    """The return path is the envelope's; the message is from whom it was."""
    await send(host, box.port, returnPath=path)

    (envelope,) = box.envelopes
    assert envelope.mail_from == sender
    assert b"\r\nFrom: hi@shop.example\r\n" in b"\r\n" + bytes(envelope.content or b"")


async def test_a_return_path_can_name_the_message(host: PluginHost, box: Mailbox) -> None:
    """By the part of the Message-ID before the @, so that a bounce can be told to its message."""
    delivery = await send(host, box.port, returnPath="b-{id}@shop.example")

    assert delivery.provider_message_id is not None
    assert box.envelopes[0].mail_from == f"b-{delivery.provider_message_id[1:].partition('@')[0]}@shop.example"


async def test_the_client_says_the_name_that_it_was_given(host: PluginHost, box: Mailbox) -> None:
    """Some relays let only known names in."""
    await send(host, box.port, clientName="app.shop.example")

    assert box.greetings == ["app.shop.example"]
