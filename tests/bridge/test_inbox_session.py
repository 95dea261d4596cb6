"""An inbox is opened: for whom, on whose word, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from novukit.bridge.inbox import hashes
from novukit.model import Environment
from novukit.store import Scope, contexts, keys, sessions, subscribers
from novukit.testing.clock import VirtualClock

from ..rows import Rows
from .inboxes import hash_of

pytestmark = pytest.mark.anyio

SESSION = "/v1/inbox/session"
LIST = "/v1/inbox/notifications"


async def open_session(
    anonymous: httpx.AsyncClient, environment: Environment, subscriber: Any = "ada", **more: Any
) -> httpx.Response:
    told = {"subscriberId": subscriber} if isinstance(subscriber, str) else subscriber
    return await anonymous.post(
        SESSION, json={"applicationIdentifier": environment.identifier, "subscriber": told, **more}
    )


async def bearer(anonymous: httpx.AsyncClient, environment: Environment, subscriber_id: str = "ada") -> dict[str, str]:
    answer = await open_session(anonymous, environment, subscriber_id)
    assert 201 == answer.status_code, answer.text
    return {"Authorization": f"Bearer {answer.json()['data']['token']}"}


async def test_a_session_tells_what_the_bell_needs(
    anonymous: httpx.AsyncClient, development: Environment, scope: Scope
) -> None:
    """Counts by severity, the limits of a snooze, and a token that opens the list."""
    rows = Rows(scope, development.organization_id)
    message = await rows.message("ada", severity="high")
    await rows.message("ada")
    await rows.message("bob")

    answer = await open_session(anonymous, development)

    assert 201 == answer.status_code, answer.text
    found = answer.json()["data"]
    token = found.pop("token")
    assert {
        "unreadCount": {"total": 2, "severity": {"high": 1, "medium": 0, "low": 0, "none": 1}}, "totalUnreadCount": 2,
        "removeNovuBranding": True, "isDevelopmentMode": True, "maxSnoozeDurationHours": 2160,
        "applicationIdentifier": development.identifier, "contextKeys": [],
    } == found  # fmt: skip
    listed = await anonymous.get(LIST, headers={"Authorization": f"Bearer {token}"})
    assert (200, 2) == (listed.status_code, len(listed.json()["data"]))
    assert str(message.id) == listed.json()["data"][1]["id"]


@pytest.mark.parametrize("body", [{"subscriber": "ada"}, {"subscriberId": "ada"}])
async def test_a_subscriber_may_come_as_a_text(
    anonymous: httpx.AsyncClient, development: Environment, body: dict[str, str]
) -> None:
    """As the subscriber, or at the top, as older clients have it."""
    answer = await anonymous.post(SESSION, json={"applicationIdentifier": development.identifier, **body})
    assert 201 == answer.status_code, answer.text


async def test_in_development_no_hash_is_needed_but_a_wrong_one_is_refused(
    anonymous: httpx.AsyncClient, development: Environment
) -> None:
    """400, with a sentence that says what is wrong."""
    assert 201 == (await open_session(anonymous, development)).status_code
    answer = await open_session(anonymous, development, subscriberHash="0" * 64)
    assert (400, "session_refused") == (answer.status_code, answer.json()["code"])
    assert "not a valid HMAC hash" in answer.json()["message"]
    assert ["hash_wrong"] == [one["code"] for one in answer.json()["details"]]


async def test_elsewhere_a_hash_is_needed(
    anonymous: httpx.AsyncClient, production: Environment, runtime: Any, secret: str
) -> None:
    """Made with a key of that environment that is in force; any of them."""
    walls = runtime.scope(production.id)
    missing = await open_session(anonymous, production)
    foreign = await open_session(anonymous, production, subscriberHash=hash_of(secret, "ada"))
    assert [400, 400] == [missing.status_code, foreign.status_code]
    assert ["hash_missing"] == [one["code"] for one in missing.json()["details"]]
    assert None is await subscribers.get(walls, "ada")

    _, second = await keys.create(walls, runtime.secrets, "second")
    first = (await keys.reveal(walls, runtime.secrets))[0]
    for one in (first[1], second):
        answer = await open_session(anonymous, production, subscriberHash=hash_of(one, "ada"))
        assert (201, False) == (answer.status_code, answer.json()["data"]["isDevelopmentMode"])
    other = await open_session(anonymous, production, "bob", subscriberHash=hash_of(second, "ada"))
    await keys.revoke(walls, first[0].id)
    revoked = await open_session(anonymous, production, subscriberHash=hash_of(first[1], "ada"))
    assert [400, 400] == [other.status_code, revoked.status_code]


async def test_the_profile_is_changed_only_on_the_applications_word(
    anonymous: httpx.AsyncClient, development: Environment, scope: Scope, secret: str
) -> None:
    """Whoever is new is made with what is told; after that it takes a hash."""

    async def name() -> str | None:
        found = await subscribers.get(scope, "ada")
        return found.first_name if found else None

    told = {"subscriberId": "ada", "firstName": "Ada", "timezone": "Nowhere/At_All", "data": {"plan": "pro"}}
    assert 201 == (await open_session(anonymous, development, told)).status_code
    assert "Ada" == await name()
    assert 201 == (await open_session(anonymous, development, {**told, "firstName": "Eve"})).status_code
    assert "Ada" == await name()
    proven = {**told, "firstName": "Augusta"}
    assert (
        201 == (await open_session(anonymous, development, proven, subscriberHash=hash_of(secret, "ada"))).status_code
    )
    assert "Augusta" == await name()


async def test_a_context_is_vouched_for_as_the_subscriber_is(
    anonymous: httpx.AsyncClient, production: Environment, runtime: Any
) -> None:
    """By the hash of its canonical JSON, in whatever order it was written; it is known from then on."""
    walls = runtime.scope(production.id)
    key = (await keys.reveal(walls, runtime.secrets))[0][1]
    told = {"tenant": {"id": "acme", "data": {"b": 1, "a": "ü"}}, "app": "shop"}

    async def opened(context: Any, **more: Any) -> httpx.Response:
        return await open_session(anonymous, production, subscriberHash=hash_of(key, "ada"), context=context, **more)

    missing = await opened(told)
    wrong = await opened(told, contextHash=hashes.of_context(key, {"app": "shop"}))
    floats = await opened({"tenant": {"id": "acme", "data": {"n": 1.5}}}, contextHash="0" * 64)
    malformed = await opened({"tenant": {"id": "a:b"}}, contextHash="0" * 64)
    assert [400, 400, 400, 422] == [one.status_code for one in (missing, wrong, floats, malformed)]
    assert ["hash_missing", "hash_wrong", "float"] == [
        one.json()["details"][0]["code"] for one in (missing, wrong, floats)
    ]
    assert None is await contexts.get(walls, "tenant", "acme")

    answer = await opened(
        told, contextHash=hash_of(key, '{"app":"shop","tenant":{"data":{"a":"ü","b":1},"id":"acme"}}')
    )
    assert (201, ["app:shop", "tenant:acme"]) == (answer.status_code, answer.json()["data"]["contextKeys"])
    known = await contexts.get(walls, "tenant", "acme")
    assert known is not None
    assert {"b": 1, "a": "ü"} == known.data


async def test_an_unknown_application_is_refused(anonymous: httpx.AsyncClient) -> None:
    """400, and nothing is told of what there is."""
    answer = await anonymous.post(SESSION, json={"applicationIdentifier": "nobody", "subscriber": "ada"})
    assert (400, ["unknown_application"]) == (answer.status_code, [one["code"] for one in answer.json()["details"]])


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic YTpi", "ApiKey {key}"])
async def test_without_a_token_there_is_no_way_in(anonymous: httpx.AsyncClient, secret: str, sent: str | None) -> None:
    """401, with the scheme that is asked for; a secret key is none."""
    headers = {} if sent is None else {"Authorization": sent.replace("{key}", secret)}
    answer = await anonymous.get(LIST, headers=headers)
    assert (401, "session_invalid", "Bearer") == (
        answer.status_code, answer.json()["code"], answer.headers["www-authenticate"],
    )  # fmt: skip


async def test_a_token_that_was_changed_is_refused(anonymous: httpx.AsyncClient, development: Environment) -> None:
    """In any of its three parts."""
    token = (await bearer(anonymous, development))["Authorization"]
    for at in (12, len(token) // 2, len(token) - 3):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert 401 == (await anonymous.get(LIST, headers={"Authorization": changed})).status_code, at


async def test_a_token_is_good_for_fifteen_days(
    anonymous: httpx.AsyncClient, development: Environment, clock: VirtualClock
) -> None:
    """And not a second longer."""
    headers = await bearer(anonymous, development)
    clock.advance(timedelta(days=15, seconds=-1))
    assert 200 == (await anonymous.get(LIST, headers=headers)).status_code
    clock.advance(timedelta(seconds=1))
    assert 401 == (await anonymous.get(LIST, headers=headers)).status_code


async def test_who_was_deleted_is_out_at_once(
    anonymous: httpx.AsyncClient, api: httpx.AsyncClient, development: Environment
) -> None:
    """Also when a subscriber of that id comes again: it is another one."""
    headers = await bearer(anonymous, development)
    assert 200 == (await api.delete("/v2/subscribers/ada")).status_code
    assert 401 == (await anonymous.get(LIST, headers=headers)).status_code
    await api.post("/v2/subscribers", json={"subscriberId": "ada"})
    assert 401 == (await anonymous.get(LIST, headers=headers)).status_code


async def test_another_inbox_secret_ends_all_sessions(
    anonymous: httpx.AsyncClient, development: Environment, scope: Scope, runtime: Any
) -> None:
    """Of that environment, at once."""
    headers = await bearer(anonymous, development)
    assert 200 == (await anonymous.get(LIST, headers=headers)).status_code
    await sessions.rotate(scope, runtime.secrets)
    assert 401 == (await anonymous.get(LIST, headers=headers)).status_code
    assert 200 == (await anonymous.get(LIST, headers=await bearer(anonymous, development))).status_code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ({"q": 'say "\\"'}, '{"q":"say \\"\\\\\\""}'),
        ({"ü": "line\nend", "z": -5}, '{"z":-5,"ü":"line\nend"}'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\U0001f600":1,"\uffff":2}'),
    ],
)
def test_canonical_json(value: Any, text: str) -> None:
    """Sorted as JavaScript sorts, nothing escaped but quotes and backslashes."""
    assert text == hashes.canonical(value)


def test_canonical_json_has_no_floats() -> None:
    """For no two languages write them alike."""
    with pytest.raises(ValueError, match="whole numbers"):
        hashes.canonical({"a": [1.5]})
