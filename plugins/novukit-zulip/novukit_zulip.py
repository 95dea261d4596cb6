"""``zulip``: chat messages by a bot to channels and people, or by the webhook that Zulip has for clients of Slack."""

from __future__ import annotations

import json
from typing import Any

import httpx
from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    HttpClient,
    Limits,
    Reason,
    Receipt,
    Rejected,
    Throttled,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
)

BAD_ACCOUNT = frozenset({"INVALID_API_KEY", "REALM_DEACTIVATED", "UNAUTHORIZED", "USER_DEACTIVATED"})


class ZulipCredentials(Credentials):
    """The bot. Webhooks need nothing: their key is in the subscriber's URL."""

    base_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="The organization, https://example.zulipchat.com."
    )
    user: str | None = Field(default=None, description="E-mail address of the bot.")
    api_key: SecretStr | None = Field(default=None, description="API key of the bot.")
    topic: str = Field(default="notifications", max_length=60, description="Topic of messages that name no thread.")


class Zulip(ChatProvider[ZulipCredentials]):
    """Sends to the subscriber's channel, or to the e-mail address that stands there; a thread is a topic.

    What is in ``overrides`` goes into the request's form as it is, such as ``read_by_sender``.
    """

    id = "zulip"
    supports = frozenset({"thread"})
    limits = Limits(size=10_000, lengths={"thread": 60})

    def __init__(self, credentials: ZulipCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = (credentials.base_url or "").rstrip("/")

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Send, by the webhook if the subscriber has one, by the bot otherwise."""
        if content.webhook_url:
            topic = {"topic": content.thread} if content.thread else {}
            answer_of(
                await self.http.post(content.webhook_url, params=topic, json=content.overrides | {"text": content.body})
            )
            return Receipt()
        if not content.channel:
            raise Rejected("Zulip needs a channel or a webhook URL.", reason=Reason.CONTENT_INVALID)
        form = content.overrides | self.address(content) | {"content": content.body}
        response = await self.http.post(f"{self.base_url}/api/v1/messages", data=form, auth=self.auth())
        message_id = answer_of(response).get("id")
        return Receipt(provider_message_id=str(message_id) if message_id is not None else None)

    async def check(self) -> None:
        """Ask who the key belongs to. Without one there is nothing to try."""
        if self.credentials.api_key is not None:
            answer_of(await self.http.request("GET", f"{self.base_url}/api/v1/users/me", auth=self.auth()))

    def address(self, content: ChatContent) -> dict[str, str]:
        """A channel and a topic in it, or a person. Zulip's older names for both are understood by all its versions."""
        channel = content.channel or ""
        if "@" in channel:
            if content.thread:
                raise Rejected("A message to a person has no topic.", reason=Reason.UNSUPPORTED_FEATURE)
            return {"type": "private", "to": json.dumps([channel])}
        return {"type": "stream", "to": channel, "topic": content.thread or self.credentials.topic}

    def auth(self) -> tuple[str, str]:
        """The bot's address and key."""
        credentials = self.credentials
        if not (self.base_url and credentials.user and credentials.api_key):
            said = "The subscriber has no webhook URL, and the integration no base_url, user and api_key."
            raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
        return credentials.user, credentials.api_key.get_secret_value()


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The answer. Zulip translates its words; what counts is the code."""
    answer = read_json(response)
    code, words = answer.get("code"), ": ".join(str(answer[name]) for name in ("code", "msg") if answer.get(name))
    if code == "RATE_LIMIT_HIT":
        wait = answer.get("retry-after")
        raise Throttled(words, retry_after=float(wait) if isinstance(wait, int | float) else retry_after(response))
    if code in BAD_ACCOUNT:
        raise Rejected(words, reason=Reason.CREDENTIALS_INVALID)
    raise_for_outcome(response, detail=words or None)
    if answer.get("result") == "error":
        raise Rejected(words)
    return answer


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Zulip]
