"""What a browser reads and marks in an inbox: all of its own, and nothing of anybody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import anyio
import httpx
import pytest
from litestar import Litestar

from novukit.bridge import create_asgi
from novukit.model import Environment
from novukit.store import Scope, messages
from novukit.store.messages import InboxFilter
from novukit.store.where import Where
from novukit.testing.clock import VirtualClock

from ..rows import Rows
from .conftest import Checksum
from .inboxes import LIST, counted, inbox_of, listed

pytestmark = pytest.mark.anyio


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def test_each_mark_answers_with_the_notification(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """Read, archived and back; a PATCH or DELETE that calls its empty body JSON is taken."""
    message = await rows.message("ada")
    async with inbox_of(asgi, development) as browser:
        for verb, expected in [
            ("read", (True, True, False)), ("archive", (True, True, True)), ("unarchive", (True, True, False)),
            ("unread", (True, False, False)),
        ]:  # fmt: skip
            answer = await browser.patch(f"{LIST}/{message.id}/{verb}")
            assert 200 == answer.status_code, answer.text
            found = answer.json()["data"]
            assert expected == (found["isSeen"], found["isRead"], found["isArchived"]), verb
        gone = await browser.delete(f"{LIST}/{message.id}/delete")
        assert (204, b"") == (gone.status_code, gone.content)
        assert [] == await listed(browser)


async def test_a_button_is_pressed_and_released(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """By its kind, in the body; one that is not there is a 404."""
    message = await rows.message("ada", content={"body": "B", "secondary_action": {"label": "No"}})
    async with inbox_of(asgi, development) as browser:

        async def press(verb: str, button: str) -> httpx.Response:
            return await browser.patch(f"{LIST}/{message.id}/{verb}", json={"actionType": button})

        assert True is (await press("complete", "secondary")).json()["data"]["secondaryAction"]["isCompleted"]
        assert False is (await press("revert", "secondary")).json()["data"]["secondaryAction"]["isCompleted"]
        assert 404 == (await press("complete", "primary")).status_code
        assert 422 == (await press("complete", "third")).status_code


async def test_snooze(asgi: Litestar, development: Environment, rows: Rows, clock: VirtualClock) -> None:
    """Until a moment from now on, 90 days at most; away from the list, and from the bell, until then."""
    message = await rows.message("ada")
    async with inbox_of(asgi, development) as browser:

        async def snooze(**after: float) -> httpx.Response:
            until = (clock.now() + timedelta(**after)).isoformat().replace("+00:00", "Z")
            return await browser.patch(f"{LIST}/{message.id}/snooze", json={"snoozeUntil": until})

        for wrong in ({"seconds": 0}, {"days": -1}, {"days": 90, "seconds": 1}):
            assert 422 == (await snooze(**wrong)).status_code, wrong
        assert True is (await snooze(days=90)).json()["data"]["isSnoozed"]
        assert [0, 1] == await counted(browser, {"snoozed": False}, {"snoozed": True})
        assert False is (await browser.patch(f"{LIST}/{message.id}/unsnooze")).json()["data"]["isSnoozed"]
        assert [1] == await counted(browser, {"read": False, "snoozed": False})


async def test_bulk_marks(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """By ids, by tags, by data, or all; the data comes as JSON text, the tags in any of their forms."""
    one = await rows.message("ada", tags=["a"], content={"body": "1", "data": {"k": 1}})
    await rows.message("ada", tags=["b"], content={"body": "2"})
    await rows.message("ada", content={"body": "3"})
    async with inbox_of(asgi, development) as browser:

        async def post(verb: str, body: dict[str, Any]) -> None:
            answer = await browser.post(f"{LIST}/{verb}", json=body)
            assert (204, b"") == (answer.status_code, answer.content), answer.text

        async def bodies(query: str) -> str:
            return "".join(found["body"] for found in await listed(browser, query))

        await post("seen", {"notificationIds": [str(one.id), "nonsense"]})
        assert "1" == await bodies("?seen=true")
        await post("seen", {})
        assert "321" == await bodies("?seen=true")
        await post("read", {"tags": {"and": [{"or": ["a", "b"]}, {"or": ["b"]}]}})
        assert "2" == await bodies("?read=true")
        await post("read", {"data": '{"k":1}', "tags": {"or": ["a"]}})
        assert "21" == await bodies("?read=true")
        await post("read-archive", {})
        assert "21" == await bodies("?archived=true")
        await post("delete", {"tags": ["a"]})
        assert "32" == await bodies("")
        await post("archive", {})
        assert "32" == await bodies("?archived=true")


@pytest.mark.parametrize(
    ("query", "wanted", "as_filter"),
    [
        ("tags[]=a", "1", {"tags": ["a"]}),
        ("tags%5B%5D=a&tags%5B%5D=c", "31", {"tags": ["a", "c"]}),
        ("tags[0][]=a&tags[0][]=c&tags[1][]=b", "3", {"tags": [["a", "c"], ["b"]]}),
        ("severity=high", "2", {"severity": "high"}),
        ("severity[]=high&severity[]=low", "2", {"severity": ["high", "low"]}),
        ('data={"plan":"pro"}', "1", {"data": {"plan": "pro"}}),
        ('data={"plan":{"or":["free","pro"]}}', "21", {"data": {"plan": {"or": ["free", "pro"]}}}),
        ("read=false&archived=false", "3", {"read": False, "archived": False}),
        ("read=true&seen=true&snoozed=false", "21", {"read": True, "seen": True, "snoozed": False}),
        ("createdLte=1767225600000", "1", {"createdLte": 1767225600000}),
        ("createdGte=1767225600001&createdLte=1767229200000", "2", {"createdGte": 1767225600001,
            "createdLte": 1767229200000}),
    ],
)  # fmt: skip
async def test_the_list_and_the_counts_agree(
    asgi: Litestar, development: Environment, rows: Rows, clock: VirtualClock, query: str, wanted: str,
    as_filter: dict[str, Any],
) -> None:  # fmt: skip
    """The same filter in its two forms finds the same, and both echo it."""
    now = clock.now()
    seen = {"seen_at": now, "read_at": now}
    await rows.message("ada", tags=["a"], content={"body": "1", "data": {"plan": "pro"}}, **seen)
    clock.advance(timedelta(hours=1))
    await rows.message("ada", tags=["b"], severity="high", content={"body": "2", "data": {"plan": "free"}}, **seen)
    clock.advance(timedelta(hours=1))
    await rows.message("ada", tags=["b", "c"], content={"body": "3"})
    async with inbox_of(asgi, development) as browser:
        answer = await browser.get(f"{LIST}?limit=10&{quote(query, safe='=&[]%')}")
        assert 200 == answer.status_code, answer.text
        page = answer.json()
        assert wanted == "".join(one["body"] for one in page["data"])
        assert json.dumps(as_filter, sort_keys=True) == json.dumps(page["filter"], sort_keys=True)
        assert [len(wanted)] == await counted(browser, as_filter)


async def test_data_is_echoed_to_the_letter(asgi: Litestar, development: Environment) -> None:
    """The client compares it as JSON text: the order of its keys counts."""
    sent = {"zeta": [1, 2], "alpha": {"and": [{"or": ["x"]}]}, "mid": None}
    async with inbox_of(asgi, development) as browser:
        answer = await browser.get(LIST, params={"data": json.dumps(sent)})
        assert json.dumps(sent) == json.dumps(answer.json()["filter"]["data"])
        await counted(browser, {"tags": ["b", "a"], "read": False, "data": sent, "severity": "low"}, {})


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("read=false&archived=true", 400), ("limit=101", 422), ("after=nonsense", 422), ("data=nonsense", 422),
        ("contextKeys=a:b", 422), ("subscriberId=bob", 422), ("severity[]=loud", 422), ("tags[x][]=a", 422),
        ("&".join(f"tags[{n}][]=a" for n in range(31)), 422), ("&".join(["tags[]=a"] * 101), 422),
    ],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(
    asgi: Litestar, development: Environment, query: str, status: int
) -> None:
    """And so is a subscriber, or a context, other than the session's."""
    async with inbox_of(asgi, development) as browser:
        answer = await browser.get(f"{LIST}?{query}")
        assert status == answer.status_code, answer.text


async def test_pages_have_no_gaps_while_new_ones_come(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """What was there at the first page is shown once, whatever comes in between."""
    made = [str((await rows.message("ada")).id) for _ in range(7)]
    shown: list[str] = []
    async with inbox_of(asgi, development) as browser:
        query = "?limit=2"
        while True:
            page = (await browser.get(f"{LIST}{query}")).json()
            shown += [one["id"] for one in page["data"]]
            await rows.message("ada")
            if not page["hasMore"]:
                break
            query = f"?limit=2&after={shown[-1]}"
    assert made[::-1] == shown


async def test_nobody_elses_notification_can_be_touched(
    asgi: Litestar, development: Environment, production: Environment, rows: Rows, runtime: Any, checksum: Checksum
) -> None:
    """Another subscriber's, another environment's, one that is not there and one that cannot be: the same 404."""
    elsewhere = Rows(runtime.scope(production.id), production.organization_id)
    foreign = [
        str((await rows.message("bob")).id), str((await elsewhere.message("ada")).id), str(UUID(int=7)), "nonsense",
        "a:b,c@d", "..",
    ]  # fmt: skip
    async with inbox_of(asgi, development) as browser:
        before = await checksum()
        for one in foreign:
            path = f"{LIST}/{quote(one, safe='')}"
            answers = [await browser.patch(f"{path}/{verb}") for verb in ("read", "unread", "archive", "unarchive")]
            answers.append(await browser.patch(f"{path}/unsnooze"))
            answers.append(await browser.patch(f"{path}/snooze", json={"snoozeUntil": "2026-01-02T00:00:00Z"}))
            answers += [
                await browser.patch(f"{path}/{verb}", json={"actionType": "primary"}) for verb in ("complete", "revert")
            ]
            answers.append(await browser.delete(f"{path}/delete"))
            assert {404} == {answer.status_code for answer in answers}, one
            assert {"not_found"} == {answer.json()["code"] for answer in answers}, one
        for verb in ("seen", "read", "archive", "read-archive", "delete"):
            body = {"notificationIds": foreign} if verb == "seen" else {}
            assert 204 == (await browser.post(f"{LIST}/{verb}", json=body)).status_code
        assert before == await checksum()
        assert [] == await listed(browser)


async def test_an_inbox_that_opens_all_is_found(
    asgi: Litestar, development: Environment, production: Environment, rows: Rows, runtime: Any, checksum: Checksum,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Planted: what is in an inbox is asked of the environment, not of the subscriber."""

    def anybodys(scope: Scope, subscriber_uuid: UUID, filters: InboxFilter) -> Where:
        where = Where("m.environment_id = ? and m.channel = 'in_app'", scope.environment_id)
        where.among("m.id", list(filters.ids or ()))
        return where

    monkeypatch.setattr(messages, "_inbox", anybodys)
    with pytest.raises(AssertionError):
        await test_nobody_elses_notification_can_be_touched(asgi, development, production, rows, runtime, checksum)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("ada", "Ada"),
        ("ada", "ada "),
        ("zoe\u0308", "zo\u00eb"),
        ("a:b,c@d", "a:b"),
        ("é", "e"),
        ("x" * 255, "x" * 254),
    ],
)
async def test_ids_that_look_alike_are_not_the_same(
    asgi: Litestar, development: Environment, rows: Rows, mine: str, theirs: str
) -> None:
    """Letters' case, Unicode forms, signs, length: an inbox is that of exactly its id."""
    message = await rows.message(mine)
    async with inbox_of(asgi, development, mine) as browser:
        assert [mine] == [one["to"]["subscriberId"] for one in await listed(browser)]
    body = {"applicationIdentifier": development.identifier, "subscriber": theirs}
    answer = await browser_of(asgi).post("/v1/inbox/session", json=body)
    if theirs.strip() != theirs:
        assert 422 == answer.status_code
        return
    async with inbox_of(asgi, development, theirs) as other:
        assert [] == await listed(other)
        assert 404 == (await other.patch(f"{LIST}/{message.id}/read")).status_code


def browser_of(asgi: Litestar) -> httpx.AsyncClient:
    """A browser without a session."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://novukit.test")


async def test_a_context_shows_exactly_its_own(asgi: Litestar, development: Environment, rows: Rows) -> None:
    """Not what was sent without one, nor in one that holds more or less; and marks nothing else."""
    plain = await rows.message("ada", content={"body": "plain"})
    await rows.message("ada", content={"body": "acme"}, context_keys="tenant:acme")
    await rows.message("ada", content={"body": "both"}, context_keys="app:shop,tenant:acme")
    acme = {"tenant": {"id": "acme", "data": {"plan": "pro"}}}
    async with inbox_of(asgi, development, context=acme) as browser:
        assert ["acme"] == [one["body"] for one in await listed(browser)]
        assert [1] == await counted(browser, {})
        assert 404 == (await browser.patch(f"{LIST}/{plain.id}/read")).status_code
        await browser.post(f"{LIST}/seen", json={"notificationIds": [str(plain.id)]})
        await browser.post(f"{LIST}/delete", json={})
        assert [] == await listed(browser)
    async with inbox_of(asgi, development) as browser:
        assert [("plain", False)] == [(one["body"], one["isSeen"]) for one in await listed(browser)]
    async with inbox_of(asgi, development, context={"tenant": "acme", "app": "shop"}) as browser:
        assert ["both"] == [one["body"] for one in await listed(browser)]


async def test_whoever_looks_elsewhere_is_told_of_marks(
    runtime: Any, development: Environment, rows: Rows, secret: str
) -> None:
    """Once for each call that changed something, here and over the API; not for one that changed nothing."""
    told: list[Any] = []

    async def publish(environment_id: UUID, notices: Any) -> None:
        told.append((environment_id, list(notices)))

    asgi = create_asgi(replace(runtime, publish=publish))
    message = await rows.message("ada")
    who = message.subscriber_uuid
    async with inbox_of(asgi, development) as browser:
        for verb in ("read", "read", "unread"):
            await browser.patch(f"{LIST}/{message.id}/{verb}")
        await browser.post(f"{LIST}/archive", json={})
        await browser.post(f"{LIST}/archive", json={})
        path = f"/v2/subscribers/ada/notifications/{message.id}"
        await browser.patch(f"{path}/unarchive", headers={"Authorization": f"ApiKey {secret}"})
        await browser.delete(f"{LIST}/{message.id}/delete")
        await anyio.lowlevel.checkpoint()
    assert [(development.id, [(who, None)])] * 5 == told
