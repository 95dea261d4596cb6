"""The novukit that the clients speak to is there."""

from __future__ import annotations

from .serving import Live


def test_it_is_there_and_has_its_workflows(live: Live) -> None:
    """``novukit dev`` has synced what the clients trigger."""
    with live.api() as api:
        listed = api.get("/v2/workflows").json()["data"]["workflows"]
    assert {one["workflowId"] for one in listed} >= {"note", "alarm", "order", "reminder", "security"}
