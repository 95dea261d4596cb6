"""Promise P2: one key, one request. What comes again within a day is given the first answer, and starts nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.bridge import create_asgi
from novukit.model import Environment
from novukit.store import Scope, idempotency, messages
from novukit.store.idempotency import Kept
from novukit.store.messages import InboxFilter
from novukit.testing.clock import VirtualClock

from ..rows import Rows
from .conftest import Checksum, client

pytestmark = pytest.mark.anyio

TRIGGER, SUBSCRIBERS, BULK = "/v1/events/trigger", "/v2/subscribers", "/v1/events/trigger/bulk"
WELCOME = {"name": "welcome", "to": [{"subscriberId": "ada", "firstName": "Ada"}], "payload": {"a": 1, "b": 2}}


@pytest.fixture
async def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development, with a workflow."""
    rows = Rows(scope, development.organization_id)
    await rows.workflow("welcome", steps=[{"id": "inbox", "kind": "in_app"}])
    return rows


@pytest.fixture
async def second(runtime: Any, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API as another server process has it: nothing is shared but the database."""
    async with client(create_asgi(runtime), f"ApiKey {secret}") as found:
        yield found


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def events(scope: Scope) -> int:
    """How many events there are."""
    return (await scope.database.fetch("select count(*) as n from novukit_event"))[0]["n"]


def assert_replayed(first: httpx.Response, again: httpx.Response) -> None:
    """The same answer, marked."""
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "idempotency-replay" not in first.headers
    assert "true" == again.headers["idempotency-replay"]
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/broadcast", BULK])
async def test_a_trigger_that_comes_again_starts_nothing(
    api: httpx.AsyncClient, second: httpx.AsyncClient, rows: Rows, path: str, checksum: Checksum
) -> None:
    """It is given the first answer byte for byte, however the body is spelled, whichever process is asked."""
    body: dict[str, Any] = {**WELCOME} if path == TRIGGER else {"name": "welcome", "payload": {"a": 1, "b": 2}}
    body = {"events": [WELCOME, WELCOME]} if path == BULK else body
    first = await api.post(path, json=body, headers=key("one"))
    assert 201 == first.status_code, first.text
    before = await checksum()

    assert_replayed(first, await api.post(path, json=body, headers=key("one")))
    spelled = dict(reversed(body.items()))
    assert_replayed(first, await second.post(path, json=spelled, headers=key("one")))
    assert before == await checksum()
    assert (2 if path == BULK else 1) == await events(rows.scope)


async def test_another_request_under_the_same_key_is_refused(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum
) -> None:
    """Another body, another path, another method: 422, and nothing is changed."""
    assert 201 == (await api.post(TRIGGER, json=WELCOME, headers=key("one"))).status_code
    assert 201 == (await api.post(SUBSCRIBERS, json={"subscriberId": "bob"}, headers=key("two"))).status_code
    before = await checksum()
    for method, path, body, used in (
        ("POST", TRIGGER, {**WELCOME, "payload": {"a": 2}}, "one"),
        ("POST", SUBSCRIBERS, {"subscriberId": "eve"}, "one"),
        ("POST", TRIGGER, WELCOME, "two"),
        ("POST", f"{SUBSCRIBERS}?failIfExists=true", {"subscriberId": "bob"}, "two"),
        ("PATCH", f"{SUBSCRIBERS}/bob", {"subscriberId": "bob"}, "two"),
        ("DELETE", f"{SUBSCRIBERS}/bob", None, "one"),
        ("POST", "/v1/integrations", {"providerId": "console-sms"}, "one"),
    ):
        answer = await api.request(method, path, json=body, headers=key(used))
        assert (422, "idempotency_key_reused", {}) == (
            answer.status_code, answer.json()["code"], answer.json()["errors"]
        ), (method, path)  # fmt: skip
    assert before == await checksum()


async def test_of_many_at_once_one_begins(api: httpx.AsyncClient, second: httpx.AsyncClient, rows: Rows) -> None:
    """Of 16 identical ones over two processes one starts; all others are told the same, or to ask again in a second."""
    for round_ in range(5):
        for path, body in ((TRIGGER, WELCOME), (BULK, {"events": [WELCOME]})):
            name, before = f"{round_} {path}", await events(rows.scope)
            asking = [(api if n % 2 else second).post(path, json=body, headers=key(name)) for n in range(16)]
            told = await asyncio.gather(*asking)
            assert before + 1 == await events(rows.scope)
            done = [each for each in told if each.status_code == 201]
            assert 1 == len({each.content for each in done})
            for each in told:
                if each not in done:
                    assert (409, "idempotency_key_in_use", "1") == (
                        each.status_code, each.json()["code"], each.headers["retry-after"]
                    )  # fmt: skip


async def test_others_of_the_same_moment_are_not_disturbed(api: httpx.AsyncClient, rows: Rows) -> None:
    """Triggers share a transaction; one whose key is taken takes no other with it."""
    first = await api.post(TRIGGER, json=WELCOME, headers=key("taken"))
    asking = [api.post(TRIGGER, json=WELCOME, headers=key(f"new {n}")) for n in range(10)]
    again, *others = await asyncio.gather(api.post(TRIGGER, json=WELCOME, headers=key("taken")), *asking)

    assert_replayed(first, again)
    assert [201] * 10 == [each.status_code for each in others]
    assert 11 == len({each.json()["transactionId"] for each in [first, *others]}) == await events(rows.scope)


async def test_what_failed_is_not_kept(api: httpx.AsyncClient, rows: Rows, checksum: Checksum) -> None:
    """Once the reason is gone the same request under the same key succeeds."""
    before = await checksum()
    for method, path, body in (
        ("POST", TRIGGER, {**WELCOME, "name": "later"}),
        ("POST", BULK, {"events": []}),
        ("PATCH", f"{SUBSCRIBERS}/bob", {"firstName": "Bob"}),
        ("POST", "/v1/integrations", {"providerId": "no-such"}),
    ):
        answer = await api.request(method, path, json=body, headers=key(path))
        assert answer.status_code in (404, 422), answer.text
    assert before == await checksum()

    await rows.workflow("later", steps=[{"id": "inbox", "kind": "in_app"}])
    await rows.subscriber("bob")
    assert 201 == (await api.post(TRIGGER, json={**WELCOME, "name": "later"}, headers=key(TRIGGER))).status_code
    path = f"{SUBSCRIBERS}/bob"
    assert 200 == (await api.patch(path, json={"firstName": "Bob"}, headers=key(path))).status_code


async def test_after_a_day_a_key_is_new(api: httpx.AsyncClient, rows: Rows, clock: VirtualClock) -> None:
    """24 hours minus a second gives the first answer; a second later it begins anew."""
    first = {
        TRIGGER: await api.post(TRIGGER, json=WELCOME, headers=key("t")),
        BULK: await api.post(BULK, json={"events": [WELCOME]}, headers=key("b")),
    }
    clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert_replayed(first[TRIGGER], await api.post(TRIGGER, json=WELCOME, headers=key("t")))
    assert_replayed(first[BULK], await api.post(BULK, json={"events": [WELCOME]}, headers=key("b")))
    assert 2 == await events(rows.scope)

    clock.advance(timedelta(seconds=1))
    for path, body, name in ((TRIGGER, WELCOME, "t"), (BULK, {"events": [WELCOME]}, "b")):
        anew = await api.post(path, json=body, headers=key(name))
        assert 201 == anew.status_code
        assert first[path].content != anew.content
        assert_replayed(anew, await api.post(path, json=body, headers=key(name)))
    assert 4 == await events(rows.scope)


async def test_a_key_means_nothing_in_another_environment(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """There it is a new one."""
    mine = await api.post(SUBSCRIBERS, json={"subscriberId": "ada"}, headers=key("one"))
    theirs = await other.post(SUBSCRIBERS, json={"subscriberId": "bob"}, headers=key("one"))

    assert (201, 201) == (mine.status_code, theirs.status_code)
    assert "idempotency-replay" not in theirs.headers


async def test_every_method_that_changes_something_is_kept(api: httpx.AsyncClient, rows: Rows) -> None:
    """POST, PUT, PATCH and DELETE, with and without a body in the answer."""
    await rows.subscriber("ada")
    address = "/v1/subscribers/ada/credentials"
    token = {"providerId": "fcm", "credentials": {"deviceTokens": ["t1"]}}
    for method, path, body in (
        ("POST", SUBSCRIBERS, {"subscriberId": "bob"}),
        ("PATCH", f"{SUBSCRIBERS}/ada", {"firstName": "Ada"}),
        ("PUT", address, token),
        ("DELETE", f"{address}/fcm", None),
        ("POST", f"{SUBSCRIBERS}/ada/notifications/read", {}),
        ("DELETE", f"{SUBSCRIBERS}/ada", None),
        ("POST", "/v1/integrations", {"providerId": "console-sms"}),
    ):
        first = await api.request(method, path, json=body, headers=key(f"{method} {path}"))
        assert first.is_success, first.text
        assert_replayed(first, await api.request(method, path, json=body, headers=key(f"{method} {path}")))
    assert 1 == len((await api.get("/v1/integrations")).json()["data"])


async def test_a_question_needs_no_key(api: httpx.AsyncClient, rows: Rows) -> None:
    """Novu's clients send one with every GET as well; nothing is kept."""
    await rows.subscriber("ada")
    for found in (1, 2):
        answer = await api.get(SUBSCRIBERS, headers=key("one"))
        assert (200, found) == (answer.status_code, len(answer.json()["data"]))
        await rows.subscriber("bob")


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_a_key_has_1_to_255_characters(api: httpx.AsyncClient, name: str) -> None:
    """Any other is refused before anything is done."""
    answer = await api.post(SUBSCRIBERS, json={"subscriberId": "ada"}, headers=key(name))

    assert (422, "invalid_input") == (answer.status_code, answer.json()["code"])
    assert [] == (await api.get(SUBSCRIBERS)).json()["data"]
    assert 201 == (await api.post(SUBSCRIBERS, json={"subscriberId": "ada"}, headers=key("x" * 255))).status_code


async def test_nobody_comes_in_by_a_key(api: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    """Who has no secret key is refused, and is not told what was answered."""
    await api.post(SUBSCRIBERS, json={"subscriberId": "ada"}, headers=key("one"))
    answer = await anonymous.post(SUBSCRIBERS, json={"subscriberId": "ada"}, headers=key("one"))

    assert 401 == answer.status_code
    assert "ada" not in answer.text


async def test_what_died_while_it_ran_is_free_after_five_minutes(
    api: httpx.AsyncClient, scope: Scope, clock: VirtualClock
) -> None:
    """Only what calls a provider takes its key in a commit of its own; until then it is told to ask again."""
    body = {"providerId": "console-sms"}
    seen = await api.post("/v1/integrations", json=body, headers=key("seen"))
    (row,) = await scope.database.fetch("select fingerprint from novukit_idempotency where key = 'seen'")
    assert 201 == seen.status_code
    assert await idempotency.claim(scope, "died", Kept(row["fingerprint"], None, "")) is None

    waiting = await api.post("/v1/integrations", json=body, headers=key("died"))
    assert (409, "1") == (waiting.status_code, waiting.headers["retry-after"])
    clock.advance(timedelta(minutes=5))
    assert 201 == (await api.post("/v1/integrations", json=body, headers=key("died"))).status_code


async def test_a_new_key_for_a_known_transaction_gives_its_own_answer_again(api: httpx.AsyncClient, rows: Rows) -> None:
    """The first under the new key says «duplicate», so its repetition does; another body under it is refused."""
    body = {**WELCOME, "transactionId": "tx"}
    await api.post(TRIGGER, json=body, headers=key("one"))
    told = await api.post(TRIGGER, json=body, headers=key("two"))

    assert told.json()["duplicate"]
    assert_replayed(told, await api.post(TRIGGER, json=body, headers=key("two")))
    assert 422 == (await api.post(TRIGGER, json=WELCOME, headers=key("two"))).status_code
    assert 1 == await events(rows.scope)


async def test_open_inboxes_are_told_after_the_commit(rows: Rows, runtime: Any, secret: str) -> None:
    """Whoever hears that counters changed reads the changed ones."""
    message = await rows.message("ada")
    told = asyncio.Queue[int]()

    async def publish(environment_id: Any, notices: Any) -> None:
        (who, _), *_ = notices
        told.put_nowait(await messages.count(runtime.scope(environment_id), who, InboxFilter(read=True)))

    path = f"{SUBSCRIBERS}/ada/notifications/{message.id}/read"
    async with client(create_asgi(replace(runtime, publish=publish)), f"ApiKey {secret}") as api:
        assert 200 == (await api.patch(path, headers=key("one"))).status_code
        assert 1 == await asyncio.wait_for(told.get(), 10)
        assert "true" == (await api.patch(path, headers=key("one"))).headers["idempotency-replay"]
    assert told.empty()


async def test_files_are_kept_as_well(api: httpx.AsyncClient) -> None:
    """A form that is sent again has another boundary, and is the same."""
    files = {"file": ("de_DE.json", b'{"workflows": {}, "layouts": {}}')}
    first, again = [
        await api.post("/v2/translations/master-json/upload", files=files, headers=key("one")) for _ in range(2)
    ]
    assert 200 == first.status_code, first.text
    assert_replayed(first, again)


async def test_a_fault_that_keeps_no_answer_is_found(
    api: httpx.AsyncClient, second: httpx.AsyncClient, rows: Rows, checksum: Checksum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: an event is accepted without its receipt."""
    writing = idempotency.writing
    monkeypatch.setattr(idempotency, "writing", lambda database, receipts: (writing(database, receipts)[0], []))
    with pytest.raises((AssertionError, KeyError)):
        await test_a_trigger_that_comes_again_starts_nothing(api, second, rows, TRIGGER, checksum)


async def test_a_fault_that_takes_any_body_for_the_same_is_found(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: whatever comes under a key is the same request."""

    async def alike(request: object) -> str:
        return "alike"

    monkeypatch.setattr("novukit.bridge.idempotency._fingerprint", alike)
    with pytest.raises((AssertionError, KeyError)):
        await test_another_request_under_the_same_key_is_refused(api, rows, checksum)
