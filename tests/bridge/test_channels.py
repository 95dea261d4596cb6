"""Channel connections and endpoints over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.store import Database, Scope, integrations
from novukit.store.secrets import KeyRing, generate_master_key, rotate

pytestmark = pytest.mark.anyio

TOKEN = "xoxb-1234567890-secret"
CONNECTION = {
    "integrationIdentifier": "team",
    "identifier": "acme-slack",
    "workspace": {"id": "T1", "name": "Acme", "botUserId": "B1"},
    "auth": {"accessToken": TOKEN, "expiresAt": "2027-01-01T00:00:00Z"},
}
ENDPOINT = {
    "integrationIdentifier": "team",
    "subscriberId": "ada",
    "type": "slack_user",
    "endpoint": {"userId": "U1"},
}


@pytest.fixture(autouse=True)
async def _team(api: httpx.AsyncClient, scope: Scope, runtime: Any) -> None:
    """Two chat integrations that take any address, and Ada."""
    for identifier in ("team", "other-team"):
        await integrations.create(
            scope, runtime.secrets, provider_id="null-chat", channel="chat", credentials={}, identifier=identifier
        )
    assert 201 == (await api.post("/v2/subscribers", json={"subscriberId": "ada"})).status_code


async def made(api: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What was made."""
    answer = await api.post(f"/v1/channel-{kind}", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["data"]


def wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    """Where and what."""
    assert 422 == answer.status_code, answer.text
    return [(detail["path"], detail["code"]) for detail in answer.json()["details"]]


async def listed(api: httpx.AsyncClient, kind: str, **asked: Any) -> list[str]:
    """The identifiers of a list, newest first."""
    answer = await api.get(f"/v1/channel-{kind}", params=asked)
    assert 200 == answer.status_code, answer.text
    return [one["identifier"] for one in answer.json()["data"]]


async def test_a_connection_is_made_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    """Its provider is reported by an id that Novu knows; its workspace is as it was given."""
    one = await made(api, "connections", CONNECTION)

    assert {"chat", "chat-webhook", "team", "acme-slack"} == {
        one[name] for name in ("channel", "providerId", "integrationIdentifier", "identifier")
    }
    assert (None, [], CONNECTION["workspace"]) == (one["subscriberId"], one["contextKeys"], one["workspace"])
    assert one == (await api.get("/v1/channel-connections/acme-slack")).json()["data"]

    change = {"workspace": {"id": "T2"}, "auth": {"accessToken": "another-token-of-acme"}}
    changed = (await api.patch("/v1/channel-connections/acme-slack", json=change)).json()["data"]
    assert ({"id": "T2"}, {"accessToken": "****acme"}) == (changed["workspace"], changed["auth"])
    assert 204 == (await api.delete("/v1/channel-connections/acme-slack")).status_code
    for answer in (
        await api.get("/v1/channel-connections/acme-slack"),
        await api.patch("/v1/channel-connections/acme-slack", json=change),
        await api.delete("/v1/channel-connections/acme-slack"),
    ):
        assert 404 == answer.status_code


async def test_a_token_is_sealed_and_never_shown_whole(api: httpx.AsyncClient, database: Database) -> None:
    """Neither in an answer nor in the database; who gives back what is shown keeps the token that is there."""
    one = await made(api, "connections", CONNECTION)
    (sealed,) = await database.fetch("select auth from novukit_channel_connection")
    assert {"accessToken": "****cret", "expiresAt": "2027-01-01T00:00:00.000Z"} == one["auth"]
    assert TOKEN not in sealed["auth"]

    back = {"workspace": {"id": "T9"}, "auth": one["auth"]}
    assert one["auth"] == (await api.patch("/v1/channel-connections/acme-slack", json=back)).json()["data"]["auth"]
    short = {"workspace": {"id": "T9"}, "auth": {"accessToken": "short"}}
    shown = (await api.patch("/v1/channel-connections/acme-slack", json=short)).json()["data"]["auth"]
    assert {"accessToken": "****"} == shown


async def test_a_token_is_sealed_anew_when_the_master_key_changes(
    api: httpx.AsyncClient, database: Database, scope: Scope, runtime: Any
) -> None:
    """It opens with the new key alone."""
    from novukit.store import connections

    await made(api, "connections", CONNECTION)
    new = generate_master_key()
    old = runtime.secrets
    both = KeyRing([new])
    both._ciphers |= old._ciphers  # the ring of the fixture does not tell its key
    await rotate(database, both)

    one = await connections.get(scope, KeyRing([new]), "acme-slack")
    assert one is not None
    assert TOKEN == one.auth.access_token
    assert TOKEN not in repr(one)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"integrationIdentifier": "taem"}, [("/integrationIdentifier", "unknown_integration")]),
        ({"subscriberId": "bob"}, [("/subscriberId", "unknown_subscriber")]),
        ({"connectionMode": "subscriber"}, [("/subscriberId", "required")]),
        ({"connectionMode": "shared", "subscriberId": "ada"}, [("/subscriberId", "excluded")]),
        ({"context": {"ten:ant": "a"}}, [("/context/ten:ant", "bad_format")]),
        ({"auth": {}}, [("/auth/accessToken", "required")]),
        ({"workspace": {}}, [("/workspace/id", "required")]),
    ],
)
async def test_a_connection_that_cannot_be_is_refused(
    api: httpx.AsyncClient, change: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    """With the place of the mistake."""
    assert said == wrong(await api.post("/v1/channel-connections", json=CONNECTION | change))


async def test_an_identifier_is_taken_once(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """In its environment; a second one is no conflict, which clients would try again for an hour."""
    await made(api, "connections", CONNECTION)
    await made(api, "endpoints", ENDPOINT | {"identifier": "e"})
    assert [("/identifier", "taken")] == wrong(await api.post("/v1/channel-connections", json=CONNECTION))
    assert [("/identifier", "taken")] == wrong(
        await api.post("/v1/channel-endpoints", json=ENDPOINT | {"identifier": "e"})
    )
    assert ([], []) == (await listed(other, "connections"), await listed(other, "endpoints"))
    for path in ("connections/acme-slack", "endpoints/e"):
        assert 404 == (await other.get(f"/v1/channel-{path}")).status_code
        assert 404 == (await other.delete(f"/v1/channel-{path}")).status_code


async def test_connections_are_found_by_what_they_are(api: httpx.AsyncClient) -> None:
    """Each filter alone, and page by page."""
    await made(api, "connections", CONNECTION | {"identifier": "shared", "connectionMode": "shared"})
    await made(api, "connections", CONNECTION | {"identifier": "adas", "subscriberId": "ada"})
    await made(
        api, "connections", CONNECTION | {"identifier": "acmes", "context": {"tenant": "acme", "app": {"id": "x"}}}
    )
    await made(api, "connections", CONNECTION | {"identifier": "others", "integrationIdentifier": "other-team"})

    assert ["others", "acmes", "adas", "shared"] == await listed(api, "connections")
    assert ["adas"] == await listed(api, "connections", subscriberId="ada")
    assert ["adas"] == await listed(api, "connections", connectionMode="subscriber")
    assert ["others"] == await listed(api, "connections", integrationIdentifier="other-team")
    assert ["acmes"] == await listed(api, "connections", contextKeys=["tenant:acme", "app:x"])
    assert 4 == len(await listed(api, "connections", channel="chat", providerId="chat-webhook"))
    assert 4 == len(await listed(api, "connections", providerId="null-chat"))
    assert [] == await listed(api, "connections", providerId="slack")
    assert [] == await listed(api, "connections", channel="sms")
    first = (await api.get("/v1/channel-connections", params={"limit": "3.0"})).json()
    assert (4, False, None) == (first["totalCount"], first["totalCountCapped"], first["previous"])
    assert ["shared"] == await listed(api, "connections", after=first["next"])
    (acmes,) = [one for one in first["data"] if one["identifier"] == "acmes"]
    assert ["app:x", "tenant:acme"] == acmes["contextKeys"]


PLACES = [
    ("slack_channel", {"channelId": "C1"}),
    ("slack_user", {"userId": "U1"}),
    ("webhook", {"url": "https://hooks.example.com/1", "channel": "#a"}),
    ("webhook", {"url": "https://hooks.example.com/1"}),
    ("phone", {"phoneNumber": "+4915112345678"}),
    ("ms_teams_channel", {"teamId": "T", "channelId": "C"}),
    ("ms_teams_user", {"userId": "U"}),
    ("telegram_chat", {"chatId": "-100"}),
    ("webex_room", {"roomId": "R"}),
    ("webex_person", {"personId": "P"}),
    ("webex_person", {"personEmail": "ada@example.com"}),
    ("line_user", {"userId": "U"}),
]


@pytest.mark.parametrize(("kind", "place"), PLACES)
async def test_an_endpoint_of_each_type_is_kept_as_it_was_given(
    api: httpx.AsyncClient, kind: str, place: dict[str, str]
) -> None:
    """By a provider that takes any address."""
    one = await made(api, "endpoints", ENDPOINT | {"type": kind, "endpoint": place})

    assert (kind, place, "ada", None) == (
        one["type"],
        one["endpoint"],
        one["subscriberId"],
        one["connectionIdentifier"],
    )
    assert one == (await api.get(f"/v1/channel-endpoints/{one['identifier']}")).json()["data"]


async def test_an_endpoint_is_changed_and_deleted(api: httpx.AsyncClient) -> None:
    """Its type stays."""
    await made(api, "endpoints", ENDPOINT | {"identifier": "e"})

    changed = await api.patch("/v1/channel-endpoints/e", json={"endpoint": {"userId": "U2"}})
    assert {"userId": "U2"} == changed.json()["data"]["endpoint"]
    refused = await api.patch("/v1/channel-endpoints/e", json={"endpoint": {"chatId": "1"}})
    assert [("/endpoint/userId", "required"), ("/endpoint/chatId", "unknown_field")] == wrong(refused)
    assert 204 == (await api.delete("/v1/channel-endpoints/e")).status_code
    assert 404 == (await api.patch("/v1/channel-endpoints/e", json={"endpoint": {"userId": "U2"}})).status_code
    assert 404 == (await api.delete("/v1/channel-endpoints/e")).status_code


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "slack_usr"}, [("/type", "not_allowed")]),
        ({"type": "pagerduty_service", "endpoint": {"routingKey": "k"}}, [("/type", "not_allowed")]),
        ({"endpoint": {}}, [("/endpoint/userId", "required")]),
        ({"type": "webhook", "endpoint": {"url": "ftp://a.b"}}, [("/endpoint/url", "bad_format")]),
        ({"type": "phone", "endpoint": {"phoneNumber": "12"}}, [("/endpoint/phoneNumber", "bad_format")]),
        ({"type": "webex_person", "endpoint": {}}, [("/endpoint", "bad_format")]),
        ({"integrationIdentifier": "taem"}, [("/integrationIdentifier", "unknown_integration")]),
        ({"subscriberId": "bob"}, [("/subscriberId", "unknown_subscriber")]),
        ({"connectionIdentifier": "nowhere"}, [("/connectionIdentifier", "unknown_connection")]),
        ({"connectionIdentifier": "others"}, [("/connectionIdentifier", "other_integration")]),
        ({"connectionIdentifier": "bobs"}, [("/connectionIdentifier", "other_subscriber")]),
    ],
)  # fmt: skip
async def test_an_endpoint_that_cannot_be_is_refused(
    api: httpx.AsyncClient, change: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    """With the place of the mistake, and nothing is kept."""
    await api.post("/v2/subscribers", json={"subscriberId": "bobby"})
    await made(api, "connections", CONNECTION | {"identifier": "others", "integrationIdentifier": "other-team"})
    await made(api, "connections", CONNECTION | {"identifier": "bobs", "subscriberId": "bobby"})

    assert said == wrong(await api.post("/v1/channel-endpoints", json=ENDPOINT | change))
    assert [] == await listed(api, "endpoints")


async def test_a_subscriber_who_is_missing_is_made_if_asked_for(api: httpx.AsyncClient) -> None:
    """With the endpoint."""
    body = ENDPOINT | {"subscriberId": "carol", "createSubscriberIfMissing": True}

    assert "carol" == (await made(api, "endpoints", body))["subscriberId"]
    assert 200 == (await api.get("/v2/subscribers/carol")).status_code


async def test_endpoints_are_found_by_what_they_are(api: httpx.AsyncClient) -> None:
    """Each filter alone."""
    await made(api, "connections", CONNECTION)
    await made(api, "endpoints", ENDPOINT | {"identifier": "plain"})
    await made(api, "endpoints", ENDPOINT | {"identifier": "connected", "connectionIdentifier": "acme-slack"})
    await made(api, "endpoints", ENDPOINT | {"identifier": "acmes", "context": {"tenant": "acme"}})
    bob = {"subscriberId": "bob", "createSubscriberIfMissing": True}
    await made(api, "endpoints", ENDPOINT | {"identifier": "bobs", "integrationIdentifier": "other-team"} | bob)

    assert ["bobs", "acmes", "connected", "plain"] == await listed(api, "endpoints")
    assert ["bobs"] == await listed(api, "endpoints", subscriberId="bob")
    assert ["bobs"] == await listed(api, "endpoints", integrationIdentifier="other-team")
    assert ["connected"] == await listed(api, "endpoints", connectionIdentifier="acme-slack")
    assert ["acmes"] == await listed(api, "endpoints", contextKeys=["tenant:acme"])
    assert [] == await listed(api, "endpoints", providerId="telegram")
    assert 4 == len(await listed(api, "endpoints", channel="chat", providerId="chat-webhook"))


async def test_what_an_endpoint_hangs_on_takes_it_along(api: httpx.AsyncClient) -> None:
    """Its connection, its subscriber and its integration."""
    await made(api, "connections", CONNECTION)
    await made(api, "endpoints", ENDPOINT | {"identifier": "connected", "connectionIdentifier": "acme-slack"})
    bob = {"subscriberId": "bob", "createSubscriberIfMissing": True, "identifier": "bobs"}
    await made(api, "endpoints", ENDPOINT | bob)
    await made(api, "endpoints", ENDPOINT | {"identifier": "plain", "integrationIdentifier": "other-team"})

    await api.delete("/v1/channel-connections/acme-slack")
    assert ["plain", "bobs"] == await listed(api, "endpoints")
    await api.delete("/v2/subscribers/bob")
    assert ["plain"] == await listed(api, "endpoints")
    (gone,) = [one for one in (await api.get("/v1/integrations")).json()["data"] if one["identifier"] == "other-team"]
    await api.delete(f"/v1/integrations/{gone['_id']}")
    assert [] == await listed(api, "endpoints")
