"""Contexts over HTTP, and what can be found by them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import Checksum

pytestmark = pytest.mark.anyio

ACME = {"type": "tenant", "id": "acme", "data": {"plan": "gold"}}


async def _make(api: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await api.post("/v2/contexts", json=ACME | more)
    assert 201 == answer.status_code, answer.text
    return answer.json()["data"]


async def test_the_life_of_a_context(api: httpx.AsyncClient) -> None:
    """Made, shown, changed and deleted."""
    made = await _make(api)
    assert ACME == {name: made[name] for name in ACME}
    assert {*ACME, "createdAt", "updatedAt"} == set(made)
    assert made == (await api.get("/v2/contexts/tenant/acme")).json()["data"]
    changed = await api.patch("/v2/contexts/tenant/acme", json={"data": {"seats": 3}})
    assert (200, {"seats": 3}) == (changed.status_code, changed.json()["data"]["data"])
    gone = await api.delete("/v2/contexts/tenant/acme")
    assert (204, b"") == (gone.status_code, gone.content)
    for method, body in (("GET", None), ("PATCH", {"data": {}}), ("DELETE", None)):
        assert 404 == (await api.request(method, "/v2/contexts/tenant/acme", json=body)).status_code


async def test_one_that_is_there_stays_as_it_is(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """422 and not 409, which SDKs would repeat for an hour; and no other data."""
    await _make(api)
    before = await checksum()
    answer = await api.post("/v2/contexts", json=ACME | {"data": {}})
    assert (422, "already_exists") == (answer.status_code, answer.json()["details"][0]["code"])
    assert before == await checksum()
    assert {} == (await _make(api, id="zeta", data=None))["data"]


async def test_the_list_has_pages_and_filters(api: httpx.AsyncClient) -> None:
    """By id, and by a part of the key."""
    for kind, name in (("tenant", "acme"), ("app", "acme"), ("tenant", "zeta")):
        await _make(api, type=kind, id=name)

    async def found(**params: Any) -> list[str]:
        page = (await api.get("/v2/contexts", params=params)).json()
        assert {"data", "next", "previous", "totalCount", "totalCountCapped"} == set(page)
        return [f"{one['type']}:{one['id']}" for one in page["data"]]

    assert ["tenant:zeta", "app:acme", "tenant:acme"] == await found()
    assert ["tenant:zeta", "app:acme"] == await found(limit=2)
    assert ["app:acme", "tenant:acme"] == await found(id="acme")
    assert ["tenant:zeta", "tenant:acme"] == await found(search="tenant:")
    assert ["tenant:zeta"] == await found(search="t:z")


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "/type", "required"),
        (ACME | {"type": "a:b"}, "/type", "bad_format"),
        (ACME | {"id": ""}, "/id", "bad_format"),
        (ACME | {"id": "a,b"}, "/id", "bad_format"),
        (ACME | {"id": "x" * 129}, "/id", "bad_format"),
        (ACME | {"data": []}, "/data", "wrong_type"),
        (ACME | {"name": "A"}, "/name", "unknown_field"),
    ],
)
async def test_a_context_that_cannot_be_is_refused(api: httpx.AsyncClient, body: Any, path: str, code: str) -> None:
    """By its field."""
    answer = await api.post("/v2/contexts", json=body)
    assert 422 == answer.status_code, answer.text
    assert (path, code) in [(one["path"], one["code"]) for one in answer.json()["details"]]


async def test_another_environment_knows_none_of_it(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """The wall over HTTP."""
    made = await _make(api)
    assert 0 == (await other.get("/v2/contexts")).json()["totalCount"]
    assert 404 == (await other.get("/v2/contexts/tenant/acme")).status_code
    assert 404 == (await other.delete("/v2/contexts/tenant/acme")).status_code
    await _make(other, data={"plan": "tin"})
    assert made == (await api.get("/v2/contexts/tenant/acme")).json()["data"]
