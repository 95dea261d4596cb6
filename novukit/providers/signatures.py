"""Check that a callback is from the vendor: over the raw bytes, in constant time, and within five minutes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from pydantic import SecretStr

from .callback import CallbackRefused, CallbackRequest, moment

WINDOW = timedelta(minutes=5)
"""How far a callback's timestamp may be from our clock, before or after."""


def sign_hmac(
    key: str | bytes | SecretStr, message: bytes, *, digest: str = "sha256", encoding: Literal["hex", "base64"] = "hex"
) -> str:
    """The HMAC (RFC 2104) of ``message`` as text. ``digest`` is a name that hashlib knows."""
    raw = hmac.new(key_bytes(key), message, getattr(hashlib, digest)).digest()
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def verify_hmac(
    key: str | bytes | SecretStr,
    message: bytes,
    given: str | None,
    *,
    digest: str = "sha256",
    encoding: Literal["hex", "base64"] = "hex",
) -> None:
    """Raise CallbackRefused unless ``given`` is the HMAC of ``message``; compared in constant time."""
    wanted = sign_hmac(key, message, digest=digest, encoding=encoding)
    if not given or not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise CallbackRefused("The signature is wrong.")


def verify_secret(secret: str | SecretStr, given: str | None) -> None:
    """Raise CallbackRefused unless ``given`` is the secret itself; compared in constant time.

    For vendors that sign nothing and repeat a secret instead. It says who calls, and nothing of the body.
    """
    wanted = key_bytes(secret)
    if not wanted or not given or not hmac.compare_digest(wanted, given.encode("utf-8", "replace")):
        raise CallbackRefused("The secret is wrong.")


def verify_basic_auth(request: CallbackRequest, user: str, password: str | SecretStr) -> None:
    """Check user and password of a callback (basic authentication, RFC 7617). Raises CallbackRefused.

    A vendor that is given ``https://user:password@host/…`` as the URL to call sends them so.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted = base64.b64encode(f"{user}:{reveal(password)}".encode()).decode()
    verify_secret(wanted if reveal(password) else "", given.strip() if scheme.lower() == "basic" else None)


def verify_timestamp(given: str | None, now: datetime, *, window: timedelta = WINDOW) -> datetime:
    """The time that ``given`` says (seconds since 1970, or ISO 8601); CallbackRefused if too far from ``now``."""
    at = moment(given) if given else None
    if at is None:
        raise CallbackRefused("The timestamp is missing or is none.")
    if abs(at - now) > window:
        raise CallbackRefused("The timestamp is too old or too new.", hint="Is the clock of this machine right?")
    return at


def verify_standard_webhook(
    request: CallbackRequest, secret: str | SecretStr, *, prefix: Literal["webhook", "svix"] = "webhook"
) -> str:
    """Check a callback signed as Standard Webhooks (and Svix) do, and return the id of the event.

    ``secret`` is ``whsec_…`` or the base64 alone. The header holds one or several signatures (while a secret is being
    changed); one right one of version ``v1`` is enough. Raises CallbackRefused.
    Source: Standard Webhooks specification 1.0.0, «Signature scheme».
    """
    headers = request.headers
    event_id, at = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    if not event_id or "." in event_id:
        raise CallbackRefused(f"The header {prefix}-id is missing or is none.")
    verify_timestamp(at, request.now)
    key = from_base64(reveal(secret).removeprefix("whsec_"))
    if not key:
        raise CallbackRefused("The webhook secret of the integration is not base64.")
    wanted = sign_hmac(key, f"{event_id}.{at}.".encode() + request.body, encoding="base64").encode()
    given = [one.removeprefix("v1,") for one in headers.get(f"{prefix}-signature", "").split() if one.startswith("v1,")]
    # All are compared, so that the time taken does not tell which one was right.
    if not sum(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given):
        raise CallbackRefused("The signature is wrong.")
    return event_id


def verify_ecdsa(public_key: str, message: bytes, given: str | None) -> None:
    """Check an ECDSA signature with SHA-256, in base64. ``public_key`` is PEM, or base64 of its DER form.

    Raises CallbackRefused.
    """
    try:
        pem = "-----BEGIN" in public_key
        key = load_pem_public_key(public_key.encode()) if pem else load_der_public_key(from_base64(public_key))
        if not isinstance(key, EllipticCurvePublicKey):
            raise CallbackRefused("The public key of the integration is not one for ECDSA.")
        key.verify(from_base64(given or ""), message, ECDSA(SHA256()))
    except InvalidSignature:
        raise CallbackRefused("The signature is wrong.") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CallbackRefused("The public key of the integration is none.") from None


def verify_ed25519(public_key: bytes, message: bytes, given: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032): a key of 32 bytes, a signature of 64. Raises CallbackRefused."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(given, message)
    except InvalidSignature:
        raise CallbackRefused("The signature is wrong.") from None
    except ValueError:
        raise CallbackRefused("The public key of the integration is none.") from None


def from_base64(text: str) -> bytes:
    """``text`` decoded; empty where it is not base64."""
    try:
        return base64.b64decode(text.encode("utf-8", "replace"), validate=True)
    except binascii.Error:
        return b""


def key_bytes(key: str | bytes | SecretStr) -> bytes:
    """A key as bytes."""
    return key if isinstance(key, bytes) else reveal(key).encode("utf-8", "surrogatepass")


def reveal(secret: str | SecretStr) -> str:
    """The text of a secret."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret
