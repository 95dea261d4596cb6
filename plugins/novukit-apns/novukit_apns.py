"""``apns``: push by the Apple Push Notification service, with a provider token that all workers have in common."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import der_to_raw_signature
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
    Throttled,
    Token,
    TokenCache,
    as_object,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
    send_to_each,
)

PRODUCTION, SANDBOX = "https://api.push.apple.com", "https://api.sandbox.push.apple.com"
MESSAGES = UUID("5d5cd9dc-4f0c-5f0f-9a4a-6d4f2f3f6f0b")
"""Our name space of ``apns-id``."""

SERVES = timedelta(minutes=40)
"""How long a token is used: Apple takes none older than an hour, and none anew within 20 minutes."""

ANEW = timedelta(minutes=20)
BEHIND = timedelta(minutes=1)
"""A token is dated back by at least this, for Apple's clock may be behind ours."""

PAYLOAD = 4096
"""Bytes."""

GONE = {"Unregistered", "ExpiredToken"}


class ApnsCredentials(Credentials):
    """A key for token-based authentication, whose it is, and the app."""

    private_key: SecretStr = Field(alias="secretKey", description="The .p8 key from Apple: the PEM text.")
    key_id: str = Field(alias="apiKey", description="The key's id, 10 characters.")
    team_id: str = Field(alias="projectName", description="The developer team's id, 10 characters.")
    bundle_id: str = Field(alias="applicationId", description="The app's bundle id; it is the topic.")
    secure: bool = Field(default=False, description="True for production (App Store, TestFlight), else the sandbox.")

    @field_validator("private_key")
    @classmethod
    def _is_one(cls, given: SecretStr) -> SecretStr:
        """Say what is wrong when the integration is made, and not when the first message is due."""
        load_key(given)
        return given


class Apns(PushProvider[ApnsCredentials]):
    """Sends one request for each device. What is in ``overrides`` goes into the payload, ``aps`` merged with ours."""

    id = "apns"
    name = "Apple Push Notification service"
    supports = frozenset({"data", "image", "badge", "sound", "url", "collapse_key", "ttl", "priority"})
    limits = Limits(size=PAYLOAD, lengths={"collapse_key": 64})
    http2 = True
    base_url = SANDBOX

    def __init__(self, credentials: ApnsCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        # Apple wants the tokens of one team alone on a connection, and answers InvalidProviderToken to others.
        self.http = http.over_http2(credentials.team_id)
        if credentials.secure:
            self.base_url = PRODUCTION
        self.token = TokenCache(self.sign_token, self.now, early=timedelta())

    async def send(self, content: PushContent, key: str) -> Receipt:
        """Apple documents ``apns-id`` as a name for the message, not as a key that drops a second one."""
        payload = self.payload(content)
        written = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        if (size := len(written)) > PAYLOAD:
            said = f"The payload has {size} bytes, the limit is {PAYLOAD}."
            raise Rejected(said, reason=Reason.CONTENT_INVALID)
        access = await self.token.get()
        headers = self.headers(content, key) | {"authorization": f"bearer {access}"}

        async def one(token: str) -> str | None:
            # The same for every try of this message at this device.
            apns_id = str(uuid5(MESSAGES, f"{key} {token}"))
            response = await self.http.post(
                f"{self.base_url}/3/device/{quote(token, safe='')}",
                headers=headers | {"apns-id": apns_id},
                json=payload,
            )
            answer = read_json(response)
            reason = str(answer.get("reason", ""))
            match reason:
                case _ if reason in GONE:
                    raise RecipientGone(f"{reason}{since(answer.get('timestamp'))}", tokens=[token])
                case "ExpiredProviderToken":
                    # Ours are never older than 41 minutes, and another one would have the same date.
                    said = f"{reason}: is the clock of this machine right?"
                    raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
                case "TooManyProviderTokenUpdates":
                    raise Throttled(reason, retry_after=retry_after(response) or ANEW.total_seconds())
                case "PayloadTooLarge":
                    raise Rejected(reason, reason=Reason.CONTENT_INVALID)
                case _:
                    raise_for_outcome(response, detail=reason or None)
            return response.headers.get("apns-id") or apns_id

        return await send_to_each(content.tokens, one)

    def headers(self, content: PushContent, key: str) -> dict[str, str]:
        """What a message's requests to all devices have in common."""
        ttl, rank = content.ttl, content.priority
        made = {
            "apns-topic": self.credentials.bundle_id,
            "apns-push-type": "alert",
            # By default our key: a message that is sent a second time takes the place of the first on the device.
            "apns-collapse-id": content.collapse_key or (key if len(key.encode()) <= 64 else ""),
            "apns-priority": {"high": "10", "normal": "5"}[rank] if rank else "",
            "apns-expiration": "" if ttl is None else str(int(self.now().timestamp()) + ttl if ttl else 0),
        }
        return {name: value for name, value in made.items() if value}

    def payload(self, content: PushContent) -> dict[str, Any]:
        """``data`` stands beside ``aps``, and so do ``url`` and ``image``, for which Apple has no place."""
        own = {"url": content.url, "image": content.image}
        data = {name: value for name, value in own.items() if value} | content.data
        if "aps" in content.data:
            raise Rejected("data: 'aps' is Apple's; use overrides.", reason=Reason.CONTENT_INVALID)
        aps: dict[str, Any] = {
            "alert": {"title": content.subject, "body": content.body},
            "badge": content.badge,
            "sound": content.sound,
            # It lets the app's extension fetch the picture before the message is shown.
            "mutable-content": 1 if content.image else None,
        }
        given = as_object(content.overrides.get("aps"))
        aps = {name: value for name, value in aps.items() if value is not None}
        aps["alert"] = as_object(given.get("alert")) | aps["alert"]
        return content.overrides | data | {"aps": given | aps}

    async def sign_token(self) -> Token:
        """The provider token of this stretch of 40 minutes: the same in every worker, without their having to talk.

        Its date is that of the stretch, and its signature is deterministic (RFC 6979) where OpenSSL can do that.
        """
        stretch = SERVES.total_seconds()
        begun = int((self.now() - BEHIND).timestamp() // stretch * stretch)
        claims = json.dumps({"iss": self.credentials.team_id, "iat": begun}, separators=(",", ":")).encode()
        key = load_key(self.credentials.private_key)
        value = SIGNER.encode(claims, key, algorithm="ES256", headers={"kid": self.credentials.key_id})
        return Token(value, datetime.fromtimestamp(begun, UTC) + SERVES + BEHIND)


class Deterministic(ECAlgorithm):
    """ES256 that signs the same text the same way each time."""

    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:  # type: ignore[override]
        """The signature of ``msg``, as JWS has it (RFC 7518 §3.4)."""
        try:
            signature = key.sign(msg, ECDSA(SHA256(), deterministic_signing=True))
        except UnsupportedAlgorithm:  # an OpenSSL before 3.2
            signature = key.sign(msg, ECDSA(SHA256()))
        return der_to_raw_signature(signature, key.curve)


SIGNER = jwt.PyJWS(algorithms=[])
SIGNER.register_algorithm("ES256", Deterministic(ECAlgorithm.SHA256))


def load_key(given: SecretStr) -> EllipticCurvePrivateKey:
    """The private key in PEM; ValueError, which does not repeat it, where it is none."""
    try:
        key = load_pem_private_key(given.get_secret_value().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not a private key in PEM; give the text of the .p8 file") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("is not a key for ES256; give the .p8 file of an APNs key")
    return key


def since(timestamp: object) -> str:
    """Since when the token is gone, in words; Apple says it in milliseconds."""
    if not isinstance(timestamp, int | float):
        return ""
    return f" since {datetime.fromtimestamp(timestamp / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Apns]
