"""``telegram``: chat messages by a Telegram bot to those who have started it, and to groups and channels it is in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    Limits,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Throttled,
    as_object,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
)


class TelegramCredentials(Credentials):
    """The bot's token."""

    token: SecretStr = Field(description="Token of the bot, 123456:ABC-…, as BotFather gives it.")


class Telegram(ChatProvider[TelegramCredentials]):
    """Sends plain text to the subscriber's channel, which is the id of a chat or the ``@name`` of a public channel.

    What is in ``overrides`` goes into the body of the request as it is, such as ``parse_mode``.
    """

    id = "telegram"
    supports = frozenset({"thread"})
    limits = Limits(lengths={"body": 4096})
    base_url = "https://api.telegram.org"
    endpoints = frozenset({"telegram_chat"})

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Send. Telegram takes no key: a second try is a second message."""
        if not content.channel:
            raise Rejected("Telegram needs the id of a chat as the channel.", reason=Reason.CONTENT_INVALID)
        thread = {"message_thread_id": number(content.thread)} if content.thread else {}
        answer = await self.ask(
            "sendMessage", content.overrides | {"chat_id": content.channel, "text": content.body} | thread
        )
        message_id = as_object(answer.get("result")).get("message_id")
        return Receipt(provider_message_id=str(message_id) if message_id is not None else None)

    async def check(self) -> None:
        """Ask who the token belongs to."""
        await self.ask("getMe", sends=False)

    async def ask(self, method: str, fields: dict[str, Any] | None = None, *, sends: bool = True) -> dict[str, Any]:
        """The answer of a method of the Bot API. The token is in its URL, as Telegram wants it."""
        token = quote(self.credentials.token.get_secret_value(), safe=":")
        response = await self.http.post(f"{self.base_url}/bot{token}/{method}", json=fields or {}, sends=sends)
        answer = read_json(response)
        raise_for_telegram(response, answer)
        return answer


def raise_for_telegram(response: httpx.Response, answer: dict[str, Any]) -> None:
    """What a refusal stands for: Telegram's codes are HTTP's, and are in its status too."""
    parameters = as_object(answer.get("parameters"))
    words = str(answer.get("description") or "")
    match response.status_code:
        case 403:
            # Blocked, kicked, or the account is no more: the bot cannot write there, whoever tries.
            raise RecipientGone(words)
        case 404 if answer.get("ok") is False:
            # There is no such bot; Telegram says 400 for a chat that it does not find.
            raise Rejected(words, reason=Reason.CREDENTIALS_INVALID)
        case 429:
            wait = parameters.get("retry_after")
            raise Throttled(words, retry_after=float(wait) if isinstance(wait, int) else retry_after(response))
        case 400 if "migrate_to_chat_id" in parameters:
            raise Rejected(f"{words}. The chat's id is now {parameters['migrate_to_chat_id']}.")
        case _:
            raise_for_outcome(response, detail=words or None)
            if answer.get("ok") is False:
                raise Rejected(words or "answered 200 that it is not ok")


def number(thread: str) -> int | str:
    """The id of a topic is a number; what is none is left for Telegram to refuse."""
    return int(thread) if thread.isascii() and thread.isdigit() and len(thread) < 19 else thread


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Telegram]
