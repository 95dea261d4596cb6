"""The webhooks keep what every provider must, and the reference library of Standard Webhooks believes them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from novukit_webhook import Endpoint, WebhookChat, WebhookEmail, WebhookPush, WebhookSms
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from novukit.errors import CredentialsInvalid
from novukit.providers import (
    ChatContent,
    EmailContent,
    HttpClient,
    Outcome,
    PushContent,
    Reason,
    SmsContent,
    deliver,
)
from novukit.providers.credentials import read
from novukit.testing.conformance import (
    Answer,
    ChatConformance,
    Conformance,
    Documented,
    EmailConformance,
    Place,
    PushConformance,
    Request,
    SmsConformance,
    Vendor,
)

SPEC = "Standard Webhooks specification 1.0.0: Delivery success and failure"
OURS = "the README of novukit-webhook: What a receiver answers"
SECRET = f"whsec_{base64.b64encode(b'kit-secret-of-the-webhook-0001').decode()}"
PREVIOUS = f"whsec_{base64.b64encode(b'kit-secret-before-that-one-002').decode()}"
FOREIGN = base64.b64encode(b"kit-secret-of-somebody-else-03").decode()
PARTS = ("name", "content", "mime", "content_id")
CREDENTIALS = {"secretKey": SECRET, "previousSecretKey": PREVIOUS}
ENDPOINT = CREDENTIALS | {"webhookUrl": "https://receiver.example/hook"}


def answered(name: str, status: int, outcome: Outcome = Outcome.REJECTED, wait: int | None = None) -> Documented:
    """An answer that the specification names."""
    headers = {"Retry-After": str(wait)} if wait else {}
    return Documented(name=name, status=status, headers=headers, outcome=outcome, retry_after=wait, source=SPEC)


ANSWERS = [
    answered("gone", 410),
    answered("too many", 429, Outcome.THROTTLED, 9),
    answered("not now", 503, Outcome.UNAVAILABLE, 8),
    answered("overloaded", 502, Outcome.UNKNOWN),
    answered("late", 504, Outcome.UNKNOWN),
]


def places(*names: str) -> dict[str, Place]:
    """Each field stands in ``data`` under its own name."""
    return {name: f"json:data.{name}" for name in names}


def vendor(fields: Mapping[str, Place], **more: Any) -> Vendor:
    """A receiver."""
    given: dict[str, Any] = {
        "credentials": ENDPOINT,
        "urls": {"base_url": "/hook"},
        "errors": ANSWERS,
        "overrides": {"campaign": ({"id": 7}, "json:data.overrides.campaign")},
        **more,
    }
    return Vendor(
        accepted=Answer(200, {"id": "received-1"}),
        message_id="received-1",
        key="header:webhook-id",
        fields=fields,
        **given,
    )


def verified(request: Request, secret: str) -> Any:
    """The body, if the reference library believes it."""
    headers = {name: request.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    return Webhook(secret).verify(request.body, headers)


class Signed(Conformance):
    """What all four have in common beyond the kit."""

    @pytest.mark.parametrize("secret", [SECRET, PREVIOUS])
    async def test_the_reference_library_believes_it(self, secret: str) -> None:
        """With either secret, while the one is being replaced by the other."""
        async with self.stage() as stage:
            request = await stage.sent("a1b2c3")
        assert request.headers["webhook-id"] == "a1b2c3"
        assert verified(request, secret)["type"] == f"message.{self.provider.channel}"

    async def test_the_reference_library_refuses_what_is_not_ours(self) -> None:
        """Another secret, another body."""
        async with self.stage() as stage:
            request = await stage.sent()
        with pytest.raises(WebhookVerificationError):
            verified(request, FOREIGN)
        with pytest.raises(WebhookVerificationError):
            verified(Request(request.method, request.target, request.headers, request.body + b" "), SECRET)

    async def test_a_later_try_says_the_same_at_its_own_time(self) -> None:
        """Id and body stay; the timestamp is that of the try, and signed."""
        at = datetime.now(UTC)
        async with self.stage() as stage:
            stage.provider.clock = lambda: at
            first = await stage.sent()
            stage.provider.clock = lambda: at + timedelta(seconds=30)
            second = await stage.sent()
        assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 30
        assert verified(second, SECRET) == verified(first, SECRET)

    async def test_every_message_of_a_type_has_the_same_fields(self) -> None:
        """Also those that are empty, so that a receiver may rely on them."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert set(request.json["data"]) == set(self.provider.content_type.model_fields) - {"webhook_url"}


class TestWebhookEmail(EmailConformance, Signed):
    """The kit, on e-mail."""

    provider = WebhookEmail
    vendor = vendor(
        places("to", "sender", "sender_name", "subject", "text", "html", "reply_to", "cc", "bcc", "headers", "tags")
        | places("metadata")
        | {f"attachments.{part}": f"json:data.attachments[0].{part}" for part in PARTS}
    )


class TestWebhookSms(SmsConformance, Signed):
    """The kit, on SMS."""

    provider = WebhookSms
    vendor = vendor(places("to", "sender", "body"))

    async def test_the_sender_of_the_integration_is_told(self) -> None:
        """Where the step names none."""
        async with self.stage() as stage:
            stage.provider.credentials = stage.provider.credentials.model_copy(update={"sender": "Kit"})
            request = await stage.sent(sender=None)
        assert request.json["data"]["sender"] == "Kit"


class TestWebhookPush(PushConformance, Signed):
    """The kit, on push."""

    provider = WebhookPush
    vendor = vendor(
        places(
            "tokens", "subject", "body", "data", "image", "badge", "sound", "url", "collapse_key", "ttl", "priority"
        ),
        errors=[
            *ANSWERS,
            Documented(
                name="tokens gone", status=200, body={"gone_tokens": ["kit-device-token-1", "kit-device-token-2"]},
                outcome=Outcome.RECIPIENT_GONE, source=OURS,
            ),
        ],
        partial=lambda request, tokens: Answer(200, {"id": "received-1", "gone_tokens": list(tokens)}),
    )  # fmt: skip

    async def test_a_token_of_another_message_cannot_be_told_gone(self) -> None:
        """Nor does an odd answer break anything."""
        for told in (["kit-stranger-token"], "kit-device-token-1", None, [None, 7, {}]):
            async with self.stage(Answer(200, {"gone_tokens": told})) as stage:
                delivery = await stage.deliver()
            assert (delivery.outcome, delivery.gone_tokens) == (Outcome.ACCEPTED, ())


class TestWebhookChat(ChatConformance, Signed):
    """The kit, on chat."""

    provider = WebhookChat
    vendor = vendor(
        places("channel", "body", "thread") | {"webhook_url": "path"},
        credentials=CREDENTIALS,
        urls={},
        content={"webhook_url": "https://receiver.example/ada"},
        errors=[answered("gone", 410, Outcome.RECIPIENT_GONE), *ANSWERS[1:]],
    )

    async def test_a_subscriber_without_a_url_is_reached_by_the_integration_s(self) -> None:
        """There, a 410 is not about the subscriber."""
        async with self.stage() as stage:
            stage.provider.base_url = f"{stage.server.url}/ours"
            request = await stage.sent(webhook_url=None)
            stage.server.answer = Answer(410)
            delivery = await stage.deliver(webhook_url=None)
        assert request.path == "/ours"
        assert delivery.outcome is Outcome.REJECTED

    async def test_without_any_url_nothing_is_sent(self) -> None:
        """And the refusal says so."""
        async with self.stage() as stage:
            delivery = await stage.deliver(webhook_url=None)
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)


@pytest.mark.parametrize("secret", ["short", "bm90IGxvbmcgZW5vdWdo", f"whsec_{'A' * 100}", "ü" * 40])
def test_a_secret_that_receivers_could_not_take_is_refused(secret: str) -> None:
    """When the integration is made, and the words say how to make one."""
    with pytest.raises(CredentialsInvalid, match="openssl rand") as raised:
        read(Endpoint, ENDPOINT | {"secretKey": secret}, provider_id="webhook-push")
    assert secret not in str(raised.value)


@pytest.mark.parametrize(
    ("provider", "content"),
    [
        (WebhookEmail, EmailContent(to="a@kit.example", sender="b@kit.example", subject="s")),
        (WebhookSms, SmsContent(to="+4915112345678", body="b")),
        (WebhookPush, PushContent(tokens=("t",), subject="s")),
        (WebhookChat, ChatContent(webhook_url="https://receiver.example/hook", body="b")),
    ],
)
@pytest.mark.anyio
async def test_what_cannot_be_written_is_refused(provider: Any, content: Any, anyio_backend: str) -> None:
    """Half of a surrogate pair in the overrides is no fault of the plugin."""
    credentials = read(provider.credentials_type, ENDPOINT, provider_id=provider.id)
    broken = content.model_copy(update={"overrides": {"x": "\ud800"}})
    delivery = await deliver(provider(credentials, HttpClient()), broken, "key")
    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CONTENT_INVALID)
