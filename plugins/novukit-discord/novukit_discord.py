"""``discord``: chat messages through a channel's webhook, which each subscriber brings along."""

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
    Throttled,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
)


class Discord(ChatProvider[NoCredentials]):
    """Posts to the subscriber's webhook. What is in ``overrides`` goes into the body of the request as it is."""

    id = "discord"
    supports = frozenset({"thread"})
    limits = Limits(lengths={"body": 2000})

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post, and wait until Discord says that the message is there; without ``wait`` it keeps errors to itself."""
        if not content.webhook_url:
            raise Rejected("Discord needs the webhook URL of a channel.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            content.webhook_url,
            params={"wait": "true"} | ({"thread_id": content.thread} if content.thread else {}),
            # The words may be a stranger's: by default they call nobody by @.
            json={"allowed_mentions": {"parse": []}} | content.overrides | {"content": content.body},
        )
        answer = read_json(response)
        if response.status_code == 404:
            # A webhook that was deleted stays deleted, and Discord restricts those who go on trying.
            raise RecipientGone(words(answer))
        if response.status_code == 429:
            raise Throttled(words(answer), retry_after=seconds(answer) or retry_after(response))
        raise_for_outcome(response, detail=words(answer) or None)
        return Receipt(provider_message_id=answer.get("id"))


def seconds(answer: dict[str, Any]) -> float | None:
    """How long to wait, by the body: it is exact, while the header is in whole seconds."""
    wait = answer.get("retry_after")
    return float(wait) if isinstance(wait, int | float) and not isinstance(wait, bool) else None


def words(answer: dict[str, Any]) -> str:
    """Discord's own words for what is wrong."""
    return " ".join(str(answer[name]) for name in ("message", "code") if answer.get(name))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Discord]
