"""Web Push keeps what every push provider must; its shapes are those of the RFCs and pages named here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from novukit_webpush import MESSAGE, ROOM, WebPush, WebPushCredentials, encrypt, from_text, load_key, point, to_text
from pydantic import SecretStr

from novukit.providers import HttpClient, Outcome, PushContent, Reason, deliver
from novukit.testing.conformance import Answer, Documented, PushConformance, Request, Spelled, Vendor

RFC_8030 = "RFC 8030, December 2016"
AUTOPUSH = "mozilla-services.github.io/autopush-rs: Error Codes, read on 2026-11-27"
APPLE = "web-push-libs/web-push issue 947 (web.push.apple.com), read on 2026-11-27"
PUSHPAD = "pushpad.xyz: Web Push errors explained, read on 2026-11-27"
LOCATION = "https://push.kit.example/m/kit-message-0001"

BROWSER = generate_private_key(SECP256R1())
AUTH = bytes(range(16))
VAPID = generate_private_key(SECP256R1())
CREDENTIALS = {
    "private_key": to_text(VAPID.private_numbers().private_value.to_bytes(32, "big")),
    "subject": "mailto:push@kit.example",
}


def subscription(endpoint: str, **keys: str) -> str:
    """What ``JSON.stringify(subscription)`` says in a browser."""
    own = {"p256dh": to_text(point(BROWSER.public_key())), "auth": to_text(AUTH)}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": own | keys}, separators=(",", ":"))


HERE, GONE = (subscription(f"https://push.kit.example:8443/wpush/{name}") for name in ("here", "gone"))


def opened(request: Request) -> Request:
    """The request as the browser reads it: decrypted by another library, with the browser's own key."""
    plain = http_ece.decrypt(request.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    return Request(request.method, request.target, request.headers, plain)


def path_of(tokens: tuple[str, ...]) -> str:
    """Where the endpoint of the first subscription leads to."""
    return urlsplit(json.loads(tokens[0])["endpoint"]).path


def partial(request: Request, gone: Any) -> Answer:
    """The answer where some subscriptions are gone."""
    return Answer(410) if request.path in {path_of((token,)) for token in gone} else TestWebPush.vendor.accepted


def error(status: int, body: Any = b"", **more: Any) -> Documented:
    """An answer of a push service."""
    name = f"{status} {json.dumps(body) if body else ''}".strip()
    return Documented(name=name, status=status, body=body, **more)


class TestWebPush(PushConformance):
    """The kit, on a push service."""

    provider = WebPush
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(201, b"", {"Location": LOCATION}),
        message_id=LOCATION,
        content={"tokens": (HERE, GONE)},
        partial=partial,
        fields={
            "tokens": Spelled("path", path_of),
            "subject": lambda request: opened(request).at("json:title"),
            "body": lambda request: opened(request).at("json:options.body"),
            "data": lambda request: opened(request).at("json:options.data"),
            "image": lambda request: opened(request).at("json:options.image"),
            "badge": lambda request: opened(request).at("json:count"),
            "url": lambda request: opened(request).at("json:url"),
            "collapse_key": "header:Topic",
            "ttl": Spelled("header:TTL", str),
            "priority": "header:Urgency",
        },
        overrides={
            "icon": ("/icon.png", lambda request: opened(request).at("json:options.icon")),
            "actions": ([{"action": "a", "title": "A"}], lambda request: opened(request).at("json:options.actions")),
        },
        errors=[
            error(404, outcome=Outcome.RECIPIENT_GONE, source=f"{RFC_8030}, section 7.3"),
            error(410, outcome=Outcome.RECIPIENT_GONE, source=f"{AUTOPUSH}; W3C Push API"),
            error(400, {"code": 400, "errno": 110, "error": "Bad Request"}, source=AUTOPUSH),
            error(401, {"code": 401, "errno": 109, "error": "Unauthorized"}, source=AUTOPUSH,
                  reason=Reason.CREDENTIALS_INVALID),
            error(403, {"reason": "BadJwtToken"}, reason=Reason.CREDENTIALS_INVALID, source=APPLE),
            error(413, source=f"{RFC_8030}, section 7.2", reason=Reason.CONTENT_INVALID),
            error(429, headers={"Retry-After": "120"}, outcome=Outcome.THROTTLED, retry_after=120.0,
                  source=f"{RFC_8030}, section 8.4"),
            error(500, outcome=Outcome.UNKNOWN, source=PUSHPAD),
            error(503, headers={"Retry-After": "5"}, outcome=Outcome.UNAVAILABLE, retry_after=5.0, source=AUTOPUSH,
                  confirmed=False),
        ],
    )  # fmt: skip

    async def test_a_push_service_can_verify_who_sends(self) -> None:
        """As RFC 8292 says: with the public key in the header. It is good for this service alone, for half a day."""
        async with self.stage() as stage:
            stage.provider.clock = lambda: datetime.now(UTC)
            request = await stage.sent()
        token, _, public = request.headers["Authorization"].removeprefix("vapid t=").partition(",k=")
        signed, _, signature = token.rpartition(".")
        r, s = (int.from_bytes(half, "big") for half in (from_text(signature)[:32], from_text(signature)[32:]))
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), from_text(public))
        key.verify(encode_dss_signature(r, s), signed.encode(), ECDSA(SHA256()))  # raises where it is wrong
        assert key == VAPID.public_key()
        claims = json.loads(from_text(signed.split(".")[1]))
        assert (claims["aud"], claims["sub"]) == ("https://push.kit.example:8443", "mailto:push@kit.example")
        assert 11 * 3600 < claims["exp"] - datetime.now(UTC).timestamp() <= 12 * 3600

    async def test_what_is_not_said_has_a_default(self) -> None:
        """A message is kept for four weeks, and has its key as tag, so that a second one replaces the first."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert request.headers["TTL"] == "2419200"
        assert "Topic" not in request.headers
        assert "Urgency" not in request.headers
        assert opened(request).json["options"]["tag"] == "kit-key-1-5f0c"

    async def test_a_collapse_key_of_any_form_is_a_topic(self) -> None:
        """A topic has 32 characters of base64url; what does not fit is hashed, and stays whole as the tag."""
        async with self.stage() as stage:
            first = await stage.sent(collapse_key="order 7/ä" * 20)
            again, other = await stage.sent(collapse_key="order 7/ä" * 20), await stage.sent(collapse_key="order 8")
        assert len(first.headers["Topic"]) == 32
        assert first.headers["Topic"] == again.headers["Topic"] != other.headers["Topic"]
        assert opened(first).json["options"]["tag"] == "order 7/ä" * 20

    async def test_the_largest_message_fills_4096_bytes(self) -> None:
        """One byte more is refused, with both numbers, and nothing is sent."""
        async with self.stage() as stage:
            empty = len(opened(await stage.sent(body="x")).body) - 1
            request = await stage.sent(body="x" * (ROOM - empty))
            assert len(request.body) == MESSAGE
            stage.server.sent.clear()
            delivery = await stage.deliver(body="x" * (ROOM - empty + 1))
            assert not stage.server.sent
        assert delivery.reason is Reason.CONTENT_INVALID
        assert f"{ROOM + 1} bytes" in delivery.detail
        assert str(ROOM) in delivery.detail

    async def test_each_device_has_a_key_of_its_own(self) -> None:
        """No two messages are encrypted alike, be their words the same."""
        async with self.stage() as stage:
            await stage.deliver(tokens=(HERE, GONE, HERE))
            bodies = [request.body for request in stage.server.sent]
        assert len(bodies) == 3
        assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 3


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x", "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https://10.0.0.7/x",
        "https://169.254.169.254/latest/meta-data", "https://[::ffff:127.0.0.1]/x", "https://push.example:22/x",
        "https://me:secret@push.example/x", "https:///x", "ftp://push.example/x", "//push.example/x", "",
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_a_subscription_cannot_lead_inside(endpoint: str) -> None:
    """Its address is the word of a stranger: only https, public addresses and the usual ports are called."""
    asked = list[str]()

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if host == "localhost" else [host]

    http = HttpClient(resolver=resolver)
    provider = WebPush(WebPushCredentials.model_validate(CREDENTIALS), http)
    delivery = await deliver(provider, PushContent(tokens=(subscription(endpoint),), subject="Hello"), "key")
    await http.aclose()

    assert delivery.outcome is Outcome.REJECTED
    assert delivery.gone_tokens == ()
    assert "push.example" not in asked


@pytest.mark.parametrize(
    "token",
    [
        "token", "null", "{}", "[" * 5000, subscription("https://push.example/x", p256dh="AAAA"),
        subscription("https://push.example/x", auth="AAAA"), subscription("https://push.example/x", auth="no base64!"),
        subscription("https://push.example/x", p256dh=to_text(b"\x04" + b"\x01" * 64)),
        subscription("https://[push.example/x"),
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_what_is_no_subscription_is_refused(token: str) -> None:
    """It is told in words, nothing is sent, and it is not called gone: only a push service knows that."""
    http = HttpClient()
    provider = WebPush(WebPushCredentials.model_validate(CREDENTIALS), http)
    delivery = await deliver(provider, PushContent(tokens=(token,), subject="Hello"), "key")
    await http.aclose()

    assert (delivery.outcome, delivery.reason, delivery.gone_tokens) == (Outcome.REJECTED, Reason.CONTENT_INVALID, ())
    assert "ubscription" in delivery.detail


def test_the_encryption_is_that_of_the_rfc() -> None:
    """RFC 8291, section 5 and appendix A: byte for byte."""
    key = derive_private_key(
        int.from_bytes(from_text("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1()
    )
    public = from_text("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
    auth, salt = from_text("BTBZMqHH6r4Tts7J_aSIgg"), from_text("DGv6ra1nlYgDCS1FRnbzlw")

    made = encrypt(b"When I grow up, I want to be a watermelon", public, auth, key=key, salt=salt)

    assert to_text(made) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("key", ["short", to_text(b"\x00" * 32), to_text(b"\xff" * 32), to_text(b"1" * 33), "ü" * 43])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """In words that say how to make one, and without the key."""
    with pytest.raises(ValueError, match="webpush keys") as refused:
        load_key(SecretStr(key))
    assert key not in str(refused.value)


@pytest.mark.parametrize("subject", ["push@kit.example", "mailto:push@localhost", "mailto:", "http://kit.example", "x"])
def test_a_subject_that_apple_would_refuse_is_refused(subject: str) -> None:
    """It is mailto: or https: with a whole domain."""
    with pytest.raises(ValueError, match="subject"):
        WebPushCredentials.model_validate(CREDENTIALS | {"subject": subject})
