"""``ntfy``: messages to topics of ntfy.sh or of a server of your own."""

from __future__ import annotations

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
    hookimpl,
    raise_for_outcome,
    read_json,
)


class NtfyCredentials(Credentials):
    """The server, and the token for topics that are protected."""

    base_url: str = Field(
        default="https://ntfy.sh", pattern=r"^https?://\S+$", description="The server, https://ntfy.sh if left out."
    )
    token: SecretStr | None = Field(default=None, description="Access token, tk_…, where topics are protected.")


class Ntfy(ChatProvider[NtfyCredentials]):
    """Publishes to the topic that is the subscriber's channel.

    What is in ``overrides`` goes into the body of the request as it is, such as ``title`` and ``priority``.
    """

    id = "ntfy"
    name = "ntfy"
    limits = Limits(size=4096)
    endpoints = frozenset()

    def __init__(self, credentials: NtfyCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = credentials.base_url.rstrip("/")

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Publish as JSON, which goes to the server's root."""
        if not content.channel:
            raise Rejected("ntfy needs a topic as the channel.", reason=Reason.CONTENT_INVALID)
        token = self.credentials.token
        response = await self.http.post(
            f"{self.base_url}/",
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
            json=content.overrides | {"topic": content.channel, "message": content.body},
        )
        answer = read_json(response)
        words = " ".join(str(answer[name]) for name in ("code", "error") if answer.get(name))
        raise_for_outcome(response, detail=words or None)
        return Receipt(provider_message_id=answer.get("id"))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Ntfy]
