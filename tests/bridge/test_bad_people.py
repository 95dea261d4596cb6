"""Bad subscribers, topics, preferences, credentials and lists: each is refused in plain words, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from .bad_input import Row, check
from .whole import Whole, whole

pytestmark = pytest.mark.anyio

ALL = "/v2/subscribers"
ADA = f"{ALL}/ada"
MANY = "/v1/subscribers/bulk"
PREFERENCES = f"{ADA}/preferences"
CREDENTIALS = "/v1/subscribers/ada/credentials"
TOPICS = "/v2/topics"
MEMBERS = f"{TOPICS}/news/subscriptions"
INBOX = f"{ADA}/notifications"
NOBODY = "01890000-0000-7000-8000-000000000000"


def deep(levels: int) -> dict[str, Any]:
    """An object within objects."""
    return {"a": deep(levels - 1)} if levels > 1 else {}


def change(id: str, body: Any, at: str, *says: str, path: str = ADA, method: str = "PATCH", detail: str = "") -> Row:
    """A change of ada, or of what belongs to her, that cannot be."""
    details = (detail,) if detail else ()
    return Row(id, 422, "invalid_input", says, path=path, method=method, json=body, pointers=(at,), details=details)


def query(id: str, asked: str, at: str, *says: str, path: str = ALL, detail: str) -> Row:
    """A list that cannot be asked for like this."""
    return Row(id, 422, "invalid_input", says, path=f"{path}?{asked}", method="GET", pointers=(at,), details=(detail,))


def gone(id: str, path: str, *says: str, method: str = "GET", body: Any = None) -> Row:
    """Something that is not there."""
    more = {} if body is None else {"json": body}
    return Row(id, 404, "not_found", says, path=path, method=method, **more)


LOCALE, ZONE = "must be a locale such as en, en-US", "is not an IANA time zone"

SUBSCRIBERS = [
    change("B1 id", {"subscriberId": "x"}, "/subscriberId", "not a known field", detail="unknown_field"),
    *(change(f"B2 {tag[:9]}", {"locale": tag}, "/locale", LOCALE) for tag in ("xx-YY-zz", "e", "", "en US")),
    change("B2 5 KB", {"locale": "x" * 5000}, "/locale", "at most 35 characters", detail="too_long"),
    change("B3 far", {"timezone": "Mars/Olympus"}, "/timezone", ZONE, "Europe/Berlin", detail="unknown_time_zone"),
    change("B3 offset", {"timezone": "UTC+5"}, "/timezone", ZONE),
    change("B3 case", {"timezone": "europe/berlin"}, "/timezone", ZONE, "did you mean 'Europe/Berlin'?"),
    change("B3 folder", {"timezone": "Europe"}, "/timezone", ZONE),
    change("B3 path", {"timezone": "../../etc/passwd"}, "/timezone", ZONE),
    change("B3 empty", {"timezone": ""}, "/timezone", ZONE),
    change("B3 NUL", {"timezone": "a\x00b"}, "/timezone", "NUL character", detail="nul_character"),
    change("B3 5 KB", {"timezone": "x" * 5000}, "/timezone", "at most 64 characters"),
    change("B4 65 KB", {"data": {"x": "y" * 66_000}}, "/data", "at most 64 KB", detail="too_large"),
    change("B4 deep", {"data": deep(20)}, "/data", "at most 16 deep, not 20", detail="too_deep"),
    change("B4 list", {"data": []}, "/data", "expected an object, got a list"),
    Row("B5", 412, "precondition_failed", ("Get it again",), path=ADA, method="PATCH", json={"firstName": "A"},
        headers={"If-Match": '"1"'}),
    change("B6 flag", {"subscriberId": "ada"}, "/failIfExists", "true or false", method="POST",
           path=f"{ALL}?failIfExists=yes"),
    change("B7", {"subscribers": [{"subscriberId": "x"}] * 501}, "/subscribers", "at most 500 items, not 501",
           path=MANY, method="POST"),
    change("nothing", {}, "/subscriberId", "is required", path=ALL, method="POST", detail="required"),
    change("misspelt", {"subscriber_id": "x"}, "/subscriber_id", "Did you mean 'subscriberId'?", path=ALL,
           method="POST", detail="unknown_field"),
    change("e-mail", {"subscriberId": "x", "email": "ada(at)example.org"}, "/email", "@-sign", path=ALL, method="POST"),
    change("flag", {"isOnline": "yes"}, "/isOnline", "true or false, got text",
           path="/v1/subscribers/ada/online-status"),
    gone("not there", f"{ALL}/adaa", "no subscriber 'adaa'"),
    gone("not there to change", f"{ALL}/adaa", "no subscriber 'adaa'", method="PATCH", body={"firstName": "A"}),
    gone("H27 NUL", f"{ALL}/%00"),
    gone("H27 not UTF-8", f"{ALL}/%ff", method="DELETE"),
    gone("H27 dots", f"{ALL}/..%2f..%2fetc", method="DELETE"),
    gone("H27 long", f"{ALL}/{'a' * 9000}", method="DELETE"),
]  # fmt: skip

CHOICES = [
    change("B9", {"workflowId": "welcom", "channels": {}}, "/workflowId", "Did you mean 'welcome'?", path=PREFERENCES,
           detail="workflow_not_found"),
    change("B9 channel", {"channels": {"mail": False}}, "/channels/mail", "Did you mean 'email'?", path=PREFERENCES),
    change("B10", {"workflowId": "security", "channels": {"email": False}}, "/workflowId", "critical workflow",
           path=PREFERENCES, detail="workflow_critical"),
    change("B11", {"channels": {"email": "off"}}, "/channels/email", "true or false, got text", path=PREFERENCES),
    change("schedule", {"schedule": {"isEnabled": "yes"}}, "/schedule/isEnabled", "expected true or false",
           path=PREFERENCES),
    change("bulk of none", {"preferences": []}, "/preferences", "must not be empty", path=f"{PREFERENCES}/bulk"),
    change("provider", {"providerId": "fmc", "credentials": {"deviceTokens": ["t"]}}, "/providerId",
           "Did you mean 'fcm'?", path=CREDENTIALS, method="PUT", detail="unknown_provider"),
    change("token", {"providerId": "fcm", "credentials": {"deviceTokens": "t"}}, "/credentials/deviceTokens",
           "expected a list, got text", path=CREDENTIALS, method="PUT"),
    change("webhook", {"providerId": "slack", "credentials": {"webhookUrl": "javascript:alert(1)"}},
           "/credentials/webhookUrl", "begins with https://", path=CREDENTIALS, method="PUT"),
    change("B17 past", {"snoozeUntil": "2020-01-01T00:00:00Z"}, "/snoozeUntil", "in the future",
           path=f"{INBOX}/{NOBODY}/snooze"),
    change("B17 far", {"snoozeUntil": "2040-01-01T00:00:00Z"}, "/snoozeUntil", "at most 90 days",
           path=f"{INBOX}/{NOBODY}/snooze"),
    change("B17 words", {"snoozeUntil": "tomorrow"}, "/snoozeUntil", "ISO 8601", path=f"{INBOX}/{NOBODY}/snooze"),
    change("B17 zone", {"snoozeUntil": "2026-01-05T00:00:00"}, "/snoozeUntil", "needs a time zone",
           path=f"{INBOX}/{NOBODY}/snooze"),
    gone("B15", f"{INBOX}/{NOBODY}/read", "no notification", method="PATCH"),
    query("B18", "&".join(["tags=a"] * 101), "/tags", "groups of 100 tags", path=INBOX, detail="too_long"),
]  # fmt: skip

GROUPS = [
    *(change(f"key {key[:5]!r}", {"key": key}, "/key", words, path=TOPICS, method="POST") for key, words in (
        ("", "must not be empty"), ("a b", "letters, digits and _ . : @ + -"), ("x" * 101, "at most 100 characters"),
        ("a/b", "letters, digits"), ("ü", "letters, digits"))),
    gone("no topic", f"{TOPICS}/newz", "no topic 'newz'"),
    change("TR23", {"subscriptions": [{"topicKey": "news"}]}, "/subscriptions/0/topicKey", "not a known field",
           path=MEMBERS, method="POST"),
    change("members none", {"subscriptions": []}, "/subscriptions", "1 to 100 items", path=MEMBERS, method="POST"),
    change("members 101", {"subscriptions": ["x"] * 101}, "/subscriptions", "not 101", "several calls", path=MEMBERS,
           method="POST"),
    change("members bad", {"subscriptions": ["ada", 5]}, "/subscriptions/1", "expected an object, got 5",
           path=MEMBERS, method="POST"),
    Row("members unknown", 400, "nothing_done", ("no subscriber 'nobody'",), path=MEMBERS,
        json={"subscriptions": ["nobody"]}),
]  # fmt: skip

LISTS = [
    *(query(f"H29 {value}", f"limit={value}", "/limit", "whole number", detail="wrong_type")
      for value in ("abc", "1e3", "1.5", "", "9" * 26)),
    query("H29 -1", "limit=-1", "/limit", "at least 1", detail="out_of_range"),
    query("H29 0", "limit=0", "/limit", "at least 1", detail="out_of_range"),
    query("H29 10001", "limit=10001", "/limit", "at most 100", detail="out_of_range"),
    query("H30", "limit=1&limit=2", "/limit", "given twice", detail="repeated_parameter"),
    query("H31", "limt=5", "/limt", "Did you mean 'limit'?", detail="unknown_parameter"),
    query("H32", "after=garbage", "/after", "not a cursor of this list", "without a cursor", detail="invalid_cursor"),
    query("H32 both", "after=a&before=b", "/before", "exclude each other", detail="excluded"),
    query("order", "orderDirection=up", "/orderDirection", "ASC, DESC", detail="not_allowed"),
    query("flag", "includeCursor=maybe", "/includeCursor", "true or false", detail="wrong_type"),
    query("not UTF-8", "email=%ff", "", "cannot be read", detail="bad_format"),
    query("NUL", "email=a%00b", "/email", "NUL character", detail="nul_character"),
    query("page", "page=99999999999", "/page", "at most", path="/v1/messages", detail="out_of_range"),
    query("channel", "channel=mail", "/channel", "Did you mean 'email'?", path="/v1/messages", detail="not_allowed"),
    query("moment", "after=tomorrow", "/after", "ISO 8601", path="/v1/notifications", detail="bad_format"),
    query("status", "status=faled", "/status", "Did you mean 'failed'?", path="/v1/executions", detail="not_allowed"),
    gone("H28", "/v1/executions/99999999999999999999999999", "no execution"),
]  # fmt: skip

SMTP: tuple[tuple[str, dict[str, Any], str, str, str], ...] = (
    ("missing", {}, "/credentials/host", "'host' is required.", "required"),
    ("port", {"host": "h", "port": "x"}, "/credentials/port", "'port' must be a whole number.", "wrong_type"),
    ("range", {"host": "h", "port": 99999}, "/credentials/port", "must be less than or equal to 65535", ""),
    ("flag", {"host": "h", "secure": "maybe"}, "/credentials/secure", "must be true or false", "wrong_type"),
    ("text", {"host": 5}, "/credentials/host", "must be text", "wrong_type"),
    ("misspelt", {"hots": "h"}, "/credentials/hots", "Did you mean 'host'?", "unknown_field"),
    ("half", {"host": "h", "password": "hunter2"}, "/credentials", "A password needs a user.", "invalid"),
    ("contradiction", {"host": "h", "secure": True, "ignoreTls": True}, "/credentials", "IgnoreTls contradicts", ""),
)
INTEGRATIONS = [
    Row(f"smtp {name}", 422, "credentials_invalid", (says,), json={"providerId": "smtp", "credentials": credentials},
        pointers=(at,), details=(code,) if code else (), never=("Value error", "Input should", "hunter2"))
    for name, credentials, at, says, code in SMTP
]  # fmt: skip


@pytest.fixture(scope="module")
async def novukit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """A whole novukit for all rows."""
    async with whole(tmp_path_factory.mktemp("whole")) as built:
        yield built


ROWS = [*SUBSCRIBERS, *CHOICES, *GROUPS, *LISTS, *INTEGRATIONS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_what_cannot_be_is_refused_in_plain_words(row: Row, novukit: Whole) -> None:
    """Status, code, pointer and words are as the table says, and the database is as before."""
    await check(row, novukit.api, novukit.checksum)


async def test_a_change_of_nothing_changes_nothing(novukit: Whole) -> None:
    """B1: no fields."""
    before = await novukit.checksum()
    assert 200 == (await novukit.api.patch(ADA, json={})).status_code
    assert before == await novukit.checksum()


async def test_what_exists_is_answered_with_what_exists(novukit: Whole) -> None:
    """B6: a conflict on request only, and then with the thing itself, as the SDKs read it."""
    before = await novukit.checksum()
    person = await novukit.api.post(f"{ALL}?failIfExists=true", json={"subscriberId": "ada", "firstName": "Eve"})
    topic = await novukit.api.post(f"{TOPICS}?failIfExists=true", json={"key": "news", "name": "Other"})

    assert (409, "ada") == (person.status_code, person.json()["subscriberId"])
    assert (409, "news") == (topic.status_code, topic.json()["key"])
    assert before == await novukit.checksum()


async def test_many_at_once_tell_of_each_that_failed(novukit: Whole) -> None:
    """B7: by its name where it has one, with the pointer and the words."""
    before = await novukit.checksum()
    several = [{"subscriberId": ""}, {}, {"subscriberId": "eve", "email": "x"}]
    answer = await novukit.api.post(MANY, json={"subscribers": several})

    assert 201 == answer.status_code
    assert ["/subscriberId must not be empty", "/subscriberId is required"] == [
        one["message"] for one in answer.json()["data"]["failed"][:2]
    ]
    assert "eve" == answer.json()["data"]["failed"][2]["subscriberId"]
    assert before == await novukit.checksum()


async def test_a_cursor_is_good_for_its_own_list_alone(novukit: Whole) -> None:
    """H32: not for another list, another environment, nor with a letter changed."""
    await novukit.seed(TOPICS, {"key": "sport"})
    cursor = (await novukit.api.get(TOPICS, params={"limit": 1})).json()["next"]
    asked = [
        await novukit.api.get(ALL, params={"after": cursor}),
        await novukit.other.get(TOPICS, params={"after": cursor}),
        await novukit.api.get(TOPICS, params={"after": cursor[:-2] + "AA"}),
    ]

    assert [(422, "invalid_cursor")] * 3 == [(it.status_code, it.json()["details"][0]["code"]) for it in asked]
    assert 200 == (await novukit.api.get(TOPICS, params={"after": cursor})).status_code
