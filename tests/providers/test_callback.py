"""Callbacks: what a vendor sends is read without surprises, checked, and made into events."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from novukit.providers import (
    CallbackAnswer,
    CallbackFailed,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Headers,
    HttpClient,
    PluginInvalid,
    check_provider,
    moment,
    receive,
    sign_hmac,
    verify_basic_auth,
    verify_ecdsa,
    verify_ed25519,
    verify_hmac,
    verify_secret,
    verify_standard_webhook,
    verify_timestamp,
)

from .samples import CANARY, Post, post

pytestmark = pytest.mark.anyio

NOW = datetime.fromtimestamp(1614265330, UTC)


def request(body: bytes = b"{}", **headers: str) -> CallbackRequest:
    """A callback; underscores in names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CallbackRequest("POST", "https://a.example/cb?x=1&y=", Headers(named), body, NOW)


def test_headers_are_found_in_any_case() -> None:
    """And a repeated one has all its values."""
    headers = Headers([("X-Sig", "a"), ("x-sig", "b"), ("Other", "c")])

    assert (headers["X-SIG"], headers.get("other"), headers.get("no"), len(headers)) == ("a, b", "c", None, 2)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b"&&=&%zz"])
def test_reading_a_body_never_raises(body: bytes) -> None:
    """Whatever was sent."""
    one = request(body)

    assert one.json() is None
    assert isinstance(one.form(), dict)
    assert one.query == {"x": "1", "y": ""}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("1614265330", 0), (1614265330.5, 0.5), ("2021-02-25T15:02:10Z", 0), ("2021-02-25T16:02:11+01:00", 1),
        ("2021-02-25T15:02:10", 0), ("soon", None), (None, None), ([], None), ("9" * 400, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_times_are_read_as_vendors_write_them(given: Any, seconds: float | None) -> None:
    """ISO 8601, or seconds since 1970; anything else is none."""
    assert moment(given) == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_standard_webhooks_are_checked_as_specified() -> None:
    """The vector of the reference library («sign function works», libraries/javascript)."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = {"webhook_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook_timestamp": "1614265330"}
    right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    for signatures in (right, f"v1,AAAA v1a,BBBB {right}"):
        signed = request(body, **headers, webhook_signature=signatures)
        assert verify_standard_webhook(signed, secret) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    for changed in (
        request(body + b" ", **headers, webhook_signature=right),
        request(body, **headers, webhook_signature=right.replace("v1,", "v0,")),
        request(body, **headers, webhook_signature="v1,"),
        request(body, **(headers | {"webhook_id": "msg.1"}), webhook_signature=right),
        request(body, **(headers | {"webhook_timestamp": "1614265331"}), webhook_signature=right),
        request(body, **headers),
    ):
        with pytest.raises(CallbackRefused):
            verify_standard_webhook(changed, secret)
    with pytest.raises(CallbackRefused, match="not base64"):
        verify_standard_webhook(request(body, **headers, webhook_signature=right), "whsec_ü")


def test_an_hmac_is_checked() -> None:
    """The vector of RFC 4231 §4.3, in hex and in base64."""
    raw = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    text = b"what do ya want for nothing?"

    verify_hmac("Jefe", text, raw)
    verify_hmac("Jefe", text, base64.b64encode(bytes.fromhex(raw)).decode(), encoding="base64")
    assert sign_hmac("Jefe", text) == raw
    for wrong in (raw.upper(), raw[:-1], "", None, "ü"):
        with pytest.raises(CallbackRefused):
            verify_hmac("Jefe", text, wrong)


def test_a_password_is_checked() -> None:
    """The example of RFC 7617 §2; a wrong one, another scheme and an integration without one are refused."""
    right = request(Authorization="Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")

    verify_basic_auth(right, "Aladdin", "open sesame")
    verify_secret("open sesame", "open sesame")

    for user, password in (("Aladdin", "open"), ("aladdin", "open sesame"), ("Aladdin:open", " sesame"), ("", "")):
        with pytest.raises(CallbackRefused):
            verify_basic_auth(right, user, password)
    for given in ("Basic Og==", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic", ""):
        with pytest.raises(CallbackRefused):
            verify_basic_auth(request(Authorization=given), "", "")
    for secret, said in (("", ""), ("", None), ("a", "b"), ("a", None)):
        with pytest.raises(CallbackRefused):
            verify_secret(secret, said)


def test_a_timestamp_has_five_minutes() -> None:
    """Either way."""
    assert verify_timestamp("1614265330", NOW + timedelta(minutes=5)) == NOW
    for given, now in (("1614265330", NOW + timedelta(seconds=301)), ("1614265330", NOW - timedelta(seconds=301))):
        with pytest.raises(CallbackRefused):
            verify_timestamp(given, now)


def test_public_keys_are_checked() -> None:
    """ECDSA in PEM and DER, and Ed25519; a key or a signature that is none is a refusal, too."""
    elliptic, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    public = elliptic.public_key()
    der = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = base64.b64encode(elliptic.sign(b"body", ec.ECDSA(SHA256()))).decode()
    raw = edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    verify_ecdsa(der, b"body", signature)
    verify_ecdsa(pem, b"body", signature)
    verify_ed25519(raw, b"body", edwards.sign(b"body"))

    for key, body, given in ((der, b"bodx", signature), (der, b"body", None), (der, b"body", "ü"), ("x", b"body", "")):
        with pytest.raises(CallbackRefused):
            verify_ecdsa(key, body, given)
    for short, given in ((raw, b""), (raw[:5], edwards.sign(b"body"))):
        with pytest.raises(CallbackRefused):
            verify_ed25519(short, b"body", given)


class Telling(Post):
    """It tells what a test puts into ``says``, or raises it."""

    id = "telling"
    events = frozenset({EventKind.DELIVERED})
    says: Any = ()

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent] | CallbackAnswer:
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


def telling(says: Any) -> Telling:
    """A provider whose secret is the canary."""
    made = Telling(post(HttpClient()).credentials, HttpClient())
    made.says = says
    return made


async def test_events_have_ids_and_no_secrets() -> None:
    """One that the vendor gave none has one that is the same each time."""
    event = DeliveryEvent(EventKind.DELIVERED, "m1", at=NOW, detail=f"by {CANARY}\nindeed")

    first = (await receive(telling([event]), request())).events[0]
    again = (await receive(telling((event,)), request())).events[0]
    other = (await receive(telling([DeliveryEvent(EventKind.DELIVERED, "m2", at=NOW)]), request())).events[0]

    assert first.detail == "by *** indeed"
    assert first.id == again.id != other.id


async def test_an_answer_may_say_more() -> None:
    """Some vendors want to read a challenge."""
    answer = await receive(telling(CallbackAnswer(body=b"challenge")), request())

    assert (answer.status, answer.body, list(answer.events)) == (200, b"challenge", [])


@pytest.mark.parametrize("says", [None, ["event"], KeyError(CANARY), SystemExit(), RuntimeError("x" * 5000)])
async def test_a_plugin_that_fails_is_named(says: Any) -> None:
    """Without its secrets."""
    with pytest.raises(CallbackFailed, match="telling") as caught:
        await receive(telling(says), request())

    assert CANARY not in str(caught.value)


async def test_a_provider_without_events_takes_no_callbacks() -> None:
    """It is never asked."""
    with pytest.raises(CallbackRefused):
        await receive(post(HttpClient()), request())


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": frozenset({EventKind.BOUNCED})},
        {"callback": Telling.callback},
        {"events": frozenset({"bounced"}), "callback": Telling.callback},
        {"events": ["bounced"], "callback": Telling.callback},
    ],
)
def test_events_and_callback_go_together(wrong: dict[str, Any]) -> None:
    """One without the other is refused when the plugin is loaded."""
    with pytest.raises(PluginInvalid, match="events"):
        check_provider(type("Wrong", (Post,), {"id": "wrong"} | wrong))
