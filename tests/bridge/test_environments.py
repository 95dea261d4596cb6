"""Environments and their keys over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from novukit.model import Environment
from novukit.store import keys

from .conftest import client

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


async def test_a_new_environment_is_empty_and_has_a_key_of_its_own(
    api: httpx.AsyncClient, asgi: Litestar, runtime: Any
) -> None:
    """Its key is not in the answer: the caller's key does not open it."""
    await api.post("/v1/integrations", json={"providerId": "catcher-email"})

    answer = await api.post("/v1/environments", json={"name": "Staging Två", "color": "#ff0000"})

    made = answer.json()["data"]
    assert 201 == answer.status_code, answer.text
    assert ("Staging Två", "staging-tva", "dev") == (made["name"], made["slug"], made["type"])
    assert "apiKeys" not in made
    secret = (await keys.reveal(runtime.scope(UUID(made["_id"])), runtime.secrets))[0][1]
    async with client(asgi, f"ApiKey {secret}") as staging:
        assert made["_id"] == (await staging.get("/v1/environments/me")).json()["data"]["_id"]
        assert [] == (await staging.get("/v1/integrations")).json()["data"]


@pytest.mark.parametrize("name", ["Development", "development", " DEVELOPMENT ", "¡Development!"])
async def test_a_name_that_is_taken_is_refused(name: str, api: httpx.AsyncClient) -> None:
    """By its slug, and with a 422: SDKs repeat a 409 for an hour."""
    answer = await api.post("/v1/environments", json={"name": name})

    assert (422, "taken") == (answer.status_code, answer.json()["details"][0]["code"])
    assert 2 == len((await api.get("/v1/environments")).json()["data"])


@pytest.mark.parametrize("name", ["", "   ", "!!!", "x" * 65])
async def test_a_name_that_makes_no_slug_is_refused(name: str, api: httpx.AsyncClient) -> None:
    """It is how commands and files call the environment."""
    answer = await api.post("/v1/environments", json={"name": name})

    assert 422 == answer.status_code
    assert "/name" == answer.json()["details"][0]["path"]


async def test_an_environment_can_be_renamed(api: httpx.AsyncClient, development: Environment) -> None:
    """Its slug follows, its id and identifier stay; keys go on to work."""
    answer = await api.put(f"/v1/environments/{development.id}", json={"name": "Local"})

    changed = answer.json()["data"]
    assert 200 == answer.status_code
    assert ("Local", "local") == (changed["name"], changed["slug"])
    assert (str(development.id), development.identifier) == (changed["_id"], changed["identifier"])
    assert 200 == (await api.get("/v1/environments/me")).status_code


async def test_an_identifier_that_is_taken_is_refused(
    api: httpx.AsyncClient, development: Environment, production: Environment
) -> None:
    """It is public, and says which environment an inbox belongs to."""
    body = {"identifier": production.identifier}
    answer = await api.put(f"/v1/environments/{development.id}", json=body)

    assert (422, "/identifier") == (answer.status_code, answer.json()["details"][0]["path"])


async def test_parents_are_not_supported(api: httpx.AsyncClient) -> None:
    """Said, not dropped."""
    answer = await api.post("/v1/environments", json={"name": "Child", "parentId": "x"})

    assert (422, "not_supported") == (answer.status_code, answer.json()["details"][0]["code"])


async def test_the_callers_environment_after_a_rename_is_shown_as_it_is(
    api: httpx.AsyncClient, development: Environment
) -> None:
    """What is remembered of a key for a few seconds does not show an old name."""
    await api.get("/v1/environments/me")
    await api.put(f"/v1/environments/{development.id}", json={"name": "Local"})

    assert "Local" == (await api.get("/v1/environments/me")).json()["data"]["name"]
