"""Slack keeps what every chat provider must, by webhook and by bot; its shapes are those of the pages named here."""

from __future__ import annotations

from typing import Any

import pytest
from novukit_slack import Slack, SlackCredentials, escaped

from novukit.providers import ChatContent, HttpClient, Outcome, Reason, check, deliver
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Spelled, Vendor

WEBHOOK = "api.slack.com: Improving error conditions for Incoming Webhooks, 2016-05-17"
METHOD = "api.slack.com: chat.postMessage, as kept by slack_kit and Elixir-Slack"
COMMON = "docs.slack.dev: errors of every Web API method, as kept by slack_kit 1.0.0-alpha.0"
LIMITS = "docs.slack.dev: Rate limits"
UNSEEN = "known from libraries; not seen on a page of Slack's"
CREDENTIALS = {"token": "xoxb-kit-token-0001", "secretKey": "kit-client-secret", "signingSecret": "kit-signing-1"}
WAIT: dict[str, Any] = {"source": LIMITS, "headers": {"Retry-After": "30"}, "retry_after": 30.0}
TEXT = Spelled("json:text", escaped)
OVERRIDES: dict[str, Any] = {
    "blocks": ([{"type": "divider"}], "json:blocks"),
    "unfurl_links": (False, "json:unfurl_links"),
}


def word(status: int, text: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error of a webhook: a status and one word."""
    given: dict[str, Any] = {"source": WEBHOOK, **more}
    return Documented(name=f"{status} {text}", status=status, body=text, outcome=outcome, **given)


def refused(error: str, outcome: Outcome = Outcome.REJECTED, status: int = 200, **more: Any) -> Documented:
    """An error of the Web API: mostly a 200 that is not ok."""
    given: dict[str, Any] = {"source": METHOD, **more}
    body = {"ok": False, "error": error}
    return Documented(name=f"{status} {error}", status=status, body=body, outcome=outcome, **given)


class TestSlackWebhook(ChatConformance):
    """The kit, on incoming webhooks."""

    provider = Slack
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(200, "ok"),
        content={"webhook_url": "https://hooks.slack.com/services/T000/B000/kit-hook"},
        fields={
            "webhook_url": "path",
            "body": TEXT,
            "thread": "json:thread_ts",
            "channel": Nowhere("a webhook belongs to one channel"),
        },
        overrides=OVERRIDES,
        errors=[
            word(400, "invalid_payload"),
            word(400, "user_not_found"),
            word(403, "action_prohibited", reason=Reason.PROVIDER_REJECTED),
            word(404, "channel_not_found", Outcome.RECIPIENT_GONE),
            word(410, "channel_is_archived", Outcome.RECIPIENT_GONE),
            word(500, "rollup_error", Outcome.UNKNOWN),
            word(404, "no_service", Outcome.RECIPIENT_GONE, source=UNSEEN, confirmed=False),
            word(404, "no_team", Outcome.RECIPIENT_GONE, source=UNSEEN, confirmed=False),
            word(403, "invalid_token", reason=Reason.CREDENTIALS_INVALID, source=UNSEEN, confirmed=False),
            word(429, "rate_limited", Outcome.THROTTLED, **WAIT),
        ],
    )  # fmt: skip


class TestSlackBot(ChatConformance):
    """The kit, on ``chat.postMessage``."""

    provider = Slack
    vendor = Vendor(
        credentials=CREDENTIALS,
        accepted=Answer(200, {"ok": True, "channel": "C123ABC456", "ts": "1503435956.000247"}),
        message_id="1503435956.000247",
        content={"webhook_url": None},
        fields={
            "webhook_url": Nowhere("the bot posts where there is none"),
            "channel": "json:channel",
            "body": TEXT,
            "thread": "json:thread_ts",
        },
        overrides=OVERRIDES,
        unreadable=Outcome.UNKNOWN,
        check=Answer(200, {"ok": True, "team": "Kit", "user": "kit", "bot_id": "B000"}),
        errors=[
            refused("channel_not_found"),
            refused("not_in_channel"),
            refused("msg_too_long"),
            refused("no_text"),
            refused("is_archived", Outcome.RECIPIENT_GONE),
            refused("rate_limited", Outcome.THROTTLED),
            refused("ratelimited", Outcome.THROTTLED, 429, **WAIT),
            refused("account_inactive", source=COMMON, reason=Reason.CREDENTIALS_INVALID),
            refused("invalid_auth", source=COMMON, reason=Reason.CREDENTIALS_INVALID),
            refused("fatal_error", Outcome.UNKNOWN, source=COMMON),
            refused("internal_error", Outcome.UNKNOWN, source=COMMON),
            refused("not_authed", source=COMMON, reason=Reason.CREDENTIALS_INVALID, confirmed=False),
            refused("token_revoked", source=COMMON, reason=Reason.CREDENTIALS_INVALID),
            refused("token_expired", source=COMMON, reason=Reason.CREDENTIALS_INVALID, confirmed=False),
            refused("missing_scope", source=COMMON, reason=Reason.CREDENTIALS_INVALID, confirmed=False),
            refused("no_permission", source=COMMON, reason=Reason.CREDENTIALS_INVALID, confirmed=False),
            refused("service_unavailable", Outcome.UNAVAILABLE, source=COMMON, confirmed=False),
            refused("team_added_to_org", Outcome.UNAVAILABLE, source=COMMON, confirmed=False),
            refused("invalid_blocks", source=METHOD),
        ],
    )  # fmt: skip

    async def test_a_token_that_is_no_good_is_found_by_the_check(self) -> None:
        """Also in an answer with 200."""
        async with self.stage(Answer(200, {"ok": False, "error": "invalid_auth"})) as stage:
            delivery = await check(stage.provider)
        assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)

    @pytest.mark.parametrize(
        ("blocks", "said"),
        [
            ([{"type": "divider"}] * 51, "51 blocks, the limit is 50"),
            ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "Block 1 has 3001 characters"),
        ],
    )
    async def test_blocks_that_slack_refuses_are_refused_with_the_number(self, blocks: list[Any], said: str) -> None:
        """Nothing is sent."""
        async with self.stage() as stage:
            delivery = await stage.deliver(overrides={"blocks": blocks})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
        assert said in delivery.detail

    async def test_a_text_that_escaping_makes_too_long_is_refused(self) -> None:
        """Slack would cut it off without a word."""
        async with self.stage() as stage:
            delivery = await stage.deliver(body="&" * 10_000)
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
        assert "50000" in delivery.detail


@pytest.mark.anyio
async def test_a_channel_without_a_token_is_refused(anyio_backend: str) -> None:
    """The words say what is missing."""
    delivery = await deliver(Slack(SlackCredentials(), HttpClient()), ChatContent(channel="C1", body="hi"), "key")
    assert delivery.reason is Reason.CREDENTIALS_INVALID
    assert "no token" in delivery.detail
