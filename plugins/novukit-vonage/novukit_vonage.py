"""``vonage``: SMS by Vonage's SMS API (once Nexmo), whose answers say in the body what became of each part."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    ProviderError,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    Throttled,
    Unknown,
    as_object,
    hookimpl,
    moment,
    objects,
    raise_for_outcome,
    read_json,
    sign_hmac,
    verify_hmac,
    verify_timestamp,
)

KINDS = {
    "accepted": EventKind.ACCEPTED,
    "buffered": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "expired": EventKind.FAILED,
    "failed": EventKind.FAILED,
    "rejected": EventKind.FAILED,
    "submitted": EventKind.ACCEPTED,
    "undeliverable": EventKind.FAILED,
}
"""The statuses of delivery receipts, and those that the Messages API has beside them."""

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
"""What fits into an SMS without Unicode (3GPP TS 23.038 §6.2.1, with the extension of §6.2.1.1)."""

SignatureMethod = Literal["md5hash", "md5", "sha1", "sha256", "sha512"]


class VonageCredentials(SmsCredentials):
    """The account, and the secret that its delivery receipts are signed with."""

    api_key: str = Field(description="API key of the account.")
    secret_key: SecretStr = Field(description="API secret of the account.")
    signature_secret: SecretStr | None = Field(
        default=None, description="Signature secret of the account, if Vonage reports delivery receipts."
    )
    signature_method: SignatureMethod = Field(
        default="sha256", description="How receipts are signed, as chosen in the dashboard: HMAC, or md5hash."
    )
    callback_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        max_length=100,
        description="Where Vonage reports what became of a message, if not where the dashboard says.",
    )


class Vonage(SmsProvider[VonageCredentials]):
    """Sends one SMS a request. What is in ``overrides`` goes into the form of the request as it is."""

    id = "vonage"
    novu_id = "nexmo"
    events = frozenset(KINDS.values())
    base_url = "https://rest.nexmo.com"

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Hand the SMS over. ``key`` is its client-ref, which receipts repeat; Vonage itself does not look at it."""
        response = await self.http.post(
            f"{self.base_url}/sms/json", auth=self.auth, data=content.overrides | self.form(content, key)
        )
        raise_for_outcome(response, detail=words(read_json(response)) or None)
        return receipt(objects(read_json(response).get("messages")))

    async def check(self) -> None:
        """Ask for the balance of the account."""
        response = await self.http.request("GET", f"{self.base_url}/account/get-balance", auth=self.auth)
        raise_for_outcome(response, detail=words(read_json(response)) or None)

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One receipt a request: in a form, in JSON, or in the query of a GET. Each part of a long SMS has its own."""
        if self.credentials.signature_secret is None:
            raise CallbackRefused("The integration has no signature_secret.")
        told = fields(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            verify_token(token.strip(), self.credentials.signature_secret, request)
        else:
            verify_fields(told, self.credentials.signature_secret, self.credentials.signature_method, request.now)
        return read(told)

    def form(self, content: SmsContent, key: str) -> dict[str, str]:
        """The SMS as Vonage's form has it: numbers without the plus. Raises Rejected where it has no sender."""
        sender = content.sender or self.sender
        if not sender:
            raise Rejected("No sender: give the integration a from.", reason=Reason.NO_SENDER)
        made = {
            "from": sender.removeprefix("+"),
            "to": content.to.removeprefix("+"),
            "text": content.body,
            "type": "text" if GSM.issuperset(content.body) else "unicode",
            "client-ref": key,
        }
        if self.credentials.callback_url:
            made["callback"] = self.credentials.callback_url
        return made

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return self.credentials.api_key, self.credentials.secret_key.get_secret_value()


def receipt(parts: Sequence[dict[str, Any]]) -> Receipt:
    """What the parts of the message came to. Vonage answers 200 whatever happened; the status of each part tells.

    Accepted if any part was: sent again, that part would arrive twice. Raises the error of the first part if none
    was, and Unknown where there is no part to be read.
    """
    taken = [part for part in parts if str(part.get("status")) == "0"]
    refused = [part for part in parts if part not in taken]
    if taken:
        said = f"{len(refused)} of {len(parts)} parts were refused: {words(refused[0])}" if refused else ""
        return Receipt(provider_message_id=taken[0].get("message-id"), detail=said)
    if not refused or "status" not in refused[0]:
        raise Unknown("The answer does not say what became of the message.")
    raise error(str(refused[0]["status"]), words(refused[0]))


def error(status: str, said: str) -> ProviderError:
    """The outcome of a status. Source: developer.vonage.com «Troubleshooting SMS», «SMS API error codes»."""
    match status:
        case "1" | "10":
            return Throttled(said)
        case "5":
            # «An error has occurred in the platform whilst processing this message»: before or after, nobody says.
            return Unknown(said)
        case "4" | "8" | "11" | "14" | "32":
            return Rejected(said, reason=Reason.CREDENTIALS_INVALID)
        case "7" | "33":
            return RecipientGone(said)
        case "12":
            return Rejected(said, reason=Reason.CONTENT_INVALID)
        case _:
            return Rejected(said)


def fields(request: CallbackRequest) -> dict[str, Any]:
    """What a receipt says, wherever it stands."""
    if request.method == "GET":
        return dict(request.query)
    return as_object(request.json()) or dict(request.form())


def verify_fields(told: Mapping[str, Any], secret: SecretStr, method: SignatureMethod, now: datetime) -> None:
    """Check ``sig``, which is over all other fields, and the time in them. Raises CallbackRefused.

    Source: developer.vonage.com «Signing Messages», «Manually generate a signature».
    """
    said = "".join(
        f"&{name}={str(told[name]).replace('&', '_').replace('=', '_')}" for name in sorted(told) if name != "sig"
    ).encode("utf-8", "replace")
    given = str(told.get("sig", "")).lower()
    if method == "md5hash":
        key = secret.get_secret_value().encode()
        wanted = hashlib.md5(said + key, usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            raise CallbackRefused("The signature is wrong.")
    else:
        verify_hmac(secret, said, given, digest=method)
    verify_timestamp(str(told.get("timestamp", "")), now)


def verify_token(token: str, secret: SecretStr, request: CallbackRequest) -> None:
    """Check a JWT (RFC 7519) of HS256, its time, and that it was made for this body. Raises CallbackRefused.

    By hand, for Vonage's secrets may be shorter than PyJWT wants. Source: developer.vonage.com «Signed webhooks».
    """
    signed, _, signature = token.rpartition(".")
    head, _, claims = signed.partition(".")
    if decoded(head).get("alg") != "HS256":
        raise CallbackRefused("The token is not signed with HS256.")
    wanted = sign_hmac(secret, signed.encode("utf-8", "replace"), encoding="base64")
    if not hmac.compare_digest(wanted.translate(URL_SAFE).rstrip("=").encode(), signature.encode("utf-8", "replace")):
        raise CallbackRefused("The signature is wrong.")
    said = decoded(claims)
    verify_timestamp(str(said.get("iat", "")), request.now)
    if said.get("payload_hash") != hashlib.sha256(request.body).hexdigest():
        raise CallbackRefused("The token was made for another body.")


URL_SAFE = str.maketrans("+/", "-_")


def decoded(part: str) -> dict[str, Any]:
    """The JSON object in a part of a JWT; empty where there is none."""
    try:
        return as_object(json.loads(base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))))
    except (binascii.Error, ValueError, RecursionError):
        return {}


def read(told: Mapping[str, Any]) -> Sequence[DeliveryEvent]:
    """The event that a receipt tells of: the SMS API's, or the Messages API's where the account is set to that."""
    kind = KINDS.get(str(told.get("status")))
    message_id = told.get("messageId") or told.get("message_uuid")
    if kind is None or not message_id:
        return []
    ours = "messageId" in told
    problem, code = as_object(told.get("error")), told.get("err-code")
    return [
        DeliveryEvent(
            kind=kind,
            provider_message_id=str(message_id),
            at=minute(told.get("scts")) if ours else moment(told.get("timestamp")),
            recipient=str(told.get("msisdn" if ours else "to") or "") or None,
            key=str(told.get("client-ref" if ours else "client_ref") or "") or None,
            detail=f"err-code {code}" if code not in (None, "0", 0) else str(problem.get("title") or ""),
        )
    ]


def minute(value: object) -> datetime | None:
    """A time as carriers write it, YYMMDDHHMM; None where it is none."""
    try:
        return datetime.strptime(str(value), "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def words(answer: dict[str, Any]) -> str:
    """Vonage's own words for what is wrong."""
    said = (answer.get(name) for name in ("status", "error-code", "error-text", "error-code-label", "title", "detail"))
    return " ".join(str(one) for one in said if one)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Vonage]
