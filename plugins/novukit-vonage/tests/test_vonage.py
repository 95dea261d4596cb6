"""Vonage keeps what every SMS provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from novukit_vonage import Vonage, VonageCredentials

from novukit.providers import (
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Headers,
    HttpClient,
    Outcome,
    Reason,
    SmsContent,
    deliver,
    receive,
)
from novukit.testing.conformance import Answer, Callbacks, Documented, Sample, Signed, SmsConformance, Spelled, Vendor

SPEC = "developer.vonage.com: SMS API, OpenAPI 1.5.0"
CODES = "developer.vonage.com: Troubleshooting SMS, «SMS API error codes»"
RECEIPTS = "developer.vonage.com: Delivery receipts; SMS API, OpenAPI 1.5.0"
STATUSES = "developer.vonage.com: Messages API Status Callbacks"
SECRET = "kit-signature-secret"
HOOK = "https://notify.kit.example/v1/callbacks/env/texts"


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """Time, nonce and HMAC-SHA256 among the fields. Source: developer.vonage.com «Signing Messages»."""
    told: Any
    try:
        told, as_json = json.loads(body), True
        assert isinstance(told, dict)
    except (ValueError, AssertionError):
        told, as_json = dict(parse_qsl(body.decode(), keep_blank_values=True)), False
    told |= {"timestamp": str(int(at.timestamp())), "nonce": "8a3e"}
    said = "".join(f"&{name}={str(told[name]).replace('&', '_').replace('=', '_')}" for name in sorted(told))
    key = b"the secret of another account" if forged else SECRET.encode()
    told["sig"] = hmac.new(key, said.encode(), hashlib.sha256).hexdigest().upper()
    return Signed((json.dumps(told) if as_json else urlencode(told)).encode(), {})


def sign_token(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """A JWT with the hash of the body. Source: developer.vonage.com «Signed webhooks»."""

    def part(value: dict[str, Any] | bytes) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    claims = {"iat": int(at.timestamp()), "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    key = b"the secret of another account" if forged else SECRET.encode()
    return Signed(body, {"Authorization": f"Bearer {signed}.{part(hmac.digest(key, signed.encode(), 'sha256'))}"})


def told_receipt(status: str, code: str = "0") -> dict[str, str]:
    """A delivery receipt as the specification shows it."""
    return {
        "msisdn": "447700900000",
        "to": "AcmeInc",
        "network-code": "12345",
        "messageId": "0A0000001234567B",
        "price": "0.03330000",
        "status": status,
        "scts": "2001011400",
        "err-code": code,
        "api-key": "abcd1234",
        "client-ref": "my-personal-reference & more",
        "message-timestamp": "2020-01-01 12:00:00 +0000",
    }


def receipt(status: str, kind: EventKind, code: str = "0", *, as_json: bool = False) -> Sample:
    """The same as a sample, in a form or in JSON."""
    told = told_receipt(status, code)
    event = DeliveryEvent(
        kind,
        provider_message_id="0A0000001234567B",
        at=datetime(2020, 1, 1, 14, 0, tzinfo=UTC),
        recipient="447700900000",
        key="my-personal-reference & more",
    )
    return Sample(name=status, body=told if as_json else urlencode(told), events=[event], source=RECEIPTS)


def status(said: str, kind: EventKind) -> Sample:
    """A status of the Messages API."""
    body = {
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "to": "447700900000",
        "from": "447700900001",
        "timestamp": "2025-02-03T12:14:25Z",
        "status": said,
        "channel": "sms",
        "client_ref": "abc123",
    }
    event = DeliveryEvent(
        kind,
        provider_message_id="aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        at=datetime(2025, 2, 3, 12, 14, 25, tzinfo=UTC),
        recipient="447700900000",
        key="abc123",
    )
    return Sample(name=said, body=body, events=[event], source=STATUSES, confirmed=False)


def part(status: str, **more: str) -> dict[str, str]:
    """One part of the answer to a message."""
    taken = {"to": "447700900000", "message-id": "0A0000000123ABCD1", "remaining-balance": "3.14", "network": "12345"}
    return (taken if status == "0" else {"to": "447700900000", "error-text": f"The words for {status}."}) | {
        "status": status
    } | more  # fmt: skip


def answer(*parts: dict[str, str]) -> dict[str, Any]:
    """The answer to a message."""
    return {"message-count": str(len(parts)), "messages": list(parts)}


def error(status: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None) -> Documented:
    """A status of the table: the answer is 200 all the same."""
    return Documented(
        name=f"status {status}", status=200, body=answer(part(status)), outcome=outcome, reason=reason, source=CODES
    )


def plain(number: str) -> str:
    """A number as Vonage has it: «don't use a leading + or 00»."""
    return number.removeprefix("+")


class TestVonage(SmsConformance):
    """The kit, on Vonage's SMS API."""

    provider = Vonage
    vendor = Vendor(
        credentials={"api_key": "abcd1234", "secret_key": "kit-api-secret-01", "signature_secret": SECRET},
        accepted=Answer(200, answer(part("0"))),
        message_id="0A0000000123ABCD1",
        fields={"to": Spelled("form:to", plain), "sender": Spelled("form:from", plain), "body": "form:text"},
        overrides={"ttl": ("900000", "form:ttl"), "entity-id": ("1456789012345", "form:entity-id")},
        check=Answer(200, {"value": 10.28, "autoReload": False}),
        unreadable=Outcome.UNKNOWN,
        errors=[
            error("1", Outcome.THROTTLED),
            error("2"),
            error("3"),
            error("4", reason=Reason.CREDENTIALS_INVALID),
            error("5", Outcome.UNKNOWN),
            error("6"),
            error("7", Outcome.RECIPIENT_GONE),
            error("8", reason=Reason.CREDENTIALS_INVALID),
            error("9", reason=Reason.PROVIDER_REJECTED),
            error("10", Outcome.THROTTLED),
            error("11", reason=Reason.CREDENTIALS_INVALID),
            error("12", reason=Reason.CONTENT_INVALID),
            error("14", reason=Reason.CREDENTIALS_INVALID),
            error("15"),
            error("22"),
            error("23"),
            error("29"),
            error("33", Outcome.RECIPIENT_GONE),
            Documented(
                name="first part refused, second taken", status=200, body=answer(part("1"), part("0")),
                outcome=Outcome.ACCEPTED, source=f"{CODES}; vonage-python-sdk, PartialFailureError",
            ),
            Documented(
                name="wrong secret", status=401, body={"error-code": "401", "error-code-label": "auth failed"},
                reason=Reason.CREDENTIALS_INVALID, source=SPEC, confirmed=False,
            ),
        ],
        callbacks=Callbacks(
            sign=sign,
            samples=[
                receipt("delivered", EventKind.DELIVERED),
                receipt("accepted", EventKind.ACCEPTED),
                receipt("buffered", EventKind.ACCEPTED),
                receipt("expired", EventKind.FAILED, "5"),
                receipt("failed", EventKind.FAILED, "6"),
                receipt("rejected", EventKind.FAILED, "1"),
                receipt("delivered", EventKind.DELIVERED, as_json=True),
            ],
            unknown=urlencode(told_receipt("unknown", "99")),
        ),
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ("Hi {Ada}, 5 € [now]", "text"),
            ("Grüße", "text"),
            ("naïve", "unicode"),
            ("👋", "unicode"),
            ("שלום", "unicode"),
        ],
    )
    async def test_unicode_is_asked_for_where_it_is_needed(self, body: str, kind: str) -> None:
        """Otherwise Vonage would send question marks, or pay for two messages."""
        async with self.stage() as stage:
            assert (await stage.sent(body=body)).form["type"] == kind

    async def test_the_key_is_the_reference(self) -> None:
        """Receipts repeat it."""
        async with self.stage() as stage:
            request = await stage.sent("kit-key-77")
        assert request.form["client-ref"] == "kit-key-77"
        assert request.headers["authorization"].startswith("Basic ")

    async def test_a_refused_part_is_told(self) -> None:
        """The message is accepted, and its receipt says what is missing."""
        async with self.stage(Answer(200, answer(part("0"), part("1")))) as stage:
            delivery = await stage.deliver()
        assert delivery.accepted
        assert delivery.detail == "1 of 2 parts were refused: 1 The words for 1."


class TestVonageTokens(SmsConformance):
    """The kit once more, with callbacks that a JWT signs, as those of the Messages API are."""

    provider = Vonage
    vendor = dataclasses.replace(
        TestVonage.vendor,
        callbacks=Callbacks(
            sign=sign_token,
            samples=[
                status("delivered", EventKind.DELIVERED),
                status("submitted", EventKind.ACCEPTED),
                status("rejected", EventKind.FAILED),
                status("undeliverable", EventKind.FAILED),
            ],
            unknown={"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", "status": "sung"},
        ),
    )


def provider(**credentials: Any) -> Vonage:
    """A provider whose network is never used."""
    given = {"apiKey": "abcd1234", "secretKey": "kit-api-secret-01"} | credentials
    return Vonage(VonageCredentials.model_validate(given), HttpClient())


NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
@pytest.mark.anyio
async def test_each_way_to_sign_is_known(method: str) -> None:
    """As the dashboard offers them; the receipt may also come as a GET. One way is not taken for another."""
    told = told_receipt("delivered") | {"timestamp": str(int(NOW.timestamp())), "nonce": "8a3e"}
    said = "".join(f"&{name}={told[name].replace('&', '_')}" for name in sorted(told)).encode()
    if method == "md5hash":
        sig = hashlib.md5(said + SECRET.encode()).hexdigest()
    else:
        sig = hmac.new(SECRET.encode(), said, method).hexdigest()
    request = CallbackRequest("GET", f"{HOOK}?{urlencode(told | {'sig': sig})}", Headers(), b"", NOW)
    for other in ("md5hash", "md5", "sha1", "sha256", "sha512"):
        receiver = provider(signatureSecret=SECRET, signatureMethod=other)
        if other == method:
            assert [event.kind for event in (await receive(receiver, request)).events] == [EventKind.DELIVERED]
        else:
            with pytest.raises(CallbackRefused):
                await receive(receiver, request)


@pytest.mark.anyio
async def test_a_token_that_is_not_signed_is_refused() -> None:
    """``alg: none`` and a token of another body are no proof."""
    body = json.dumps(status("delivered", EventKind.DELIVERED).body).encode()
    good = sign_token(body, url=HOOK, at=NOW, forged=False).headers["Authorization"]
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    claims = good.split(".")[1]
    receiver = provider(signatureSecret=SECRET)
    for header in (f"Bearer {none}.{claims}.", "Bearer", "Bearer ..", f"Bearer {claims}"):
        with pytest.raises(CallbackRefused):
            await receive(receiver, CallbackRequest("POST", HOOK, Headers({"Authorization": header}), body, NOW))
    with pytest.raises(CallbackRefused, match="another body"):
        await receive(receiver, CallbackRequest("POST", HOOK, Headers({"Authorization": good}), body + b" ", NOW))


@pytest.mark.anyio
async def test_without_a_secret_every_callback_is_refused() -> None:
    """Nobody could say who it is from."""
    body = sign(urlencode(told_receipt("delivered")).encode(), url=HOOK, at=NOW, forged=False).body
    with pytest.raises(CallbackRefused, match="signature_secret"):
        await receive(provider(), CallbackRequest("POST", HOOK, Headers(), body, NOW))


@pytest.mark.anyio
async def test_without_a_sender_nothing_is_sent() -> None:
    """And with a callback_url, the message names it."""
    delivery = await deliver(provider(), SmsContent(to="+15550", body="Hi"), "key")
    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.NO_SENDER)
    named = provider(callbackUrl=HOOK, **{"from": "Acme"})
    assert named.form(SmsContent(to="+15550", body="Hi"), "key")["callback"] == HOOK


@pytest.fixture
def anyio_backend() -> str:
    """novukit is asyncio only."""
    return "asyncio"
