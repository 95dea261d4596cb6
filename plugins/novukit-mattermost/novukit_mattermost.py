"""``mattermost``: chat messages through an incoming webhook, which each subscriber brings along."""

from __future__ import annotations

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    NoCredentials,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Unavailable,
    hookimpl,
    raise_for_outcome,
    read_json,
)


class Mattermost(ChatProvider[NoCredentials]):
    """Posts to the subscriber's webhook. What is in ``overrides`` goes into the body of the request as it is."""

    id = "mattermost"

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post, into the webhook's own channel unless the subscriber names another."""
        if not content.webhook_url:
            raise Rejected("Mattermost needs the webhook URL of a channel.", reason=Reason.CONTENT_INVALID)
        channel = {"channel": content.channel} if content.channel else {}
        response = await self.http.post(content.webhook_url, json=content.overrides | {"text": content.body} | channel)
        if response.status_code >= 300:
            answer = read_json(response)
            words = ": ".join(str(answer[name]) for name in ("id", "message") if answer.get(name))
            match answer.get("id"):
                case "web.incoming_webhook.invalid.app_error":
                    raise RecipientGone(words)
                case "web.incoming_webhook.disabled.app_error":
                    # The server's administrator has turned webhooks off, and may turn them on again.
                    raise Unavailable(words)
                case _:
                    raise_for_outcome(response, detail=words or None)
        return Receipt()


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Mattermost]
