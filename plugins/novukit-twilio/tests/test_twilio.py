"""Twilio keeps what every SMS provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from novukit_twilio import Twilio, TwilioCredentials

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
from novukit.testing.conformance import Answer, Callbacks, Documented, Sample, Signed, SmsConformance, Vendor

MESSAGES = "twilio.com/docs: Messages resource, 2026-03-09"
CODES = "twilio.com/docs: Error and Warning Dictionary"
STATUS = "twilio.com/docs: Track the Message Status of Outbound Messages, 2026-03-09"
VALIDATOR = "github.com/twilio/twilio-python: tests/unit/test_request_validator.py"
SID, SERVICE, MESSAGE = "AC" + "0" * 31 + "1", "MG" + "0" * 31 + "2", "SM" + "0" * 31 + "3"
TOKEN = "kit-auth-token-0001"
HOOK = "https://notify.kit.example/v1/callbacks/env/texts"


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """HMAC-SHA1 over the URL and the sorted fields. Source: twilio.com/docs «Security»."""
    fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    said = url + "".join(f"{name}{value}" for name, value in fields)
    key = b"the token of another account" if forged else TOKEN.encode()
    mac = base64.b64encode(hmac.new(key, said.encode(), hashlib.sha1).digest()).decode()
    return Signed(body, {"X-Twilio-Signature": mac})


def status(said: str, kind: EventKind, *, code: str = "", permanent: bool = False, source: str = STATUS) -> Sample:
    """A callback as the page shows it."""
    fields = {
        "ApiVersion": "2010-04-01",
        "AccountSid": SID,
        "From": "+15017122661",
        "MessageSid": MESSAGE,
        "MessageStatus": said,
        "SmsSid": MESSAGE,
        "SmsStatus": said,
        "To": "+15558675310",
    } | ({"ErrorCode": code} if code else {})
    event = DeliveryEvent(kind, provider_message_id=MESSAGE, recipient="+15558675310", permanent=permanent)
    return Sample(name=f"{said} {code}".strip(), body=urlencode(fields), events=[event], source=source)


def error(
    code: int, outcome: Outcome = Outcome.REJECTED, *, status: int = 400, reason: Reason | None = None, **more: Any
) -> Documented:
    """An error as Twilio's API words it."""
    page = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": f"The words for {code}.", "more_info": page, "status": status}
    source = f"{CODES}, {code}"
    return Documented(name=f"{code}", status=status, body=body, outcome=outcome, reason=reason, source=source, **more)


class TestTwilio(SmsConformance):
    """The kit, on Twilio."""

    provider = Twilio
    vendor = Vendor(
        credentials={"account_sid": SID, "token": TOKEN, "callback_url": HOOK},
        accepted=Answer(201, {"sid": MESSAGE, "status": "queued", "error_code": None, "error_message": None}),
        message_id=MESSAGE,
        fields={"to": "form:To", "sender": "form:From", "body": "form:Body"},
        overrides={
            "ValidityPeriod": ("600", "form:ValidityPeriod"),
            "MediaUrl": ("https://kit.example/a.png", "form:MediaUrl"),
        },
        check=Answer(200, {"sid": SID, "status": "active"}),
        errors=[
            error(20003, status=401, reason=Reason.CREDENTIALS_INVALID),
            error(20005, status=403, reason=Reason.CREDENTIALS_INVALID, confirmed=False),
            error(20404, status=404),
            error(20429, Outcome.THROTTLED, status=429),
            error(21211, Outcome.RECIPIENT_GONE),
            error(21408, status=403, reason=Reason.PROVIDER_REJECTED, confirmed=False),
            error(21606),
            error(21608),
            error(21610, Outcome.RECIPIENT_GONE),
            error(21611, Outcome.THROTTLED, status=429, confirmed=False),
            error(21614, Outcome.RECIPIENT_GONE),
            error(21617),
        ],
        callbacks=Callbacks(
            sign=sign,
            timestamped=False,
            samples=[
                status("queued", EventKind.ACCEPTED),
                status("sent", EventKind.ACCEPTED),
                status("delivered", EventKind.DELIVERED),
                status("read", EventKind.OPENED),
                status("canceled", EventKind.FAILED),
                status("failed", EventKind.FAILED, code="30001"),
                status("undelivered", EventKind.FAILED, code="30003"),
                status("undelivered", EventKind.BOUNCED, code="30005", permanent=True),
                status("undelivered", EventKind.BOUNCED, code="30006", permanent=True),
                status("failed", EventKind.UNSUBSCRIBED, code="21610"),
            ],
            unknown=urlencode({"MessageSid": MESSAGE, "MessageStatus": "reading-aloud"}),
        ),
    )

    async def test_the_callback_url_is_named_and_has_the_key(self) -> None:
        """Twilio calls the very URL that the message names, so the status brings the key along, and it is signed."""
        async with self.stage() as stage:
            url = (await stage.sent("kit key&1")).form["StatusCallback"]
            assert url == f"{HOOK}?key=kit+key%261"
            signed = sign(
                next(status("sent", EventKind.ACCEPTED).bodies()), url=url, at=datetime.now(UTC), forged=False
            )
            request = CallbackRequest("POST", url, Headers(signed.headers), signed.body, datetime.now(UTC))
            assert [event.key for event in (await receive(stage.provider, request)).events] == ["kit key&1"]

    async def test_account_and_token_are_user_and_password(self) -> None:
        """Basic authentication, and the account's own path."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert request.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        assert request.path == f"/2010-04-01/Accounts/{SID}/Messages.json"

    async def test_a_suspended_account_fails_the_check(self) -> None:
        """Although its token is right."""
        async with self.stage(Answer(200, {"sid": SID, "status": "suspended"})) as stage:
            with pytest.raises(Exception, match="suspended"):
                await stage.provider.check()


def provider(**credentials: Any) -> Twilio:
    """A provider whose network is never used."""
    return Twilio(TwilioCredentials.model_validate({"accountSid": SID, "token": "12345"} | credentials), HttpClient())


@pytest.mark.parametrize(
    ("asked", "credentials", "field", "value"),
    [
        ("+15551", {"from": "+15552", "messagingServiceSid": SERVICE}, "From", "+15551"),
        (None, {"from": "+15552", "messagingServiceSid": SERVICE}, "MessagingServiceSid", SERVICE),
        (None, {"from": "+15552"}, "From", "+15552"),
        (None, {"from": SERVICE}, "MessagingServiceSid", SERVICE),
        (SERVICE, {"from": "+15552"}, "MessagingServiceSid", SERVICE),
    ],
)
def test_the_sender_is_the_steps_then_the_service_then_the_number(
    asked: str | None, credentials: dict[str, Any], field: str, value: str
) -> None:
    """A Messaging Service is known by its MG…, wherever it is named."""
    form = provider(**credentials).form(SmsContent(to="+15550", body="Hi", sender=asked), "key")
    assert form[field] == value
    assert len({"From", "MessagingServiceSid"} & set(form)) == 1
    assert "StatusCallback" not in form


@pytest.mark.anyio
async def test_without_a_sender_nothing_is_sent() -> None:
    """The refusal says what to give."""
    delivery = await deliver(provider(), SmsContent(to="+15550", body="Hi"), "key")
    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.NO_SENDER)
    assert "messaging_service_sid" in delivery.detail


URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = urlencode(
    {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}
    | {"Caller": "+14158675309"}
)
DIGITS = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
HASHED = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON = '{"property": "value", "boolean": true}'


@pytest.mark.parametrize(
    ("url", "body", "signature"),
    [
        pytest.param(URL, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="a form"),
        pytest.param(URL, DIGITS, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", id="a field twice"),
        pytest.param(URL.replace(".com", ".com:1234"), CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="port left out"),
        pytest.param(URL, CALL, "kvajT1Ptam85bY51eRf/AJRuM3w=", id="port 443"),
        pytest.param(URL.replace("s:", ":", 1), CALL, "0ZXoZLH/DfblKGATFgpif+LLRf4=", id="port 80"),
        pytest.param(HASHED, JSON, "a9nBmqA0ju/hNViExpshrM61xv4=", id="a body of JSON"),
    ],
)
@pytest.mark.anyio
async def test_twilios_own_signatures_are_right(url: str, body: str, signature: str) -> None:
    """Those of twilio-python's tests (VALIDATOR), token 12345; with another body or URL they are wrong."""

    async def told(url: str, body: str) -> None:
        headers = Headers({"X-Twilio-Signature": signature})
        await receive(provider(), CallbackRequest("POST", url, headers, body.encode(), datetime.now(UTC)))

    await told(url, body)
    for other in ((url, body + "x"), (url.replace("bar", "baz"), body), (url.replace("my", "your"), body)):
        with pytest.raises(CallbackRefused):
            await told(*other)


@pytest.fixture
def anyio_backend() -> str:
    """novukit is asyncio only."""
    return "asyncio"
