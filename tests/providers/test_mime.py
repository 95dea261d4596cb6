"""MIME: an e-mail as the bytes that travel, read back by a reader that is not ours."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from novukit.providers import Attachment, EmailContent, Rejected, as_bytes, mime_message, needs_utf8, recipients

from .samples import EMAIL

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def travel(content: EmailContent, key: str = "key") -> tuple[bytes, EmailMessage]:
    """The bytes, and what the standard library's parser makes of them."""
    raw = as_bytes(mime_message(content, key, date=NOON))
    return raw, email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def headers(raw: bytes) -> list[str]:
    """The names of the headers, by their bytes alone."""
    return [line.split(b":")[0].decode() for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] not in b" \t"]


def attachment(name: str = "a.txt", content: bytes = b"hi", **more: Any) -> Attachment:
    return Attachment.model_construct(name=name, content=content, **{"mime": "text/plain", "content_id": None, **more})


def test_a_plain_message_has_exactly_its_headers() -> None:
    """No more, no fewer, each once."""
    raw, message = travel(EMAIL.model_copy(update={"html": ""}))

    expected = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    ]
    assert expected == headers(raw)
    assert (message["subject"], message.get_content().splitlines()) == ("Hi", ["Hello"])
    assert message["date"] == "Thu, 01 Jan 2026 12:00:00 +0000"
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_what_is_plain_stays_plain() -> None:
    """Words in ASCII are not encoded: people and filters read the source, too."""
    raw, _ = travel(EMAIL.model_copy(update={"subject": "Your order is on its way", "sender_name": "The Shop"}))

    assert b"\r\nSubject: Your order is on its way\r\n" in raw
    assert raw.startswith(b'From: "The Shop" <hi@shop.example>\r\n')


def test_text_and_html_are_alternatives() -> None:
    """The better one last (RFC 2046 §5.1.4)."""
    _, message = travel(EMAIL)

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_html_alone_has_no_empty_text() -> None:
    """An empty alternative would be shown by some readers."""
    _, message = travel(EMAIL.model_copy(update={"text": ""}))

    assert (message.get_content_type(), message.get_content().splitlines()) == ("text/html", ["<p>Hello</p>"])


def test_images_lie_beside_the_html_and_files_beside_the_message() -> None:
    """``cid:`` in the HTML finds the image; the file is offered for saving."""
    image = attachment("logo.png", b"\x89PNG", mime="image/png", content_id="logo")
    _, message = travel(EMAIL.model_copy(update={"attachments": (image, attachment("räch “x”.txt"))}))

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/plain",
    ]
    inline = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert (
        inline["content-id"],
        inline.get_content_disposition(),
        inline.get_content(),
    ) == ("<logo>", "inline", b"\x89PNG")
    assert [part.get_filename() for part in message.iter_attachments()] == ["räch “x”.txt"]


def test_an_image_without_html_is_a_file() -> None:
    """There is nothing for it to be shown in."""
    image = attachment("logo.png", content_id="logo")
    _, message = travel(EMAIL.model_copy(update={"html": "", "attachments": (image,)}))

    assert [part.get_filename() for part in message.iter_attachments()] == ["logo.png"]


@pytest.mark.parametrize("mime", ["message/rfc822", "multipart/mixed", "Message/Partial"])
def test_an_attached_message_is_only_bytes(mime: str) -> None:
    """Else its headers would be read as part of ours."""
    _, message = travel(EMAIL.model_copy(update={"attachments": (attachment("m.eml", b"Bcc: x\r\n\r\n", mime=mime),)}))

    assert next(iter(message.iter_attachments())).get_content_type() == "application/octet-stream"


NAMES = [
    "Ada",
    'Jürgen, "J" <x@y.example>',
    "名前" * 40,
    'back\\slash "quote"',
    "=? odd ?=",
    "x" * 300,
    "o'Neil; (a) @b",
    "😀",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_stays_a_name(name: str) -> None:
    """It is never read as another address."""
    raw, message = travel(EMAIL.model_copy(update={"sender_name": name}))

    addresses = message["from"].addresses
    assert [address.addr_spec for address in addresses] == ["hi@shop.example"]
    assert name.replace(" ", "") == addresses[0].display_name.replace(" ", "")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


SUBJECTS = [
    "Hi",
    "Grüße ✓",
    "ü" * 300,
    "w " * 300 + "w",
    "x" * 2000,
    "a =? b ?= c",
    "%0d%0aBcc: x",
    "a\u00a0b",
    "",
    "😀" * 50,
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    """Long, encoded, odd or empty; no line is longer than mail allows."""
    raw, message = travel(EMAIL.model_copy(update={"subject": subject}))

    assert subject == message["subject"]
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.split(b"\r\n\r\n")[0].isascii()


@pytest.mark.parametrize("text", ["=?utf-8?q?a=0d=0aBcc:x?=", "=?UTF-8?B?YQ0KQmNjOiB4?="])
@pytest.mark.parametrize("field", ["subject", "sender_name"])
def test_an_encoded_line_break_does_not_become_a_header(field: str, text: str) -> None:
    """The standard library would decode it and write the line break out."""
    with pytest.raises(Rejected):
        travel(EMAIL.model_copy(update={field: text}))


@pytest.mark.parametrize("text", ["=?utf-8?q?a=0d=0aBcc:x?=", "=?UTF-8?B?YQ0KQmNjOiB4?="])
@pytest.mark.parametrize("field", ["subject", "sender_name"])
def test_writing_alone_keeps_an_encoded_line_break_harmless(
    field: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second wall: even unchecked, it arrives as the words that it was."""
    monkeypatch.setattr("novukit.providers.mime.refuse_injection", lambda content: None)

    raw, message = travel(EMAIL.model_copy(update={field: text}))

    assert headers(raw) == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    if field == "subject":
        assert text == message["subject"]


def test_custom_headers_are_written_and_a_long_url_is_not_torn() -> None:
    """List-Unsubscribe is read by machines that do not join lines."""
    url = f"<https://shop.example/{'u' * 200}>"
    raw, message = travel(EMAIL.model_copy(update={"headers": {"List-Unsubscribe": url, "X-Size": "Größe"}}))

    assert f"List-Unsubscribe: {url}\r\n".encode() in raw
    assert message["X-Size"] == "Größe"


def test_bcc_is_in_the_envelope_alone() -> None:
    """Nobody reads who else got it; everybody gets it once."""
    content = EMAIL.model_copy(update={"cc": ("b@x.example", EMAIL.to), "bcc": ("c@x.example", "b@x.example")})
    raw, message = travel(content)

    assert recipients(content) == ["ada@example.com", "b@x.example", "c@x.example"]
    assert b"c@x.example" not in raw
    assert [address.addr_spec for address in message["cc"].addresses] == ["b@x.example", "ada@example.com"]


def test_international_domains_are_written_in_ascii() -> None:
    """IDNA 2008, as mail servers know them."""
    content = EMAIL.model_copy(
        update={"to": "ada@bücher.example", "sender": "hi@straße.example", "reply_to": "r@例え.jp"}
    )
    raw, message = travel(content)

    assert message["to"] == "ada@xn--bcher-kva.example"
    assert message["from"] == "hi@xn--strae-oqa.example"
    assert recipients(content) == ["ada@xn--bcher-kva.example"]
    assert raw.isascii()
    assert message["message-id"].endswith("@xn--strae-oqa.example>")


def test_an_international_local_part_needs_utf8() -> None:
    """Only servers with SMTPUTF8 take it."""
    assert needs_utf8(mime_message(EMAIL.model_copy(update={"to": "jürgen@x.example"}), "key"))
    assert not needs_utf8(mime_message(EMAIL.model_copy(update={"subject": "ü", "sender_name": "ü"}), "key"))


@pytest.mark.parametrize(
    "address", ["a@x..example", "a@-x.example", "a@x_.example", f"a@{'x' * 64}.example", ".a@x.example"]
)
def test_an_address_that_cannot_be_one_is_rejected(address: str) -> None:
    """It is the field that is named."""
    with pytest.raises(Rejected, match=r"^to: "):
        travel(EMAIL.model_copy(update={"to": address}))


def test_the_message_id_depends_on_the_key_alone() -> None:
    """A second try is the same message to whoever receives both; another key is another one."""
    first, again = (mime_message(EMAIL, "key")["Message-ID"] for _ in range(2))

    assert first == again
    assert first != mime_message(EMAIL, "other")["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{40}@shop\.example>", first)
    assert re.fullmatch(r"<[0-9a-f]{40}@shop\.example>", mime_message(EMAIL, "odd key\r\n<>\ud800")["Message-ID"])


@pytest.mark.parametrize(
    "bad",
    [
        attachment("a\r\nX: 1"),
        attachment("a\u2028b"),
        attachment("=?utf-8?q?a=0d=0aBcc:x?="),
        attachment(content_id="a> <b"),
        attachment(content_id="a\r\nb"),
        attachment(content_id=""),
    ],
)
def test_an_attachment_whose_name_could_be_a_header_is_rejected(bad: Attachment) -> None:
    """Names and content ids become parameters of headers."""
    with pytest.raises(Rejected, match=r"^attachments: "):
        travel(EMAIL.model_copy(update={"attachments": (bad,)}))


def test_two_images_with_one_content_id_are_rejected() -> None:
    """Which one the HTML means would be chance."""
    twice = (attachment(content_id="logo"), attachment(content_id="logo"))
    with pytest.raises(Rejected, match="twice"):
        travel(EMAIL.model_copy(update={"attachments": twice}))


def test_a_quoted_file_name_stays_one_parameter() -> None:
    """``x"; evil`` does not end the name."""
    raw, message = travel(EMAIL.model_copy(update={"attachments": (attachment('x"; X-Evil=1.txt'),)}))

    assert [part.get_filename() for part in message.iter_attachments()] == ['x"; X-Evil=1.txt']
    assert b"\r\nX-Evil" not in raw
