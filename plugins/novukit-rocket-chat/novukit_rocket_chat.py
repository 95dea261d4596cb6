"""``rocket-chat``: chat messages to rooms and people of one Rocket.Chat workspace."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    HttpClient,
    Reason,
    Receipt,
    Rejected,
    Throttled,
    Unknown,
    as_object,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
)


class RocketChatCredentials(Credentials):
    """The workspace, and who sends there."""

    base_url: str = Field(pattern=r"^https?://\S+$", description="The workspace, https://chat.example.com.")
    user: str = Field(description="Id of the user that sends.")
    token: SecretStr = Field(description="Personal access token of that user.")


class RocketChat(ChatProvider[RocketChatCredentials]):
    """Posts to the subscriber's channel: ``#name``, ``@name`` or the id of a room.

    What is in ``overrides`` goes into the body of the request as it is, such as ``attachments``.
    """

    id = "rocket-chat"
    name = "Rocket.Chat"
    supports = frozenset({"thread"})
    endpoints = frozenset()

    def __init__(self, credentials: RocketChatCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.base_url.rstrip("/")

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post. The token goes to the integration's workspace only, never to a URL that a subscriber has."""
        if not content.channel:
            raise Rejected("Rocket.Chat needs a room as the channel.", reason=Reason.CONTENT_INVALID)
        thread = {"tmid": content.thread} if content.thread else {}
        response = await self.http.post(
            f"{self.base_url}/api/v1/chat.postMessage",
            headers=self.headers(),
            json=content.overrides | {"channel": content.channel, "text": content.body} | thread,
        )
        return Receipt(provider_message_id=as_object(answer_of(response).get("message")).get("_id"))

    async def check(self) -> None:
        """Ask who the token belongs to."""
        answer_of(await self.http.get(f"{self.base_url}/api/v1/me", headers=self.headers()))

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"X-User-Id": self.credentials.user, "X-Auth-Token": self.credentials.token.get_secret_value()}


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The answer; ``success`` tells what became of the message."""
    answer = read_json(response)
    words = str(answer.get("error") or answer.get("message") or "")
    if answer.get("errorType") == "error-too-many-requests" or "[error-too-many-requests]" in words:
        raise Throttled(words, retry_after=retry_after(response))
    raise_for_outcome(response, detail=words or None)
    if answer.get("success") is False:
        raise Rejected(words)
    if answer.get("success") is not True:
        raise Unknown("answered 200 without saying whether it succeeded")
    return answer


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [RocketChat]
