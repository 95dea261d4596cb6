"""Layouts over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.store import Scope, layouts, translations
from novukit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio

MOMENT = "2026-01-01T00:00:00.000Z"


async def _make(api: httpx.AsyncClient, layout_id: str = "base", **more: Any) -> dict[str, Any]:
    answer = await api.post("/v2/layouts", json={"layoutId": layout_id, "name": layout_id.title(), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def _html(body: str, editor: str = "html") -> dict[str, Any]:
    return {"email": {"body": body, "editorType": editor}}


async def test_a_layout_is_made_as_the_contract_says(api: httpx.AsyncClient, scope: Scope) -> None:
    """With all that the SDKs insist on; it prints the message, and is nobody's default."""
    made = await _make(api, isTranslationEnabled=False, __source="dashboard")
    (stored,) = await layouts.all(scope)
    assert made == {
        "_id": str(stored.id), "layoutId": "base", "slug": "base", "name": "Base", "isDefault": False,
        "isTranslationEnabled": False, "origin": "external", "type": "REGULAR", "createdAt": MOMENT,
        "updatedAt": MOMENT, "controls": {"values": {"email": {"body": stored.body, "editorType": "html"}}},
    }  # fmt: skip
    assert "{{ content }}" in stored.body


async def test_an_id_is_taken_once(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """In its environment; and never with a 409, which clients would repeat."""
    await _make(api)
    await _make(other)
    again = await api.post("/v2/layouts", json={"layoutId": "base", "name": "Base"})
    assert again.status_code == 422
    assert again.json()["details"][0]["code"] == "taken"


async def test_layouts_are_listed_in_order_and_found_by_words(api: httpx.AsyncClient, clock: VirtualClock) -> None:
    """By three orders; limit and offset may be floats."""
    for name in ("zoo", "ant", "cat"):
        await _make(api, name)
        clock.advance(timedelta(minutes=1))
    await api.put("/v2/layouts/zoo", json={"name": "Zoo"})

    async def ids(**query: Any) -> list[str]:
        answer = await api.get("/v2/layouts", params=query)
        assert answer.status_code == 200, answer.text
        return [one["layoutId"] for one in answer.json()["data"]["layouts"]]

    assert await ids() == ["cat", "ant", "zoo"]
    assert await ids(orderBy="updatedAt") == ["zoo", "cat", "ant"]
    assert await ids(orderBy="name", orderDirection="ASC") == ["ant", "cat", "zoo"]
    assert await ids(query="CA") == ["cat"]
    assert await ids(limit="1.0", offset="1.0") == ["ant"]
    assert (await api.get("/v2/layouts", params={"limit": 1})).json()["data"]["totalCount"] == 3


async def test_a_layout_is_changed(api: httpx.AsyncClient) -> None:
    """Its body is replaced by what is sent, kept without it, and a new one's again with null."""
    first = await _make(api)
    body = "<body>{{ content }}<footer>Acme</footer></body>"
    changed = await api.put("/v2/layouts/base", json={"name": "Acme", "controlValues": _html(body)})
    assert (changed.status_code, changed.json()["data"]["name"]) == (200, "Acme")
    assert changed.json()["data"]["controls"]["values"]["email"]["body"] == body

    kept = await api.put(f"/v2/layouts/{first['_id']}", json={"name": "Acme", "isTranslationEnabled": False})
    assert kept.json()["data"]["controls"]["values"]["email"]["body"] == body
    cleared = await api.put("/v2/layouts/base", json={"name": "Acme", "controlValues": None})
    assert cleared.json()["data"]["controls"] == first["controls"]


async def test_one_layout_at_most_is_the_default(api: httpx.AsyncClient) -> None:
    """The last one that was told to be."""
    await _make(api, "a", isDefault=True)
    await _make(api, "b", isDefault=True)
    await api.put("/v2/layouts/a", json={"name": "A", "isDefault": True})
    found = (await api.get("/v2/layouts")).json()["data"]["layouts"]
    assert {one["layoutId"]: one["isDefault"] for one in found} == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        (_html("<p>{{ content }"), "template_syntax", "line 1"),
        (_html("<p>no message</p>"), "no_content", "{{ content }}"),
        (_html("{{ content|upcase }}"), "template_syntax", "upcase"),
        (_html('{% extends "novukit/bse.html" %}{{ content }}'), "template_failed", "novukit/base.html"),
        (_html('{"type":"doc"}', "block"), "not_supported", "block editor"),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused(
    api: httpx.AsyncClient, values: dict[str, Any], code: str, words: str
) -> None:
    """With the reason, before any e-mail needs it; nothing is kept."""
    answer = await api.post("/v2/layouts", json={"layoutId": "bad", "name": "Bad", "controlValues": values})
    assert answer.status_code == 422
    (detail,) = answer.json()["details"]
    assert (detail["code"], words in f"{detail['message']} {detail.get('hint')}") == (code, True), detail
    assert (await api.get("/v2/layouts/bad")).status_code == 404


async def test_a_layout_is_copied(api: httpx.AsyncClient) -> None:
    """With its body, under another id."""
    first = await _make(api, controlValues=_html("<b>{{ content }}</b>"))
    copy = await api.post("/v2/layouts/base/duplicate", json={"name": "Second"})
    assert (copy.status_code, copy.json()["data"]["layoutId"]) == (201, "base-copy")
    assert copy.json()["data"]["controls"] == first["controls"]


async def test_a_preview_shows_the_layout_around_a_sample(api: httpx.AsyncClient, scope: Scope) -> None:
    """With the subscriber that is sent along, in their language; another body may be tried."""
    await _make(api, controlValues=_html("<p>{{ t.dear }} {{ subscriber.first_name }}</p>{{ content }}"))
    await translations.put(scope, [(("layout", "base"), "de", {"dear": "Liebe <Frau>"})])
    person = {"firstName": "Grace", "locale": "de-AT"}
    answer = await api.post("/v2/layouts/base/preview", json={"previewPayload": {"subscriber": person}})
    assert answer.status_code == 201, answer.text
    told = answer.json()["data"]
    assert "Liebe &lt;Frau&gt; Grace" in told["result"]["preview"]["body"]
    assert "<h1>Hello</h1>" in told["result"]["preview"]["body"]
    assert told["result"]["type"] == "email"
    assert told["previewPayloadExample"]["subscriber"]["first_name"] == "Grace"

    tried = {"controlValues": _html("<i>{{ content }}</i>")}
    assert "<i>" in (await api.post("/v2/layouts/base/preview", json=tried)).text
    broken = await api.post("/v2/layouts/base/preview", json={"controlValues": _html("{{ content }}{{ nobody }}")})
    assert (broken.status_code, broken.json()["details"][0]["code"]) == (422, "undefined_variable")


async def test_a_deleted_layout_takes_its_translations_along(api: httpx.AsyncClient, scope: Scope) -> None:
    """And is not found any more."""
    await _make(api)
    await translations.put(scope, [(("layout", "base"), "de", {"a": "b"})])
    assert (await api.get("/v2/layouts/base")).json()["data"]["isTranslationEnabled"] is True
    assert (await api.delete("/v2/layouts/base")).status_code == 204
    assert await translations.all(scope) == []
    assert (await api.get("/v2/layouts/base")).status_code == 404


async def test_another_environment_does_not_see_it(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """By neither of its ids, for nothing."""
    made = await _make(api)
    for name in ("base", made["_id"]):
        path = f"/v2/layouts/{name}"
        assert (await other.get(path)).status_code == 404
        assert (await other.get(f"{path}/usage")).status_code == 404
        assert (await other.put(path, json={"name": "Mine"})).status_code == 404
        assert (await other.delete(path)).status_code == 404
        assert (await other.post(f"{path}/preview", json={})).status_code == 404
    assert (await api.get("/v2/layouts/base")).json()["data"] == made
