"""Open inboxes, for tests: a client that holds the token of one subscriber, in one context."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar

from novukit.model import Environment

from .conftest import client

LIST = "/v1/inbox/notifications"


def hash_of(secret: str, subscriber_id: str) -> str:
    """The three lines of docs/inbox.md."""
    return hmac.new(secret.encode(), subscriber_id.encode(), hashlib.sha256).hexdigest()


@asynccontextmanager
async def inbox_of(
    asgi: Litestar, environment: Environment, subscriber_id: str = "ada", **session: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The inbox of a subscriber, opened as Novu's client does, which says that even nothing is JSON."""
    body = {"applicationIdentifier": environment.identifier, "subscriber": {"subscriberId": subscriber_id}, **session}
    async with client(asgi, None) as browser:
        answer = await browser.post("/v1/inbox/session", json=body)
        assert 201 == answer.status_code, answer.text
        browser.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
        browser.headers["Content-Type"] = "application/json"
        yield browser


async def listed(browser: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    """The notifications that a query finds."""
    answer = await browser.get(f"{LIST}{query}")
    assert 200 == answer.status_code, answer.text
    return answer.json()["data"]


async def counted(browser: httpx.AsyncClient, *filters: dict[str, Any]) -> list[int]:
    """How many each filter finds; the filters come back as they were sent, to the letter."""
    sent = json.dumps(filters or [{}])
    answer = await browser.get(f"{LIST}/count", params={"filters": sent})
    assert 200 == answer.status_code, answer.text
    found = answer.json()["data"]
    assert sent == json.dumps([one["filter"] for one in found])
    return [one["count"] for one in found]
