"""novu-py: all that an integration may be told when it is made and changed."""

from __future__ import annotations

from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ValidationErrorDto

from .serving import Live

CONDITION: dict[str, Any] = {
    "is_negated": False, "type": "GROUP", "value": "AND",
    "children": [{"field": "plan", "value": "pro", "operator": "EQUAL", "on": "payload"}],
}  # fmt: skip


def test_an_integration_is_told_everything(novu: Novu, live: Live) -> None:
    """Its environment, conditions, what its vendor's webhooks are to do, and to try the credentials first."""
    with live.api() as api:
        environment = api.get("/v1/environments/me").json()["data"]["_id"]
    ask: dict[str, Any] = {
        "name": "Text", "identifier": "int-text", "provider_id": "null-sms", "channel": "sms", "kind": "delivery",
        "credentials": {}, "active": True, "check": True, "conditions": [CONDITION], "environment_id": environment,
        "configurations": {"inbound_webhook_enabled": True},
    }  # fmt: skip
    made = novu.integrations.create(create_integration_request_dto=ask).result

    assert (environment, "int-text", "null-sms") == (made.environment_id, made.identifier, made.provider_id)
    assert ("sms", "delivery", True, False) == (made.channel, made.kind, made.active, made.deleted)
    (condition,) = made.conditions or []
    assert ("AND", "plan") == (condition.value.value, condition.children[0].field)
    change: dict[str, Any] = {"conditions": [], "check": True, "environment_id": environment, "identifier": "int-words"}
    changed = novu.integrations.update(integration_id=str(made.id), update_integration_request_dto=change).result
    assert ([], "int-words") == (changed.conditions, changed.identifier)
    novu.integrations.delete(integration_id=str(made.id))


def test_an_integration_may_wait_for_its_credentials(novu: Novu) -> None:
    """While it is inactive."""
    ask: dict[str, Any] = {"identifier": "int-smtp", "provider_id": "smtp", "channel": "email", "active": False}
    made = novu.integrations.create(create_integration_request_dto=ask).result
    with pytest.raises(ValidationErrorDto) as refused:
        novu.integrations.update(integration_id=str(made.id), update_integration_request_dto={"active": True})

    assert "credentials.host" in refused.value.data.errors
    working = {"host": "mail.example.com", "port": "587", "from_": "a@example.com"}
    change: dict[str, Any] = {"active": True, "credentials": working}
    assert novu.integrations.update(integration_id=str(made.id), update_integration_request_dto=change).result.active
    novu.integrations.delete(integration_id=str(made.id))
