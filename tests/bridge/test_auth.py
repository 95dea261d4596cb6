"""Who comes in, for how long, and what is said to those who do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar

from novukit.bridge.auth import FRESH_SECONDS
from novukit.model import Environment
from novukit.store import Database, Scope, keys
from novukit.testing.clock import VirtualClock

from .conftest import client

pytestmark = pytest.mark.anyio

ME = "/v1/environments/me"


async def test_the_key_selects_the_environment(
    api: httpx.AsyncClient, other: httpx.AsyncClient, development: Environment, production: Environment
) -> None:
    """There is no other way to name one."""
    assert str(development.id) == (await api.get(ME)).json()["data"]["_id"]
    assert str(production.id) == (await other.get(ME)).json()["data"]["_id"]


async def test_the_scheme_may_be_in_any_case_of_letters(asgi: Litestar, secret: str) -> None:
    """Schemes are, by RFC 9110."""
    async with client(asgi, f"apikey {secret}") as found:
        assert 200 == (await found.get(ME)).status_code


async def test_a_revoked_key_works_a_few_seconds_longer_and_no_more(
    api: httpx.AsyncClient, scope: Scope, clock: VirtualClock
) -> None:
    """What another process has revoked is noticed within five seconds, and then answered like a key that never was."""
    assert 200 == (await api.get(ME)).status_code
    await keys.revoke(scope, (await keys.list_all(scope))[0].id)
    assert 200 == (await api.get(ME)).status_code

    clock.advance(timedelta(seconds=FRESH_SECONDS))
    refused = await api.get(ME)
    unknown = await api.get(ME, headers={"Authorization": "ApiKey nk_unknown"})

    assert 401 == refused.status_code
    assert unknown.json()["message"] == refused.json()["message"]


async def test_a_key_revoked_through_this_server_is_out_at_once(
    api: httpx.AsyncClient, asgi: Litestar, development: Environment
) -> None:
    """Within the process nothing is remembered of it."""
    made = (await api.post("/v1/keys", json={"name": "second"})).json()["data"]
    async with client(asgi, f"ApiKey {made['key']}") as second:
        assert 200 == (await second.get(ME)).status_code
        revoked = await api.delete(f"/v1/keys/{made['_id']}")

        assert revoked.json()["data"]["revokedAt"] is not None
        assert 401 == (await second.get(ME)).status_code


async def test_the_key_of_the_call_cannot_revoke_itself(api: httpx.AsyncClient) -> None:
    """One would be locked out."""
    own = (await api.get("/v1/keys")).json()["data"][0]

    answer = await api.delete(f"/v1/keys/{own['_id']}")

    assert 422 == answer.status_code
    assert "Make another key" in answer.json()["hint"]


async def test_keys_of_another_environment_are_not_there(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """Neither seen nor revoked."""
    foreign = (await other.get("/v1/keys")).json()["data"]

    assert 404 == (await api.delete(f"/v1/keys/{foreign[0]['_id']}")).status_code
    assert foreign[0]["_id"] not in (await api.get("/v1/keys")).text
    assert 200 == (await other.get(ME)).status_code


async def test_a_list_of_keys_shows_no_secret(api: httpx.AsyncClient, secret: str) -> None:
    """Only its last four characters; the answer to its making is the one that has it."""
    listed = await api.get("/v1/keys")

    assert secret not in listed.text
    assert secret[-4:] == listed.json()["data"][0]["hint"]
    assert "key" not in listed.json()["data"][0]


async def test_an_application_identifier_is_recognised(anonymous: httpx.AsyncClient, development: Environment) -> None:
    """It is the one thing that is often mistaken for the key."""
    answer = await anonymous.get(ME, headers={"Authorization": f"ApiKey {development.identifier}"})

    assert 401 == answer.status_code
    assert "applicationIdentifier" in answer.json()["message"]
    assert "nk_" in answer.json()["hint"]


async def test_the_last_use_is_noted_once_a_minute(api: httpx.AsyncClient, scope: Scope, clock: VirtualClock) -> None:
    """Not with every call: that would be a write for each."""

    async def noted() -> Any:
        return (await keys.list_all(scope))[0].last_used_at

    await api.get(ME)
    first = await noted()
    clock.advance(timedelta(seconds=30))
    await api.get(ME)
    assert first == await noted() == clock.now() - timedelta(seconds=30)

    clock.advance(timedelta(seconds=31))
    await api.get(ME)
    assert clock.now() == await noted()


async def test_an_unexpected_error_is_an_id_and_no_more(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller is told where to look; the log has the traceback."""

    async def broken(*_: Any) -> Any:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(keys, "list_all", broken)
    answer = await api.get("/v1/keys")

    body = answer.json()
    assert (500, "internal_error") == (answer.status_code, body["code"])
    assert "hunter2" not in answer.text
    assert body["errorId"] == body["requestId"] == answer.headers["x-request-id"]
    assert body["errorId"] in caplog.text
    assert "hunter2" in caplog.text
