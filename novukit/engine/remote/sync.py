"""Sync with an application: ask what it declares, and make the environment's remote workflows just that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import ValidationError

from ...errors import BridgeFailed, InvalidInput, Issue, NovukitError
from ...model import Manifest, StoredWorkflow, WorkflowSpec
from ...store import Scope, bridges, workflows
from ..sync import diff
from . import calling
from .answer import list_in, object_in
from .directory import secret_of

if TYPE_CHECKING:
    from ..runtime import Runtime

MOST = 2_000
_CHANNELS = ("email", "in_app", "sms", "push", "chat")


async def sync(rt: Runtime, scope: Scope, url: str, key_id: UUID | None = None) -> list[StoredWorkflow]:
    """Store what the application at ``url`` declares, all or nothing, and return it; those that it no longer has go.

    ``key_id`` is the secret key that it knows. Workflows of our own code are left alone. Raises
    :class:`BridgeUnavailable`, :class:`BridgeFailed`, and :class:`InvalidInput` for what cannot be run here.
    """
    specs = read(await discover(rt, scope, url, key_id))
    async with scope.database.transaction():
        await workflows.lock(scope)
        stored = await workflows.all(scope)
        _refuse_ours(specs, stored)
        plan = diff([one for one in stored if one.remote], Manifest(workflows=specs), await workflows.in_flight(scope))
        await bridges.save(scope, url, key_id)
        await bridges.apply(
            scope,
            create=[specs[change.workflow_id] for change in plan.create],
            change=[specs[change.workflow_id] for change in plan.change],
            delete=[change.workflow_id for change in plan.delete],
        )
        found = [one for one in await workflows.all(scope) if one.remote]
    rt.remotes.forget()
    rt.ring_after_commit(scope.environment_id)
    return found


async def connect(rt: Runtime, scope: Scope, url: str, key_id: UUID | None = None) -> None:
    """Say where the application is from now on; what it declares stays as it was."""
    await bridges.save(scope, url, key_id)
    rt.remotes.forget()


async def validate(rt: Runtime, scope: Scope, url: str) -> NovukitError | None:
    """Why the application at ``url`` cannot be used, if so."""
    try:
        secret = await secret_of(rt, scope, None)
        found = await calling.call(rt.remotes.http, url, secret, rt.clock.now(), "health-check")
    except BridgeFailed as err:
        return err
    return None if found.get("status") == "ok" else BridgeFailed("The bridge says that it is not well.")


async def discover(rt: Runtime, scope: Scope, url: str, key_id: UUID | None) -> dict[str, Any]:
    """What the application says that it has."""
    return await calling.call(rt.remotes.http, url, await secret_of(rt, scope, key_id), rt.clock.now(), "discover")


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


def _refuse_ours(specs: Mapping[str, WorkflowSpec], stored: list[StoredWorkflow]) -> None:
    """A workflow of our own code is never taken over."""
    ours = {one.spec.id for one in stored if not one.remote}
    issues = [
        Issue("/bridgeUrl", "taken", f"The workflow {name!r} is in this novukit's own code.", "Give one another id.")
        for name in sorted(ours & specs.keys())
    ]
    if issues:
        raise InvalidInput(issues[0].message, hint=issues[0].hint, issues=issues)
