"""Content and providers that the tests of this folder share."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from novukit.providers import (
    ChatContent,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    PushContent,
    Receipt,
    SmsContent,
    raise_for_outcome,
    read_json,
)

EMAIL = EmailContent(to="ada@example.com", sender="hi@shop.example", subject="Hi", text="Hello", html="<p>Hello</p>")
SMS = SmsContent(to="+4915112345678", body="Hello")
PUSH = PushContent(tokens=("t1", "t2"), subject="Hi", body="Hello")
CHAT = ChatContent(webhook_url="https://chat.example/hook/s3cret", body="Hello")

CANARY = "CANARY_1_9f3a"


class PostCredentials(EmailCredentials):
    api_key: SecretStr
    url: str = "https://post.example"


class Post(EmailProvider[PostCredentials]):
    """A provider as a plugin author would write it."""

    id = "post"
    supports = frozenset({"cc", "reply_to"})
    idempotency = "native"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        response = await self.http.post(
            self.credentials.url,
            headers={"Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}", "Idempotency-Key": key},
            json={"to": content.to},
        )
        raise_for_outcome(response)
        return Receipt(provider_message_id=read_json(response).get("id"))


def post(http: HttpClient, **credentials: Any) -> Post:
    """A Post provider whose secret is the canary."""
    return Post(PostCredentials(api_key=SecretStr(CANARY), **credentials), http)
