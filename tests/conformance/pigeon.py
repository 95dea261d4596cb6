"""Pigeon, a fictional SMS vendor with forms and a look-up, and the reference provider for it."""

from __future__ import annotations

from pydantic import SecretStr

from novukit.providers import (
    Outcome,
    Receipt,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    Throttled,
    raise_for_outcome,
    read_json,
)
from novukit.testing.conformance import Answer, Documented, Vendor

PAGE = "Pigeon, «SMS», 2026-01-02 (fictional)"


class PigeonCredentials(SmsCredentials):
    """What Pigeon asks for."""

    user: str
    password: SecretStr


class Pigeon(SmsProvider[PigeonCredentials]):
    """Sends by Pigeon."""

    id = "pigeon"
    idempotency = "lookup"
    base_url = "https://pigeon.example/v1"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return self.credentials.user, self.credentials.password.get_secret_value()

    async def send(self, content: SmsContent, key: str) -> Receipt:
        form = {"to": content.to, "from": content.sender or self.sender or "", "text": content.body, "ref": key}
        response = await self.http.post(f"{self.base_url}/messages", data=form, auth=self.auth)
        answer = read_json(response)
        if answer.get("status") == 21611:
            raise Throttled(str(answer.get("message")))
        raise_for_outcome(response)
        return Receipt(answer.get("sid"))

    async def lookup(self, key: str) -> Receipt | None:
        response = raise_for_outcome(await self.http.get(f"{self.base_url}/messages", params={"ref": key}))
        found = read_json(response).get("messages") or []
        return Receipt(found[0]["sid"]) if found else None


VENDOR = Vendor(
    credentials={"user": "kit", "password": "pigeon-password-canary"},
    accepted=Answer(201, {"sid": "SM1"}),
    message_id="SM1",
    urls={"base_url": "/v1"},
    fields={"to": "form:to", "sender": "form:from", "body": "form:text"},
    found=Answer(200, {"messages": [{"sid": "SM1"}]}),
    missing=Answer(200, {"messages": []}),
    errors=[
        Documented(
            name="queue full", status=400, body={"status": 21611, "message": "queue"}, outcome=Outcome.THROTTLED,
            source=PAGE,
        ),
        Documented(name="bad number", status=400, body={"status": 21211, "message": "to"}, source=PAGE),
    ],
)  # fmt: skip
