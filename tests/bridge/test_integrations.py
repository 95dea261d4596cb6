"""Integrations over HTTP: made, changed, chosen, removed; credentials come in and never go out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from novukit.model import Environment, Routing, When
from novukit.store import Database, Scope, circuits, integrations, workers
from novukit.store.secrets import KeyRing

pytestmark = pytest.mark.anyio

URL = "/v1/integrations"
SMTP = {
    "providerId": "smtp",
    "credentials": {"host": "mail.test", "port": "2525", "user": "ada", "password": "hunter2", "from": "a@b.test"},
}


async def add(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Add an integration."""
    answer = await api.post(URL, json={"providerId": "catcher-email", **fields})
    assert 201 == answer.status_code, answer.text
    return answer.json()["data"]


async def test_what_is_made_has_all_that_the_sdks_need(api: httpx.AsyncClient, development: Environment) -> None:
    """Novu's required keys are there; credentials are an empty object."""
    answer = await api.post(URL, json={**SMTP, "name": "Mail", "identifier": "mail"})

    made = answer.json()["data"]
    assert 201 == answer.status_code
    assert {
        "_environmentId": str(development.id), "_organizationId": str(development.organization_id), "name": "Mail",
        "identifier": "mail", "providerId": "smtp", "channel": "email", "kind": "delivery", "credentials": {},
        "configurations": {}, "active": True, "deleted": False, "primary": True, "conditions": [],
    } == {key: value for key, value in made.items() if key != "_id"}  # fmt: skip


async def test_credentials_are_sealed_in_the_database_and_open_in_the_store(
    api: httpx.AsyncClient, database: Database, scope: Scope, ring: KeyRing
) -> None:
    """Neither a dump of the database nor an answer shows them."""
    answer = await api.post(URL, json=SMTP)
    row = (await database.fetch("select credentials from novukit_integration"))[0]

    assert "hunter2" not in str(row["credentials"])
    assert "hunter2" not in answer.text + (await api.get(URL)).text
    assert SMTP["credentials"] == (await integrations.active(scope, ring))[0].credentials


async def test_novus_own_id_of_a_provider_will_do(api: httpx.AsyncClient) -> None:
    """Where it means one provider only."""
    made = await add(api, providerId="nodemailer", credentials=SMTP["credentials"])

    assert ("smtp", "email") == (made["providerId"], made["channel"])


async def test_an_identifier_and_a_name_are_given_to_what_has_none(api: httpx.AsyncClient) -> None:
    """The identifier begins with the provider's id."""
    made = await add(api)

    assert made["identifier"].startswith("catcher-email-")
    assert made["name"]


async def test_the_first_active_one_of_a_channel_is_primary(api: httpx.AsyncClient) -> None:
    """Later ones are not; another channel has its own."""
    assert not (await add(api, active=False))["primary"]
    first = await add(api)
    assert first["primary"]
    assert not (await add(api))["primary"]
    assert (await add(api, providerId="catcher-sms"))["primary"]


async def test_set_primary_moves_the_mark(api: httpx.AsyncClient) -> None:
    """There is one at most."""
    first, second = await add(api), await add(api)

    answer = await api.post(f"{URL}/{second['_id']}/set-primary")

    assert 200 == answer.status_code
    assert answer.json()["data"]["primary"]
    marks = {one["_id"]: one["primary"] for one in (await api.get(URL)).json()["data"]}
    assert {first["_id"]: False, second["_id"]: True} == marks


async def test_an_inactive_one_cannot_be_primary(api: httpx.AsyncClient) -> None:
    """And the answer is not a 409, which SDKs repeat for an hour."""
    one = await add(api, active=False)

    answer = await api.post(f"{URL}/{one['_id']}/set-primary")

    assert 422 == answer.status_code
    assert "not active" in answer.json()["message"]


@pytest.mark.parametrize("how", ["deactivate", "delete"])
async def test_a_primary_that_goes_passes_its_place_on(api: httpx.AsyncClient, how: str) -> None:
    """To the oldest active one of the channel."""
    first, second = await add(api), await add(api)

    if how == "delete":
        answer = await api.delete(f"{URL}/{first['_id']}")
        assert [second["_id"]] == [one["_id"] for one in answer.json()["data"]]
    else:
        answer = await api.put(f"{URL}/{first['_id']}", json={"active": False})
        assert not answer.json()["data"]["primary"]

    assert 200 == answer.status_code
    active = (await api.get(f"{URL}/active")).json()["data"]
    assert [(second["_id"], True)] == [(one["_id"], one["primary"]) for one in active]


async def test_update_changes_what_is_given_and_no_more(api: httpx.AsyncClient, scope: Scope, ring: KeyRing) -> None:
    """Credentials are kept when none are given, and replaced as a whole when some are."""
    made = await add(api, **SMTP)

    renamed = (await api.put(f"{URL}/{made['_id']}", json={"name": "New"})).json()["data"]
    kept = (await integrations.active(scope, ring))[0].credentials
    answer = await api.put(f"{URL}/{made['_id']}", json={"credentials": {"host": "other.test", "from": "a@b.test"}})

    assert {**made, "name": "New"} == renamed
    assert SMTP["credentials"] == kept
    assert 200 == answer.status_code, answer.text
    assert {"host": "other.test", "from": "a@b.test"} == (await integrations.active(scope, ring))[0].credentials


async def test_conditions_come_back(api: httpx.AsyncClient) -> None:
    """As they were given."""
    wanted = [
        {
            "isNegated": False, "type": "GROUP", "value": "AND",
            "children": [{"field": "tier", "value": "gold", "operator": "EQUAL", "on": "payload"}],
        }
    ]  # fmt: skip

    assert wanted == (await add(api, conditions=wanted))["conditions"]


async def test_an_operator_that_novu_does_not_have_is_refused(api: httpx.AsyncClient) -> None:
    """It would never hold, and nobody would know why."""
    child = {"field": "tier", "value": "gold", "operator": "RESEMBLES", "on": "payload"}
    answer = await api.post(
        URL, json={"providerId": "catcher-email", "conditions": [{"value": "AND", "children": [child]}]}
    )

    assert (422, ["conditions.0.children.0.operator"]) == (answer.status_code, [*answer.json()["errors"]])


async def test_routing_is_said_changed_and_taken_back(api: httpx.AsyncClient, scope: Scope, ring: KeyRing) -> None:
    """One value will do for a list; what is not given stays; what says nothing is not shown."""
    made = await add(api, when={"country": "de", "payload": {"plan": "gold"}}, weight=3, rate=5, onUnknown="next")
    (kept,) = await integrations.active(scope, ring)
    assert ({"country": ["DE"], "payload": {"plan": ["gold"]}}, 3, 5, "next") == (
        made["when"], made["weight"], made["rate"], made["onUnknown"],
    )  # fmt: skip
    assert Routing(when=When(country=("DE",), payload={"plan": ("gold",)}), weight=3, rate=5, on_unknown="next") == (
        kept.routing
    )

    url = f"{URL}/{made['_id']}"
    renamed = (await api.put(url, json={"name": "New"})).json()["data"]
    bare = (await api.put(url, json={"when": {}, "weight": 0, "rate": 0, "onUnknown": "stay"})).json()["data"]

    assert {**made, "name": "New"} == renamed
    assert not {"when", "weight", "rate", "onUnknown"} & bare.keys()


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"when": {"county": "DE"}}, "when.county"), ({"when": {"country": "Germany"}}, "when.country"),
        ({"weight": -1}, "weight"), ({"rate": 1e9}, "rate"), ({"onUnknown": "maybe"}, "onUnknown"),
    ],
)  # fmt: skip
async def test_routing_that_makes_no_sense_is_refused(api: httpx.AsyncClient, said: dict[str, Any], path: str) -> None:
    """With the place of what is wrong."""
    answer = await api.post(URL, json={"providerId": "catcher-email", **said})

    assert (422, [path]) == (answer.status_code, [*answer.json()["errors"]])


async def test_a_rest_is_shown_while_its_worker_lives(api: httpx.AsyncClient, scope: Scope) -> None:
    """How many workers give it one, and why."""
    made, worker = await add(api), scope.new_id()
    until = scope.now() + timedelta(minutes=1)
    await workers.enlist(scope.database, worker, host="here", pid=1, lease_until=until)
    await circuits.begin(scope, UUID(made["_id"]), worker, "503 Service Unavailable")
    (resting,) = (await api.get(URL)).json()["data"]
    await circuits.end(scope, UUID(made["_id"]), worker)
    (again,) = (await api.get(URL)).json()["data"]

    assert {"workers": 1, "detail": "503 Service Unavailable"} == resting["resting"]
    assert "resting" not in again


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown provider": ({"providerId": "sendgird2"}, "/providerId", "novukit-sendgird2"),
    "close provider": ({"providerId": "smpt"}, "/providerId", "Did you mean 'smtp'?"),
    "missing credential": ({"providerId": "smtp", "credentials": {}}, "/credentials/host", "host"),
    "wrong channel": ({"providerId": "smtp", "channel": "sms"}, "/channel", "email"),
    "other environment": ({"providerId": "catcher-email", "_environmentId": "x"}, "/_environmentId", "another"),
    "bad identifier": ({"providerId": "catcher-email", "identifier": "a b"}, "/identifier", "form"),
    "inbound": (
        {"providerId": "catcher-email", "configurations": {"inboundWebhookSigningKey": "k"}},
        "/configurations/inboundWebhookSigningKey", "credentials",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_work_is_refused(name: str, api: httpx.AsyncClient) -> None:
    """With the field, and with what to do."""
    body, path, word = REFUSED[name]
    answer = await api.post(URL, json=body)

    assert 422 == answer.status_code, answer.text
    assert path in [detail["path"] for detail in answer.json()["details"]], answer.text
    assert word in answer.text
    assert [] == (await api.get(URL)).json()["data"]


async def test_an_integration_waits_for_its_credentials_while_it_is_inactive(api: httpx.AsyncClient) -> None:
    """It may be made without; to be active it must have them."""
    body = {"providerId": "smtp", "active": False, "configurations": {"inboundWebhookEnabled": True}}
    made = (await api.post(URL, json=body)).json()["data"]
    path = f"{URL}/{made['_id']}"

    assert (False, False) == (made["active"], made["primary"])
    assert "/credentials/host" in (await api.put(path, json={"active": True})).text
    working = {"host": "mail.example.com", "from": "a@example.com"}
    changed = await api.put(path, json={"active": True, "credentials": working})
    assert (200, True) == (changed.status_code, changed.json()["data"]["active"])


async def test_identifiers_are_unique_in_an_environment_and_free_in_the_next(
    api: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    """A taken one is a 422 and names the field."""
    await add(api, identifier="mail")
    await add(other, identifier="mail")

    answer = await api.post(URL, json={"providerId": "catcher-email", "identifier": "mail"})

    assert (422, "taken") == (answer.status_code, answer.json()["details"][0]["code"])


async def test_another_environment_sees_and_touches_nothing(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """Every route answers as if there were nothing."""
    made = await add(api)
    one = f"{URL}/{made['_id']}"

    assert [] == (await other.get(URL)).json()["data"]
    assert 404 == (await other.put(one, json={"name": "x"})).status_code
    assert 404 == (await other.delete(one)).status_code
    assert 404 == (await other.post(f"{one}/set-primary")).status_code
    assert 404 == (await other.post(f"{one}/check")).status_code
    assert [made] == (await api.get(URL)).json()["data"]


async def test_check_tells_whether_the_credentials_can_be_tried(api: httpx.AsyncClient) -> None:
    """A provider that cannot try them says so rather than «ok»."""
    made = await add(api, providerId="null-email")

    answer = await api.post(f"{URL}/{made['_id']}/check")

    assert 200 == answer.status_code
    assert answer.json()["data"]["status"] in {"ok", "unchecked"}


async def test_credentials_that_do_not_work_are_refused_when_asked_to_check(api: httpx.AsyncClient) -> None:
    """Nothing listens there; the integration is not made."""
    body = {"providerId": "smtp", "credentials": {"host": "127.0.0.1", "port": 9, "from": "a@b.test"}, "check": True}
    answer = await api.post(URL, json=body)

    assert (422, "credentials_invalid") == (answer.status_code, answer.json()["code"])
    assert [] == (await api.get(URL)).json()["data"]
