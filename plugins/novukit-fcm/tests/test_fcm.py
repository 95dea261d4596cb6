"""FCM keeps what every push provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from novukit_fcm import FCM_ERROR, SCOPE, Fcm, FcmCredentials, merged

from novukit.providers import Outcome, Reason, check
from novukit.testing.conformance import Answer, Documented, PushConformance, Request, Spelled, Vendor

CODES = "firebase.google.com: FCM Error Codes"
SEEN = "bloomberg.github.io/pushiko: FCM responses (recorded answers)"
MESSAGE = "firebase.google.com: projects.messages, and google/apis generated clients of fcm v1"
OAUTH = "developers.google.com: Using OAuth 2.0 for Server to Server Applications"

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ACCOUNT = {
    "type": "service_account",
    "project_id": "kit-shop",
    "private_key_id": "0123456789abcdef",
    "private_key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "client_email": "kit@kit-shop.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}
SENT = "projects/kit-shop/messages/0:1500415314455276%31bd1c9631bd1c96"


def error(
    status: int, code: str, canonical: str, outcome: Outcome = Outcome.REJECTED, *, source: str = CODES,
    words: str = "The words may change.", **more: Any,
) -> Documented:  # fmt: skip
    """An error with FCM's own code in its details."""
    details = [{"@type": FCM_ERROR, "errorCode": code}]
    body = {"error": {"code": status, "message": words, "status": canonical, "details": details}}
    return Documented(name=f"{status} {code}", status=status, body=body, outcome=outcome, source=source, **more)


def canonical(status: int, name: str, words: str, **more: Any) -> Documented:
    """An error of Google's front, without a code of FCM's."""
    body = {"error": {"code": status, "message": words, "status": name}}
    return Documented(name=f"{status} {name} without a code", status=status, body=body, **more)


def until(request: Request) -> int:
    """The seconds from now until ``apns-expiration``, in whole minutes; 0 where it says «now or never»."""
    given = request.json["message"]["apns"]["headers"]["apns-expiration"]
    return 0 if given == "0" else round((int(given) - time.time()) / 60) * 60


class TestFcm(PushConformance):
    """The kit, on FCM."""

    provider = Fcm
    vendor = Vendor(
        credentials={"service_account": json.dumps(ACCOUNT)},
        accepted=Answer(200, {"name": SENT}),
        message_id=SENT,
        urls={"base_url": "", "token_url": "/token"},
        routes={"/token": Answer(200, {"access_token": "ya29.kit", "expires_in": 3599, "token_type": "Bearer"})},
        token="/token",
        check=Answer(),
        fields={
            "tokens": "json:message.token",
            "subject": "json:message.notification.title",
            "body": "json:message.notification.body",
            "data": "json:message.data",
            "image": "json:message.notification.image",
            "badge": "json:message.apns.payload.aps.badge",
            "sound": "json:message.apns.payload.aps.sound",
            "url": "json:message.webpush.fcm_options.link",
            "collapse_key": "json:message.android.collapse_key",
            "ttl": Spelled("json:message.android.ttl", lambda ttl: f"{ttl}s"),
            "priority": Spelled("json:message.android.priority", str.upper),
        },
        overrides={
            "fcm_options": ({"analytics_label": "kit"}, "json:message.fcm_options"),
            "android": ({"restricted_package_name": "kit.app"}, "json:message.android"),
        },
        errors=[
            error(404, "UNREGISTERED", "NOT_FOUND", Outcome.RECIPIENT_GONE, source=SEEN,
                  words="Requested entity was not found."),
            error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT",
                  words="The registration token is not a valid FCM registration token"),
            error(403, "SENDER_ID_MISMATCH", "PERMISSION_DENIED", reason=Reason.PROVIDER_REJECTED),
            error(401, "THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED", reason=Reason.CREDENTIALS_INVALID),
            error(429, "QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED", Outcome.THROTTLED, headers={"Retry-After": "60"},
                  retry_after=60.0),
            error(503, "UNAVAILABLE", "UNAVAILABLE", Outcome.UNAVAILABLE, headers={"Retry-After": "9"},
                  retry_after=9.0),
            error(500, "INTERNAL", "INTERNAL", Outcome.UNKNOWN, source=SEEN),
            canonical(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", source=SEEN),
            canonical(403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied.",
                      reason=Reason.CREDENTIALS_INVALID, source=CODES, confirmed=False),
            canonical(404, "NOT_FOUND", "The token is not registered, or so it says.", source=CODES, confirmed=False),
            canonical(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.",
                      outcome=Outcome.UNAVAILABLE, source=CODES, confirmed=False),
        ],
    )  # fmt: skip

    async def test_the_options_reach_every_platform(self) -> None:
        """Android, iOS and browsers each have their own place for the same thing."""
        async with self.stage() as stage:
            request = await stage.sent(
                badge=3, sound="chime", ttl=3600, priority="high", collapse_key="orders", url="https://kit.example/a",
                data={"id": 7, "who": "ada"},
            )  # fmt: skip
        message = request.json["message"]
        assert request.path == "/v1/projects/kit-shop/messages:send"
        assert message["data"] == {"url": "https://kit.example/a", "id": "7", "who": "ada"}
        assert message["android"]["notification"] == {"sound": "chime", "notification_count": 3, "tag": "orders"}
        assert message["apns"]["headers"]["apns-priority"] == "10"
        assert message["apns"]["headers"]["apns-collapse-id"] == "orders"
        assert message["webpush"]["headers"] == {"TTL": "3600", "Urgency": "high"}
        assert until(request) == 3600

    async def test_what_is_not_said_is_not_sent(self) -> None:
        """A plain message has a notification and a token, and no option that would change what FCM does by itself."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert set(request.json["message"]) == {"notification", "token"}

    async def test_a_ttl_of_zero_is_now_or_never(self) -> None:
        """It is a value, and is sent to every platform."""
        async with self.stage() as stage:
            request = await stage.sent(ttl=0)
        assert request.json["message"]["android"]["ttl"] == "0s"
        assert (until(request), request.json["message"]["webpush"]["headers"]["TTL"]) == (0, "0")

    async def test_the_assertion_is_signed_by_the_service_account(self) -> None:
        """Google can verify it with the account's public key, and reads in it who asks for what."""
        async with self.stage() as stage:
            await stage.sent()
            asked = stage.server.asked[0].form
        said = jwt.decode(asked["assertion"], KEY.public_key(), algorithms=["RS256"], audience=ACCOUNT["token_uri"])
        assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert (said["iss"], said["scope"], said["exp"] - said["iat"]) == (ACCOUNT["client_email"], SCOPE, 3600)
        assert jwt.get_unverified_header(asked["assertion"])["kid"] == ACCOUNT["private_key_id"]

    async def test_a_token_is_fetched_anew_before_it_ends(self) -> None:
        """Five minutes before, by our clock."""
        now = datetime(2026, 1, 15, tzinfo=UTC)
        async with self.stage() as stage:
            for minutes in (0, 54, 55):
                stage.provider.clock = lambda minutes=minutes: now + timedelta(minutes=minutes)
                await stage.sent()
                assert len(stage.server.asked) == (1 if minutes < 55 else 2)

    async def test_a_token_that_is_refused_is_not_used_again(self) -> None:
        """The next try fetches another."""
        async with self.stage(Answer(401, {"error": {"status": "UNAUTHENTICATED"}})) as stage:
            await stage.deliver()
            await stage.deliver()
            assert len(stage.server.asked) == 2

    @pytest.mark.parametrize(
        ("answer", "outcome", "reason"),
        [
            (Answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
             Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
            (Answer(401, {"error": "invalid_client"}), Outcome.REJECTED, Reason.CREDENTIALS_INVALID),
            (Answer(500), Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
            (Answer(503), Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
            (Answer(200, "<html>"), Outcome.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE),
        ],
    )  # fmt: skip
    async def test_without_a_token_nothing_is_sent(self, answer: Answer, outcome: Outcome, reason: Reason) -> None:
        """A token endpoint that fails leaves nothing unknown, and one that refuses says that the key is bad."""
        async with self.stage() as stage:
            stage.server.routes = {"/token": answer}
            delivery, checked = await stage.deliver(), await check(stage.provider)
            assert not stage.server.sent
        assert (delivery.outcome, delivery.reason) == (outcome, reason)
        assert (checked.outcome, checked.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("not json", "is not JSON"),
        ("[1]", "has no project_id"),
        (json.dumps(ACCOUNT | {"client_email": None}), "has no client_email"),
        (json.dumps(ACCOUNT | {"private_key": "-----BEGIN PRIVATE KEY-----\nno\n"}), "not an RSA key"),
    ],
)
def test_a_key_file_that_is_none_is_refused_at_once(given: str, said: str) -> None:
    """When the integration is made, in words, and without a secret in them."""
    with pytest.raises(ValueError, match=said) as refused:
        FcmCredentials.model_validate({"serviceAccount": given})
    assert "kit@kit-shop" not in str(refused.value)


def test_own_fields_win_over_overrides() -> None:
    """Objects are merged at any depth; an override that says the same thing otherwise does not count."""
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}}) == {"a": {"b": 9, "c": 2}, "d": 3}
