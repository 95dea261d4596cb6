"""Credentials of subscribers over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.store import Scope, integrations

from .conftest import Checksum

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _ada(api: httpx.AsyncClient) -> None:
    assert 201 == (await api.post("/v2/subscribers", json={"subscriberId": "ada"})).status_code


def _wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    return [(detail["path"], detail["code"]) for detail in answer.json()["details"]]


async def _credentials(api: httpx.AsyncClient, method: str, body: dict[str, Any]) -> httpx.Response:
    return await api.request(method, "/v1/subscribers/ada/credentials", json=body)


async def test_credentials_are_replaced_added_and_deleted(api: httpx.AsyncClient, scope: Scope, runtime: Any) -> None:
    """Tokens and webhooks, with the integration that they are for."""
    made = await integrations.create(
        scope, runtime.secrets, provider_id="null-push", channel="push", credentials={}, identifier="push-1"
    )
    await _credentials(api, "PUT", {"providerId": "push-webhook", "credentials": {"deviceTokens": ["a", "b"]}})
    answer = await _credentials(
        api,
        "PATCH",
        {"providerId": "push-webhook", "credentials": {"deviceTokens": ["b", "c"]}},
    )

    assert 200 == answer.status_code, answer.text
    channel = answer.json()["data"]["channels"][0]
    assert ("push-webhook", ["a", "b", "c"]) == (channel["providerId"], channel["credentials"]["deviceTokens"])
    assert str(made.id) == channel["_integrationId"]
    answer = await _credentials(
        api, "PUT", {"providerId": "slack", "credentials": {"webhookUrl": "https://hooks.example/1", "channel": "#a"}}
    )
    assert {"webhookUrl": "https://hooks.example/1", "channel": "#a", "deviceTokens": []} == (
        answer.json()["data"]["channels"][1]["credentials"]
    )
    answer = await api.delete("/v1/subscribers/ada/credentials/push-webhook")
    assert (204, b"") == (answer.status_code, answer.content)
    told = (await api.get("/v2/subscribers/ada")).json()["data"]
    assert ["slack"] == [channel["providerId"] for channel in told["channels"]]
    assert 204 == (await api.delete("/v1/subscribers/ada/credentials/push-webhook")).status_code
    assert 404 == (await api.delete("/v1/subscribers/ada/credentials/psh")).status_code


async def test_a_plugins_own_id_is_kept_but_not_shown_where_the_sdks_refuse_it(api: httpx.AsyncClient) -> None:
    """``channels[].providerId`` is a closed list in every SDK."""
    answer = await _credentials(api, "PUT", {"providerId": "null-push", "credentials": {"deviceTokens": ["a"]}})
    assert (200, []) == (answer.status_code, answer.json()["data"]["channels"])


async def test_credentials_name_an_integration_of_this_environment(
    api: httpx.AsyncClient, scope: Scope, runtime: Any
) -> None:
    """Another one is a mistake that is told at once."""
    made = await integrations.create(
        scope, runtime.secrets, provider_id="null-chat", channel="chat", credentials={}, identifier="team-chat"
    )
    body = {"providerId": "slack", "integrationIdentifier": "team-chat", "credentials": {"webhookUrl": "https://h.x/1"}}
    channel = (await _credentials(api, "PUT", body)).json()["data"]["channels"][0]
    assert (str(made.id), "team-chat") == (channel["_integrationId"], channel["integrationIdentifier"])
    answer = await _credentials(api, "PUT", body | {"integrationIdentifier": "team-chta"})
    assert [("/integrationIdentifier", "unknown_integration")] == _wrong(answer)
    assert "Did you mean 'team-chat'?" == answer.json()["details"][0]["hint"]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"providerId": "fmc", "credentials": {}}, "/providerId", "unknown_provider"),
        ({"providerId": "sendgrid", "credentials": {}}, "/providerId", "unknown_provider"),
        ({"providerId": "fcm"}, "/credentials", "required"),
        ({"providerId": "fcm", "credentials": {"deviceTokens": [""]}}, "/credentials/deviceTokens/0", "empty"),
        ({"providerId": "fcm", "credentials": {"deviceToken": ["a"]}}, "/credentials/deviceToken", "unknown_field"),
        (
            {"providerId": "slack", "credentials": {"webhookUrl": "javascript:x"}},
            "/credentials/webhookUrl",
            "bad_format",
        ),
    ],
)
async def test_credentials_that_cannot_be_are_refused(
    api: httpx.AsyncClient, checksum: Checksum, body: dict[str, Any], path: str, code: str
) -> None:
    """Nothing is kept of them."""
    before = await checksum()
    for method in ("PUT", "PATCH"):
        assert [(path, code)] == _wrong(await _credentials(api, method, body))
    assert before == await checksum()
