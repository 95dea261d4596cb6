"""``slack``: chat messages through a channel's incoming webhook, or by a bot that posts where it was invited."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    Limits,
    ProviderError,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Throttled,
    Unavailable,
    Unknown,
    as_list,
    as_object,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
)

LONGEST = 40_000
"""Characters of a text, as it travels. Slack cuts off what is more."""
BLOCKS, BLOCK = 50, 3000
"""Blocks of a message, and characters of the text in one."""

GONE_WEBHOOK = frozenset({"channel_is_archived", "channel_not_found", "no_service", "no_team"})
"""What a webhook answers for good: its channel, its app or its workspace is not there any more."""
BAD_TOKEN = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
TOO_FAST = frozenset({"rate_limited", "ratelimited"})
NOT_NOW = frozenset({"service_unavailable", "team_added_to_org"})
HALF_DONE = frozenset({"fatal_error", "internal_error"})
"""«It's possible some aspect of the operation succeeded before the error was raised.»"""


class SlackCredentials(Credentials):
    """The bot's token. Webhooks need nothing: their URL is the subscriber's."""

    token: SecretStr | None = Field(default=None, description="Bot token, xoxb-…, with the scope chat:write.")
    application_id: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")
    client_id: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")
    secret_key: SecretStr | None = Field(default=None, description="The client secret; sending does not need it.")
    signing_secret: SecretStr | None = Field(
        default=None, description="Taken from Novu's clients; sending does not need it."
    )
    redirect_url: str | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")
    hmac: bool | None = Field(default=None, description="Taken from Novu's clients; sending does not need it.")


class Slack(ChatProvider[SlackCredentials]):
    """Posts to the subscriber's webhook, or with the bot's token to the subscriber's channel.

    What is in ``overrides`` goes into the body of the request as it is, such as ``blocks``.
    """

    id = "slack"
    supports = frozenset({"thread"})
    limits = Limits(lengths={"body": LONGEST})
    base_url = "https://slack.com/api"
    endpoints = frozenset({"slack_channel", "slack_user", "webhook"})
    connection_credential = "token"

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Post by the webhook if the subscriber has one, by the bot otherwise."""
        message = self.message(content)
        if content.webhook_url:
            raise_for_webhook(await self.http.post(content.webhook_url, json=message))
            return Receipt()
        if not content.channel:
            raise Rejected("Slack needs a webhook URL or a channel.", reason=Reason.CONTENT_INVALID)
        response = await self.http.post(
            f"{self.base_url}/chat.postMessage", headers=self.headers(), json=message | {"channel": content.channel}
        )
        return Receipt(provider_message_id=answer_of(response).get("ts"))

    async def check(self) -> None:
        """Ask who the token belongs to. Without a token there is nothing to try."""
        if self.credentials.token is not None:
            answer_of(await self.http.post(f"{self.base_url}/auth.test", headers=self.headers(), sends=False))

    def message(self, content: ChatContent) -> dict[str, Any]:
        """The body of the request. Beside ``blocks``, the text is what a notification shows."""
        text = escaped(content.body)
        if len(text) > LONGEST:
            raise too_much(f"body has {len(text)} characters with & < > escaped, the limit is {LONGEST}.")
        refuse_long_blocks(as_list(content.overrides.get("blocks")))
        thread = {"thread_ts": content.thread} if content.thread else {}
        return content.overrides | {"text": text} | thread

    def headers(self) -> dict[str, str]:
        """What the bot's requests carry."""
        if self.credentials.token is None:
            said = "The subscriber has no webhook URL, and the integration no token to reach a channel with."
            raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
        return {"Authorization": f"Bearer {self.credentials.token.get_secret_value()}"}


def escaped(text: str) -> str:
    """``text`` with the three characters that Slack reads as its own; so nobody is called by ``<!channel>``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def refuse_long_blocks(blocks: list[Any]) -> None:
    """Slack's own word for blocks that are too many or too long says neither which nor how long."""
    if len(blocks) > BLOCKS:
        raise too_much(f"There are {len(blocks)} blocks, the limit is {BLOCKS}.")
    for number, block in enumerate(blocks, 1):
        text = as_object(as_object(block).get("text")).get("text")
        if as_object(block).get("type") == "section" and isinstance(text, str) and len(text) > BLOCK:
            raise too_much(f"Block {number} has {len(text)} characters, the limit is {BLOCK}.")


def too_much(said: str) -> Rejected:
    """The refusal of a message that Slack would cut or refuse."""
    return Rejected(said, reason=Reason.CONTENT_INVALID)


def raise_for_webhook(response: httpx.Response) -> None:
    """A webhook answers with a status and one word."""
    word = response.text.strip()
    if response.status_code in (403, 404, 410) and word in GONE_WEBHOOK:
        raise RecipientGone(word)
    if response.status_code == 403 and word != "invalid_token":
        # The address is good; what it may do is limited by the workspace.
        raise Rejected(word or "answered 403")
    raise_for_outcome(response)


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The Web API's answer. Its status is 200 also for a refusal: only ``ok`` tells what became of the message."""
    answer = read_json(response)
    if answer.get("ok") is not True and isinstance(error := answer.get("error"), str):
        raise refusal(error, response)
    raise_for_outcome(response)
    if answer.get("ok") is not True:
        raise Unknown("answered 200 without saying whether it is ok")
    return answer


def refusal(error: str, response: httpx.Response) -> ProviderError:
    """What Slack's word for an error stands for."""
    if error in TOO_FAST:
        return Throttled(error, retry_after=retry_after(response))
    if error in NOT_NOW:
        return Unavailable(error, retry_after=retry_after(response))
    if error in HALF_DONE:
        return Unknown(error)
    if error == "is_archived":
        return RecipientGone(error)
    return Rejected(error, reason=Reason.CREDENTIALS_INVALID if error in BAD_TOKEN else None)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Slack]
