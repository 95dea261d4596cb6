"""Google Chat keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

from novukit_google_chat import GoogleChat

from novukit.providers import ChatContent, Outcome, Reason, deliver
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Request, Vendor

ERRORS = "Google's error model (google.rpc.Code); which of them a webhook answers was not seen on a page"


def refused(status: int, code: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as Google's APIs answer it."""
    body = {"error": {"code": status, "status": code, "message": f"The words for {code}."}}
    return Documented(
        name=f"{status} {code}", status=status, body=body, outcome=outcome, source=ERRORS, confirmed=False, **more
    )


def thread(request: Request) -> object:
    """The thread, by Google's name for it or by a key of one's own."""
    given = request.json.get("thread", {})
    return given.get("name") or given.get("threadKey")


class TestGoogleChat(ChatConformance):
    """The kit, on Google Chat."""

    provider = GoogleChat
    vendor = Vendor(
        credentials={},
        accepted=Answer(200, {"name": "spaces/AAAA/messages/BBBB.CCCC", "thread": {"name": "spaces/AAAA/threads/D"}}),
        message_id="spaces/AAAA/messages/BBBB.CCCC",
        key="query:requestId",
        content={"webhook_url": "https://chat.googleapis.com/v1/spaces/AAAA/messages"},
        fields={
            "webhook_url": "path",
            "body": "json:text",
            "thread": thread,
            "channel": Nowhere("a webhook belongs to one space"),
        },
        overrides={"cardsV2": ([{"cardId": "kit", "card": {"header": {"title": "Kit"}}}], "json:cardsV2")},
        errors=[
            refused(400, "INVALID_ARGUMENT"),
            refused(401, "UNAUTHENTICATED", reason=Reason.CREDENTIALS_INVALID),
            refused(403, "PERMISSION_DENIED", reason=Reason.CREDENTIALS_INVALID),
            refused(404, "NOT_FOUND", Outcome.RECIPIENT_GONE),
            refused(429, "RESOURCE_EXHAUSTED", Outcome.THROTTLED),
            refused(500, "INTERNAL", Outcome.UNKNOWN),
            refused(503, "UNAVAILABLE", Outcome.UNAVAILABLE),
        ],
    )  # fmt: skip

    async def test_the_key_and_token_of_the_webhook_are_kept(self) -> None:
        """They are in the URL's query, where the request's id and the reply option come too."""
        async with self.stage() as stage:
            url = f"{stage.server.url}/v1/spaces/AAAA/messages?key=kit-key&token=kit%3Dtoken"
            content = ChatContent(webhook_url=url, body="hi", thread="spaces/AAAA/threads/DDDD")
            assert (await deliver(stage.provider, content, "a1b2")).accepted
            request = stage.server.sent[0]
        assert request.query == {
            "key": "kit-key",
            "token": "kit=token",
            "requestId": "a1b2",
            "messageReplyOption": "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
        }
        assert request.json["thread"] == {"name": "spaces/AAAA/threads/DDDD"}

    async def test_a_thread_of_one_s_own_is_a_key(self) -> None:
        """The first message with it begins the thread."""
        async with self.stage() as stage:
            request = await stage.sent(thread="order-7")
        assert request.json["thread"] == {"threadKey": "order-7"}
