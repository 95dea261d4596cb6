"""ntfy keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

from novukit_ntfy import Ntfy

from novukit.providers import Outcome, Reason
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

SERVER = "binwiederhier/ntfy: server/errors.go"


def refused(code: int, words: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as the server answers it: the first digits of its code are the status."""
    body = {"code": code, "http": code // 100, "error": words, "link": "https://ntfy.sh/docs/publish/"}
    return Documented(name=f"{code} {words}", status=code // 100, body=body, outcome=outcome, source=SERVER, **more)


class TestNtfy(ChatConformance):
    """The kit, on ntfy."""

    provider = Ntfy
    vendor = Vendor(
        credentials={"token": "tk_kit_token_0001"},
        accepted=Answer(200, {"id": "sPs71M8A2T", "time": 1764201600, "event": "message", "topic": "kit"}),
        message_id="sPs71M8A2T",
        fields={
            "channel": "json:topic",
            "body": "json:message",
            "webhook_url": Nowhere("the server is the integration's, and the topic is the channel"),
        },
        overrides={
            "title": ("Title of the kit", "json:title"),
            "priority": (4, "json:priority"),
            "tags": (["tada"], "json:tags"),
            "click": ("https://kit.example", "json:click"),
        },
        errors=[
            refused(40014, "invalid request: attachments not allowed"),
            refused(40101, "unauthorized", reason=Reason.CREDENTIALS_INVALID),
            refused(40301, "forbidden", reason=Reason.CREDENTIALS_INVALID),
            refused(41303, "JSON body too large"),
            refused(42901, "limit reached: too many requests, please be nice", Outcome.THROTTLED),
        ],
    )

    async def test_a_public_topic_needs_no_token(self) -> None:
        """Then none is sent."""
        async with self.stage() as stage:
            stage.provider.credentials = stage.provider.credentials.model_copy(update={"token": None})
            request = await stage.sent()
        assert "authorization" not in request.headers
        assert (request.path, request.json) == ("/", {"topic": "C0KIT", "message": "Body of the kit"})
