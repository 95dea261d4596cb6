"""``msteams``: chat messages through a Workflows webhook of Microsoft Teams, as Adaptive Cards."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

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
    as_list,
    hookimpl,
    raise_for_outcome,
)

LARGEST = 28 * 1024
"""Bytes of a request. Teams refuses a larger card only after the webhook has answered 202."""
ENVELOPE = 512
"""Bytes that are kept for what holds the words together."""
OLD_CARD = frozenset({"@type", "@context", "potentialAction", "sections", "themeColor"})
"""Fields of a MessageCard that an Adaptive Card does not have."""
OLD_HOSTS = (".webhook.office.com", "outlook.office.com", "outlook.office365.com")
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


class TeamsCredentials(Credentials):
    """Nothing is needed: the webhook's URL is the subscriber's."""

    client_id: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")
    secret_key: SecretStr | None = Field(
        default=None, description="Taken from Novu's clients; sending does not need it."
    )
    tenant_id: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")
    redirect_url: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")


class Teams(ChatProvider[TeamsCredentials]):
    """Posts a card to the subscriber's webhook. ``overrides`` are fields of the card, such as ``actions``."""

    id = "msteams"
    name = "Microsoft Teams"
    limits = Limits(size=LARGEST - ENVELOPE)

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post. A 202 says that the workflow has begun, not that the card is there."""
        if not content.webhook_url:
            raise Rejected("Teams needs the webhook URL of a workflow.", reason=Reason.CONTENT_INVALID)
        if (urlsplit(content.webhook_url).hostname or "").endswith(OLD_HOSTS):
            raise Rejected(
                "The URL is that of an Office 365 connector. Teams is retiring them: make a Workflows webhook.",
                reason=Reason.CONTENT_INVALID,
            )
        try:
            body = json.dumps(envelope(card(content)), ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as err:
            raise Rejected(f"The card cannot be written as JSON: {err}", reason=Reason.CONTENT_INVALID) from None
        if len(body) > LARGEST:
            raise Rejected(f"The card has {len(body)} bytes, the limit is {LARGEST}.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            content.webhook_url, content=body, headers={"Content-Type": "application/json; charset=utf-8"}
        )
        if response.status_code in (404, 410):
            raise RecipientGone(response.text or "The workflow is not there any more.")
        raise_for_outcome(response)
        return Receipt()


def card(content: ChatContent) -> dict[str, Any]:
    """The words as the first element of an Adaptive Card, and what the overrides add to it."""
    if old := sorted(OLD_CARD & set(content.overrides)):
        raise Rejected(
            f"{', '.join(old)}: Workflows do not show a MessageCard. Give fields of an Adaptive Card.",
            reason=Reason.CONTENT_INVALID,
        )
    words = {"type": "TextBlock", "text": content.body, "wrap": True}
    return (
        {"version": "1.2"}
        | content.overrides
        | {
            "$schema": SCHEMA,
            "type": "AdaptiveCard",
            "body": [words, *as_list(content.overrides.get("body"))],
        }
    )


def envelope(card: dict[str, Any]) -> dict[str, Any]:
    """A message with one card, the only thing that the workflow's template reads."""
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Teams]
