"""``webpush``: push to browsers by Web Push (RFC 8030), encrypted (RFC 8291) and signed with a VAPID key (RFC 8292)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field, SecretStr, field_validator

from novukit.providers import (
    AnyProvider,
    Credentials,
    HttpClient,
    Limits,
    PushContent,
    PushProvider,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    as_object,
    hookimpl,
    raise_for_outcome,
    send_to_each,
)

MESSAGE = 4096
"""Bytes that every push service must take, encrypted (RFC 8030 §7.2)."""

ROOM = MESSAGE - 103
"""Bytes that are left of it for the payload: the header has 86, the end of the padding 1, the tag 16 (RFC 8188)."""

FOUR_WEEKS = 2_419_200
"""Seconds. A message must say how long it is kept (RFC 8030 §5.2)."""

VAPID_SERVES = timedelta(hours=12)
"""At most 24 hours (RFC 8292 §2)."""

TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
SUBJECT = r"^(mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https://[^\s/]+\.[^\s/]+\S*)$"


class WebPushCredentials(Credentials):
    """The key pair that browsers subscribe with, and whom a push service may write to."""

    private_key: SecretStr = Field(
        alias="secretKey", description="The private VAPID key that `novukit webpush keys` printed."
    )
    subject: str = Field(pattern=SUBJECT, description="Whom push services may turn to: mailto:… or https://…")

    @field_validator("private_key")
    @classmethod
    def _is_one(cls, given: SecretStr) -> SecretStr:
        """Say what is wrong when the integration is made, and not when the first message is due."""
        load_key(given)
        return given


class WebPush(PushProvider[WebPushCredentials]):
    """Sends to each subscription. What is in ``overrides`` goes into the options of the browser's notification."""

    id = "webpush"
    name = "Web Push"
    supports = frozenset({"data", "image", "badge", "url", "collapse_key", "ttl", "priority"})
    limits = Limits(size=ROOM)

    def __init__(self, credentials: WebPushCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.public_key = to_text(point(load_key(credentials.private_key).public_key()))

    async def send(self, content: PushContent, key: str) -> Receipt:
        """A push service has no idempotency keys; the browser shows a message of the same key in the place of it."""
        try:
            plain = json.dumps(
                payload(content, key), ensure_ascii=False, allow_nan=False, separators=(",", ":")
            ).encode()
        except (ValueError, TypeError) as err:
            raise Rejected(f"The payload is not JSON: {err}", reason=Reason.CONTENT_INVALID) from None
        if len(plain) > ROOM:
            said = f"The payload has {len(plain)} bytes, the limit is {ROOM}."
            raise Rejected(said, reason=Reason.CONTENT_INVALID)

        async def one(token: str) -> str | None:
            to = Subscription.read(token)
            response = await self.http.post(
                # Anybody can register a subscription: where its address leads to is the guard's to judge.
                f"{self.base_url}{to.path}" if self.base_url else to.endpoint,
                content=encrypt(plain, to.public, to.auth),
                headers=headers(content) | {"Authorization": self.authorization(to.origin)},
            )
            if response.status_code in (404, 410):
                raise RecipientGone(f"answered {response.status_code}", tokens=[token])
            if response.status_code == 413:
                raise Rejected("answered 413: the message is too large", reason=Reason.CONTENT_INVALID)
            raise_for_outcome(response)
            return response.headers.get("location")

        return await send_to_each(content.tokens, one)

    def authorization(self, origin: str) -> str:
        """The header by which a push service knows us, good for ``origin`` alone (RFC 8292 §3)."""
        until = self.now() + VAPID_SERVES
        claims = {"aud": origin, "exp": int(until.timestamp()), "sub": self.credentials.subject}
        return f"vapid t={jwt.encode(claims, load_key(self.credentials.private_key), 'ES256')},k={self.public_key}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gives out when somebody subscribes."""

    endpoint: str = field(repr=False)
    public: bytes = field(repr=False)
    auth: bytes = field(repr=False)

    @classmethod
    def read(cls, token: str) -> Subscription:
        """The subscription in a device token: the JSON that ``JSON.stringify(subscription)`` makes in the browser."""
        try:
            told = as_object(json.loads(token))
            keys = as_object(told.get("keys"))
            made = cls(str(told.get("endpoint")), from_text(keys.get("p256dh")), from_text(keys.get("auth")))
            EllipticCurvePublicKey.from_encoded_point(SECP256R1(), made.public)
            address = urlsplit(made.endpoint)
        except (ValueError, RecursionError):
            raise cls.refused("The device token is not a browser's subscription in JSON.") from None
        if len(made.auth) != 16:
            raise cls.refused("The subscription's auth secret has not 16 bytes.")
        if address.scheme != "https" or not address.hostname or "@" in address.netloc:
            raise cls.refused("The subscription's endpoint is not an https URL.")
        return made

    @staticmethod
    def refused(said: str) -> Rejected:
        """It never works, but only a push service can say that it is gone."""
        return Rejected(said, reason=Reason.CONTENT_INVALID)

    @property
    def origin(self) -> str:
        """Scheme and host of the push service."""
        return f"https://{urlsplit(self.endpoint).netloc}"

    @property
    def path(self) -> str:
        """The endpoint without its origin."""
        return self.endpoint[len(self.origin) :]


def payload(content: PushContent, key: str) -> dict[str, Any]:
    """What the service worker reads: a title, and the options of ``showNotification``."""
    options = {
        "body": content.body,
        "image": content.image,
        "data": content.data,
        # What has the same tag replaces what is shown. Also the same message, when it was sent twice.
        "tag": content.collapse_key or key,
    }
    options = content.overrides | {name: value for name, value in options.items() if value}
    told = {"title": content.subject, "url": content.url, "count": content.badge, "options": options}
    return {name: value for name, value in told.items() if value is not None}


def headers(content: PushContent) -> dict[str, str]:
    """What all requests of a message have in common (RFC 8030 §5)."""
    made = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(FOUR_WEEKS if content.ttl is None else content.ttl),
        "Urgency": content.priority,
        "Topic": topic(content.collapse_key) if content.collapse_key else None,
    }
    return {name: value for name, value in made.items() if value is not None}


def topic(key: str) -> str:
    """``key`` as a topic, which has at most 32 characters of base64url: as it is where it fits, else its hash."""
    return key if TOPIC.fullmatch(key) else to_text(hashlib.sha256(key.encode()).digest()[:24])


def encrypt(
    plain: bytes, public: bytes, auth: bytes, *, key: EllipticCurvePrivateKey | None = None, salt: bytes = b""
) -> bytes:
    """``plain`` as only the browser can read it (RFC 8291 §3.4, RFC 8188 §2.1), in one record.

    ``public`` and ``auth`` are the subscription's. ``key`` and ``salt`` are new for each message unless given.
    """
    key, salt = key or generate_private_key(SECP256R1()), salt or os.urandom(16)
    own = point(key.public_key())
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public))
    secret = hkdf(auth, shared, b"WebPush: info\0" + public + own, 32)
    content_key = hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)
    return salt + MESSAGE.to_bytes(4, "big") + bytes([len(own)]) + own + sealed


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Key material (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(secret)


def load_key(given: SecretStr) -> EllipticCurvePrivateKey:
    """The private VAPID key, 32 bytes in base64url; ValueError, which does not repeat it, where it is none."""
    try:
        raw = from_text(given.get_secret_value())
        if len(raw) != 32:
            raise ValueError
        return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())
    except ValueError:
        raise ValueError("is not a private VAPID key; `novukit webpush keys` makes one") from None


def point(key: EllipticCurvePublicKey) -> bytes:
    """A public key as 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_text(raw: bytes) -> str:
    """``raw`` in base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_text(text: object) -> bytes:
    """What ``text`` says in base64url, with or without padding; ValueError where it does not."""
    given = str(text).rstrip("=")
    return base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [WebPush]
