"""Applications over HTTP: synced, tried, shown, and connected to an environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from novukit.bridge import create_asgi
from novukit.engine.remote import Remotes
from novukit.model import Environment
from novukit.providers import HttpClient
from novukit.store import Scope, bridges

from ..cases.application import Application, application
from .conftest import client

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9/api/novu"


@pytest.fixture
async def app(anyio_backend: str) -> AsyncIterator[Application]:
    """An application with one workflow."""
    async with application() as found:
        found.has("welcome", ("bell", "in_app", lambda _: {"body": "x"}), ("mail", "email", lambda _: {}))
        yield found


@pytest.fixture
async def api(runtime: Any, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a novukit that may call this machine, as in Development."""
    remotes = Remotes(HttpClient(allow_private=True))
    async with client(create_asgi(replace(runtime, remotes=remotes)), f"ApiKey {secret}") as found:
        yield found
    await remotes.close()


async def sync(api: httpx.AsyncClient, url: str) -> httpx.Response:
    """As `npx novu sync` asks for it."""
    return await api.post("/v1/bridge/sync", params={"source": "cli"}, json={"bridgeUrl": url})


async def test_a_trigger_may_name_the_application_that_was_synced(api: httpx.AsyncClient, app: Application) -> None:
    """As the framework does in development; another one is refused, and so is any where none was synced."""
    trigger = {"name": "welcome", "to": "ada"}
    await sync(api, app.url)

    same = await api.post("/v1/events/trigger", json={**trigger, "bridgeUrl": app.url})
    another = await api.post("/v1/events/trigger", json={**trigger, "bridgeUrl": NOWHERE})

    assert (201, "processed") == (same.status_code, same.json()["status"])
    assert (422, "/bridgeUrl") == (another.status_code, another.json()["details"][0]["path"])


async def test_a_sync_answers_with_what_is_stored(api: httpx.AsyncClient, app: Application, scope: Scope) -> None:
    """The workflows as they are listed; the URL and the caller's key are kept with the environment."""
    answer = await sync(api, app.url)

    (found,) = answer.json()["data"]
    assert 201 == answer.status_code
    assert ("welcome", "Welcome", "external", ["remote"]) == (
        found["workflowId"], found["name"], found["origin"], found["tags"],
    )  # fmt: skip
    assert [("bell", "in_app"), ("mail", "email")] == [(step["stepId"], step["type"]) for step in found["steps"]]
    shown = (await api.get("/v2/workflows/welcome")).json()["data"]
    assert found == shown
    bridge = await bridges.get(scope)
    keys = (await api.get("/v1/keys")).json()["data"]
    assert bridge is not None
    assert (app.url, keys[0]["_id"]) == (bridge.url, str(bridge.key_id))


async def test_a_sync_is_walled(api: httpx.AsyncClient, other: httpx.AsyncClient, app: Application) -> None:
    """Another environment has neither the workflows nor the bridge."""
    await sync(api, app.url)

    assert [] == (await other.get("/v2/workflows")).json()["data"]["workflows"]
    assert {"status": "none", "bridgeUrl": None} == (await other.get("/v1/bridge/status")).json()["data"]


async def test_our_own_workflows_and_the_applications_do_not_mix(api: httpx.AsyncClient, app: Application) -> None:
    """The sync of the code shows and deletes none of the application's; neither takes the other's ids."""
    spec = {"id": "ours", "name": "Ours", "steps": [{"id": "bell", "kind": "in_app"}]}
    await api.put("/v1/sync", json={"workflows": {"ours": spec}})
    await sync(api, app.url)

    assert ["ours"] == list((await api.get("/v1/sync/manifest")).json()["data"]["workflows"])
    planned = (await api.post("/v1/sync/plan", json={"workflows": {"ours": spec}})).json()["data"]
    assert planned["empty"]
    theirs = await api.put("/v1/sync", json={"workflows": {"welcome": spec | {"id": "welcome"}}})
    assert (422, "taken") == (theirs.status_code, theirs.json()["details"][0]["code"])
    app.has("ours", ("bell", "in_app", lambda _: {}))
    taken = await sync(api, app.url)
    assert (422, "taken") == (taken.status_code, taken.json()["details"][0]["code"])
    app.workflows.clear()
    assert [] == (await sync(api, app.url)).json()["data"]
    listed = (await api.get("/v2/workflows")).json()["data"]["workflows"]
    assert ["ours"] == [one["workflowId"] for one in listed]


async def test_what_cannot_be_reached_is_a_400(api: httpx.AsyncClient) -> None:
    """As Novu's clients expect it; and nothing is kept."""
    answer = await sync(api, NOWHERE)

    assert (400, "bridge_unavailable") == (answer.status_code, answer.json()["code"])
    assert "none" == (await api.get("/v1/bridge/status")).json()["data"]["status"]


async def test_outside_development_an_application_is_not_on_a_private_address(
    runtime: Any, secret: str, app: Application
) -> None:
    """Whoever has a key shall not read what is behind the server's wall."""
    async with client(create_asgi(runtime), f"ApiKey {secret}") as strict:
        plain = await sync(strict, app.url)
        private = await sync(strict, "https://127.0.0.1/api/novu")

    assert (400, 400) == (plain.status_code, private.status_code)
    assert {"bridge_failed"} == {plain.json()["code"], private.json()["code"]}
    assert not app.asked


@pytest.mark.parametrize("url", ["", "app.example.org", "ftp://app.example.org", 7, None])
async def test_what_is_no_url_is_refused(api: httpx.AsyncClient, url: Any) -> None:
    """Before anybody is called."""
    answer = await api.post("/v1/bridge/sync", json={"bridgeUrl": url})

    assert (422, "/bridgeUrl") == (answer.status_code, answer.json()["details"][0]["path"])


async def test_an_application_can_be_tried(api: httpx.AsyncClient, app: Application) -> None:
    """Whether it answers, and why not."""
    good = (await api.post("/v1/bridge/validate", json={"bridgeUrl": app.url})).json()["data"]
    bad = (await api.post("/v1/bridge/validate", json={"bridgeUrl": NOWHERE})).json()["data"]

    assert {"isValid": True} == good
    assert (False, True) == (bad["isValid"], "does not answer" in bad["error"])


async def test_an_environment_can_be_connected_by_its_update(
    api: httpx.AsyncClient, app: Application, development: Environment
) -> None:
    """`environments.update({bridge: {url}})`, as Novu's SDK has it."""
    path = f"/v1/environments/{development.id}"
    answer = await api.put(path, json={"bridge": {"url": app.url}})

    assert 200 == answer.status_code
    assert {"status": "ok", "bridgeUrl": app.url} == (await api.get("/v1/bridge/status")).json()["data"]


async def test_there_are_no_agents(api: httpx.AsyncClient) -> None:
    """What the command line asks after a sync is refused by name; to it that is a warning."""
    answer = await api.put("/v1/agents/bot/bridge", json={"bridgeUrl": NOWHERE})

    assert (404, "not_supported") == (answer.status_code, answer.json()["code"])
