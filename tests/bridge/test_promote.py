"""Diff and publish over HTTP, and what else is done to whole environments."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import Environment
from novukit.store import Scope, environments, keys, layouts, translations, workflows
from novukit.store.tables import TABLES

from ..rows import Rows
from .conftest import Checksum, client

pytestmark = pytest.mark.anyio

ORDER = ("workflow", "order")


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development, the source."""
    return Rows(scope, development.organization_id)


@pytest.fixture
def far(runtime: Any, production: Environment) -> Rows:
    """Rows of Production, the target."""
    return Rows(runtime.scope(production.id), production.organization_id)


async def _ask(api: httpx.AsyncClient, target: Environment, verb: str, **body: Any) -> dict[str, Any]:
    answer = await api.post(f"/v2/environments/{target.id}/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def _fill(rows: Rows, far: Rows) -> None:
    """One workflow of each sort, and a layout."""
    steps = [{"id": "inbox", "kind": "in_app"}, {"id": "mail", "kind": "email"}]
    await rows.workflow("new")
    await rows.workflow("order", name="New name", steps=steps)
    await rows.workflow("same")
    await far.workflow("order", name="Old name", steps=[steps[0], {"id": "wait", "kind": "delay"}])
    await far.workflow("same")
    await far.workflow("old")
    await layouts.create(rows.scope, "base", "Base", "<b>{{ content }}</b>", is_default=True)
    await layouts.create(far.scope, "gone", "Gone", "{{ content }}", is_default=True)
    texts = [(("layout", "base"), "de", {"a": "A"}), (("workflow", "order"), "de", {"a": "A"})]
    await translations.put(rows.scope, texts)  # pyright: ignore[reportArgumentType]
    await translations.put(far.scope, [(("workflow", "order"), "fr", {"a": "A"})])


async def test_a_diff_tells_each_thing_and_its_steps(
    api: httpx.AsyncClient, development: Environment, production: Environment, rows: Rows, far: Rows
) -> None:
    """Workflows are BRIDGE, layouts REGULAR; translations belong to what they translate."""
    await _fill(rows, far)
    told = await _ask(api, production, "diff", sourceEnvironmentId=str(development.id))
    assert (told["sourceEnvironmentId"], told["targetEnvironmentId"]) == (str(development.id), str(production.id))
    assert told["summary"] == {"totalEntities": 6, "totalChanges": 5, "hasChanges": True}
    found = {(one["sourceResource"] or one["targetResource"])["id"]: one for one in told["resources"]}
    assert {name: [k for k, n in one["summary"].items() if n] for name, one in found.items()} == {
        "new": ["added"], "old": ["deleted"], "order": ["modified"], "same": ["unchanged"], "base": ["added"],
        "gone": ["deleted"],
    }  # fmt: skip
    assert {one["resourceType"] for one in found.values()} == {"BRIDGE", "REGULAR"}
    whole, *steps = found["order"]["changes"]
    assert whole["diffs"]["previous"]["name"] == "Old name"
    assert whole["diffs"]["new"]["name"] == "New name"
    assert whole["fields"] == ["name", "translations (de, fr)"]
    assert [(step["action"], step["stepType"]) for step in steps] == [("added", "email"), ("deleted", "delay")]
    assert found["same"]["changes"] == []


async def test_publish_makes_the_target_the_same(
    api: httpx.AsyncClient, production: Environment, rows: Rows, far: Rows
) -> None:
    """All that differs, deletions too; then there is nothing left to do. The source is the caller's environment."""
    await _fill(rows, far)
    await workflows.set_active(far.scope, "order", False)
    done = await _ask(api, production, "publish")
    assert done["summary"] == {"resources": 5, "successful": 5, "failed": 0, "skipped": 0}
    actions = {one["resourceId"]: one["action"] for each in done["results"] for one in each["successful"]}
    assert actions == {"new": "created", "old": "deleted", "order": "updated", "base": "created", "gone": "deleted"}

    assert (await _ask(api, production, "diff"))["summary"]["hasChanges"] is False
    assert await workflows.state(rows.scope) == await workflows.state(far.scope)
    assert [one.is_default for one in await layouts.all(far.scope)] == [True]
    assert [(one.resource_id, one.locale) for one in await translations.all(far.scope)] == [
        ("order", "de"),
        ("base", "de"),
    ]
    order = await workflows.get(far.scope, "order")
    assert order is not None
    assert not order.active, "whether it is switched on is the target's own"
    assert (await _ask(api, production, "publish"))["results"] == []


async def test_a_dry_run_changes_nothing(
    api: httpx.AsyncClient, production: Environment, rows: Rows, far: Rows, checksum: Checksum
) -> None:
    """And tells what would be done."""
    await _fill(rows, far)
    before = await checksum()
    told = await _ask(api, production, "publish", dryRun=True)
    assert (told["summary"]["successful"], told["dryRun"]) == (5, True)
    assert await checksum() == before


async def test_only_what_is_chosen_is_published(
    api: httpx.AsyncClient, production: Environment, rows: Rows, far: Rows
) -> None:
    """What is the same is skipped with that reason; what is nowhere is refused with its place."""
    await _fill(rows, far)
    chosen = [{"resourceType": "BRIDGE", "resourceId": name} for name in ("new", "same")]
    done = await _ask(api, production, "publish", resources=chosen)
    (result,) = done["results"]
    assert [one["resourceId"] for one in result["successful"]] == ["new"]
    assert [one["reason"] for one in result["skipped"]] == ["It is the same in both environments."]
    assert (await _ask(api, production, "diff"))["summary"]["totalChanges"] == 4

    wrong = {"resources": [{"resourceType": "REGULAR", "resourceId": "bse"}]}
    refused = await api.post(f"/v2/environments/{production.id}/publish", json=wrong)
    assert (refused.status_code, refused.json()["details"][0]["hint"]) == (422, "Did you mean 'base'?")


async def test_a_workflow_in_flight_is_not_deleted(api: httpx.AsyncClient, production: Environment, far: Rows) -> None:
    """It is skipped, with how many; one that changes is changed, and what is on its way goes on."""
    await far.workflow("welcome")
    execution = await far.execution(status="waiting")
    (result,) = (await _ask(api, production, "publish"))["results"]
    assert (result["successful"], result["skipped"][0]["resourceId"]) == ([], "welcome")
    assert "in flight there: 1" in result["skipped"][0]["reason"]

    await far.scope.database.fetch("update novukit_execution set status = 'completed' where id = $1", execution)
    assert (await _ask(api, production, "publish"))["summary"]["successful"] == 1


async def test_source_and_target_are_two_of_the_organization(
    api: httpx.AsyncClient, development: Environment, production: Environment, runtime: Any
) -> None:
    """Another organization's is not found, as if it were not there."""
    stranger = await Rows.environment(runtime.database, "strange")
    for verb in ("diff", "publish"):
        same = await api.post(f"/v2/environments/{development.id}/{verb}", json={})
        assert (same.status_code, same.json()["details"][0]["code"]) == (422, "same_environment")
        for target, source in ((stranger.scope.environment_id, None), (production.id, stranger.scope.environment_id)):
            body = {"sourceEnvironmentId": str(source)} if source else {}
            assert (await api.post(f"/v2/environments/{target}/{verb}", json=body)).status_code == 404


async def test_the_tags_of_an_environment(api: httpx.AsyncClient, development: Environment, rows: Rows) -> None:
    """Each once, in order."""
    await rows.workflow("a", tags=["social", "billing"])
    await rows.workflow("b", tags=["social"])
    answer = await api.get(f"/v2/environments/{development.id}/tags")
    assert answer.json()["data"] == [{"name": "billing"}, {"name": "social"}]


async def test_an_environment_is_deleted_with_all_that_is_in_it(
    api: httpx.AsyncClient, asgi: Any, runtime: Any, development: Environment
) -> None:
    """No row carries its id any more, its key opens nothing at once, and the others are untouched."""
    made = (await api.post("/v1/environments", json={"name": "Staging"})).json()["data"]
    environment = next(
        e for e in await environments.all(runtime.database, development.organization_id) if str(e.id) == made["_id"]
    )
    rows = Rows(runtime.scope(environment.id), environment.organization_id)
    await rows.workflow()
    await rows.checkpoint(await rows.execution())
    await layouts.create(rows.scope, "base", "Base", "{{ content }}")
    key = (await keys.reveal(rows.scope, runtime.secrets))[0][1]
    async with client(asgi, f"ApiKey {key}") as own:
        assert (await own.get("/v1/environments/me")).status_code == 200
        answer = await api.delete(f"/v1/environments/{made['_id']}")
        assert answer.status_code == 200, answer.text
        assert (await own.get("/v1/environments/me")).status_code == 401

    for table in TABLES:
        if any(column._meta.name == "environment_id" for column in table._meta.columns):
            name = table._meta.tablename
            left = await runtime.database.fetch(f"select 1 from {name} where environment_id = $1", environment.id)
            assert left == [], name
    assert {one["name"] for one in (await api.get("/v1/environments")).json()["data"]} == {"Development", "Production"}
    assert (await api.delete(f"/v1/environments/{made['_id']}")).status_code == 404


async def test_an_environment_that_is_needed_is_kept(
    api: httpx.AsyncClient, other: httpx.AsyncClient, runtime: Any, development: Environment, production: Environment
) -> None:
    """The one that the server starts with, one with work in it, and a production one without its own key."""
    rows = Rows(runtime.scope(production.id), production.organization_id)
    await rows.workflow()
    parked = await rows.execution(status="parked")
    for caller, target, words in (
        (api, development, "starts with"), (api, production, "in production"), (other, production, "not ended: 1"),
    ):  # fmt: skip
        answer = await caller.delete(f"/v1/environments/{target.id}")
        assert (answer.status_code, words in answer.json()["message"]) == (422, True), answer.text
    await rows.scope.database.fetch("update novukit_execution set status = 'failed' where id = $1", parked)
    assert (await other.delete(f"/v1/environments/{production.id}")).status_code == 200
