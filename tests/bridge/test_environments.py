"""Environments and their keys over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import Environment

pytestmark = pytest.mark.anyio


async def test_the_list_shows_secrets_of_the_callers_environment_only(
    api: httpx.AsyncClient, secret: str, development: Environment
) -> None:
    """Both environments are listed; one key cannot read the other's key."""
    answer = await api.get("/v1/environments")

    assert 200 == answer.status_code, answer.text
    own, another = answer.json()["data"]
    assert ["Development", "Production"] == [own["name"], another["name"]]
    assert [secret] == [key["key"] for key in own["apiKeys"]]
    assert "apiKeys" not in another
    assert {
        "_id": str(development.id), "_organizationId": str(development.organization_id), "type": "dev",
        "identifier": development.identifier, "slug": "development", "name": "Development",
    } == {key: value for key, value in own.items() if key != "apiKeys"}  # fmt: skip
