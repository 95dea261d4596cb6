"""Variables of an environment over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.bridge.api.variables import MASK
from novukit.model import Environment
from novukit.store import Database, variables
from novukit.store.secrets import KeyRing, generate_master_key, rotate

pytestmark = pytest.mark.anyio

MASTER_KEY = generate_master_key()
ROUTE = "/v1/environment-variables"
MOMENT = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def ring() -> KeyRing:
    """A master key that the tests have too."""
    return KeyRing([MASTER_KEY])


async def _make(api: httpx.AsyncClient, here: Environment, key: str, value: str | None, **more: Any) -> dict[str, Any]:
    values = [] if value is None else [{"_environmentId": str(here.id), "value": value}]
    answer = await api.post(ROUTE, json={"key": key, "type": "string", "values": values, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_variable_is_made_as_the_contract_says(api: httpx.AsyncClient, development: Environment) -> None:
    """With 200, which the SDKs insist on."""
    made = await _make(api, development, "SHOP_URL", "https://shop.example.com")
    known_as = made.pop("_id")
    assert made == {
        "_organizationId": str(development.organization_id), "key": "SHOP_URL", "type": "string", "isSecret": False,
        "values": [{"_environmentId": str(development.id), "value": "https://shop.example.com"}],
        "createdAt": MOMENT, "updatedAt": MOMENT,
    }  # fmt: skip
    assert (await api.get(f"{ROUTE}/SHOP_URL")).json()["data"] == {"_id": known_as, **made}


async def test_a_secret_is_never_shown_again(
    api: httpx.AsyncClient, development: Environment, database: Database
) -> None:
    """In no answer, in no row; and it cannot be turned into something that is shown."""
    answers = [await _make(api, development, "TOKEN", "s3cret", isSecret=True)]
    answers += [(await api.get(ROUTE)).json()["data"][0], (await api.get(f"{ROUTE}/TOKEN")).json()["data"]]
    answers.append((await api.patch(f"{ROUTE}/TOKEN", json={"key": "API_TOKEN"})).json()["data"])
    assert [one["values"][0]["value"] for one in answers] == [MASK] * 4
    assert (await api.patch(f"{ROUTE}/API_TOKEN", json={"isSecret": False})).status_code == 422
    (row,) = await database.fetch("select value from novukit_variable")
    assert row["value"].startswith("nk1.")


async def test_variables_are_changed(api: httpx.AsyncClient, development: Environment) -> None:
    """Key and value; a taken key is refused without a 409."""
    await _make(api, development, "A", None)
    await _make(api, development, "B", "b")
    assert (await api.get(f"{ROUTE}/A")).json()["data"]["values"] == []
    new = {"values": [{"_environmentId": str(development.id), "value": "a"}]}
    assert (await api.patch(f"{ROUTE}/A", json=new)).json()["data"]["values"][0]["value"] == "a"
    taken = await api.patch(f"{ROUTE}/A", json={"key": "B"})
    assert (taken.status_code, taken.json()["details"][0]["code"]) == (422, "taken")
    assert (await api.post(ROUTE, json={"key": "B"})).status_code == 422
    assert (await api.patch(f"{ROUTE}/A", json={"key": "C"})).json()["data"]["key"] == "C"
    assert [one["key"] for one in (await api.get(ROUTE)).json()["data"]] == ["B", "C"]
    assert [one["key"] for one in (await api.get(ROUTE, params={"search": "c"})).json()["data"]] == ["C"]


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A B", "A" * 129])
async def test_a_key_is_a_name(api: httpx.AsyncClient, key: str) -> None:
    """Anything that `ctx.env` and templates could not say is refused."""
    assert (await api.post(ROUTE, json={"key": key})).status_code == 422


async def test_variables_are_deleted(api: httpx.AsyncClient, development: Environment) -> None:
    """And what is not there is a 404 with the closest name."""
    await _make(api, development, "SHOP_URL", "x")
    lost = await api.delete(f"{ROUTE}/SHOP_URI")
    assert lost.status_code == 404
    assert "SHOP_URL" in (await api.get(f"{ROUTE}/SHOP_URI")).json()["hint"]
    assert (await api.delete(f"{ROUTE}/SHOP_URL")).status_code == 204
    assert (await api.delete(f"{ROUTE}/SHOP_URL")).status_code == 404


async def test_a_key_opens_the_values_of_its_own_environment_only(
    api: httpx.AsyncClient, other: httpx.AsyncClient, development: Environment, production: Environment
) -> None:
    """Neither are those of another one shown, nor can they be set from here."""
    await _make(api, development, "A", "development")
    await _make(other, production, "A", "production")
    far = {"values": [{"_environmentId": str(production.id), "value": "mine"}]}
    refused = await api.patch(f"{ROUTE}/A", json=far)
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (422, "/values/0/_environmentId")
    assert (await other.get(f"{ROUTE}/A")).json()["data"]["values"][0]["value"] == "production"
    await other.delete(f"{ROUTE}/A")
    assert (await api.get(f"{ROUTE}/A")).json()["data"]["values"][0]["value"] == "development"


async def test_rotation_of_the_master_key_takes_them_along(
    api: httpx.AsyncClient, development: Environment, database: Database
) -> None:
    """Those without a value as well, which have nothing to seal anew."""
    await _make(api, development, "A", "a")
    await _make(api, development, "B", None)
    new = generate_master_key()
    await rotate(database, KeyRing([new, MASTER_KEY]))
    found = {one.key: one.value for one in await variables.all(database.scope(development.id), KeyRing([new]))}
    assert found == {"A": "a", "B": None}
