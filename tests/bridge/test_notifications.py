"""A subscriber's notifications over HTTP: the list, the counts, the marks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.model import Environment
from novukit.store import Scope
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio

BASE = "/v2/subscribers/ada/notifications"
START = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def _list(api: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await api.get(BASE, params=query)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def _count(api: httpx.AsyncClient, *filters: dict[str, Any]) -> list[int]:
    answer = await api.get(f"{BASE}/count", params={"filters": json.dumps(filters)})
    assert 200 == answer.status_code, answer.text
    found = answer.json()["data"]
    assert list(filters) == [one["filter"] for one in found]
    return [one["count"] for one in found]


async def test_a_notification_is_as_the_contract_says(api: httpx.AsyncClient, rows: Rows) -> None:
    """Every key of the inbox, with absent ones left out and open moments null."""
    await rows.workflow("welcome", name="Welcome!")
    who = await rows.subscriber("ada", first_name="Ada", avatar="https://example.org/a.png")
    content = {
        "subject": "S", "body": "B", "avatar": "https://example.org/b.png",
        "redirect": {"url": "/x", "target": "_self"},
        "primary_action": {"label": "Go", "redirect": {"url": "/go", "target": "_blank"}}, "data": {"n": 1},
        "severity": "high", "tags": ["social"],
    }  # fmt: skip
    message = await rows.message(
        "ada", content=content, tags=["social"], severity="high", critical=True, transaction_id="tx"
    )
    page = await _list(api)

    assert ({"data", "hasMore", "filter"}, False, {}) == (page.keys(), page["hasMore"], page["filter"])
    (found,) = page["data"]
    workflow = found.pop("workflow")
    assert {
        "id": str(message.id), "transactionId": "tx", "channelType": "in_app", "subject": "S", "body": "B",
        "avatar": "https://example.org/b.png",
        "to": {"id": str(who), "subscriberId": "ada", "firstName": "Ada", "avatar": "https://example.org/a.png"},
        "isSeen": False, "isRead": False, "isArchived": False, "isSnoozed": False, "createdAt": START,
        "deliveredAt": [START], "firstSeenAt": None, "readAt": None, "archivedAt": None, "snoozedUntil": None,
        "severity": "high", "tags": ["social"], "data": {"n": 1}, "redirect": {"url": "/x", "target": "_self"},
        "primaryAction": {"label": "Go", "isCompleted": False, "redirect": {"url": "/go", "target": "_blank"}},
    } == found  # fmt: skip
    assert ("welcome", "Welcome!", True, "high") == (
        workflow["identifier"], workflow["name"], workflow["critical"], workflow["severity"],
    )  # fmt: skip


async def test_the_smallest_notification(api: httpx.AsyncClient, rows: Rows) -> None:
    """A body alone, of a workflow that is gone: what has no value is left out, and the workflow keeps its id."""
    await rows.message("ada", content={"body": "B"})
    (found,) = (await _list(api))["data"]
    assert not {"subject", "avatar", "redirect", "primaryAction", "secondaryAction"} & found.keys()
    assert ("welcome", "welcome", {}) == (found["workflow"]["id"], found["workflow"]["name"], found["data"])


async def test_pages_and_filters(api: httpx.AsyncClient, rows: Rows, clock: VirtualClock) -> None:
    """Newest first; ``after`` is the last id shown; floats, repeated keys and JSON are read."""
    old = await rows.message("ada", tags=["a"], content={"body": "1", "data": {"plan": "pro"}})
    clock.advance(timedelta(hours=1))
    new = await rows.message("ada", tags=["b"], severity="high", content={"body": "2"})
    first = await _list(api, limit="1.0")
    second = await _list(api, limit=1, after=first["data"][0]["id"])
    assert ([str(new.id)], True) == ([one["id"] for one in first["data"]], first["hasMore"])
    assert ([str(old.id)], False) == ([one["id"] for one in second["data"]], second["hasMore"])

    async def ids(**query: Any) -> list[str]:
        return [one["body"] for one in (await _list(api, **query))["data"]]

    assert ["1"] == await ids(offset=1)
    assert ["2", "1"] == await ids(tags=["a", "b"])
    assert ["1"] == await ids(tags="a", read="false")
    assert ["2"] == await ids(severity=["high", "low"])
    assert ["1"] == await ids(data='{"plan":"pro"}')
    assert ["1"] == await ids(data='{"plan":["free","pro"]}')
    assert [] == await ids(data='{"plan":"free"}')
    assert ["2"] == await ids(createdGte="1767229200000.0")
    assert ["1"] == await ids(createdLte=1767225600000)
    assert [] == await ids(archived="true")
    page = await _list(api, read="false", severity="high")
    assert {"read": False, "severity": ["high"]} == page["filter"]


async def test_counts_echo_their_filters(api: httpx.AsyncClient, rows: Rows) -> None:
    """One answer for each filter, in order, with the filter as it was sent."""
    await rows.message("ada", tags=["a"], content={"body": "1", "data": {"k": True}})
    await rows.message("ada", severity="high")
    await rows.message("bob")
    assert [2, 1, 1, 0, 1, 1] == await _count(
        api,
        {},
        {"tags": ["a"]},
        {"severity": "high"},
        {"read": True},
        {"tags": [["a", "b"], ["a"]]},
        {"data": {"k": True}},
    )
    assert [1, 1] == await _count(api, {"data": {"k": {"or": [True]}}}, {"data": {"k": {"and": [{"or": [True, 1]}]}}})


@pytest.mark.parametrize(
    ("filters", "path"),
    [
        ("nonsense", "/filters"),
        ("{}", "/filters"),
        ("[]", "/filters"),
        (json.dumps([{}] * 31), "/filters"),
        ('[{},{"raed":true}]', "/filters/1/raed"),
        ('[{"read":"yes"}]', "/filters/0/read"),
        ('[{"severity":"loud"}]', "/filters/0/severity"),
        ('[{"data":{"a b":1}}]', "/filters/0/data/a b"),
        ('[{"data":{"a":{"b":1}}}]', "/filters/0/data/a"),
        ('[{"data":"{"}]', "/filters/0/data"),
        ('[{"contextKeys":["a"]}]', "/filters/0/contextKeys"),
    ],
)
async def test_bad_filters_are_refused(api: httpx.AsyncClient, rows: Rows, filters: str, path: str) -> None:
    """422 that names the filter and its field."""
    await rows.subscriber("ada")
    answer = await api.get(f"{BASE}/count", params={"filters": filters})
    assert 422 == answer.status_code, answer.text
    assert path in [one["path"] for one in answer.json()["details"]]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": "0"}, "/limit"),
        ({"after": "nonsense"}, "/after"),
        ({"data": "nonsense"}, "/data"),
        ({"severity": "loud"}, "/severity"),
        ({"read": "maybe"}, "/read"),
        ({"contextKeys": "a"}, "/contextKeys"),
    ],
)
async def test_a_bad_query_is_refused(api: httpx.AsyncClient, rows: Rows, query: dict[str, str], path: str) -> None:
    """422 with the parameter's name."""
    await rows.subscriber("ada")
    answer = await api.get(BASE, params=query)
    assert 422 == answer.status_code, answer.text
    assert [path] == [one["path"] for one in answer.json()["details"]]


async def test_marks_answer_with_the_notification(api: httpx.AsyncClient, rows: Rows) -> None:
    """Read, archive and back, each with the notification as it is then."""
    message = await rows.message("ada")
    steps = [("read", (True, True, False)), ("archive", (True, True, True)), ("unarchive", (True, True, False)),
             ("unread", (True, False, False))]  # fmt: skip
    for verb, expected in steps:
        answer = await api.patch(f"{BASE}/{message.id}/{verb}")
        assert 200 == answer.status_code, answer.text
        found = answer.json()["data"]
        assert expected == (found["isSeen"], found["isRead"], found["isArchived"]), verb
    assert START == found["firstSeenAt"]


async def test_snooze_and_unsnooze(api: httpx.AsyncClient, rows: Rows) -> None:
    """Until a moment in the next 90 days."""
    message = await rows.message("ada")
    path = f"{BASE}/{message.id}"
    answer = await api.patch(f"{path}/snooze", json={"snoozeUntil": "2026-01-02T00:00:00Z"})
    assert 200 == answer.status_code, answer.text
    found = answer.json()["data"]
    assert (True, "2026-01-02T00:00:00.000Z") == (found["isSnoozed"], found["snoozedUntil"])
    again = (await api.patch(f"{path}/unsnooze")).json()["data"]
    assert (False, None) == (again["isSnoozed"], again["snoozedUntil"])
    for wrong in ("2025-12-31T00:00:00Z", "2027-01-01T00:00:00Z", "2026-01-02T00:00:00", "tomorrow"):
        assert 422 == (await api.patch(f"{path}/snooze", json={"snoozeUntil": wrong})).status_code, wrong


async def test_a_button_is_completed_and_reverted(api: httpx.AsyncClient, rows: Rows) -> None:
    """A button that the notification does not have is not found."""
    message = await rows.message("ada", content={"body": "B", "primary_action": {"label": "Go"}})
    path = f"{BASE}/{message.id}/actions"
    done = await api.patch(f"{path}/primary/complete")
    assert (200, True) == (done.status_code, done.json()["data"]["primaryAction"]["isCompleted"])
    back = await api.patch(f"{path}/primary/revert")
    assert False is back.json()["data"]["primaryAction"]["isCompleted"]
    for wrong in ("secondary/complete", "primary/undo", "third/complete"):
        assert 404 == (await api.patch(f"{path}/{wrong}")).status_code, wrong


async def test_delete(api: httpx.AsyncClient, rows: Rows) -> None:
    """204 once, then 404."""
    message = await rows.message("ada")
    answer = await api.delete(f"{BASE}/{message.id}")
    assert (204, b"") == (answer.status_code, answer.content)
    assert 404 == (await api.delete(f"{BASE}/{message.id}")).status_code


async def test_bulk_marks(api: httpx.AsyncClient, rows: Rows) -> None:
    """Seen by id or all, read by tag, archived when read, deleted by data; each 204."""
    one = await rows.message("ada", tags=["a"], content={"body": "1", "data": {"k": 1}})
    await rows.message("ada", content={"body": "2"})

    async def post(verb: str, body: dict[str, Any]) -> None:
        answer = await api.post(f"{BASE}/{verb}", json=body)
        assert (204, b"") == (answer.status_code, answer.content), answer.text

    async def bodies(**query: Any) -> list[str]:
        return [found["body"] for found in (await _list(api, **query))["data"]]

    await post("seen", {"notificationIds": [str(one.id), "nonsense"]})
    assert ["1"] == await bodies(seen="true")
    await post("seen", {})
    assert ["2", "1"] == await bodies(seen="true")
    await post("read", {"tags": ["a"]})
    assert ["1"] == await bodies(read="true")
    await post("read-archive", {})
    assert ["1"] == await bodies(archived="true")
    await post("archive", {})
    assert ["2", "1"] == await bodies(archived="true")
    await post("delete", {"data": '{"k": 1}'})
    assert ["2"] == await bodies()
    await post("delete", {})
    assert [] == await bodies()


@pytest.mark.parametrize("verb", ["read", "unread", "archive", "unarchive", "unsnooze"])
async def test_what_is_not_there_is_not_found(api: httpx.AsyncClient, rows: Rows, verb: str) -> None:
    """Not an unknown id, nor another subscriber's notification, nor an unknown subscriber's."""
    theirs = await rows.message("bob")
    await rows.subscriber("ada")
    for path in (f"{BASE}/{theirs.id}", f"{BASE}/nonsense", f"/v2/subscribers/cy/notifications/{theirs.id}"):
        assert 404 == (await api.patch(f"{path}/{verb}")).status_code, path


async def test_the_other_environment_has_none_of_it(other: httpx.AsyncClient, rows: Rows) -> None:
    """Not even when a subscriber there has the same id."""
    message = await rows.message("ada")
    await other.post("/v2/subscribers", json={"subscriberId": "ada"})
    assert [] == (await _list(other))["data"]
    assert [0] == await _count(other, {})
    assert 404 == (await other.patch(f"{BASE}/{message.id}/read")).status_code
    assert 404 == (await other.delete(f"{BASE}/{message.id}")).status_code
    assert 204 == (await other.post(f"{BASE}/delete", json={})).status_code
    assert [str(message.id)] == [
        str(row["id"])
        for row in await rows.scope.database.fetch("select id from novukit_message where read_at is null")
    ]
