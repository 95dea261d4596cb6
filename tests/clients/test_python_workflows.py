"""novu-py: workflows and their steps."""

from __future__ import annotations

from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, ValidationErrorDto

from .serving import Live


def test_workflows_are_listed_in_order(novu: Novu) -> None:
    """By name and by when they were triggered last; found by words, tags and status."""
    listed = novu.workflows.list(request={"order_by": "name", "order_direction": "ASC", "limit": 50}).result
    names = [one.name for one in listed.workflows]
    assert names == sorted(names, key=str.casefold)
    assert listed.total_count == len(names)

    novu.trigger(trigger_event_request_dto={"workflow_id": "reminder", "to": "workflow-fan"})
    last = novu.workflows.list(request={"order_by": "lastTriggeredAt", "limit": 50}).result.workflows[0]
    assert last.last_triggered_at is not None
    found = novu.workflows.list(request={"query": "larm", "tags": ["alarms"], "status": ["ACTIVE"]}).result
    assert [one.workflow_id for one in found.workflows] == ["alarm"]
    assert novu.workflows.list(request={"status": ["ERROR"]}).result.workflows == []


def test_a_workflow_is_shown_and_switched(novu: Novu) -> None:
    """What is in the code stays there."""
    shown = novu.workflows.get(workflow_id="security").result
    assert (shown.name, shown.severity.value, shown.origin.value) == ("Security", "none", "external")
    assert shown.preferences.default.all.read_only
    off = novu.workflows.patch(workflow_id="security", patch_workflow_dto={"active": False}).result
    assert (off.active, off.status.value) == (False, "INACTIVE")
    on = novu.workflows.patch(workflow_id="security", patch_workflow_dto={"active": True, "name": "Security"}).result
    assert on.active
    with pytest.raises(ValidationErrorDto) as refused:
        novu.workflows.patch(workflow_id="security", patch_workflow_dto={"name": "Other"})
    assert list(refused.value.data.errors) == ["name"]


def test_a_workflow_is_deleted(novu: Novu, live: Live) -> None:
    """One that came by hand: the next sync would bring back what the code has."""
    with live.api() as api:
        body: dict[str, Any] = api.get("/v1/sync/manifest").json()["data"]
        spec = {"id": "handmade", "name": "Handmade", "steps": [{"id": "inbox", "kind": "in_app"}]}
        body["workflows"]["handmade"] = spec
        api.put("/v1/sync", json=body).raise_for_status()
    novu.workflows.delete(workflow_id="handmade")
    with pytest.raises(ErrorDto) as missing:
        novu.workflows.get(workflow_id="handmade")
    assert missing.value.data.status_code == 404


def test_a_step_is_shown_and_previewed(novu: Novu) -> None:
    """With sample data, made by the workflow's own function."""
    step = novu.workflows.steps.retrieve(workflow_id="order", step_id="mail").result
    assert (step.step_id, step.type.value, step.workflow_id) == ("mail", "email", "order")
    told = novu.workflows.steps.generate_preview(
        workflow_id="order", step_id="mail",
        generate_preview_request_dto={"preview_payload": {"payload": {"number": 42}}},
    ).result  # fmt: skip
    assert told.result == {"type": "email", "preview": {"subject": "Order 42", "body": "Thank you."}}
    assert told.preview_payload_example.payload == {"number": 42, "paid": False}
