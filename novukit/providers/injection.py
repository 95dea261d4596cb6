"""Refuse content that could smuggle a header, a recipient or a control character past a provider."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model import ChatContent, Content, EmailContent, PushContent, Reason, SmsContent
from .outcome import Rejected

# One bare address: nothing that separates, quotes or comments in a header, on either side of the @.
ADDRESS = re.compile(r"[^\s,;:<>()\[\]\"\\@\x00-\x1f\x7f]{1,64}@[^\s,;:<>()\[\]\"\\@\x00-\x1f\x7f]{1,255}")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
CONTENT_ID = re.compile(r"[A-Za-z0-9._@+-]{1,128}")
# What ends a line for some reader: C0, DEL, C1 (with NEL), line and paragraph separator.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# An encoded word (RFC 2047) can hold a line break, and some mail libraries decode it on the way out.
ENCODED_WORD = re.compile(r"=\?[^?]*\?[bq]\?", re.IGNORECASE)
# NUL and lone surrogates break C strings and encoders; line ends and tabs are part of a body.
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

OWN_HEADERS = frozenset(
    [
        "bcc",
        "cc",
        "date",
        "delivered-to",
        "dkim-signature",
        "from",
        "message-id",
        "mime-version",
        "received",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
    ]
)
OWN_PREFIXES = ("content-", "resent-", "arc-")


def refuse_injection(content: Content) -> None:
    """Raise Rejected (``content_invalid``) naming the first field of ``content`` that could be read as more than it is.

    ``dispatch`` does this for every provider, also for those that send JSON: what their servers make of it is unknown.
    """
    if isinstance(content, EmailContent):
        refuse_in_email(content)
    elif isinstance(content, SmsContent):
        one_line("to", content.to)
        one_line("sender", content.sender or "")
        writable("body", content.body)
    elif isinstance(content, PushContent):
        for token in content.tokens:
            one_line("tokens", token)
        writable("subject", content.subject)
        writable("body", content.body)
        for field in ("image", "sound", "url", "collapse_key"):
            one_line(field, getattr(content, field) or "")
    elif isinstance(content, ChatContent):
        for field in ("webhook_url", "channel", "thread"):
            one_line(field, getattr(content, field) or "")
        writable("body", content.body)


def refuse_in_email(content: EmailContent) -> None:
    """The rules for e-mail, where every field but the bodies ends up in a header."""
    address("to", content.to)
    address("sender", content.sender)
    if content.reply_to:
        address("reply_to", content.reply_to)
    for field, copies in (("cc", content.cc), ("bcc", content.bcc)):
        for copy in copies:
            address(field, copy)
    one_line("sender_name", content.sender_name or "")
    one_line("subject", content.subject)
    writable("text", content.text)
    writable("html", content.html)
    for name, value in content.headers.items():
        header(name, value)
    unique("headers", (name.lower() for name in content.headers))
    for tag in content.tags:
        one_line("tags", tag)
    for name, value in content.metadata.items():
        one_line("metadata", name)
        one_line(f"metadata[{name!r}]", value)
    for attachment in content.attachments:
        one_line("attachments", attachment.name)
        if attachment.content_id is not None and not CONTENT_ID.fullmatch(attachment.content_id):
            raise invalid("attachments", f"{attachment.content_id[:64]!r} cannot be a content id")
    unique("attachments", (a.content_id for a in content.attachments if a.content_id))


def address(field: str, value: str) -> None:
    """One bare address, neither a list nor a name with an address."""
    if not ADDRESS.fullmatch(value) or not shown(value) or "=?" in value:
        raise invalid(field, f"{value[:64]!r} is not one bare e-mail address")


def header(name: str, value: str) -> None:
    """A header of the author's own, which none of novukit's may be."""
    if not HEADER_NAME.fullmatch(name):
        raise invalid("headers", f"{name[:64]!r} is not a header name (letters, digits and -, at most 64)")
    if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIXES):
        raise invalid("headers", f"{name!r} is set by novukit; use the field of the step for it where there is one")
    one_line(f"headers[{name!r}]", value)


def one_line(field: str, value: str) -> None:
    """Text that stays on its line."""
    if not shown(value):
        raise invalid(field, f"{value[:64]!r} has a line break or a control character")
    if "=?" in value and ENCODED_WORD.search(value):
        raise invalid(field, f"{value[:64]!r} is encoded already; give it as plain text")


def shown(value: str) -> bool:
    """Whether nothing in ``value`` ends a line, controls or cannot be written. What can be printed is none of that."""
    return value.isprintable() or not (CONTROL.search(value) or UNWRITABLE.search(value))


def writable(field: str, value: str) -> None:
    """Text of any number of lines."""
    # A page of ASCII is looked through ten times as fast for its one bad character as by the pattern.
    if "\x00" in value if value.isascii() else UNWRITABLE.search(value):
        raise invalid(field, "it has a NUL or half of a surrogate pair")


def unique(field: str, values: Iterable[str]) -> None:
    """No name twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid(field, f"{value!r} is there twice")
        seen.add(value)


def invalid(field: str, problem: str) -> Rejected:
    """The refusal, which names the field."""
    return Rejected(f"{field}: {problem}.", reason=Reason.CONTENT_INVALID)
