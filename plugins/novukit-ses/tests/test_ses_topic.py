"""What SNS posts is believed only if SNS has signed it for the integration's own topic."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from novukit_ses import Ses
from ses_vendor import (  # pyright: ignore[reportMissingImports] - pytest knows this folder
    ARN,
    FORGERS,
    NOW,
    PEM,
    SNS,
    URL,
    VENDOR,
    envelope,
    record,
    signed,
)  # fmt: skip

from novukit.providers import CallbackFailed, CallbackRefused, CallbackRequest, Headers, receive
from novukit.testing.conformance import Answer, EmailConformance

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """novukit is asyncio only."""
    return "asyncio"


class Ground(EmailConformance):
    """The kit's stage; its tests run elsewhere."""

    provider = Ses
    vendor = VENDOR


async def hears(body: bytes, **routes: Answer) -> list[str]:
    """Give ``body`` to the provider as SNS would; the paths that it then asked for."""
    async with Ground.stage() as stage:
        stage.server.routes = {**VENDOR.routes, "/sns/": Answer(200, b"<ok/>"), **routes}
        await receive(stage.provider, CallbackRequest("POST", URL, Headers(), body, NOW))
        return [request.target for request in stage.server.asked]


VISIT = f"/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"
ASKED = envelope("You have chosen to subscribe", NOW, Type="SubscriptionConfirmation", Token="2336412f37") | {
    "SubscribeURL": SNS + VISIT
}
GOOD = envelope(json.dumps(record("Send")), NOW)


async def test_a_subscription_is_confirmed() -> None:
    """By a visit to its URL, once the signature was found right."""
    assert await hears(signed(ASKED)) == [f"/sns{PEM}", f"/sns{VISIT}"]


async def test_a_forged_subscription_is_not_confirmed() -> None:
    """Nor one whose URL leads elsewhere; where SNS does not answer, it is to try again."""
    for body in (signed(ASKED, FORGERS), signed(ASKED | {"SubscribeURL": f"https://evil.example{VISIT}"})):
        with pytest.raises(CallbackRefused):
            await hears(body)
    with pytest.raises(CallbackFailed):
        await hears(signed(ASKED), **{"/sns/": Answer(500)})


async def test_the_end_of_a_subscription_is_left_alone() -> None:
    """To visit its URL would subscribe again."""
    assert await hears(signed(ASKED | {"Type": "UnsubscribeConfirmation"})) == [f"/sns{PEM}"]


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": ARN.replace("123456789012", "999999999999")},
        {"SigningCertURL": f"{SNS}.evil.example{PEM}"},
        {"SigningCertURL": f"{SNS}@evil.example{PEM}"},
        {"SigningCertURL": f"{SNS}:8443{PEM}"},
        {"SigningCertURL": f"https://bucket.s3.amazonaws.com{PEM}"},
        {"SigningCertURL": f"http://sns.eu-central-1.amazonaws.com{PEM}"},
        {"SigningCertURL": f"{SNS}/?Action=Publish&x={PEM}"},
        {"SigningCertURL": "https://[evil"},
        {"Timestamp": (NOW - timedelta(minutes=66)).isoformat()},
        {"Timestamp": (NOW + timedelta(minutes=66)).isoformat()},
    ],
    ids=str,
)
async def test_what_is_not_of_the_topic_is_refused(change: dict[str, str]) -> None:
    """Of each of these somebody else could have the key, or kept it; nothing is fetched for them."""
    async with Ground.stage() as stage:
        with pytest.raises(CallbackRefused):
            await receive(stage.provider, CallbackRequest("POST", URL, Headers(), signed(GOOD | change), NOW))
        assert not stage.server.connections


async def test_without_a_topic_every_callback_is_refused() -> None:
    """Whoever has an account at AWS can have SNS sign something."""
    async with Ground.stage() as stage:
        stage.provider.topic = None  # pyright: ignore[reportAttributeAccessIssue] - the kit knows it as any provider
        with pytest.raises(CallbackRefused, match="topic_arn"):
            await receive(stage.provider, CallbackRequest("POST", URL, Headers(), signed(GOOD), NOW))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "Signature"])
async def test_each_signed_field_is_signed(version: str, name: str) -> None:
    """In both versions; a message of an hour ago is one that SNS has tried for an hour."""
    hour_ago = envelope(
        json.dumps(record("Send")), NOW - timedelta(hours=1), SignatureVersion=version, Subject="Amazon SES"
    )
    body = json.loads(signed(hour_ago))
    assert await hears(json.dumps(body).encode()) == [f"/sns{PEM}"]
    value = NOW.isoformat() if name == "Timestamp" else "x" + body[name]
    for changed in (body | {name: value}, {key: body[key] for key in body if key != name}):
        with pytest.raises(CallbackRefused):
            await hears(json.dumps(changed).encode())


async def test_a_certificate_is_fetched_once() -> None:
    """And kept for the messages that follow."""
    async with Ground.stage() as stage:
        for _ in range(3):
            await receive(stage.provider, CallbackRequest("POST", URL, Headers(), signed(GOOD), NOW))
        assert len(stage.server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Answer(404), CallbackRefused), (Answer(200, b"no"), CallbackRefused), (Answer(500), CallbackFailed)],
)
async def test_a_certificate_that_is_none_is_refused(answer: Answer, error: type[Exception]) -> None:
    """Where SNS does not answer, it is to try again."""
    with pytest.raises(error):
        await hears(signed(GOOD), **{f"/sns{PEM}": answer})
