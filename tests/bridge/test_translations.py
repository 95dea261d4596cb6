"""Translations over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from novukit.model import Environment
from novukit.store import Scope, layouts

from ..rows import Rows

pytestmark = pytest.mark.anyio

MOMENT = "2026-01-01T00:00:00.000Z"


@pytest.fixture(autouse=True)
async def known(scope: Scope, development: Environment) -> None:
    """A workflow and a layout in Development."""
    await Rows(scope, development.organization_id).workflow("order", name="An order")
    await layouts.create(scope, "base", "Base", "{{ content }}")


async def _put(api: httpx.AsyncClient, locale: str, content: Any, kind: str = "workflow", id: str = "order") -> Any:
    body = {"resourceId": id, "resourceType": kind, "locale": locale, "content": content}
    return await api.post("/v2/translations", json=body)


async def test_a_translation_is_put_and_shown(api: httpx.AsyncClient) -> None:
    """Under its locale as Novu writes it, however it is asked for; a second one replaces the first."""
    await _put(api, "en_US", {"gone": "x"})
    made = await _put(api, "en-us", {"hello": "Hello", "mail": {"subject": "Your order"}})
    assert made.status_code == 200, made.text
    expected = {
        "resourceId": "order", "resourceType": "workflow", "locale": "en_US", "createdAt": MOMENT,
        "updatedAt": MOMENT, "content": {"hello": "Hello", "mail": {"subject": "Your order"}},
    }  # fmt: skip
    assert made.json()["data"] == expected
    for locale in ("en_US", "en-US"):
        assert (await api.get(f"/v2/translations/workflow/order/{locale}")).json()["data"] == expected


@pytest.mark.parametrize(
    ("kind", "id", "locale", "content", "status", "path"),
    [
        ("workflow", "ordr", "en", {}, 404, None),
        ("layout", "order", "en", {}, 404, None),
        ("page", "order", "en", {}, 422, "/resourceType"),
        ("workflow", "order", "english!", {}, 422, "/locale"),
        ("workflow", "order", "en", {"a": {"b": 1}}, 422, "/content/a/b"),
        ("workflow", "order", "en", {"a/b": ["x"]}, 422, "/content/a~1b"),
    ],
)
async def test_what_cannot_be_a_translation_is_refused(
    api: httpx.AsyncClient, kind: str, id: str, locale: str, content: Any, status: int, path: str | None
) -> None:
    """With its place."""
    answer = await _put(api, locale, content, kind, id)
    assert answer.status_code == status
    assert path is None or answer.json()["details"][0]["path"] == path


async def test_a_group_tells_where_texts_are_missing(api: httpx.AsyncClient) -> None:
    """Against the default locale, en_US."""
    await _put(api, "en_US", {"a": "A", "b": {"c": "C"}})
    await _put(api, "de_DE", {"a": "A", "b": {"c": "C"}})
    await _put(api, "fr_FR", {"a": "A"})
    answer = await api.get("/v2/translations/group/workflow/order")
    assert answer.json()["data"] == {
        "resourceId": "order", "resourceType": "workflow", "resourceName": "An order", "createdAt": MOMENT,
        "updatedAt": MOMENT, "locales": ["de_DE", "en_US", "fr_FR"], "outdatedLocales": ["fr_FR"],
    }  # fmt: skip
    assert (await api.get("/v2/translations/group/layout/base")).status_code == 404


async def test_translations_are_deleted_one_or_all(api: httpx.AsyncClient) -> None:
    """And what is not there is a 404."""
    for locale in ("de", "en", "fr"):
        await _put(api, locale, {"a": "A"})
    assert (await api.delete("/v2/translations/workflow/order/fr")).status_code == 204
    assert (await api.delete("/v2/translations/workflow/order/fr")).status_code == 404
    assert [one["locale"] for one in (await api.get("/v1/translations")).json()["data"]] == ["de", "en"]
    assert (await api.delete("/v2/translations/workflow/order")).status_code == 204
    assert (await api.delete("/v2/translations/workflow/order")).status_code == 404


async def test_all_texts_of_a_locale_go_in_and_come_out(api: httpx.AsyncClient) -> None:
    """What is not known here is left out and told."""
    texts = {"workflows": {"order": {"a": "A"}, "lost": {"a": "A"}}, "layouts": {"base": {"foot": "F"}}}
    done = await api.post("/v2/translations/master-json", json={"locale": "en_US", "masterJson": texts})
    assert done.status_code == 200, done.text
    told = done.json()["data"]
    assert (told["success"], told["successful"], told["failed"]) == (False, ["order", "base"], ["lost"])

    master = {"workflows": {"order": {"a": "A"}}, "layouts": {"base": {"foot": "F"}}}
    assert (await api.get("/v2/translations/master-json")).json()["data"] == master
    nothing: dict[str, Any] = {"workflows": {}, "layouts": {}}
    assert (await api.get("/v2/translations/master-json", params={"locale": "de"})).json()["data"] == nothing
    wrong = await api.post("/v2/translations/master-json", json={"locale": "de", "masterJson": {"flows": {}}})
    assert (wrong.status_code, wrong.json()["details"][0]["path"]) == (422, "/masterJson/flows")


@pytest.mark.parametrize("field", ["files", "files[]"])
async def test_files_are_uploaded(api: httpx.AsyncClient, field: str) -> None:
    """Each named after its locale; those that do not fit are told of, and the others kept."""
    files = [
        (field, ("de_DE.json", json.dumps({"a": "Ä"}).encode(), "application/json")),
        (field, ("notes.txt", b"{}", "text/plain")),
        (field, ("fr_FR.json", b'{"a": 1}', "application/json")),
        (field, ("it_IT.json", b'{"a": ', "application/json")),
    ]
    answer = await api.post(
        "/v2/translations/upload", data={"resourceId": "order", "resourceType": "workflow"}, files=files
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["totalFiles"], told["successfulUploads"], told["failedUploads"]) == (4, 1, 3)
    assert [line.partition(":")[0] for line in told["errors"]] == ["notes.txt", "fr_FR.json", "it_IT.json"]
    assert (await api.get("/v2/translations/workflow/order/de_DE")).json()["data"]["content"] == {"a": "Ä"}


async def test_a_master_file_is_uploaded(api: httpx.AsyncClient) -> None:
    """One file, of the locale that it is named after."""
    raw = json.dumps({"layouts": {"base": {"foot": "Fuß"}}}).encode()
    answer = await api.post("/v2/translations/master-json/upload", files={"file": ("de_DE.json", raw)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["successful"] == ["base"]
    assert (await api.get("/v2/translations/layout/base/de_DE")).json()["data"]["content"] == {"foot": "Fuß"}
    assert (await api.post("/v2/translations/master-json/upload", json={})).status_code == 415


async def test_another_environment_does_not_see_them(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """Its workflow of the same name has texts of its own."""
    await _put(api, "en", {"a": "A"})
    assert (await other.get("/v2/translations/workflow/order/en")).status_code == 404
    assert (await other.get("/v2/translations/group/workflow/order")).status_code == 404
    assert (await other.delete("/v2/translations/workflow/order")).status_code == 404
    assert (await other.get("/v1/translations")).json()["data"] == []
    assert (await _put(other, "en", {"a": "B"})).status_code == 404
    assert (await api.get("/v2/translations/workflow/order/en")).json()["data"]["content"] == {"a": "A"}
