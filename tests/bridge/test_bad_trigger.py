"""Bad triggers: each is refused in plain words that say where, and begins nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .bad_input import Row, check
from .whole import Whole, whole

pytestmark = pytest.mark.anyio

PATH = "/v1/events/trigger"
BULK = f"{PATH}/bulk"
LONG = "x" * 256


def row(id: str, change: dict[str, Any], *says: str, at: str = "", code: str = "invalid_input", **more: Any) -> Row:
    """A trigger of ``welcome`` for ada with a change."""
    status = more.pop("status", 422)
    body = {"name": "welcome", "to": "ada", **change}
    return Row(id, status, code, says, path=PATH, json=body, pointers=(at,) if at else (), **more)


def unfit(id: str, payload: Any, at: str, *says: str, detail: str) -> Row:
    """A payload that does not fit the schema of ``order``."""
    more: dict[str, Any] = {"at": at, "code": "payload_invalid", "status": 400, "details": (detail,)}
    return row(id, {"name": "order", "payload": payload}, "'order'", *says, **more)


def to(id: str, value: Any, *says: str, at: str = "/to", detail: str = "") -> Row:
    """A recipient that cannot be."""
    return row(id, {"to": value}, *says, at=at, details=(detail,) if detail else ())


def person(id: str, at: str, value: Any, *says: str) -> Row:
    """A recipient whose profile has a field that cannot be."""
    return to(id, {"subscriberId": "bob", at: value}, *says, at=f"/to/{at}")


def bulk(id: str, body: Any, *says: str, at: str, detail: str) -> Row:
    """A bulk that is refused as a whole."""
    return Row(id, 422, "invalid_input", says, path=BULK, json=body, pointers=(at,), details=(detail,))


FORM = "may hold letters, digits and _ . - only"
BLANKS = "must not hold /, % or control characters"
PLUS = "such as +4915112345678"
ITEM = {"name": "a", "price": 1}

NAMES = [
    row("TR1", {"name": "welcom"}, "no workflow 'welcom'", "Did you mean 'welcome'?", at="/name",
        code="workflow_not_found", details=("unknown_workflow",)),
    row("TR1 far", {"name": "xyzzy"}, "Known: order, security, welcome", at="/name", code="workflow_not_found"),
    row("TR2", {"name": "fresh"}, "in the code but not in this environment", "novukit sync", at="/name",
        code="workflow_not_found"),
    row("TR4 empty", {"name": ""}, "must not be empty", at="/name", details=("empty",)),
    row("TR4 long", {"name": "x" * 300}, "at most 100 characters", at="/name", details=("too_long",)),
    row("TR4 slash", {"name": "a/b"}, FORM, at="/name", details=("bad_format",), never=("A-Za-z",)),
    row("TR4 emoji", {"name": "\U0001f600"}, FORM, at="/name"),
    row("TR4 number", {"name": 5}, "expected text, got 5", at="/name"),
    row("TR4 Novu's word", {"workflowId": "welcome"}, "Did you mean 'name'?", at="/workflowId",
        details=("unknown_field",)),
    row("TR4 other case", {"To": "ada"}, "Did you mean 'to'?", at="/To"),
    row("TR4 snake case", {"transaction_id": "a"}, "Did you mean 'transactionId'?", at="/transaction_id"),
    row("several", {"bridgeUrl": "x", "context": 1, "to": ""}, "/to: must not be empty, and 2 more", at="/context"),
]  # fmt: skip

PAYLOADS = [
    unfit("TR5", {}, "/payload/orderId", "/payload/orderId: is required.", '"#/required"', detail="required"),
    unfit("TR5 in a list", {"orderId": "A7", "items": [{"price": 1}]}, "/payload/items/0/name", "is required",
          "#/$defs/item/required", detail="required"),
    unfit("TR6", {"orderId": "A7", "items": [ITEM, ITEM, ITEM, {"name": "a", "price": "x"}]},
          "/payload/items/3/price", "expected a number, got text", "#/$defs/item/properties/price/type",
          detail="wrong_type"),
    unfit("TR6 null", {"orderId": None}, "/payload/orderId", "expected text, got null", detail="wrong_type"),
    unfit("TR6 fraction", {"orderId": "A7", "count": 1.5}, "/payload/count", "expected a whole number, got 1.5",
          detail="wrong_type"),
    unfit("TR6 alternatives", {"orderId": "A7", "note": []}, "/payload/note", "expected text or null, got a list",
          detail="wrong_type"),
    unfit("TR6 nearest form", {"orderId": "A7", "price": {"name": "a"}}, "/payload/price/price", "is required",
          detail="required"),
    unfit("TR7", {"orderId": "A7", "itms": []}, "/payload/itms", "is not a known field", "Did you mean 'items'?",
          detail="unknown_field"),
    unfit("TR7 pointer", {"orderId": "A7", "a/b~c": 1}, "/payload/a~1b~0c", "Known: at, count,",
          detail="unknown_field"),
    unfit("TR11", {"orderId": "A7", "at": "2026-13-45"}, "/payload/at", "such as 2026-01-31T09:00:00Z",
          detail="bad_format"),
    unfit("range", {"orderId": "A7", "count": 99}, "/payload/count", "must be at most 10, not 99",
          "#/properties/count/maximum", detail="out_of_range"),
    unfit("enum", {"orderId": "A7", "size": "xxl"}, "/payload/size", r'must be one of \"s\", \"m\", \"l\"',
          detail="not_allowed"),
    unfit("short", {"orderId": "A"}, "/payload/orderId", "at least 2 characters, not 1", detail="too_short"),
    unfit("many", {"orderId": "A7", "items": [ITEM] * 6}, "/payload/items", "at most 5 items, not 6",
          detail="too_long"),
    unfit("control characters", {"orderId": "a\x1b[31m"}, "/payload/orderId", "must match", detail="bad_format"),
    row("a long value is cut", {"name": "order", "payload": {"orderId": "z" * 3000}}, "z" * 60, code="payload_invalid",
        status=400, never=("z" * 65, "\x1b")),
    row("all at once", {"name": "order", "payload": {"count": 0, "size": 1, "x": 1}}, "and 4 more",
        at="/payload/x", code="payload_invalid", status=400),
    *(row(f"TR8 {value!r}", {"payload": value}, "expected an object", at="/payload", details=("wrong_type",))
      for value in (None, [], "x", 5)),
    row("TR9", {"payload": {"x": "y" * 513 * 1024}}, "524,288 is the limit", "pass a link", at="/payload",
        code="too_large", status=413),
    Row("TR9 21 MB", 413, "too_large", ("20,000,000 bytes",), path=PATH, body=b" " * 20_000_001),
]  # fmt: skip

RECIPIENTS = [
    Row("TR12 missing", 422, "invalid_input", ("is required",), path=PATH, json={"name": "welcome"}, pointers=("/to",)),
    to("TR12 empty", "", "must not be empty", detail="empty"),
    to("TR12 none", [], "1 to 100 recipients, not 0", detail="empty"),
    to("TR12 number", 5, "a subscriber id or an object, got 5", detail="wrong_type"),
    to("TR12 null in a list", ["ada", None], "got null", at="/to/1"),
    to("TR12 object", {}, "is required", at="/to/subscriberId", detail="required"),
    to("TR13", [f"s{n}" for n in range(101)], "not 101", "Use a topic, or several events", detail="too_long"),
    to("TR16 NUL", "a\x00b", "NUL character", detail="nul_character"),
    to("TR16 control", "a\x01b", BLANKS),
    to("TR16 10 KB", "x" * 10_240, "at most 255 characters"),
    to("TR16 blank", " a", "nor begin or end with a blank"),
    to("TR16 slash", "a/b", BLANKS),
    person("TR19 half", "email", "a@", "after the @-sign"),
    person("TR19 twice", "email", "a@b@c", "@-sign"),
    person("TR19 quoted", "email", '"a b"@x.example', "not allowed"),
    person("TR19 header", "email", "a@b.example\r\nBcc: c@d.example", "invalid characters"),
    person("TR19 long", "email", "x" * 310 + "@example.com", "at most 320 characters"),
    *(person(f"TR20 {value}", "phone", value, PLUS) for value in ("123", "+00", "+1 (555)", "abc")),
    to("TR21", {"topicKey": "newz"}, "no topic 'newz'", "Did you mean 'news'?", at="/to/topicKey",
       detail="unknown_topic"),
    to("TR21 in a list", ["bob", {"topicKey": "newz"}], "no topic 'newz'", at="/to/1/topicKey"),
    to("TR21 with an address",
       [{"subscriberId": "bob", "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": ["t"]}}]},
        {"topicKey": "newz"}], "no topic", at="/to/1/topicKey"),
    to("TR23", {"type": "topic", "topicKey": "news"}, "Did you mean 'Topic'?", at="/to/type"),
    to("provider", {"subscriberId": "bob", "channels": [{"providerId": "fmc", "credentials": {}}]},
       "Did you mean 'fcm'?", at="/to/channels/0/providerId", detail="unknown_provider"),
]  # fmt: skip

REST = [
    row("TR25", {"transactionId": "taken", "payload": {"n": 1}}, "used before with another body", "new transactionId",
        at="/transactionId", code="transaction_id_reused"),
    row("TR25 with a new recipient", {"transactionId": "taken", "to": "zoe"}, "used before", at="/transactionId",
        code="transaction_id_reused"),
    row("TR27 empty", {"transactionId": ""}, "must not be empty", at="/transactionId"),
    row("TR27 long", {"transactionId": LONG}, "at most 255 characters", at="/transactionId"),
    row("TR27 not ASCII", {"transactionId": "tö"}, "ASCII letters", at="/transactionId", never=("x21",)),
    row("TR29", {"overrides": {"sms": {"content": "x"}}}, "no sms step", "mail (email), inbox (in_app)",
        at="/overrides/sms", details=("unknown_channel",)),
    row("TR29 step", {"overrides": {"steps": {"mial": {}}}}, "Did you mean 'mail'?", at="/overrides/steps/mial"),
    row("TR30", {"overrides": {"email": {"from": "a@b.example\r\nBcc: c@d.example"}}}, "invalid characters",
        at="/overrides/email/from"),
    row("TR30 subject", {"overrides": {"email": {"subject": "a\r\nb"}}}, "must not hold a line break",
        at="/overrides/email/subject"),
    row("TR30 header", {"overrides": {"email": {"headers": {"a:b": "c"}}}}, "name of a header",
        at="/overrides/email/headers/a:b"),
    bulk("TR31 none", {"events": []}, "must not be empty", at="/events", detail="empty"),
    bulk("TR31 101", {"events": [{}] * 101}, "at most 100 items, not 101", at="/events", detail="too_long"),
    bulk("TR31 missing", {"evnts": []}, "is required", "Did you mean 'events'?", at="/evnts", detail="unknown_field"),
    bulk("TR33", {"events": [{"name": "welcome", "to": "ada", "transactionId": "q"}] * 2}, "event 0",
         "Give each event its own", at="/events/1/transactionId", detail="repeated_transaction_id"),
    Row("broadcast to", 422, "invalid_input", ("goes to every subscriber", PATH), path=f"{PATH}/broadcast",
        json={"name": "welcome", "to": "ada"}, pointers=("/to",)),
    Row("broadcast payload", 400, "payload_invalid", ("is required",), path=f"{PATH}/broadcast",
        json={"name": "order"}, pointers=("/payload/orderId",)),
    row("TR37 tenant", {"tenant": 5}, "identifier of a tenant or an object, got 5", at="/tenant"),
    row("TR37 tenant without a name", {"tenant": {}}, "is required", at="/tenant/identifier"),
    row("TR37 actor", {"actor": []}, "got a list", at="/actor"),
    Row("TR40", 422, "invalid_input", ("not a known parameter",), path=f"{PATH}?validate=true",
        json={"name": "welcom", "to": "ada"}, details=("unknown_parameter",)),
]  # fmt: skip


@pytest.fixture(scope="module")
async def novukit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """A whole novukit for all rows."""
    async with whole(tmp_path_factory.mktemp("whole")) as built:
        yield built


@pytest.mark.parametrize("row", [*NAMES, *PAYLOADS, *RECIPIENTS, *REST], ids=lambda row: row.id)
async def test_a_bad_trigger_is_refused_in_plain_words(row: Row, novukit: Whole) -> None:
    """Status, code, pointer and words are as the table says, and the database is as before."""
    await check(row, novukit.api, novukit.checksum)


async def test_what_is_missing_in_production_says_to_sync(novukit: Whole) -> None:
    """TR2: what is synced to Development only."""
    answer = await novukit.other.post(PATH, json={"name": "welcome", "to": "ada"})

    assert (422, "workflow_not_found") == (answer.status_code, answer.json()["code"])
    assert "novukit sync" in answer.json()["hint"]


async def test_a_bulk_tells_of_each_event_that_is_wrong(novukit: Whole) -> None:
    """TR32: in its place, in sentences; nothing begins for it."""
    before = await novukit.checksum()
    wrong: list[tuple[Any, str]] = [
        ({"name": "welcom", "to": "ada"}, "Did you mean 'welcome'?"),
        ({"name": "order", "to": "ada"}, "/payload/orderId: is required"),
        (5, "expected an object, got 5"),
        ({"name": "welcome", "to": {"topicKey": "newz"}}, "/to/topicKey: there is no topic 'newz'"),
        ({"workflow": "welcome", "to": "ada"}, "Did you mean 'name'?"),
    ]
    answer = await novukit.api.post(BULK, json={"events": [event for event, _ in wrong]})

    assert 201 == answer.status_code
    for (_, words), told in zip(wrong, answer.json()["data"], strict=True):
        assert "error" == told["status"]
        assert words in json.dumps(told["error"])
    assert before == await novukit.checksum()


async def test_what_cannot_be_cancelled_says_so(novukit: Whole) -> None:
    """TR34: as Novu answers it, false and no error."""
    for name in ("nope", "x" * 400):
        answer = await novukit.api.delete(f"{PATH}/{name}")
        assert (200, {"data": False}) == (answer.status_code, answer.json())


async def test_one_transaction_id_at_once_begins_one(tmp_path: Path, database_url: str, anyio_backend: str) -> None:
    """TR26: sixteen callers with the same body; one begins it, the others are told that it was begun."""
    async with whole(tmp_path, database_url) as built:
        body = {"name": "welcome", "to": ["ada", "zoe"], "transactionId": "once"}
        answers = await asyncio.gather(*(built.api.post(PATH, json=body) for _ in range(16)))

        assert {201} == {answer.status_code for answer in answers}
        assert 1 == sum(not answer.json()["duplicate"] for answer in answers)
        rows = await built.app.database.fetch("select count(*) as n from novukit_execution")
        assert 3 == rows[0]["n"]  # two, and the one of the transaction that was there


async def test_strange_keys_are_plain_data(novukit: Whole) -> None:
    """TR10, TR14: taken as they are; a subscriber who is named twice has one execution."""
    payload = {"__proto__": 1, "__class__": "x", "constructor": None, "": "", "a.b": []}
    answer = await novukit.api.post(PATH, json={"name": "welcome", "to": ["ada", "ada"], "payload": payload})

    assert (201, 1) == (answer.status_code, answer.json()["executions"])
