"""Tokens of inbox sessions: what a browser holds after its session was opened, and what it proves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from ...errors import SessionInvalid

GOOD_FOR = timedelta(days=15)
"""How long a token is taken. Novu's client never renews one: it opens a session whenever a page is loaded."""

AUDIENCE = "widget_user"
LONGEST = 8_192
"""Characters that a token may have."""

_ISSUER = "novukit"
_LABEL = b"novukit inbox token 1"
_HOW = "Open the session again: POST /v1/inbox/session."


@dataclass(frozen=True, slots=True)
class Session:
    """Whose inbox it is. ``context_keys`` is the text of its context's keys, ``""`` when it has none."""

    environment_id: UUID
    subscriber_uuid: UUID
    subscriber_id: str
    context_keys: str
    expires_at: datetime


def make(session: Session, secret: str, *, now: datetime) -> str:
    """The token of a session: a JWT (RFC 7519, HS256) under a key that is derived from the environment's secret."""
    claims = {
        "iss": _ISSUER,
        "aud": AUDIENCE,
        "sub": str(session.subscriber_uuid),
        "environmentId": str(session.environment_id),
        "subscriberId": session.subscriber_id,
        "contextKeys": session.context_keys,
        "iat": int(now.timestamp()),
        "exp": int(session.expires_at.timestamp()),
    }
    signed = f"{_HEADER}.{_text(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{signed}.{_signature(signed, secret)}"


def read(token: str, secret: str, *, now: datetime) -> Session:
    """The session that a token proves. Raises :class:`SessionInvalid` for one that is forged or has expired."""
    signed, _, signature = token.rpartition(".")
    # The header is a constant, so that no token can choose how it is checked.
    if not hmac.compare_digest(signature.encode(), _signature(signed, secret).encode()):
        raise SessionInvalid("The session's token is not valid.", hint=_HOW)
    session = named(token)
    if session.expires_at <= now:
        raise SessionInvalid("The session has expired.", hint=_HOW)
    return session


def named(token: str) -> Session:
    """The session that a token names, which proves nothing yet. Raises :class:`SessionInvalid`."""
    try:
        if len(token) > LONGEST:
            raise ValueError("too long to be one of ours")
        header, payload, _ = token.split(".")
        claims = cast("dict[str, Any]", json.loads(_bytes(payload)))
        if header != _HEADER or claims["iss"] != _ISSUER or claims["aud"] != AUDIENCE:
            raise ValueError("not one of ours")
        return Session(
            environment_id=UUID(claims["environmentId"]),
            subscriber_uuid=UUID(claims["sub"]),
            subscriber_id=str(claims["subscriberId"]),
            context_keys=str(claims["contextKeys"]),
            expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error):
        raise SessionInvalid("The session's token is not valid.", hint=_HOW) from None


def _signature(signed: str, secret: str) -> str:
    # A key of its own: what is signed elsewhere with the same secret can never be taken for a token.
    key = hmac.digest(secret.encode(), _LABEL, hashlib.sha256)
    return _text(hmac.digest(key, signed.encode("utf-8", "replace"), hashlib.sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_HEADER = _text(b'{"alg":"HS256","typ":"JWT"}')
