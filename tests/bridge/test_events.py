"""Triggers over HTTP: every form of a recipient, one answer for each event, and all that is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import Environment, WorkflowSpec
from novukit.store import Scope, history, subscribers, workflows

from ..rows import Rows
from .bad_triggers import BAD
from .conftest import Checksum
from .ringing import Ringing

pytestmark = pytest.mark.anyio

PATH = "/v1/events/trigger"
SCHEMA = {
    "type": "object",
    "properties": {
        "orderId": {"type": "string"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "at": {"type": "string", "format": "date-time"},
    },
    "required": ["orderId"],
    "additionalProperties": False,
}
STEPS = [{"id": "inbox", "kind": "in_app"}, {"id": "mail", "kind": "email"}]


@pytest.fixture
def runtime(runtime: Any) -> Ringing:
    """The runtime with a bell."""
    return Ringing.over(runtime)


@pytest.fixture
async def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development, with a workflow that takes any payload and one that does not."""
    rows = Rows(scope, development.organization_id)
    await rows.workflow("welcome", steps=STEPS)
    await rows.workflow("order", steps=STEPS, payload_schema=SCHEMA)
    return rows


async def _trigger(api: httpx.AsyncClient, to: Any = "ada", name: str = "welcome", **more: Any) -> dict[str, Any]:
    answer = await api.post(PATH, json={"name": name, "to": to, **more})
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def _who(rows: Rows, transaction_id: str) -> set[str]:
    """For whom a transaction has executions."""
    return {e.subscriber_id for e in (await history.executions(rows.scope, transaction_id=transaction_id)).data}


async def test_the_answer_stands_in_the_envelope_and_beside_it(
    api: httpx.AsyncClient, rows: Rows, runtime: Ringing
) -> None:
    """201 in both shapes, and the bell is rung."""
    answer = await _trigger(api, transactionId="tx", payload={"n": 1})
    inner = answer.pop("data")
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert inner == answer
    assert {
        "acknowledged": True, "status": "processed", "transactionId": "tx", "eventId": str(event.id),
        "executions": 1, "duplicate": False,
    } == inner  # fmt: skip
    assert {"n": 1} == event.payload
    assert [rows.scope.environment_id] == runtime.rung


async def test_a_transaction_id_is_made_when_none_is_given(api: httpx.AsyncClient, rows: Rows) -> None:
    """And the event is found under it."""
    answer = await _trigger(api)
    assert None is not await history.event(rows.scope, answer["transactionId"])


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("ada", {"ada"}),
        (["ada", "bob"], {"ada", "bob"}),
        ({"subscriberId": "ada"}, {"ada"}),
        ({"type": "Subscriber", "subscriberId": "ada"}, {"ada"}),
        ([{"subscriberId": "ada", "firstName": "Ada"}, "bob", "ada"], {"ada", "bob"}),
        (["a:b,c@d+e f"], {"a:b,c@d+e f"}),
        ([f"s{n}" for n in range(100)], {f"s{n}" for n in range(100)}),
    ],
)
async def test_every_form_of_a_subscriber(api: httpx.AsyncClient, rows: Rows, to: Any, expected: set[str]) -> None:
    """One execution for each of them, however often and in whatever form they are named."""
    answer = await _trigger(api, to, transactionId="tx")
    page = await history.matching_ids(rows.scope, history.ExecutionFilter(transaction_id="tx"))
    assert len(expected) == len(page) == answer["executions"]
    if len(expected) < 10:
        assert expected == await _who(rows, "tx")


async def test_a_topic_is_expanded_later(api: httpx.AsyncClient, rows: Rows) -> None:
    """With those to be left out; nobody has an execution yet."""
    await api.post("/v2/topics/news/subscriptions", json={"subscriberIds": ["ada", "bob"]})
    answer = await _trigger(api, {"type": "Topic", "topicKey": "news", "exclude": ["bob"]}, transactionId="tx")
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert (0, "expanding") == (answer["executions"], event.status)
    (row,) = await rows.scope.database.fetch("select recipients from novukit_event where id = $1", event.id)
    assert "bob" in row["recipients"]


async def test_an_inline_profile_is_kept(api: httpx.AsyncClient, rows: Rows) -> None:
    """What is told of a recipient and of the actor is stored; what is not told stays as it was."""
    await rows.subscriber("ada", last_name="Lovelace")
    person = {
        "subscriberId": "ada", "firstName": "Ada", "email": "ada@example.org", "phone": "+4915112345678",
        "locale": "en-GB", "timezone": "Europe/Berlin", "data": {"plan": "pro"}, "lastName": None,
    }  # fmt: skip
    await _trigger(api, person, actor={"subscriberId": "bob", "firstName": "Bob"}, transactionId="tx")
    ada, bob = await subscribers.get(rows.scope, "ada"), await subscribers.get(rows.scope, "bob")
    assert ada is not None
    assert bob is not None
    assert ("Ada", "Lovelace", "ada@example.org", "Europe/Berlin", {"plan": "pro"}) == (
        ada.first_name, ada.last_name, ada.email, ada.timezone, ada.data,
    )  # fmt: skip
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert ("Bob", {"subscriber_id": "bob", "first_name": "Bob"}) == (bob.first_name, event.actor)
    assert {"ada"} == await _who(rows, "tx")


async def test_inline_addresses_are_kept(api: httpx.AsyncClient, rows: Rows) -> None:
    """Device tokens and webhooks that come with a recipient are there when the execution looks for them."""
    channels = [
        {"providerId": "fcm", "credentials": {"deviceTokens": ["t1"]}},
        {"providerId": "slack", "integrationIdentifier": "slack-1", "credentials": {"webhookUrl": "https://x.example"}},
    ]
    await _trigger(api, {"subscriberId": "ada", "channels": channels})
    ada = await subscribers.get(rows.scope, "ada")
    assert ada is not None
    assert [("fcm", ("t1",), None), ("slack", (), "https://x.example")] == [
        (address.provider_id, address.device_tokens, address.webhook_url) for address in ada.addresses
    ]


@pytest.mark.parametrize(
    ("tenant", "kept"),
    [
        ("acme", {"identifier": "acme"}),
        ({"identifier": "acme", "name": "A", "data": {}}, {"identifier": "acme", "name": "A", "data": {}}),
    ],
)
async def test_a_tenant_is_kept(api: httpx.AsyncClient, rows: Rows, tenant: Any, kept: dict[str, Any]) -> None:
    """By name or as an object."""
    await _trigger(api, tenant=tenant, transactionId="tx")
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert kept == event.tenant


async def test_the_same_again_begins_nothing(api: httpx.AsyncClient, rows: Rows) -> None:
    """A repeated transaction id is answered as the first was; with another body it is refused."""
    first = await _trigger(api, transactionId="tx", payload={"n": 1})
    again = await _trigger(api, {"subscriberId": "ada"}, transactionId="tx", payload={"n": 1})
    assert {**first, "duplicate": True, "data": {**first["data"], "duplicate": True}} == again
    answer = await api.post(PATH, json={"name": "welcome", "to": "ada", "transactionId": "tx", "payload": {"n": 2}})
    assert (422, "transaction_id_reused") == (answer.status_code, answer.json()["code"])
    assert 1 == len(await history.matching_ids(rows.scope, history.ExecutionFilter()))


@pytest.mark.parametrize("kind", ["inactive", "empty"])
async def test_what_begins_nothing_is_acknowledged(api: httpx.AsyncClient, rows: Rows, kind: str) -> None:
    """A workflow that is switched off, or has no steps: 201, said so, without a transaction id."""
    await workflows.apply(rows.scope, create=[WorkflowSpec(id="empty", name="Empty")])
    await workflows.set_active(rows.scope, "welcome", False)
    name, status = ("welcome", "trigger_not_active") if kind == "inactive" else ("empty", "no_workflow_steps_defined")
    answer = await _trigger(api, {"subscriberId": "ada", "channels": []}, name=name)
    assert (True, status) == (answer["acknowledged"], answer["status"])
    assert "transactionId" not in answer
    assert None is await subscribers.get(rows.scope, "ada")


async def test_strange_keys_in_a_payload_are_plain_data(api: httpx.AsyncClient, rows: Rows) -> None:
    """They come back as they were."""
    payload = {"__proto__": {"a": 1}, "__class__": "x", "constructor": None, "": "", "a.b": [1.5, True], "ü": "\u2028"}
    await _trigger(api, payload=payload, transactionId="tx")
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert payload == event.payload


async def test_an_unknown_workflow_is_422_with_the_closest(api: httpx.AsyncClient, rows: Rows) -> None:
    """`workflow_not_found`, did you mean, and no key that an SDK misses."""
    answer = await api.post(PATH, json={"name": "welcom", "to": "ada"})
    body = answer.json()
    assert (422, "workflow_not_found", "Did you mean 'welcome'?") == (answer.status_code, body["code"], body["hint"])
    assert {"name": {"messages": ["is not a workflow of this environment"]}} == body["errors"]


async def test_an_environment_without_workflows_says_to_sync(other: httpx.AsyncClient, rows: Rows) -> None:
    """The other environment knows none of ours."""
    answer = await other.post(PATH, json={"name": "welcome", "to": "ada"})
    assert (422, "workflow_not_found") == (answer.status_code, answer.json()["code"])
    assert "novukit sync" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "/payload/orderId"),
        ({"orderId": 7}, "/payload/orderId"),
        ({"orderId": "7", "items": [{}, {}, {}, {"price": "x"}]}, "/payload/items/3/price"),
        ({"orderId": "7", "extra": 1}, "/payload/extra"),
        ({"orderId": "7", "at": "2026-13-45"}, "/payload/at"),
    ],
)
async def test_a_payload_that_does_not_fit_is_400(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum, payload: dict[str, Any], field: str
) -> None:
    """PAYLOAD_VALIDATION_ERROR with each field, and nothing stored, not even a recipient's address."""
    before = await checksum()
    to = {"subscriberId": "ada", "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": ["t"]}}]}
    answer = await api.post(PATH, json={"name": "order", "to": to, "payload": payload})
    body = answer.json()
    assert (400, "PAYLOAD_VALIDATION_ERROR") == (answer.status_code, body["type"]), answer.text
    assert [field] == [one["field"] for one in body["errors"]]
    assert before == await checksum()


@pytest.mark.parametrize(("change", "path"), BAD, ids=[f"{n}-{path}" for n, (_, path) in enumerate(BAD)])
async def test_bad_input_is_refused(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum, change: dict[str, Any], path: str
) -> None:
    """422 with the pointer of what is wrong; nothing is stored."""
    before = await checksum()
    answer = await api.post(PATH, json={"name": "welcome", "to": "ada"} | change)
    assert 422 == answer.status_code, answer.text
    body = answer.json()
    assert path in [one["path"] for one in body["details"]], body
    assert isinstance(body["errors"], dict)
    assert before == await checksum()


async def test_all_that_is_wrong_is_told_at_once(api: httpx.AsyncClient, rows: Rows) -> None:
    """Independent mistakes do not hide each other."""
    to = [{"subscriberId": "ada", "email": "x"}, "", "bob"]
    answer = await api.post(PATH, json={"name": "welcome", "to": to, "bridgeUrl": "x", "overrides": {"emial": {}}})
    paths = [one["path"] for one in answer.json()["details"]]
    assert ["/to/0/email", "/to/1", "/bridgeUrl", "/overrides/emial"] == paths


async def test_good_overrides_are_kept(api: httpx.AsyncClient, rows: Rows) -> None:
    """As they were sent; what is not known of a channel is for its provider."""
    overrides = {
        "email": {"from": "us@example.org", "subject": "S", "headers": {"X-A": "b"}, "ipPoolName": "p"},
        "providers": {"sendgrid": {"templateId": "t"}}, "steps": {"mail": {"providers": {"smtp": {"a": 1}}}},
        "channels": {"email": {"layoutId": "l"}}, "severity": "high",
    }  # fmt: skip
    await _trigger(api, overrides=overrides, transactionId="tx")
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert overrides == event.overrides


async def test_a_large_payload_is_413(api: httpx.AsyncClient, rows: Rows, checksum: Checksum) -> None:
    """512 KB are taken; a byte more is not, and the message says what to do."""
    room = 512 * 1024 - len('{"a":""}')
    await _trigger(api, payload={"a": "x" * room}, transactionId="tx")
    before = await checksum()
    answer = await api.post(PATH, json={"name": "welcome", "to": "ada", "payload": {"a": "x" * (room + 1)}})
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])
    assert "524,288" in answer.json()["message"]
    assert before == await checksum()


async def test_bulk_answers_each_event(api: httpx.AsyncClient, rows: Rows) -> None:
    """In order; one that fails says why and does not stop the others."""
    events: list[Any] = [
        {"name": "welcome", "to": "ada", "transactionId": "tx-1"},
        {"name": "welcom", "to": "ada"},
        {"name": "order", "to": "ada", "payload": {}},
        {"name": "welcome", "to": "", "payload": None},
        "nonsense",
        {"name": "welcome", "to": "bob", "transactionId": "tx-2"},
    ]
    answer = await api.post(f"{PATH}/bulk", json={"events": events})
    assert 201 == answer.status_code, answer.text
    results = answer.json()["data"]
    assert ["processed", "error", "error", "error", "error", "processed"] == [one["status"] for one in results]
    assert all(one["acknowledged"] for one in results)
    assert ["tx-1", "tx-2"] == [results[n]["transactionId"] for n in (0, 5)]
    assert ["There is no workflow 'welcom' in this environment. Did you mean 'welcome'?"] == results[1]["error"]
    assert "/payload" in results[2]["error"][0]
    assert "/payload" in results[3]["error"][0]
    assert 2 == len(await history.matching_ids(rows.scope, history.ExecutionFilter()))


@pytest.mark.parametrize(
    "body",
    [
        {"events": []},
        {"events": [{"name": "welcome", "to": "ada"}] * 101},
        {},
        {"events": {}},
        {"events": [{"name": "welcome", "to": "ada", "transactionId": "tx"}] * 2},
    ],
)
async def test_a_bad_bulk_is_refused(
    api: httpx.AsyncClient, rows: Rows, checksum: Checksum, body: dict[str, Any]
) -> None:
    """1 to 100 events, and no transaction id twice; nothing is stored."""
    before = await checksum()
    answer = await api.post(f"{PATH}/bulk", json=body)
    assert 422 == answer.status_code, answer.text
    assert before == await checksum()


async def test_broadcast(api: httpx.AsyncClient, rows: Rows) -> None:
    """To everyone, later; recipients are not named."""
    await rows.subscriber("ada")
    answer = await api.post(f"{PATH}/broadcast", json={"name": "welcome", "payload": {}, "transactionId": "tx"})
    assert (201, "processed") == (answer.status_code, answer.json()["data"]["status"])
    event = await history.event(rows.scope, "tx")
    assert event is not None
    assert "expanding" == event.status
    named = await api.post(f"{PATH}/broadcast", json={"name": "welcome", "to": "ada"})
    assert 422 == named.status_code


async def test_cancel(api: httpx.AsyncClient, rows: Rows) -> None:
    """True once, when something was to be cancelled; false for what is unknown or over."""
    await _trigger(api, transactionId="tx")
    for expected in (True, False):
        answer = await api.delete(f"{PATH}/tx")
        assert (200, {"data": expected}) == (answer.status_code, answer.json())
    assert {"data": False} == (await api.delete(f"{PATH}/unknown")).json()
    (execution,) = (await history.executions(rows.scope, transaction_id="tx")).data
    assert "cancelled" == execution.status


async def test_the_other_environment_cancels_nothing_of_ours(
    api: httpx.AsyncClient, other: httpx.AsyncClient, rows: Rows
) -> None:
    """Transaction ids are each environment's own."""
    await _trigger(api, transactionId="tx")
    assert {"data": False} == (await other.delete(f"{PATH}/tx")).json()
    (execution,) = (await history.executions(rows.scope, transaction_id="tx")).data
    assert "pending" == execution.status


@pytest.mark.parametrize("path", [PATH, f"{PATH}/bulk", f"{PATH}/broadcast"])
async def test_a_400_on_a_trigger_route_has_the_keys_that_the_sdks_need(api: httpx.AsyncClient, path: str) -> None:
    """``type`` and ``errors`` on each."""
    answer = await api.post(path, content=b"{", headers={"Content-Type": "application/json"})
    body = answer.json()
    assert (400, "malformed_body") == (answer.status_code, body["type"])
    assert isinstance(body["errors"], list)
