"""``google-chat``: chat messages through a space's webhook, which each subscriber brings along."""

from __future__ import annotations

from typing import Any

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Limits,
    NoCredentials,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    as_object,
    hookimpl,
    raise_for_outcome,
    read_json,
)

ENVELOPE = 500
"""Bytes that are kept for what holds the words together."""


class GoogleChat(ChatProvider[NoCredentials]):
    """Posts to the subscriber's webhook. What is in ``overrides`` goes into the body of the request as it is."""

    id = "google-chat"
    supports = frozenset({"thread"})
    limits = Limits(size=32_000 - ENVELOPE)

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Create the message. The key goes along; that a webhook heeds it is documented nowhere."""
        if not content.webhook_url:
            raise Rejected("Google Chat needs the webhook URL of a space.", reason=Reason.CONTENT_INVALID)
        body: dict[str, Any] = content.overrides | {"text": content.body}
        params = {"requestId": key}
        if content.thread:
            # Without the option, Google ignores the thread.
            params["messageReplyOption"] = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
            body["thread"] = {"name" if content.thread.startswith("spaces/") else "threadKey": content.thread}
        response = await self.http.post(content.webhook_url, params=params, json=body)
        answer = read_json(response)
        error = as_object(answer.get("error"))
        words = " ".join(str(error[name]) for name in ("status", "message") if error.get(name))
        if response.status_code == 404:
            raise RecipientGone(words or "The space or its webhook is not there any more.")
        raise_for_outcome(response, detail=words or None)
        return Receipt(provider_message_id=answer.get("name"))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [GoogleChat]
