"""What an application declares: the body of its discovery, read into the workflows that novukit knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ...errors import BridgeFailed, InvalidInput, Issue
from ...model import WorkflowSpec
from .answer import list_in, object_in

MOST = 2_000
"""How many workflows an application may have."""
_CHANNELS = ("email", "in_app", "sms", "push", "chat")


def read(body: Mapping[str, Any]) -> dict[str, WorkflowSpec]:
    """The workflows in the body of a discovery. Raises :class:`InvalidInput` with all that cannot be run here."""
    found = list_in(body.get("workflows"))
    if not isinstance(body.get("workflows"), list) or len(found) > MOST:
        raise BridgeFailed("The bridge did not say which workflows it has.")
    issues: list[Issue] = []
    specs: dict[str, WorkflowSpec] = {}
    for at, item in enumerate(found):
        one = object_in(item) or {}
        try:
            spec = WorkflowSpec.model_validate(_declared(one))
        except ValidationError as err:
            issues += [_misfit(at, one, error) for error in err.errors(include_url=False)]
        else:
            specs[spec.id] = spec
    if issues:
        raise InvalidInput(issues[0].message, hint=issues[0].hint, issues=issues)
    return specs


def _declared(one: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow of the wire with the names of :class:`WorkflowSpec`."""
    steps = list_in(one.get("steps"))
    preferences = object_in(one.get("preferences")) or {}
    everywhere = object_in(preferences.get("all")) or {}
    channels = object_in(preferences.get("channels")) or {}
    return {
        "id": one.get("workflowId"),
        "name": one.get("name") or one.get("workflowId"),
        "description": one.get("description") or "",
        "tags": one.get("tags") or [],
        "severity": one.get("severity") or "none",
        "preferences": {
            "enabled": everywhere.get("enabled", True),
            "read_only": everywhere.get("readOnly", False),
            "channels": {
                name: (object_in(channels[name]) or {}).get("enabled", True) for name in _CHANNELS if name in channels
            },
        },
        "payload_schema": payload_schema(object_in(one.get("payload")) or {}),
        "steps": [{"id": step.get("stepId"), "kind": step.get("type")} for step in map(object_in, steps) if step],
    }


def payload_schema(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema that a trigger is held to. The framework takes unknown fields away by itself, so they are let pass.

    A workflow that says nothing of its payload has an empty schema, and is given an empty payload by the framework.
    """
    schema = object_in(payload.get("schema"))
    if not schema or (schema.get("type") == "object" and not schema.get("properties")):
        return None
    return _open(schema)


def _open(schema: Any) -> Any:
    if parts := list_in(schema):
        return [_open(part) for part in parts]
    if (found := object_in(schema)) is None:
        return schema
    closed = found.get("additionalProperties") is False
    return {key: _open(value) for key, value in found.items() if not (closed and key == "additionalProperties")}


def _misfit(at: int, one: Mapping[str, Any], error: Any) -> Issue:
    where = "/".join(map(str, error["loc"]))
    who = f"The workflow {str(one.get('workflowId'))[:64]!r}"
    if error["loc"][-1] == "kind":
        said = f"{who} has a step of the type {str(error['input'])[:32]!r}, which novukit does not have."
        return Issue(f"/workflows/{at}/{where}", "not_supported", said)
    said = f"{who} cannot be run here: {where}: {error['msg']}."
    hint = "Ids have 1 to 100 letters, digits and _ . - and do not begin with . or -." if "id" in error["loc"] else None
    return Issue(f"/workflows/{at}/{where}", "bad_workflow", said, hint)
