"""A vendor as its documentation describes it: what it is sent, where each field goes, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...providers import Outcome, Reason
from .wire import Request

if TYPE_CHECKING:
    from .callbacks import Callbacks


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the vendor. A ``body`` that is neither bytes nor text is written as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def bytes(self) -> bytes:
        """The whole answer as HTTP/1.1."""
        body = self.body
        kind = "text/plain; charset=utf-8" if isinstance(body, bytes | str) else "application/json"
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, kw_only=True, slots=True)
class Documented:
    """One answer that the vendor documents, and the outcome that it stands for.

    ``source`` is the title and the date of the page. ``confirmed=False`` says that the shape could not be checked
    against the vendor's own page; the matrix of providers shows it. ``retry_after`` is in seconds. ``gone`` says for
    push that the device's token is gone; the outcome is then ``recipient_gone``.
    """

    name: str
    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    outcome: Outcome = Outcome.REJECTED
    reason: Reason | None = None
    retry_after: float | None = None
    source: str
    confirmed: bool = True

    @property
    def answer(self) -> Answer:
        """What is sent back."""
        return Answer(self.status, self.body, self.headers)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A place where the value stands in another spelling, such as ``Spelled("json:ttl", lambda ttl: f"{ttl}s")``."""

    at: str | Callable[[Request], object]
    spelling: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The vendor has no place for this plain field; ``because`` says why nothing is lost."""

    because: str


Place = str | Callable[[Request], object] | Spelled | Nowhere
"""Where a field reaches the wire: a path, a function of the request, a spelling, or nowhere.

A path is ``json:reply_to[0]``, ``form:To``, ``query:wait``, ``header:Idempotency-Key``, ``path`` or ``body``. The value
is found there as it is, or within a longer text; a list holds each of its items, bytes are in base64.
"""

Reply = Answer | Callable[[Request], Answer]


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """What the kit must know of a vendor, besides what the provider declares.

    ``credentials``
        What the integration is given. Every secret must be a text of its own of at least 8 characters: the kit looks
        for it in all that is told of a call.
    ``accepted``, ``message_id``
        The answer to a message that is taken on, and the id in it (None where the vendor gives none).
    ``fields``
        For each plain field of the channel and each one in ``supports``: its place. An attachment has four:
        ``attachments.name``, ``attachments.content``, ``attachments.mime``, ``attachments.content_id``. A content id
        that is ``Nowhere`` is to be refused.
    ``key``
        The place of the idempotency key, for ``idempotency = "native"`` and for ``"lookup"`` where it is sent.
    ``errors``
        The documented errors, each with its outcome.
    ``urls``
        The provider's attributes that hold URLs, and the path below the kit's server that each is set to.
    ``routes``
        Answers to requests that are no message, by path: the token endpoint, say. ``token`` names the one that gives
        access tokens: several sends must ask there once.
    ``check``
        The answer to ``check`` where the credentials work; None where the provider has no ``check``.
    ``found``, ``missing``
        The answers to ``lookup`` when the vendor has the message, and when it has not.
    ``overrides``
        Sample values of overrides that the provider passes on, each with its place.
    ``unreadable``
        What a 2xx answer with a body that cannot be read stands for: accepted, or unknown where only the body tells.
    ``secret_in_url``
        True where the vendor wants a secret in the URL (Telegram).
    ``partial``
        For a push vendor that takes all tokens in one request, or whose request does not hold the token as it is: the
        answer to a request in which the given tokens are gone.
    ``content``
        Values for fields of the kit's sample content, where the vendor takes only some (an SMS sender). Device tokens
        are given as two, of which the second one goes away.
    ``callbacks``
        What it tells later; required where the provider names ``events``.
    """

    credentials: Mapping[str, Any]
    accepted: Answer
    message_id: str | None = None
    fields: Mapping[str, Place]
    key: Place | None = None
    errors: Sequence[Documented] = ()
    urls: Mapping[str, str] = field(default_factory=lambda: {"base_url": ""})
    routes: Mapping[str, Reply] = field(default_factory=dict[str, Reply])
    token: str | None = None
    check: Reply | None = None
    found: Reply | None = None
    missing: Reply | None = None
    overrides: Mapping[str, tuple[Any, Place]] = field(default_factory=dict[str, tuple[Any, Place]])
    unreadable: Outcome = Outcome.ACCEPTED
    secret_in_url: bool = False
    partial: Callable[[Request, Sequence[str]], Answer] | None = None
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])
    callbacks: Callbacks | None = None
