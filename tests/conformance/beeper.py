"""Beeper, a fictional push vendor with access tokens, and the reference provider for it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from novukit.providers import (
    Credentials,
    HttpClient,
    Limits,
    Outcome,
    PushContent,
    PushProvider,
    Receipt,
    RecipientGone,
    Token,
    TokenCache,
    raise_for_outcome,
    read_json,
    send_to_each,
)
from novukit.testing.conformance import Answer, Documented, Spelled, Vendor

PAGE = "Beeper, «Push», 2026-01-02 (fictional)"


class BeeperCredentials(Credentials):
    """What Beeper asks for."""

    client_secret: SecretStr


class Beeper(PushProvider[BeeperCredentials]):
    """Sends by Beeper, one request for each device."""

    id = "beeper"
    supports = frozenset({"data", "image", "badge", "sound", "url", "collapse_key", "ttl", "priority"})
    limits = Limits(size=4096)
    http2 = True
    base_url = "https://push.beeper.example"
    token_url = "https://login.beeper.example/token"

    def __init__(self, credentials: BeeperCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.token = TokenCache(self.fetch_token, self.now)

    async def fetch_token(self) -> Token:
        """An access token for an hour."""
        secret = self.credentials.client_secret.get_secret_value()
        response = await self.http.post(self.token_url, data={"secret": secret}, sends=False)
        raise_for_outcome(response)
        return Token(str(read_json(response).get("access_token")), self.now() + timedelta(hours=1))

    async def send(self, content: PushContent, key: str) -> Receipt:
        access = await self.token.get()

        async def one(token: str) -> str | None:
            response = await self.http.post(
                f"{self.base_url}/push",
                headers={"Authorization": f"Bearer {access}"},
                json={"token": token, "ttl": f"{content.ttl}s"} | content.model_dump(exclude={"tokens", "ttl"}),
            )
            answer = read_json(response)
            if self.is_gone(answer.get("code"), answer.get("message")):
                raise RecipientGone(str(answer.get("message")), tokens=[token])
            raise_for_outcome(response, detail=str(answer.get("message") or ""))
            return answer.get("id")

        return await send_to_each(content.tokens, one)

    def is_gone(self, code: object, message: object) -> bool:
        """By the code, as the page says."""
        return code == "UNREGISTERED"


def error(status: int, code: str, outcome: Outcome, message: str = "The words may change.") -> Documented:
    """An error as Beeper's page lists it."""
    return Documented(
        name=f"{status} {code}", status=status, body={"code": code, "message": message}, outcome=outcome, source=PAGE
    )


VENDOR = Vendor(
    credentials={"client_secret": "beeper-secret-canary-01"},
    accepted=Answer(200, {"id": "beep-1"}),
    message_id="beep-1",
    urls={"base_url": "", "token_url": "/token"},
    routes={"/token": Answer(200, {"access_token": "access-1"})},
    token="/token",
    fields={
        "tokens": "json:token",
        "subject": "json:subject",
        "body": "json:body",
        "data": "json:data",
        "image": "json:image",
        "badge": "json:badge",
        "sound": "json:sound",
        "url": "json:url",
        "collapse_key": "json:collapse_key",
        "ttl": Spelled("json:ttl", lambda ttl: f"{ttl}s"),
        "priority": "json:priority",
    },
    errors=[
        error(404, "UNREGISTERED", Outcome.RECIPIENT_GONE),
        error(404, "UNREGISTERED", Outcome.RECIPIENT_GONE, "Requested entity was not found."),
        error(400, "INVALID_ARGUMENT", Outcome.REJECTED, "The registration token is not registered with data[3]"),
        error(404, "NO_SUCH_PROJECT", Outcome.REJECTED),
    ],
)
