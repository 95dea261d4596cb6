"""A vendor that tells later what became of messages: Resend played on a socket, and one that gives our key back."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
import novukit_resend

from novukit.model import Environment, Message
from novukit.providers import (
    CallbackRequest,
    Credentials,
    DeliveryEvent,
    EventKind,
    HttpClient,
    PushContent,
    PushProvider,
    Receipt,
    Unknown,
    hookimpl,
    sign_hmac,
    verify_standard_webhook,
)  # fmt: skip
from novukit.store import environments, history, integrations, keys, timeline
from novukit.testing import Harness
from novukit.testing.conformance.server import Server, serving
from novukit.testing.conformance.vendor import Answer
from novukit.testing.conformance.wire import Request

SECRET = "whsec_" + b64encode(b"the secret of the webhook of a test").decode()


class PageCredentials(Credentials):
    """None are needed."""


class Pager(PushProvider[PageCredentials]):
    """A push provider whose vendor gives our key back, and no id."""

    id = "pager"
    events = frozenset(EventKind) - {EventKind.UNSUBSCRIBED}
    idempotency = "none"
    lost = 0
    """How many of its next answers are lost."""
    sent: list[tuple[str, tuple[str, ...]]] = []

    async def send(self, content: PushContent, key: str) -> Receipt:
        Pager.sent.append((key, content.tokens))
        if Pager.lost:
            Pager.lost -= 1
            raise Unknown("cut off")
        return Receipt(provider_message_id=f"page-{len(Pager.sent)}")

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        verify_standard_webhook(request, SECRET)
        if b"riddle" in request.body:
            raise RuntimeError("what is this?")
        return [
            DeliveryEvent(
                EventKind(one["kind"]), one.get("id"), datetime.fromisoformat(one["at"]) if "at" in one else None,
                one.get("event", ""), tokens=tuple(one.get("tokens", ())), key=one.get("key"),
                recipient=one.get("to"),
            )
            for one in json.loads(request.body)
        ]  # fmt: skip


@hookimpl
def novukit_providers() -> list[Any]:
    """The pager."""
    return [Pager]


def signed(body: bytes, event_id: str, at: datetime, *, secret: str = SECRET, prefix: str = "svix") -> dict[str, str]:
    """The headers of Standard Webhooks and Svix; from the specification, not by novukit's own check."""
    from base64 import b64decode

    stamp = str(int(at.timestamp()))
    key = b64decode(secret.removeprefix("whsec_"))
    mark = sign_hmac(key, f"{event_id}.{stamp}.".encode() + body, encoding="base64")
    return {f"{prefix}-id": event_id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": f"v1,{mark}"}


@dataclass
class Vendor:
    """Resend over a harness: what it is sent, and how it tells what became of that."""

    novukit: Harness
    server: Server
    http: httpx.AsyncClient
    environment: Environment
    secret_key: str
    numbers: Any = field(default_factory=lambda: count(1))

    async def tell(
        self, kind: str, message: str, *, event: str | None = None, at: datetime | None = None,
        integration: str = "resend", environment: str | None = None, secret: str = SECRET, skew: float = 0.0,
        to: str = "ada@example.com", signed_as: bytes | None = None, headers: dict[str, str] | None = None, **data: Any,
    ) -> httpx.Response:  # fmt: skip
        """Tell that ``kind`` happened to the message that has the vendor's id ``message``."""
        when = at or self.novukit.now
        told = {"type": f"email.{kind}", "created_at": when.isoformat(),
                "data": {"email_id": message, "to": [to], **data}}  # fmt: skip
        body = json.dumps(told).encode()
        given = signed(
            body if signed_as is None else signed_as, event or f"msg_{next(self.numbers)}",
            self.novukit.now + timedelta(seconds=skew), secret=secret,
        )  # fmt: skip
        return await self.post(body, {**given, **(headers or {})}, integration, environment)

    async def page(self, *events: dict[str, Any]) -> httpx.Response:
        """Tell ``events`` as the pager does."""
        body = json.dumps(events).encode()
        given = signed(body, f"msg_{next(self.numbers)}", self.novukit.now, prefix="webhook")
        return await self.post(body, given, "pager")

    async def post(
        self, body: bytes, headers: dict[str, str], integration: str = "resend", environment: str | None = None
    ) -> httpx.Response:
        """Call the URL of an integration."""
        path = f"/v1/callbacks/{environment or self.environment.identifier}/{integration}"
        return await self.http.post(path, content=body, headers=headers)

    async def api(self, method: str, path: str, **more: Any) -> Any:
        """Ask the API."""
        answer = await self.http.request(method, path, headers={"Authorization": f"ApiKey {self.secret_key}"}, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def messages(self) -> list[Message]:
        """All messages, oldest first."""
        found = [await history.messages_of(self.novukit.scope, one.id) for one in await self.novukit.executions()]
        return [message for some in found for message in some]

    async def only(self) -> Message:
        """The one message."""
        (message,) = await self.messages()
        return message

    async def kinds(self) -> list[str]:
        """The kinds of the activity's lines that are about what vendors told."""
        found: list[str] = []
        for one in await self.novukit.executions():
            lines = await timeline.of_execution(self.novukit.scope, one.id)
            found += [line.kind.value for line in lines if not line.kind.startswith(("trigger.", "execution."))]
        return [kind for kind in found if not kind.startswith("step.") or kind == "step.confirmed"]


@asynccontextmanager
async def vendor_of(novukit: Harness) -> AsyncGenerator[Vendor]:
    """A vendor beside ``novukit``, with the integrations ``resend`` (primary for e-mail) and ``pager`` (for push)."""
    rt, numbers = novukit.app.runtime, count(1)
    rt.host.http = HttpClient(allow_private=True)
    Pager.lost, Pager.sent = 0, []

    def accept(request: Request) -> Answer:
        return Answer(body={"id": f"re-{next(numbers)}"})

    async with serving(accept, {}) as server:
        resend = novukit_resend.Resend
        original, resend.base_url = (resend.base_url, resend.limits), server.url
        resend.limits = replace(resend.limits, rate=None)  # what is told of messages is no matter of pace
        try:
            for provider, channel, credentials in (
                ("resend", "email", {"from": "a@example.com", "apiKey": "re_test", "webhookSecret": SECRET}),
                ("pager", "push", {}),
            ):
                await integrations.create(
                    novukit.scope, rt.secrets, provider_id=provider, channel=channel,  # type: ignore[arg-type]
                    credentials=credentials, identifier=provider, primary=True,
                )  # fmt: skip
            environment = await environments.get(rt.database, novukit.scope.environment_id)
            (_, secret), *_ = await keys.reveal(novukit.scope, rt.secrets)
            transport = httpx.ASGITransport(novukit.app.asgi())
            async with httpx.AsyncClient(transport=transport, base_url="http://novukit.test") as http:
                yield Vendor(novukit, server, http, environment, secret)
        finally:
            resend.base_url, resend.limits = original
            await rt.host.http.aclose()
