"""A test message over HTTP: sent as any other, told by its outcome, recorded nowhere."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.store import Database

pytestmark = pytest.mark.anyio


async def sent(api: httpx.AsyncClient, provider: str, to: str, **credentials: Any) -> dict[str, Any]:
    """Add an integration and send a test message with it."""
    made = await api.post("/v1/integrations", json={"providerId": provider, "credentials": credentials})
    answer = await api.post(f"/v1/integrations/{made.json()['data']['_id']}/send-test", json={"to": to})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("email", "ada@example.com"),
        ("sms", "+4915112345678"),
        ("push", "device-1"),
        ("chat", "https://chat.example/hook"),
        ("chat", "C0123"),
    ],
)
async def test_a_message_of_each_channel_is_sent(
    api: httpx.AsyncClient, database: Database, channel: str, to: str
) -> None:
    """Through the provider of the integration; no message and no execution is kept."""
    credentials = {"from": "hello@example.com"} if channel == "email" else {}
    told = await sent(api, f"null-{channel}", to, **credentials)

    assert (told["outcome"], told.get("reason")) == ("accepted", None)
    for table in ("novukit_message", "novukit_execution"):
        assert (await database.fetch(f"select count(*) as n from {table}"))[0]["n"] == 0


async def test_an_email_needs_a_sender(api: httpx.AsyncClient) -> None:
    """The integration's own: there is no step that could name another."""
    told = await sent(api, "null-email", "ada@example.com")

    assert (told["outcome"], told["reason"]) == ("rejected", "no_sender")
    assert "`from`" in told["detail"]


async def test_what_could_be_misread_is_refused(api: httpx.AsyncClient) -> None:
    """As for every message."""
    told = await sent(api, "null-email", "ada@example.com\r\nBcc: eve@example.com", **{"from": "a@example.com"})

    assert told["outcome"] == "rejected"


async def test_whom_it_goes_to_must_be_said(api: httpx.AsyncClient) -> None:
    """422; an integration that is not there is a 404."""
    made = (await api.post("/v1/integrations", json={"providerId": "null-sms"})).json()["data"]
    url = f"/v1/integrations/{made['_id']}/send-test"

    assert (await api.post(url, json={})).status_code == 422
    assert (await api.post(url, json={"to": ""})).status_code == 422
    assert (await api.post("/v1/integrations/nope/send-test", json={"to": "x"})).status_code == 404
