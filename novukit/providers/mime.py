"""An ``EmailContent`` as a MIME message (RFC 5322), for providers that take mail as it travels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from ..model import Attachment, EmailContent, Reason
from .injection import refuse_injection
from .outcome import Rejected

CRLF = "\r\n"
# 7 bits: every server takes it, and none has to rewrite a message and break its signature.
# Nothing is folded again: the standard library would decode what we encoded, and with it what an attacker did.
POLICY: EmailPolicy[EmailMessage] = SMTP.clone(cte_type="7bit", refold_source="none")
# RFC 5322 §2.1.1 allows 998 characters on a line, the header's name included.
LONGEST_WORD = 900


def mime_message(content: EmailContent, key: str, *, date: datetime | None = None) -> EmailMessage:
    """``content`` as a message that is ready to travel: text and HTML as alternatives, inline images, attachments.

    ``key``, the idempotency key, gives the Message-ID, so that a second try carries the same one. ``date`` is now if
    left out. Bcc is for the envelope (``recipients``) and is never written. Domains are in ASCII (IDNA).
    Raises Rejected (``content_invalid``) for what cannot be a header or an address.
    """
    refuse_injection(content)
    sender = ascii_domain("sender", content.sender)
    addressed = {
        "From": [mailbox(content.sender_name or "", sender)],
        "To": [ascii_domain("to", content.to)],
        "Cc": [ascii_domain("cc", copy) for copy in content.cc],
        "Reply-To": [ascii_domain("reply_to", content.reply_to)] if content.reply_to else [],
    }
    message = EmailMessage(policy=POLICY)
    # set_raw: by ``message[name] = value`` the standard library decodes encoded words (RFC 2047) in ``value`` and, in
    # 3.11, writes the line breaks it finds in them as line breaks: a header more.
    for name, addresses in addressed.items():
        if addresses:
            message.set_raw(name, ",\r\n ".join(addresses))
    message.set_raw("Subject", unstructured("Subject", content.subject))
    message.set_raw("Date", format_datetime(date or datetime.now(UTC)))
    message.set_raw("Message-ID", message_id(key, sender))
    for name, value in content.headers.items():
        message.set_raw(name, unstructured(name, value))
    add_bodies(message, content)
    return message


def as_bytes(message: EmailMessage) -> bytes:
    """``message`` with CRLF line ends; in ASCII, or in UTF-8 (RFC 6532) where an address needs it."""
    return message.as_bytes(policy=POLICY.clone(utf8=needs_utf8(message)))


def needs_utf8(message: EmailMessage) -> bool:
    """Whether an address is not ASCII, so that only a server with SMTPUTF8 (RFC 6531) can take the message."""
    # Every other header was encoded when it was set.
    return not all(str(value).isascii() for _, value in message.raw_items())


def mailbox(name: str, address: str) -> str:
    """A name and an address as one mailbox (RFC 5322 §3.4)."""
    if not name:
        return address
    if name.isascii() and "=?" not in name and len(name) <= LONGEST_WORD:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{Header(name, 'utf-8', header_name='From').encode(linesep=CRLF)}{CRLF} <{address}>"


def unstructured(name: str, value: str) -> str:
    """The text of a header, folded; encoded (RFC 2047) where it is not ASCII or could be taken for encoded."""
    plain = value.isascii() and "=?" not in value and all(len(word) <= LONGEST_WORD for word in value.split(" "))
    if plain and " " not in value:
        # There is nowhere to fold, and a folded URL (List-Unsubscribe) is not found by every reader.
        return value
    return Header(value, "us-ascii" if plain else "utf-8", header_name=name).encode(linesep=CRLF)


def message_id(key: str, sender: str) -> str:
    """A Message-ID (RFC 5322 §3.6.4) that only depends on the idempotency key and the sender's domain."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"<{digest[:40]}@{sender.rpartition('@')[2]}>"


def recipients(content: EmailContent) -> list[str]:
    """The envelope: ``to`` first, then the copies, each address once, domains in ASCII."""
    named = [("to", content.to), *(("cc", copy) for copy in content.cc), *(("bcc", copy) for copy in content.bcc)]
    return list(dict.fromkeys(ascii_domain(field, address) for field, address in named))


def envelope_sender(content: EmailContent) -> str:
    """Where bounces go: the sender, its domain in ASCII."""
    return ascii_domain("sender", content.sender)


def ascii_domain(field: str, address: str) -> str:
    """``address`` with its domain as mail servers know it: ``ada@bücher.example`` is ``ada@xn--bcher-kva.example``."""
    try:
        valid = validate_email(
            address, check_deliverability=False, globally_deliverable=False, test_environment=True, strict=False
        )
    except EmailNotValidError as err:
        raise Rejected(
            f"{field}: {address[:64]!r} is not an e-mail address: {err}", reason=Reason.CONTENT_INVALID
        ) from None
    return f"{valid.local_part}@{valid.ascii_domain}"


def add_bodies(message: EmailMessage, content: EmailContent) -> None:
    """Text, HTML, what the HTML shows, and what is attached."""
    # Parts that follow are of the same kind as the whole, and take over its policy.
    inline = [a for a in content.attachments if a.content_id] if content.html else []
    message.set_content(content.text or ("" if not content.html else content.html), subtype=plain_or_html(content))
    if content.text and content.html:
        message.add_alternative(content.html, subtype="html")
    if inline:
        show(message, inline)
    for attachment in content.attachments:
        if attachment not in inline:
            main, sub = kind(attachment)
            message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)


def plain_or_html(content: EmailContent) -> str:
    """The kind of the first body: an e-mail with HTML alone has no text part."""
    return "html" if content.html and not content.text else "plain"


def show(message: EmailMessage, inline: Sequence[Attachment]) -> None:
    """Put the images that the HTML names by ``cid:`` beside it."""
    html: MIMEPart | None = message.get_body(("html",))
    assert html is not None, "there is an HTML body where something is inline"
    for attachment in inline:
        main, sub = kind(attachment)
        html.add_related(
            attachment.content, maintype=main, subtype=sub, filename=attachment.name, disposition="inline",
            cid=f"<{attachment.content_id}>",
        )  # fmt: skip


def kind(attachment: Attachment) -> tuple[str, str]:
    """The MIME type in two parts. A message or a multipart would be read as part of this one."""
    main, _, sub = attachment.mime.partition("/")
    return ("application", "octet-stream") if main.lower() in ("message", "multipart") else (main, sub)
