"""APNs keeps what every push provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from novukit_apns import PRODUCTION, SANDBOX, Apns, ApnsCredentials

from novukit.providers import HttpClient, Outcome, Reason
from novukit.testing.conformance import Answer, Documented, PushConformance, Request, Spelled, Vendor

RESPONSES = "developer.apple.com: Handling notification responses from APNs"
TOKENS = "developer.apple.com: Establishing a token-based connection to APNs"
ANSWERED = "eabeae54-14a8-11e5-b60b-1697f925ec7b"
DAY = datetime(2026, 1, 15, tzinfo=UTC)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """A key as Apple gives it out."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
CREDENTIALS = {"secretKey": pem(KEY), "apiKey": "ABC123DEFG", "projectName": "DEF123GHIJ", "applicationId": "kit.app"}


def error(
    status: int, reason: str, outcome: Outcome = Outcome.REJECTED, *, told: Reason | None = None,
    retry_after: float | None = None, headers: dict[str, str] | None = None, confirmed: bool = True, **more: Any,
) -> Documented:  # fmt: skip
    """An error as the page's table of error strings has it."""
    return Documented(
        name=f"{status} {reason}", status=status, body={"reason": reason, **more}, outcome=outcome, reason=told,
        headers=headers or {}, retry_after=retry_after, source=RESPONSES, confirmed=confirmed,
    )  # fmt: skip


def bearer(request: Request) -> str:
    """The provider token of a request."""
    kind, _, token = request.headers["authorization"].partition(" ")
    assert kind == "bearer"
    return token


def until(request: Request) -> int:
    """The seconds from now until ``apns-expiration``, in whole minutes; 0 where it says «now or never»."""
    given = request.headers["apns-expiration"]
    return 0 if given == "0" else round((int(given) - time.time()) / 60) * 60


class TestApns(PushConformance):
    """The kit, on APNs."""

    provider = Apns
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(200, b"", {"apns-id": ANSWERED}),
        message_id=ANSWERED,
        fields={
            "tokens": "path",
            "subject": "json:aps.alert.title",
            "body": "json:aps.alert.body",
            "data": "json:",
            "image": "json:image",
            "badge": "json:aps.badge",
            "sound": "json:aps.sound",
            "url": "json:url",
            "collapse_key": "header:apns-collapse-id",
            "ttl": until,
            "priority": Spelled("header:apns-priority", lambda rank: {"high": "10", "normal": "5"}[rank]),
        },
        overrides={
            "aps": ({"thread-id": "orders", "interruption-level": "time-sensitive"}, "json:aps"),
            "own": ("value", "json:own"),
        },
        errors=[
            error(410, "Unregistered", Outcome.RECIPIENT_GONE, timestamp=1768435200000),
            error(410, "ExpiredToken", Outcome.RECIPIENT_GONE, confirmed=False, timestamp=1768435200000),
            error(400, "BadDeviceToken"),
            error(400, "DeviceTokenNotForTopic"),
            error(400, "BadCollapseId"),
            error(400, "BadMessageId"),
            error(400, "BadTopic"),
            error(400, "InvalidPushType", confirmed=False),
            error(400, "MissingTopic"),
            error(400, "PayloadEmpty"),
            error(400, "TopicDisallowed"),
            error(403, "BadEnvironmentKeyInToken", told=Reason.CREDENTIALS_INVALID, confirmed=False),
            error(403, "InvalidProviderToken", told=Reason.CREDENTIALS_INVALID),
            error(403, "MissingProviderToken", told=Reason.CREDENTIALS_INVALID),
            error(403, "Forbidden", told=Reason.CREDENTIALS_INVALID),
            error(404, "BadPath"),
            error(405, "MethodNotAllowed"),
            error(413, "PayloadTooLarge", told=Reason.CONTENT_INVALID),
            error(429, "TooManyRequests", Outcome.THROTTLED),
            error(429, "TooManyProviderTokenUpdates", Outcome.THROTTLED, retry_after=1200.0),
            error(429, "TooManyProviderTokenUpdates", Outcome.THROTTLED, headers={"Retry-After": "30"},
                  retry_after=30.0, confirmed=False),
            error(500, "InternalServerError", Outcome.UNKNOWN),
            error(503, "ServiceUnavailable", Outcome.UNAVAILABLE),
            error(503, "Shutdown", Outcome.UNAVAILABLE),
        ],
    )  # fmt: skip

    async def test_the_headers_say_what_it_is(self) -> None:
        """A topic, a push type and a canonical UUID, on the path that Apple names."""
        async with self.stage() as stage:
            request = await stage.sent()
        headers = request.headers
        assert (request.method, request.path) == ("POST", "/3/device/kit-device-token-1")
        assert (headers["apns-topic"], headers["apns-push-type"]) == ("kit.app", "alert")
        assert str(UUID(headers["apns-id"])) == headers["apns-id"]
        assert "apns-priority" not in headers
        assert "apns-expiration" not in headers

    async def test_a_second_try_can_be_known(self) -> None:
        """It has the same id and collapses into the first; another message or device has another id."""
        async with self.stage() as stage:
            first, again = await stage.sent(), await stage.sent()
            other, device = await stage.sent("kit-key-2"), await stage.sent(tokens=("kit-device-token-2",))
        ids = [request.headers["apns-id"] for request in (first, again, other, device)]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3
        assert first.headers["apns-collapse-id"] == again.headers["apns-collapse-id"] == "kit-key-1-5f0c"
        assert other.headers["apns-collapse-id"] == "kit-key-2"

    async def test_the_token_is_signed_by_the_key(self) -> None:
        """Another library verifies it with the public key, and it says key, team and when."""
        async with self.stage() as stage:
            token = bearer(await stage.sent())
        said = jwt.decode(token, KEY.public_key(), algorithms=["ES256"])
        assert jwt.get_unverified_header(token)["kid"] == "ABC123DEFG"
        assert said["iss"] == "DEF123GHIJ"
        assert 60 <= time.time() - said["iat"] <= 41 * 60

    async def test_a_token_serves_for_40_minutes(self) -> None:
        """It is never older than an hour nor newer than 20 minutes after the one before, at any minute of a day."""
        ages, changes = list[float](), list[int]()
        async with self.stage() as stage:
            last = ""
            for minute in range(0, 24 * 60, 5):
                now = DAY + timedelta(minutes=minute)
                stage.provider.clock = lambda now=now: now
                token = bearer(await stage.sent())
                issued = jwt.decode(token, options={"verify_signature": False})["iat"]
                ages.append(now.timestamp() - issued)
                if token != last:
                    changes.append(issued)
                last = token
        assert 60 <= min(ages)
        assert max(ages) <= 41 * 60
        assert {later - earlier for earlier, later in pairwise(changes)} == {40 * 60}

    async def test_all_workers_have_the_same_token(self) -> None:
        """Whenever each of them was started: else Apple says TooManyProviderTokenUpdates."""
        tokens = set[str]()
        for minute in (2, 15, 39):
            async with self.stage() as stage:
                stage.provider.clock = lambda minute=minute: DAY + timedelta(minutes=minute)
                tokens.add(bearer(await stage.sent()))
        assert len(tokens) == 1

    async def test_a_token_that_is_said_to_have_expired_is_a_wrong_clock(self) -> None:
        """Ours cannot have; trying again would only say the same."""
        async with self.stage(Answer(403, {"reason": "ExpiredProviderToken"})) as stage:
            delivery = await stage.deliver()
        assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)
        assert "clock" in delivery.detail

    async def test_since_when_a_token_is_gone_is_told(self) -> None:
        """Apple says it in milliseconds."""
        async with self.stage(Answer(410, {"reason": "Unregistered", "timestamp": 1768435200000})) as stage:
            delivery = await stage.deliver()
        assert delivery.detail == "Unregistered since 2026-01-15 00:00:00 UTC"

    async def test_a_payload_is_measured_as_it_travels(self) -> None:
        """Names, quotes and brackets count, so content within the limit may still be too much."""
        async with self.stage() as stage:
            delivery = await stage.deliver(data={f"k{number}": "x" * 5 for number in range(400)})
            assert not stage.server.sent
        assert delivery.reason is Reason.CONTENT_INVALID
        assert "4096" in delivery.detail

    async def test_data_cannot_take_the_place_of_aps(self) -> None:
        """It is refused, for one of the two would be lost."""
        async with self.stage() as stage:
            delivery = await stage.deliver(data={"aps": {"badge": 9}})
            assert not stage.server.sent
        assert delivery.reason is Reason.CONTENT_INVALID

    async def test_an_image_lets_the_extension_fetch_it(self) -> None:
        """Without ``mutable-content`` iOS would not ask the app."""
        async with self.stage() as stage:
            request = await stage.sent(image="https://kit.example/a.png")
        assert request.json["aps"]["mutable-content"] == 1


@pytest.mark.parametrize(("secure", "host"), [(True, PRODUCTION), (False, SANDBOX), (None, SANDBOX)])
def test_secure_chooses_the_host(secure: bool | None, host: str) -> None:
    """Production or the sandbox, and the sandbox where nothing is said, as at Novu."""
    given = CREDENTIALS if secure is None else CREDENTIALS | {"secure": secure}
    assert Apns(ApnsCredentials.model_validate(given), HttpClient()).base_url == host


def test_two_teams_share_no_connection() -> None:
    """Apple refuses one of the two otherwise; two apps of one team may share theirs."""
    http = HttpClient()
    one, app, other = (
        Apns(ApnsCredentials.model_validate(CREDENTIALS | given), http).http
        for given in ({}, {"applicationId": "kit.other"}, {"projectName": "OTHER12345"})
    )
    assert one is app
    assert one is not other


@pytest.mark.parametrize(
    "key",
    [
        "no key",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["text", "RSA", "P-384"],
)
def test_a_key_that_cannot_sign_is_refused_at_once(key: str) -> None:
    """When the integration is made, in words, and without the key in them."""
    with pytest.raises(ValueError, match=r"\.p8") as refused:
        ApnsCredentials.model_validate(CREDENTIALS | {"secretKey": key})
    assert key not in str(refused.value)
