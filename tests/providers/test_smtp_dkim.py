"""The smtp provider's DKIM signature: made by one implementation and read by another."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from novukit.errors import CredentialsInvalid, PluginInvalid
from novukit.providers import Attachment, EmailContent, PluginHost

from .dkim_reader import fields_of, tags_of, verifies
from .mail import Mailbox, mailbox, send
from .samples import EMAIL

pytestmark = pytest.mark.anyio

KEY = rsa.generate_private_key(65537, 2048)
UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://shop.example/u/1>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def pem(key: Any = KEY, form: PrivateFormat = PrivateFormat.PKCS8, lock: Any = None) -> str:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


def dkim(**more: str) -> dict[str, str]:
    """The credentials, by the names that Novu has for them."""
    return {"domain": "shop.example", "accountSid": "s1", "secretKey": pem(), **more}


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost(installed=False)


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


CONTENTS = {
    "plain": EMAIL,
    "unsubscribe": EMAIL.model_copy(update={"headers": UNSUBSCRIBE}),
    "folded": EMAIL.model_copy(update={"subject": "Grüße " * 40, "sender_name": "Jürgen Müller " * 3}),
    "dots and blanks": EMAIL.model_copy(update={"text": "..\n.\n  a   b \t\n\n\n\n", "html": ""}),
    "nothing": EMAIL.model_copy(update={"text": "", "html": ""}),
    "files": EMAIL.model_copy(
        update={
            "cc": ("b@x.example", "c@x.example"),
            "reply_to": "r@shop.example",
            "attachments": (Attachment(name="a.bin", content=bytes(range(256)) * 9, mime="image/png"),),
        }
    ),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
async def test_what_arrives_is_signed(content: EmailContent, host: PluginHost, box: Mailbox) -> None:
    """The signature holds for the bytes that the server got; one of another key's does not."""
    assert (await send(host, box.port, content, **dkim())).accepted

    raw = bytes(box.envelopes[0].content or b"")
    assert verifies(raw, KEY.public_key())
    assert not verifies(raw, rsa.generate_private_key(65537, 2048).public_key())
    tags = tags_of(fields_of(raw)[0][0][1])
    assert (tags["d"], tags["s"]) == ("shop.example", "s1")


ADDED = ["From", "To", "Cc", "Subject", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"]


@pytest.mark.parametrize("name", ADDED)
@pytest.mark.parametrize("content", [CONTENTS["unsubscribe"], CONTENTS["files"]])
async def test_no_header_can_be_added_or_changed(
    name: str, content: EmailContent, host: PluginHost, box: Mailbox
) -> None:
    """Neither a second one nor one that was not there: each is signed once more than it is there."""
    await send(host, box.port, content, **dkim())

    raw = bytes(box.envelopes[0].content or b"")
    signature, sep, rest = raw.partition(b"\r\nFrom: ")
    assert verifies(raw, KEY.public_key())
    above = signature + f"\r\n{name}: mallory@evil.example".encode() + sep + rest
    below = raw.replace(b"\r\nMIME-Version", f"\r\n{name}: mallory@evil.example\r\nMIME-Version".encode(), 1)
    for forged in (above, below, raw.replace(b"\r\nSubject: Hi", b"\r\nSubject: Ho")):
        assert forged != raw
        assert not verifies(forged, KEY.public_key())


async def test_a_changed_body_is_noticed(host: PluginHost, box: Mailbox) -> None:
    """All of it is signed: there is no length in the signature."""
    await send(host, box.port, **dkim())

    raw = bytes(box.envelopes[0].content or b"")
    assert not verifies(raw.replace(b"Hello", b"Hullo"), KEY.public_key())
    assert not verifies(raw + b"more\r\n", KEY.public_key())


@pytest.mark.parametrize(
    "key", [pem(form=PrivateFormat.TraditionalOpenSSL), pem().replace("\n", "\\n")], ids=["PKCS #1", "one line"]
)
async def test_a_key_may_be_written_as_keys_are(key: str, host: PluginHost, box: Mailbox) -> None:
    """As OpenSSL wrote them and writes them, and as an environment file holds them."""
    await send(host, box.port, **dkim(secretKey=key))

    assert verifies(bytes(box.envelopes[0].content or b""), KEY.public_key())


async def test_an_address_that_is_not_ascii_is_signed_as_it_travels(host: PluginHost) -> None:
    """The header is in UTF-8, and so is what is signed."""
    async with mailbox(enable_SMTPUTF8=True) as box:
        assert (await send(host, box.port, EMAIL.model_copy(update={"to": "jörg@x.example"}), **dkim())).accepted

        raw = bytes(box.envelopes[0].content or b"")
    assert "To: jörg@x.example".encode() in raw
    assert verifies(raw, KEY.public_key())


@pytest.mark.parametrize(
    "bad",
    [
        {"secretKey": "CANARY"},
        {"secretKey": pem(lock=BestAvailableEncryption(b"CANARY"))},
        {"secretKey": pem(ed25519.Ed25519PrivateKey.generate())},
        {"domain": "no domain"},
        {"accountSid": ""},
    ],
    ids=["no key", "locked", "not RSA", "no domain", "no selector"],
)
def test_a_key_that_cannot_sign_is_refused_when_it_is_given(bad: dict[str, str], host: PluginHost) -> None:
    """Not when the first message is due, and without telling it."""
    with pytest.raises(CredentialsInvalid) as refused:
        host.build("smtp", {"host": "mail.example", **dkim(**bad)})
    assert "CANARY" not in repr(refused.value.issues)
    assert "PRIVATE" not in repr(refused.value.issues)


def test_without_the_library_nothing_goes_out_unsigned(host: PluginHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and who wants signatures is told how to get it."""
    monkeypatch.delitem(sys.modules, "dkim", raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(PluginInvalid) as refused:
        host.build("smtp", {"host": "mail.example", **dkim()})
    assert "novukit[dkim]" in str(refused.value.hint)
