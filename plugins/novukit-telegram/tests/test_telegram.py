"""Telegram keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

from novukit_telegram import Telegram

from novukit.providers import Outcome, Reason, check
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

API = "core.telegram.org/bots/api: ResponseParameters, sendMessage, as aiogram quotes them"
SERVER = "tdlib/telegram-bot-api: Client.cpp, fail_query_with_error, as of 00165a7"
UNSEEN = "known from bots; not seen on a page of Telegram's"
TOKEN = "123456:kit-bot-token-AAE0001"


def refused(code: int, words: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as the Bot API answers it: the code is the status too."""
    given: dict[str, Any] = {"source": SERVER, **more}
    parameters = given.pop("parameters", None)
    body = {"ok": False, "error_code": code, "description": words} | ({"parameters": parameters} if parameters else {})
    return Documented(name=words, status=code, body=body, outcome=outcome, **given)


class TestTelegram(ChatConformance):
    """The kit, on Telegram."""

    provider = Telegram
    vendor = Vendor(
        credentials={"token": TOKEN},
        accepted=Answer(200, {"ok": True, "result": {"message_id": 4711, "date": 1764201600, "chat": {"id": 99}}}),
        message_id="4711",
        fields={
            "channel": "json:chat_id",
            "body": "json:text",
            "thread": "json:message_thread_id",
            "webhook_url": Nowhere("a bot has one address, and the chat is the channel"),
        },
        overrides={
            "parse_mode": ("MarkdownV2", "json:parse_mode"),
            "disable_notification": (True, "json:disable_notification"),
            "reply_markup": ({"remove_keyboard": True}, "json:reply_markup"),
        },
        secret_in_url=True,
        check=Answer(200, {"ok": True, "result": {"id": 123456, "is_bot": True, "username": "kit_bot"}}),
        errors=[
            refused(403, "Forbidden: bot was blocked by the user", Outcome.RECIPIENT_GONE),
            refused(403, "Forbidden: user is deactivated", Outcome.RECIPIENT_GONE),
            refused(
                403, "Forbidden: bot was kicked from the supergroup chat", Outcome.RECIPIENT_GONE, source=UNSEEN,
                confirmed=False,
            ),
            refused(401, "Unauthorized", reason=Reason.CREDENTIALS_INVALID),
            refused(404, "Not Found", reason=Reason.CREDENTIALS_INVALID, source=UNSEEN, confirmed=False),
            refused(400, "Bad Request: chat not found", source=UNSEEN, confirmed=False),
            refused(400, "Bad Request: message is too long", source=UNSEEN, confirmed=False),
            refused(
                400, "Bad Request: group chat was upgraded to a supergroup chat",
                parameters={"migrate_to_chat_id": -1001234567890}, source=API,
            ),
            refused(
                429, "Too Many Requests: retry after 37", Outcome.THROTTLED, parameters={"retry_after": 37},
                retry_after=37.0, source=f"{API}; {SERVER}",
            ),
            refused(500, "Internal Server Error", Outcome.UNKNOWN),
        ],
    )  # fmt: skip

    async def test_text_is_plain_unless_the_overrides_say_otherwise(self) -> None:
        """MarkdownV2 refuses a full stop that is not escaped."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert request.json == {"chat_id": "C0KIT", "text": "Body of the kit"}
        assert request.path == f"/bot{TOKEN}/sendMessage"

    async def test_the_id_of_a_topic_is_a_number(self) -> None:
        """As the page says of ``message_thread_id``."""
        async with self.stage() as stage:
            request = await stage.sent(thread="42")
        assert request.json["message_thread_id"] == 42

    async def test_a_group_that_moved_says_where(self) -> None:
        """The new id is in the words that are kept."""
        error = next(error for error in self.vendor.errors if "supergroup chat" in error.name and error.status == 400)
        async with self.stage(error.answer) as stage:
            delivery = await stage.deliver()
        assert "-1001234567890" in delivery.detail

    async def test_an_answer_that_is_not_ok_is_no_success(self) -> None:
        """Whatever its status says."""
        async with self.stage(Answer(200, {"ok": False, "description": "no"})) as stage:
            assert (await stage.deliver()).outcome is Outcome.REJECTED
            assert (await check(stage.provider)).outcome is Outcome.REJECTED

    async def test_without_a_channel_nothing_is_sent(self) -> None:
        """A webhook URL is no address of Telegram's."""
        async with self.stage() as stage:
            delivery = await stage.deliver(channel=None)
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
