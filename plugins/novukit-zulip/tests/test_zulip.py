"""Zulip keeps what every chat provider must, by bot and by webhook; its shapes are those of the pages named here."""

from __future__ import annotations

import json
from typing import Any

from novukit_zulip import Zulip

from novukit.providers import Outcome, Reason, check
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

ERRORS = "zulip.com/api: Error handling"
CODES = "docs.rs/zulip-api 0.0.8, ErrorCode; the shape of the answer was not seen on Zulip's page"
CREDENTIALS = {
    "baseUrl": "https://kit.zulip.example",
    "user": "kit-bot@kit.zulip.example",
    "apiKey": "kit-zulip-key-0001",
}


def refused(status: int, code: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as Zulip answers it."""
    given: dict[str, Any] = {"source": ERRORS, **more}
    body = {"code": code, "msg": f"The words for {code}.", "result": "error", **given.pop("body", {})}
    return Documented(name=f"{status} {code}", status=status, body=body, outcome=outcome, **given)


REFUSALS = [
    refused(401, "INVALID_API_KEY", reason=Reason.CREDENTIALS_INVALID),
    refused(400, "REQUEST_VARIABLE_MISSING", body={"var_name": "content"}),
    refused(400, "BAD_REQUEST"),
    refused(401, "USER_DEACTIVATED", reason=Reason.CREDENTIALS_INVALID, source=CODES, confirmed=False),
    refused(401, "REALM_DEACTIVATED", reason=Reason.CREDENTIALS_INVALID, source=CODES, confirmed=False),
    refused(400, "STREAM_DOES_NOT_EXIST", source=CODES, confirmed=False),
    refused(
        429,
        "RATE_LIMIT_HIT",
        Outcome.THROTTLED,
        body={"retry-after": 28.7},
        retry_after=28.7,
        source=CODES,
        confirmed=False,
    ),
]


class TestZulipBot(ChatConformance):
    """The kit, on the REST API."""

    provider = Zulip
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(200, {"id": 42, "msg": "", "result": "success"}),
        message_id="42",
        content={"webhook_url": None},
        fields={
            "channel": "form:to",
            "body": "form:content",
            "thread": "form:topic",
            "webhook_url": Nowhere("the bot sends where there is none"),
        },
        overrides={"read_by_sender": ("true", "form:read_by_sender")},
        check=Answer(200, {"result": "success", "msg": "", "email": "kit-bot@kit.zulip.example"}),
        errors=REFUSALS,
    )

    async def test_a_channel_has_a_topic_and_a_person_has_none(self) -> None:
        """Source: zulip.com/api «Send a message»."""
        async with self.stage() as stage:
            channel = await stage.sent(channel="Denmark")
            person = await stage.sent(channel="ada@kit.example")
            refusal = await stage.deliver(channel="ada@kit.example", thread="Castle")
        assert channel.form == {
            "type": "stream", "to": "Denmark", "topic": "notifications", "content": "Body of the kit",
        }  # fmt: skip
        assert (person.form["type"], json.loads(person.form["to"])) == ("private", ["ada@kit.example"])
        assert "topic" not in person.form
        assert refusal.reason is Reason.UNSUPPORTED_FEATURE

    async def test_without_a_key_a_channel_cannot_be_reached(self) -> None:
        """And the check has nothing to ask."""
        async with self.stage() as stage:
            stage.provider.credentials = stage.provider.credentials.model_copy(update={"api_key": None})
            assert (await stage.deliver()).reason is Reason.CREDENTIALS_INVALID
            assert (await check(stage.provider)).accepted
            assert not stage.server.connections


class TestZulipWebhook(ChatConformance):
    """The kit, on the webhook that takes what Slack's does."""

    provider = Zulip
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(200, {"msg": "", "result": "success"}),
        content={"webhook_url": "https://kit.zulip.example/api/v1/external/slack_incoming"},
        fields={
            "webhook_url": "path",
            "body": "json:text",
            "thread": "query:topic",
            "channel": Nowhere("the webhook's URL names one"),
        },
        errors=REFUSALS,
    )
