"""The signature of the bridge protocol: ``novu-signature: t=<epoch milliseconds>,v1=<hex>``."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

HEADER = "novu-signature"
WINDOW = timedelta(minutes=5)
"""How far the time of a signature may be from now, either way."""


class Flaw(StrEnum):
    """What is wrong with a signature, as Novu's framework calls it."""

    NOT_FOUND = "SignatureNotFoundError"
    INVALID = "SignatureInvalidError"
    EXPIRED = "SignatureExpiredError"
    MISMATCH = "SignatureMismatchError"
    NO_KEY = "SigningKeyNotFoundError"


def sign(secret: str, body: str, now: datetime) -> str:
    """The header for ``body``, the text that is sent; ``{}`` where nothing is."""
    at = str(int(now.timestamp() * 1000))
    return f"t={at},v1={_digest(secret, at, body.encode())}"


def flaw(header: str | None, secrets: Iterable[str], body: bytes, now: datetime) -> Flaw | None:
    """What is wrong with ``header`` for ``body``, if anything is. Any of ``secrets`` may have signed."""
    if not header:
        return Flaw.NOT_FOUND
    parts: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        parts.setdefault(name, value)
    at, given = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdecimal() and len(at) <= 16 and given):
        return Flaw.INVALID
    if abs(int(at) - now.timestamp() * 1000) > WINDOW.total_seconds() * 1000:
        return Flaw.EXPIRED
    known = list(secrets)
    if not known:
        return Flaw.NO_KEY
    # Every key is tried, so that the time taken does not tell which one was close.
    fits = [hmac.compare_digest(_digest(secret, at, body).encode(), given.encode()) for secret in known]
    return None if any(fits) else Flaw.MISMATCH


def _digest(secret: str, at: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
