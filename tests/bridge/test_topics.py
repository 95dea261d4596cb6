"""Topics and subscriptions over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import Checksum

pytestmark = pytest.mark.anyio

NEWS = "/v2/topics/news/subscriptions"


@pytest.fixture(autouse=True)
async def _people(api: httpx.AsyncClient) -> None:
    people = [{"subscriberId": "ada", "firstName": "Ada"}, {"subscriberId": "bob"}]
    assert 201 == (await api.post("/v1/subscribers/bulk", json={"subscribers": people})).status_code


def _wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    return [(detail["path"], detail["code"]) for detail in answer.json()["details"]]


async def _delete(api: httpx.AsyncClient, body: Any) -> httpx.Response:
    return await api.request("DELETE", NEWS, json=body)


async def test_create_is_201_then_200_and_renames(api: httpx.AsyncClient) -> None:
    """The same key is the same topic."""
    first = await api.post("/v2/topics", json={"key": "news"})
    again = await api.post("/v2/topics", json={"key": "news", "name": "News"})
    assert (201, 200) == (first.status_code, again.status_code)
    assert first.json()["data"] | {"name": "News"} == again.json()["data"]
    assert {"_id", "key", "name", "createdAt", "updatedAt"} == set(again.json()["data"])


async def test_fail_if_exists_answers_409_with_the_topic(api: httpx.AsyncClient) -> None:
    """The topic itself, unchanged."""
    made = await api.post("/v2/topics?failIfExists=true", json={"key": "news"})
    assert 201 == made.status_code
    answer = await api.post("/v2/topics?failIfExists=true", json={"key": "news", "name": "Other"})
    assert (409, made.json()["data"]) == (answer.status_code, answer.json())


async def test_get_rename_and_delete(api: httpx.AsyncClient) -> None:
    """One topic's life."""
    await api.post("/v2/topics", json={"key": "news"})
    answer = await api.patch("/v2/topics/news", json={"name": "The news"})
    assert (200, "The news") == (answer.status_code, answer.json()["data"]["name"])
    assert answer.json() == (await api.get("/v2/topics/news")).json()
    answer = await api.delete("/v2/topics/news")
    assert (200, {"data": {"acknowledged": True}}) == (answer.status_code, answer.json())
    for method, body in (("GET", None), ("PATCH", {"name": "X"}), ("DELETE", None)):
        assert 404 == (await api.request(method, "/v2/topics/news", json=body)).status_code


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "/key", "required"),
        ({"key": "a/b"}, "/key", "bad_format"),
        ({"key": "x" * 101}, "/key", "too_long"),
        ({"key": "a", "title": "A"}, "/title", "unknown_field"),
        ({"key": "a", "name": ""}, "/name", "empty"),
    ],
)
async def test_a_topic_that_cannot_be_is_refused(api: httpx.AsyncClient, body: Any, path: str, code: str) -> None:
    """By its field."""
    assert [(path, code)] == _wrong(await api.post("/v2/topics", json=body))


async def test_the_list_has_pages_and_filters(api: httpx.AsyncClient) -> None:
    """By key, and by a part of the name."""
    for key in ("a", "b", "c"):
        await api.post("/v2/topics", json={"key": key, "name": f"Topic {key}"})
    first = (await api.get("/v2/topics", params={"limit": 2})).json()
    assert (["c", "b"], 3) == ([one["key"] for one in first["data"]], first["totalCount"])
    rest = (await api.get("/v2/topics", params={"limit": 2, "after": first["next"]})).json()
    assert ["a"] == [one["key"] for one in rest["data"]]
    for params in ({"key": "b"}, {"name": "c b"}):
        assert ["b"] == [one["key"] for one in (await api.get("/v2/topics", params=params)).json()["data"]]


async def test_subscribe_makes_the_topic_and_tells_what_became_of_each(api: httpx.AsyncClient) -> None:
    """201 with who was subscribed, and an error for who was not."""
    answer = await api.post(
        NEWS,
        json={
            "subscriptions": ["ada", {"subscriberId": "bob", "identifier": "mine", "name": "B"}, "nobody"],
            "name": "N",
        },
    )

    assert 201 == answer.status_code, answer.text
    told = answer.json()
    assert {"totalCount": 3, "successful": 2, "failed": 1} == told["meta"]
    assert [("nobody", "SUBSCRIBER_NOT_FOUND")] == [(it["subscriberId"], it["code"]) for it in told["errors"]]
    ada, bob = told["data"]
    assert ("tk_news:si_ada", "mine", "B") == (ada["identifier"], bob["identifier"], bob["name"])
    assert ("news", "N", "ada", "Ada") == (
        ada["topic"]["key"], ada["topic"]["name"], ada["subscriber"]["subscriberId"], ada["subscriber"]["firstName"],
    )  # fmt: skip
    again = await api.post(NEWS, json={"subscriberIds": ["ada"]})
    assert (201, [ada["_id"]]) == (again.status_code, [it["_id"] for it in again.json()["data"]])
    assert "errors" not in again.json()


async def test_when_none_could_be_subscribed_the_answer_is_400_with_both_bodies(api: httpx.AsyncClient) -> None:
    """An error for one reader, an outcome for the other."""
    answer = await api.post(NEWS, json={"subscriptions": ["nobody"]})
    told = answer.json()
    assert (400, 400, []) == (answer.status_code, told["statusCode"], told["data"])
    assert {"totalCount": 1, "successful": 0, "failed": 1} == told["meta"]
    assert ["SUBSCRIBER_NOT_FOUND"] == [it["code"] for it in told["errors"]]
    assert {"timestamp", "path", "message", "error"} <= set(told)


async def test_unsubscribe_takes_a_body(api: httpx.AsyncClient) -> None:
    """By subscriber, by identifier, and by the older name of the list."""
    await api.post(NEWS, json={"subscriptions": ["ada", {"subscriberId": "bob", "identifier": "mine"}]})
    answer = await _delete(api, {"subscriptions": [{"identifier": "mine"}, "nobody"]})
    told = answer.json()
    assert (200, ["bob"], {"totalCount": 2, "successful": 1, "failed": 1}) == (
        answer.status_code, [it["subscriber"]["subscriberId"] for it in told["data"]], told["meta"],
    )  # fmt: skip
    answer = await _delete(api, {"subscriberIds": ["ada"]})
    assert 200 == answer.status_code
    answer = await _delete(api, {"subscriberIds": ["ada"]})
    assert (400, ["SUBSCRIPTION_NOT_FOUND"]) == (answer.status_code, [it["code"] for it in answer.json()["errors"]])
    assert 0 == (await api.get(NEWS)).json()["totalCount"]


async def test_unsubscribe_from_no_topic_is_404(api: httpx.AsyncClient) -> None:
    """It is not made for that."""
    assert 404 == (await _delete(api, {"subscriptions": ["ada"]})).status_code
    assert 404 == (await api.get(NEWS)).status_code


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "", "required"),
        ({"subscriptions": ["ada"], "subscriberIds": ["ada"]}, "", "required"),
        ({"subscriptions": []}, "/subscriptions", "empty"),
        ({"subscriptions": [f"s{n}" for n in range(101)]}, "/subscriptions", "too_long"),
        ({"subscriptions": [5]}, "/subscriptions/0", "wrong_type"),
        ({"subscriptions": ["a/b"]}, "/subscriptions/0", "bad_format"),
        ({"subscriptions": [{"subscriberid": "a"}]}, "/subscriptions/0/subscriberid", "unknown_field"),
    ],
)
async def test_subscriptions_that_cannot_be_are_refused(
    api: httpx.AsyncClient, checksum: Checksum, body: Any, path: str, code: str
) -> None:
    """Before anything is changed, both when making and when ending them."""
    before = await checksum()
    assert (path, code) in _wrong(await api.post(NEWS, json=body))
    assert (path, code) in _wrong(await _delete(api, body))
    assert before == await checksum()


async def test_subscriptions_are_listed_from_both_sides(api: httpx.AsyncClient) -> None:
    """Of a topic and of a subscriber, with the keys that the SDKs require."""
    for key in ("news", "sales"):
        await api.post(f"/v2/topics/{key}/subscriptions", json={"subscriptions": ["ada", "bob"]})
    page = (await api.get(NEWS, params={"limit": 1})).json()
    assert (["bob"], 2) == ([it["subscriber"]["subscriberId"] for it in page["data"]], page["totalCount"])
    rest = (await api.get(NEWS, params={"limit": 1, "after": page["next"]})).json()
    assert ["ada"] == [it["subscriber"]["subscriberId"] for it in rest["data"]]
    only = (await api.get(NEWS, params={"subscriberId": "ada"})).json()
    assert rest["data"] == only["data"]
    assert {"_id", "identifier", "createdAt", "topic", "subscriber"} <= set(only["data"][0])
    mine = (await api.get("/v2/subscribers/ada/subscriptions")).json()
    assert ["sales", "news"] == [it["topic"]["key"] for it in mine["data"]]
    mine = (await api.get("/v2/subscribers/ada/subscriptions", params={"key": "news"})).json()
    assert only["data"] == mine["data"]


async def test_another_environment_knows_none_of_it(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """The wall over HTTP."""
    await api.post(NEWS, json={"subscriptions": ["ada"]})
    before = (await api.get(NEWS)).json()
    assert 0 == (await other.get("/v2/topics")).json()["totalCount"]
    assert 404 == (await other.get("/v2/topics/news")).status_code
    assert 404 == (await other.get(NEWS)).status_code
    assert 404 == (await _delete(other, {"subscriptions": ["ada"]})).status_code
    assert 404 == (await other.delete("/v2/topics/news")).status_code
    assert 400 == (await other.post(NEWS, json={"subscriptions": ["ada"]})).status_code
    assert before == (await api.get(NEWS)).json()
