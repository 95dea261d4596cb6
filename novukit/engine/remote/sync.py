"""Sync with an application: ask what it declares, and make the environment's remote workflows just that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ...errors import BridgeFailed, InvalidInput, Issue, NovukitError
from ...model import Manifest, StoredWorkflow, WorkflowSpec
from ...store import Scope, bridges, workflows
from ..sync import diff
from . import calling
from .declaration import read
from .directory import secret_of

if TYPE_CHECKING:
    from ..runtime import Runtime


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


def _refuse_ours(specs: Mapping[str, WorkflowSpec], stored: list[StoredWorkflow]) -> None:
    """A workflow of our own code is never taken over."""
    ours = {one.spec.id for one in stored if not one.remote}
    issues = [
        Issue("/bridgeUrl", "taken", f"The workflow {name!r} is in this novukit's own code.", "Give one another id.")
        for name in sorted(ours & specs.keys())
    ]
    if issues:
        raise InvalidInput(issues[0].message, hint=issues[0].hint, issues=issues)
