"""Preferences over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import StepKind, StepSpec, WorkflowPreferences, WorkflowSpec
from novukit.store import Scope, workflows

from .conftest import Checksum

pytestmark = pytest.mark.anyio

PATH = "/v2/subscribers/ada/preferences"
STEPS = (
    StepSpec(id="inbox", kind=StepKind.IN_APP),
    StepSpec(id="hourly", kind=StepKind.DIGEST),
    StepSpec(id="mail", kind=StepKind.EMAIL),
)
WEEK = {
    "isEnabled": True,
    "weeklySchedule": {
        "monday": {"isEnabled": True, "hours": [{"start": "09:00 AM", "end": "05:30 PM"}]},
        "friday": {"isEnabled": True, "hours": [{"start": "06:00 PM", "end": "12:00 AM"}]},
        "sunday": {"isEnabled": False},
    },
}


@pytest.fixture(autouse=True)
async def _ada(api: httpx.AsyncClient, scope: Scope) -> None:
    await workflows.apply(
        scope,
        create=[
            WorkflowSpec(id="comment", name="Comments", tags=("social",), severity="low", steps=STEPS),
            WorkflowSpec(
                id="quiet", name="Quiet", steps=STEPS, preferences=WorkflowPreferences(channels={"email": False})
            ),
            WorkflowSpec(id="reset", name="Reset", steps=STEPS[2:], preferences=WorkflowPreferences(read_only=True)),
        ],
    )
    assert 201 == (await api.post("/v2/subscribers", json={"subscriberId": "ada"})).status_code


def _wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    return [(detail["path"], detail["code"]) for detail in answer.json()["details"]]


async def _held(api: httpx.AsyncClient, **params: str) -> dict[str, dict[str, bool]]:
    """What holds for each workflow, by id."""
    answer = await api.get(PATH, params=params)
    assert 200 == answer.status_code, answer.text
    return {it["workflow"]["identifier"]: it["channels"] for it in answer.json()["data"]["workflows"]}


async def test_at_first_the_workflows_defaults_hold(api: httpx.AsyncClient) -> None:
    """For the channels that a workflow has steps for, with where each answer comes from."""
    told = (await api.get(PATH)).json()["data"]
    everything = {"email": True, "in_app": True, "sms": True, "push": True, "chat": True}
    assert {"enabled": True, "channels": everything} == told["global"]
    comment, quiet = told["workflows"]
    assert {
        "enabled": True,
        "channels": {"email": True, "in_app": True},
        "overrides": [{"channel": "email", "source": "template"}, {"channel": "in_app", "source": "template"}],
        "workflow": {
            "slug": "comment", "identifier": "comment", "name": "Comments", "updatedAt": "2026-01-01T00:00:00.000Z",
        },
    } == comment  # fmt: skip
    assert {"email": False, "in_app": True} == quiet["channels"]


async def test_criticality_says_which_workflows_are_listed(api: httpx.AsyncClient, scope: Scope) -> None:
    """Those that one can choose for unless told otherwise; inactive ones never."""
    assert ["comment", "quiet"] == list(await _held(api))
    assert ["comment", "quiet"] == list(await _held(api, criticality="nonCritical"))
    assert ["reset"] == list(await _held(api, criticality="critical"))
    assert ["comment", "quiet", "reset"] == list(await _held(api, criticality="all"))
    assert [("/criticality", "not_allowed")] == _wrong(await api.get(PATH, params={"criticality": "some"}))
    await workflows.set_active(scope, "quiet", False)
    assert ["comment"] == list(await _held(api))


async def test_a_global_choice_holds_for_all_but_critical_workflows(api: httpx.AsyncClient) -> None:
    """And says that it was the subscriber's."""
    answer = await api.patch(PATH, json={"channels": {"email": False}})
    assert 200 == answer.status_code, answer.text
    told = answer.json()["data"]
    assert (False, True) == (told["global"]["channels"]["email"], told["global"]["channels"]["in_app"])
    assert [{"channel": "email", "source": "subscriber"}, {"channel": "in_app", "source": "template"}] == (
        told["workflows"][0]["overrides"]
    )
    off = {"email": False, "in_app": True}
    assert {"comment": off, "quiet": off, "reset": {"email": True}} == await _held(api, criticality="all")


async def test_a_choice_for_a_workflow_is_stronger_than_the_global_one(api: httpx.AsyncClient) -> None:
    """Channels left out stay; the workflow may be named by its ``_id`` too."""
    await api.patch(PATH, json={"channels": {"email": False, "in_app": False}})
    answer = await api.patch(PATH, json={"workflowId": "quiet", "channels": {"email": True}})
    assert 200 == answer.status_code
    assert {"comment": {"email": False, "in_app": False}, "quiet": {"email": True, "in_app": False}} == await _held(api)
    comment, quiet = answer.json()["data"]["workflows"]
    assert (False, True) == ("updatedAt" in comment, "updatedAt" in quiet)


async def test_a_workflow_may_be_named_by_its_own_id(api: httpx.AsyncClient, scope: Scope) -> None:
    """As some clients do."""
    found = await workflows.get(scope, "comment")
    assert found is not None
    await api.patch(PATH, json={"workflowId": str(found.id), "channels": {"email": False}})
    assert {"email": False, "in_app": True} == (await _held(api))["comment"]


async def test_a_schedule_is_kept_and_shown_as_it_was_sent(api: httpx.AsyncClient) -> None:
    """With the global preference; another takes its place, and channels leave it alone."""
    changed = await api.patch(PATH, json={"schedule": WEEK})
    assert (200, WEEK) == (changed.status_code, changed.json()["data"]["global"]["schedule"])
    await api.patch(PATH, json={"channels": {"email": False}})
    shown = (await api.get(PATH)).json()["data"]["global"]
    assert (WEEK, False) == (shown["schedule"], shown["channels"]["email"])
    await api.patch(PATH, json={"schedule": {"isEnabled": False}})
    assert {"isEnabled": False} == (await api.get(PATH)).json()["data"]["global"]["schedule"]


async def test_preferences_are_the_same_in_every_context(api: httpx.AsyncClient) -> None:
    """So that of one context they are those of all."""
    assert await _held(api) == await _held(api, contextKeys="tenant:acme")
    assert [("/contextKeys", "bad_format")] == _wrong(await api.get(PATH, params={"contextKeys": "acme"}))


async def test_an_empty_change_is_none(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """200, and nothing is written."""
    before = await checksum()
    for body in ({}, {"channels": {}}, {"workflowId": "comment"}):
        assert 200 == (await api.patch(PATH, json=body)).status_code
    assert before == await checksum()


@pytest.mark.parametrize(
    ("body", "path", "code", "words"),
    [
        ({"channels": {"email": "off"}}, "/channels/email", "wrong_type", "true or false"),
        ({"channels": {"fax": True}}, "/channels/fax", "unknown_field", "not a known field"),
        ({"channels": {"inApp": True}}, "/channels/inApp", "unknown_field", "Did you mean 'in_app'?"),
        ({"workflowId": "coment", "channels": {}}, "/workflowId", "workflow_not_found", "Did you mean 'comment'?"),
        ({"workflowId": "reset", "channels": {"email": False}}, "/workflowId", "workflow_critical", "critical"),
        ({"workflowId": "comment", "schedule": WEEK}, "/schedule", "not_supported", "without workflowId"),
        ({"schedule": {}}, "/schedule/isEnabled", "required", "is required"),
        ({"context": {"tenant": "a"}}, "/context", "not_supported", "in every context"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    api: httpx.AsyncClient, checksum: Checksum, body: Any, path: str, code: str, words: str
) -> None:
    """422, never 409: the SDKs would repeat that for an hour."""
    before = await checksum()
    answer = await api.patch(PATH, json=body)
    assert [(path, code)] == _wrong(answer)
    detail = answer.json()["details"][0]
    assert words in f"{detail['message']} {detail.get('hint')}"
    assert before == await checksum()


async def test_bulk_changes_several_and_answers_in_the_inboxs_shape(api: httpx.AsyncClient, scope: Scope) -> None:
    """One line for each workflow, in the order in which they were named."""
    answer = await api.patch(
        f"{PATH}/bulk",
        json={
            "preferences": [
                {"workflowId": "quiet", "channels": {"email": True}},
                {"workflowId": "comment", "channels": {"email": False}},
                {"workflowId": "quiet", "channels": {"in_app": False}},
            ]
        },
    )
    assert 200 == answer.status_code, answer.text
    quiet, comment = answer.json()["data"]
    found = await workflows.get(scope, "comment")
    assert found is not None
    assert {
        "level": "template",
        "enabled": True,
        "channels": {"email": False, "in_app": True},
        "workflow": {
            "id": str(found.id), "identifier": "comment", "name": "Comments", "critical": False, "severity": "low",
            "tags": ["social"],
        },
    } == comment  # fmt: skip
    assert {"email": True, "in_app": False} == quiet["channels"]
    assert {"comment": comment["channels"], "quiet": quiet["channels"]} == await _held(api)


async def test_bulk_is_all_or_nothing(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """Every reason is told at once."""
    before = await checksum()
    answer = await api.patch(
        f"{PATH}/bulk",
        json={"preferences": [{"workflowId": it, "channels": {"email": False}} for it in ("comment", "reset", "x")]},
    )
    assert [
        ("/preferences/1/workflowId", "workflow_critical"), ("/preferences/2/workflowId", "workflow_not_found"),
    ] == _wrong(answer)  # fmt: skip
    one = {"workflowId": "comment", "channels": {}}
    assert [("/preferences", "too_long")] == _wrong(await api.patch(f"{PATH}/bulk", json={"preferences": [one] * 101}))
    assert before == await checksum()


async def test_bulk_takes_no_schedule_either(api: httpx.AsyncClient, checksum: Checksum) -> None:
    """Neither for all nor for one of them: it is not a matter of single workflows."""
    before = await checksum()
    one = {"workflowId": "comment", "channels": {"email": False}}
    answer = await api.patch(f"{PATH}/bulk", json={"preferences": [one, one | {"schedule": WEEK}], "schedule": WEEK})
    assert {("/schedule", "unknown_field"), ("/preferences/1/schedule", "unknown_field")} == set(_wrong(answer))
    assert before == await checksum()


async def test_another_environment_has_its_own_preferences(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    """The wall over HTTP: neither the subscriber's nor the workflows are seen there."""
    assert 404 == (await other.get(PATH)).status_code
    assert 404 == (await other.patch(PATH, json={"channels": {"email": False}})).status_code
    await other.post("/v2/subscribers", json={"subscriberId": "ada"})
    await other.patch(PATH, json={"channels": {"email": False}})
    assert {} == await _held(other, criticality="all")
    assert [("/workflowId", "workflow_not_found")] == _wrong(
        await other.patch(PATH, json={"workflowId": "comment", "channels": {"email": False}})
    )
    assert {"email": True, "in_app": True} == (await _held(api))["comment"]
