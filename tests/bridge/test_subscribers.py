"""Subscribers over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.model import Environment
from novukit.testing.clock import VirtualClock

from .conftest import Checksum

pytestmark = pytest.mark.anyio

ADA = {
    "subscriberId": "ada", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
    "phone": "+4915112345678", "avatar": "https://example.com/ada.png", "locale": "en-GB", "timezone": "Europe/London",
    "data": {"plan": {"seats": 3}},
}  # fmt: skip


async def _create(api: httpx.AsyncClient, *names: str) -> None:
    for name in names:
        answer = await api.post("/v2/subscribers", json={"subscriberId": name})
        assert 201 == answer.status_code, answer.text


def _wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    body = answer.json()
    assert isinstance(body["errors"], dict)
    return [(detail["path"], detail["code"]) for detail in body["details"]]


async def test_create_answers_201_with_the_whole_subscriber(api: httpx.AsyncClient, development: Environment) -> None:
    """All that was given, and every key that the SDKs require."""
    answer = await api.post("/v2/subscribers", json=ADA)

    assert 201 == answer.status_code, answer.text
    told = answer.json()["data"]
    assert ADA == {key: told[key] for key in ADA}
    assert {
        "_organizationId": str(development.organization_id), "_environmentId": str(development.id), "deleted": False,
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "channels": [], "topics": [],
    } == {key: value for key, value in told.items() if key not in {*ADA, "_id"}}  # fmt: skip


async def test_create_again_updates_what_is_given(api: httpx.AsyncClient) -> None:
    """An upsert, 201 as well; null changes nothing."""
    await api.post("/v2/subscribers", json=ADA)
    answer = await api.post("/v2/subscribers", json={"subscriberId": "ada", "firstName": "Augusta", "email": None})

    assert (201, ADA | {"firstName": "Augusta"}) == (
        answer.status_code,
        {key: answer.json()["data"].get(key) for key in ADA},
    )


async def test_fail_if_exists_answers_409_with_the_subscriber_and_changes_nothing(
    api: httpx.AsyncClient, checksum: Checksum
) -> None:
    """The body is the subscriber itself; the first time it is a plain 201."""
    assert 201 == (await api.post("/v2/subscribers?failIfExists=true", json=ADA)).status_code
    before = await checksum()
    answer = await api.post("/v2/subscribers?failIfExists=true", json={"subscriberId": "ada", "firstName": "Other"})

    assert 409 == answer.status_code
    assert ADA == {key: answer.json().get(key) for key in ADA}
    assert before == await checksum()


async def test_ids_may_hold_what_a_path_can(api: httpx.AsyncClient) -> None:
    """Colon, comma, at, plus, blank, and letters of all scripts."""
    for name in ("user:1,a@b.example+x y", "ünï-日本"):
        await _create(api, name)
        answer = await api.get(f"/v2/subscribers/{name}")
        assert (200, name) == (answer.status_code, answer.json()["data"]["subscriberId"])


@pytest.mark.parametrize(
    ("change", "path", "code", "words"),
    [
        ({"locale": "xx-YY-zz"}, "/locale", "bad_format", "en-US"),
        ({"locale": "x" * 5_000}, "/locale", "too_long", "35"),
        ({"timezone": "Mars/Olympus"}, "/timezone", "unknown_time_zone", "Europe/Berlin"),
        ({"timezone": "UTC+5"}, "/timezone", "unknown_time_zone", "did you mean 'UTC'?"),
        ({"timezone": "europe/berlin"}, "/timezone", "unknown_time_zone", "did you mean 'Europe/Berlin'?"),
        ({"timezone": "Europe"}, "/timezone", "unknown_time_zone", "not an IANA time zone"),
        ({"timezone": "../../etc/passwd"}, "/timezone", "unknown_time_zone", "not an IANA time zone"),
        ({"timezone": "x" * 5_000}, "/timezone", "too_long", "64"),
        ({"timezone": "a\x00b"}, "/timezone", "nul_character", "NUL"),
        ({"email": "ada@"}, "/email", "bad_format", "@-sign"),
        ({"phone": "0151 12345678"}, "/phone", "bad_format", "+4915112345678"),
        ({"data": {"x": "y" * 65_600}}, "/data", "too_large", "64 KB"),
        ({"data": [1]}, "/data", "wrong_type", "expected an object"),
        ({"firstName": 5}, "/firstName", "wrong_type", "expected text"),
        ({"firstname": "x"}, "/firstname", "unknown_field", "Did you mean 'firstName'?"),
        ({"subscriberId": "a/b"}, "/subscriberId", "bad_format", "/"),
        ({"subscriberId": ""}, "/subscriberId", "empty", "empty"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(
    api: httpx.AsyncClient, checksum: Checksum, change: dict[str, Any], path: str, code: str, words: str
) -> None:
    """Each field by its pointer, in words that help."""
    before = await checksum()
    answer = await api.post("/v2/subscribers", json={"subscriberId": "ada"} | change)

    assert [(path, code)] == _wrong(answer)
    detail = answer.json()["details"][0]
    assert words in f"{detail['message']} {detail.get('hint')}"
    assert before == await checksum()


async def test_data_may_be_sixteen_deep(api: httpx.AsyncClient) -> None:
    """Sixteen are kept, seventeen are not."""
    data: dict[str, Any] = {}
    for _ in range(15):
        data = {"in": data}
    answer = await api.post("/v2/subscribers", json={"subscriberId": "ada", "data": data})
    assert (201, data) == (answer.status_code, answer.json()["data"]["data"])
    answer = await api.post("/v2/subscribers", json={"subscriberId": "ada", "data": {"in": data}})
    assert [("/data", "too_deep")] == _wrong(answer)


async def test_a_locale_is_written_as_everyone_writes_it(api: httpx.AsyncClient) -> None:
    """``en_US`` is ``en-US``."""
    answer = await api.post("/v2/subscribers", json={"subscriberId": "ada", "locale": "en_us"})
    assert "en-US" == answer.json()["data"]["locale"]


# Bulk


async def test_bulk_tells_what_became_of_each(api: httpx.AsyncClient) -> None:
    """What is wrong with one does not stop the others; who comes twice counts once."""
    await _create(api, "old")
    answer = await api.post(
        "/v1/subscribers/bulk",
        json={
            "subscribers": [
                {"subscriberId": "old", "firstName": "O"}, {"subscriberId": "new"}, {"subscriberId": "new"},
                {"subscriberId": "bad", "email": "nobody"}, {"firstName": "No id"},
            ]
        },
    )  # fmt: skip

    assert 201 == answer.status_code, answer.text
    told = answer.json()["data"]
    assert ([{"subscriberId": "new"}], [{"subscriberId": "old"}]) == (told["created"], told["updated"])
    assert ["bad", None] == [failed.get("subscriberId") for failed in told["failed"]]
    assert "/email" in told["failed"][0]["message"]
    assert "/subscriberId" in told["failed"][1]["message"]


async def test_bulk_takes_500_and_no_more(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """501 are refused as a whole."""
    many = [{"subscriberId": f"s{n}", "firstName": "S"} for n in range(501)]
    before = await checksum()
    assert [("/subscribers", "too_long")] == _wrong(await api.post("/v1/subscribers/bulk", json={"subscribers": many}))
    assert before == await checksum()
    answer = await api.post("/v1/subscribers/bulk", json={"subscribers": many[:500]})
    assert (201, 500) == (answer.status_code, len(answer.json()["data"]["created"]))


# One


async def test_patch_sets_and_null_clears(api: httpx.AsyncClient) -> None:
    """The rest stays; ``data`` becomes empty."""
    await api.post("/v2/subscribers", json=ADA)
    answer = await api.patch("/v2/subscribers/ada", json={"firstName": "Augusta", "email": None, "data": None})

    told = answer.json()["data"]
    assert (200, "Augusta", {}, "Lovelace") == (answer.status_code, told["firstName"], told["data"], told["lastName"])
    assert "email" not in told


async def test_patch_with_nothing_changes_nothing(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """200 with the subscriber as it is."""
    await api.post("/v2/subscribers", json=ADA)
    before = await checksum()
    assert 200 == (await api.patch("/v2/subscribers/ada", json={})).status_code
    assert before == await checksum()


async def test_patch_refuses_the_id(api: httpx.AsyncClient) -> None:
    """A subscriber keeps their id."""
    await _create(api, "ada")
    answer = await api.patch("/v2/subscribers/ada", json={"subscriberId": "bob"})
    assert [("/subscriberId", "unknown_field")] == _wrong(answer)


async def test_of_two_patches_with_the_same_etag_one_wins(api: httpx.AsyncClient, clock: VirtualClock) -> None:
    """The other is told with 412; without ``If-Match`` the last one wins."""
    await _create(api, "ada")
    etag = (await api.get("/v2/subscribers/ada")).headers["etag"]
    clock.advance(timedelta(seconds=1))
    first = await api.patch("/v2/subscribers/ada", json={"firstName": "A"}, headers={"If-Match": etag})
    second = await api.patch("/v2/subscribers/ada", json={"firstName": "B"}, headers={"If-Match": etag})
    assert (200, 412) == (first.status_code, second.status_code)
    assert "A" == (await api.get("/v2/subscribers/ada")).json()["data"]["firstName"]
    third = await api.patch("/v2/subscribers/ada", json={"lastName": "C"}, headers={"If-Match": first.headers["etag"]})
    assert 200 == third.status_code


async def test_delete_then_create_is_someone_new(api: httpx.AsyncClient) -> None:
    """The id may be used again; what was before is gone."""
    await api.post("/v2/subscribers", json=ADA)
    before = (await api.get("/v2/subscribers/ada")).json()["data"]["_id"]
    answer = await api.delete("/v2/subscribers/ada")
    assert (200, {"acknowledged": True, "status": "deleted"}) == (answer.status_code, answer.json()["data"])
    await _create(api, "ada")
    told = (await api.get("/v2/subscribers/ada")).json()["data"]
    assert before != told["_id"]
    assert "firstName" not in told


async def test_online_status_is_noted(api: httpx.AsyncClient) -> None:
    """Offline has a time."""
    await _create(api, "ada")
    answer = await api.patch("/v1/subscribers/ada/online-status", json={"isOnline": True})
    assert (200, True, None) == (
        answer.status_code, answer.json()["data"]["isOnline"], answer.json()["data"].get("lastOnlineAt"),
    )  # fmt: skip
    answer = await api.patch("/v1/subscribers/ada/online-status", json={"isOnline": False})
    assert (False, "2026-01-01T00:00:00.000Z") == (
        answer.json()["data"]["isOnline"], answer.json()["data"]["lastOnlineAt"],
    )  # fmt: skip
    answer = await api.patch("/v1/subscribers/ada/online-status", json={"isOnline": "yes"})
    assert [("/isOnline", "wrong_type")] == _wrong(answer)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/subscribers/nobody", None),
        ("PATCH", "/v2/subscribers/nobody", {"firstName": "X"}),
        ("DELETE", "/v2/subscribers/nobody", None),
        ("PATCH", "/v1/subscribers/nobody/online-status", {"isOnline": True}),
        ("PUT", "/v1/subscribers/nobody/credentials", {"providerId": "fcm", "credentials": {}}),
        ("PATCH", "/v1/subscribers/nobody/credentials", {"providerId": "fcm", "credentials": {}}),
        ("DELETE", "/v1/subscribers/nobody/credentials/fcm", None),
        ("GET", "/v2/subscribers/nobody/subscriptions", None),
        ("GET", "/v2/subscribers/nobody/preferences", None),
        ("PATCH", "/v2/subscribers/nobody/preferences", {"channels": {"email": False}}),
        ("GET", "/v2/subscribers/%00", None),
    ],
)
async def test_nobody_is_404(api: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    """By name where it can be shown, and without any change."""
    answer = await api.request(method, path, json=body)
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


# Lists


async def test_pages_lead_through_all_and_back(api: httpx.AsyncClient) -> None:
    """Five keys on every page; numbers may come as floats."""
    await _create(api, "a", "b", "c")
    first = (await api.get("/v2/subscribers", params={"limit": "2.0"})).json()
    assert {"data", "next", "previous", "totalCount", "totalCountCapped"} == set(first)
    assert (["c", "b"], None, 3, False) == (
        [one["subscriberId"] for one in first["data"]], first["previous"], first["totalCount"],
        first["totalCountCapped"],
    )  # fmt: skip
    second = (await api.get("/v2/subscribers", params={"limit": 2, "after": first["next"]})).json()
    assert (["a"], None) == ([one["subscriberId"] for one in second["data"]], second["next"])
    back = (await api.get("/v2/subscribers", params={"limit": 2, "before": second["previous"]})).json()
    assert first["data"] == back["data"]
    own = (
        await api.get("/v2/subscribers", params={"limit": 1, "after": first["next"], "includeCursor": "true"})
    ).json()
    assert ["b"] == [one["subscriberId"] for one in own["data"]]
    turned = (await api.get("/v2/subscribers", params={"orderDirection": "ASC", "orderBy": "_id"})).json()
    assert ["a", "b", "c"] == [one["subscriberId"] for one in turned["data"]]


async def test_filters_find_and_unknown_ones_are_named(api: httpx.AsyncClient) -> None:
    """By id, e-mail, phone and a part of the name."""
    await api.post("/v2/subscribers", json=ADA)
    await _create(api, "bob")
    for params in (
        {"subscriberId": "ada"}, {"email": "ada@example.com"}, {"phone": "+4915112345678"}, {"name": "Love"},
    ):  # fmt: skip
        answer = await api.get("/v2/subscribers", params=params)
        assert ["ada"] == [one["subscriberId"] for one in answer.json()["data"]]
    assert [] == (await api.get("/v2/subscribers", params={"subscriberId": "ADA"})).json()["data"]
    assert [("/mail", "unknown_parameter")] == _wrong(await api.get("/v2/subscribers", params={"mail": "x"}))


@pytest.mark.parametrize(
    ("params", "path", "code"),
    [
        ({"limit": "0"}, "/limit", "out_of_range"),
        ({"limit": "101"}, "/limit", "out_of_range"),
        ({"limit": "abc"}, "/limit", "wrong_type"),
        ({"after": "garbage"}, "/after", "invalid_cursor"),
        ({"before": "garbage"}, "/before", "invalid_cursor"),
        ({"after": "a", "before": "b"}, "/before", "excluded"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    api: httpx.AsyncClient, params: dict[str, str], path: str, code: str
) -> None:
    """With the parameter's name."""
    assert [(path, code)] == _wrong(await api.get("/v2/subscribers", params=params))


async def test_another_environment_knows_nobody_of_it(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """The wall over HTTP: not found, not listed, not changed; and a cursor of here is none there."""
    await _create(api, "ada", "bob")
    tokens = {"providerId": "fcm", "credentials": {"deviceTokens": ["a"]}}
    assert 200 == (await api.put("/v1/subscribers/ada/credentials", json=tokens)).status_code
    before = (await api.get("/v2/subscribers/ada")).json()
    cursor = (await api.get("/v2/subscribers", params={"limit": 1})).json()["next"]

    assert (0, []) == ((it := (await other.get("/v2/subscribers")).json())["totalCount"], it["data"])
    assert [("/after", "invalid_cursor")] == _wrong(await other.get("/v2/subscribers", params={"after": cursor}))
    for method, path, body in (
        ("GET", "/v2/subscribers/ada", None),
        ("PATCH", "/v2/subscribers/ada", {"firstName": "X"}),
        ("DELETE", "/v2/subscribers/ada", None),
        ("DELETE", "/v1/subscribers/ada/credentials/fcm", None),
    ):
        assert 404 == (await other.request(method, path, json=body)).status_code
    assert 201 == (await other.post("/v2/subscribers?failIfExists=true", json={"subscriberId": "ada"})).status_code
    assert before == (await api.get("/v2/subscribers/ada")).json()
