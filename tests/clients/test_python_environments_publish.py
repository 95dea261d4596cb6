"""novu-py: environments are made, compared, published to and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, ValidationErrorDto

from .serving import Live


@pytest.fixture
def staging(novu: Novu) -> Iterator[Any]:
    """An environment with nothing in it."""
    made = novu.environments.create(create_environment_request_dto={"name": "Staging", "color": "#2563eb"}).result
    yield made
    novu.environments.delete(environment_id=made.id)


def test_a_diff_is_published_and_then_there_is_none(novu: Novu, live: Live, staging: Any) -> None:
    """Workflows (BRIDGE) and layouts (REGULAR); a dry run first, then one alone, then all."""
    novu.layouts.create(create_layout_dto={"layout_id": "published", "name": "Published"})
    with live.api() as api:
        source = api.get("/v1/environments/me").json()["data"]["_id"]
    told = novu.environments.diff(
        target_environment_id=staging.id, diff_environment_request_dto={"source_environment_id": source}
    ).result
    found = {one.source_resource.id: one for one in told.resources if one.source_resource}
    assert {"note", "alarm", "published"} <= found.keys()
    assert (found["note"].resource_type.value, found["published"].resource_type.value) == ("BRIDGE", "REGULAR")
    assert found["note"].changes[0].action.value == "added"
    assert told.summary.has_changes

    dry = novu.environments.publish(
        target_environment_id=staging.id, publish_environment_request_dto={"dry_run": True}
    ).result
    assert dry.summary.successful == told.summary.total_changes
    one = novu.environments.publish(
        target_environment_id=staging.id,
        publish_environment_request_dto={"resources": [{"resource_type": "BRIDGE", "resource_id": "note"}]},
    ).result
    assert [(each.resource_id, each.action.value) for each in one.results[0].successful] == [("note", "created")]
    rest = novu.environments.publish(target_environment_id=staging.id, publish_environment_request_dto={}).result
    assert rest.summary.successful == told.summary.total_changes - 1
    after = novu.environments.diff(target_environment_id=staging.id, diff_environment_request_dto={}).result
    assert not after.summary.has_changes
    tags = novu.environments.get_tags(environment_id=staging.id).result
    assert {"notes", "alarms", "orders"} <= {tag.name for tag in tags}


def test_a_workflow_is_copied(novu: Novu, staging: Any) -> None:
    """It alone."""
    copied = novu.workflows.sync(workflow_id="order", sync_workflow_dto={"target_environment_id": staging.id}).result
    here = novu.workflows.get(workflow_id="order").result
    assert (copied.workflow_id, copied.name, copied.id == here.id) == ("order", "An order", False)


def test_an_environment_is_renamed_and_deleted(novu: Novu) -> None:
    """And is listed no more; the one that the server starts with is kept."""
    made = novu.environments.create(create_environment_request_dto={"name": "Trial", "color": "#ff0000"}).result
    renamed = novu.environments.update(
        environment_id=made.id, update_environment_request_dto={"name": "Trial two"}
    ).result
    assert (renamed.id, renamed.name) == (made.id, "Trial two")
    novu.environments.delete(environment_id=made.id)
    left = novu.environments.list().result
    assert made.id not in {one.id for one in left}
    own = next(one for one in left if one.name == "Development")
    with pytest.raises(ValidationErrorDto):
        novu.environments.delete(environment_id=own.id or "")
    with pytest.raises(ErrorDto) as missing:
        novu.environments.delete(environment_id=made.id)
    assert missing.value.data.status_code == 404
