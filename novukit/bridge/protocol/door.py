"""The bridge protocol over a runtime: whose keys may sign, and where a trigger goes."""

from __future__ import annotations

import json
from typing import Any

from ...engine import Runtime
from ...errors import NovukitError
from ...store import Scope, environments, keys, organizations
from .. import wire
from ..api import events
from .app import BridgeProtocol
from .refusal import Refusal

_FORWARDED = ("to", "payload", "overrides", "actor", "transactionId")
"""What a trigger of the framework may say. The rest (its bridgeUrl) is about a server that calls back."""


def of_runtime(runtime: Runtime) -> BridgeProtocol:
    """The app that serves the runtime's workflows.

    A call may be signed with the secret key of Novu's server (``bridge.secret``, ``NOVU_SECRET_KEY``), or with any key
    of the environment that the settings name.
    """
    settings = runtime.settings
    own = settings.bridge.secrets()
    strict = settings.bridge.strict
    if strict is None:
        strict = settings.environment != "development"

    async def secrets() -> list[str]:
        scope = await _scope(runtime)
        return own + [secret for _, secret in await keys.reveal(scope, runtime.secrets)]

    async def forward(workflow_id: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = {"name": workflow_id, **{name: body[name] for name in _FORWARDED if name in body}}
        try:
            done = await events.take(
                runtime, await _scope(runtime), wire.read(events.TriggerIn, asked), len(json.dumps(asked))
            )
        except NovukitError as err:
            raise Refusal("BridgeError", f"It could not be triggered: {err}") from None
        return {"data": events.answer(done).model_dump(mode="json", by_alias=True)}

    return BridgeProtocol(
        runtime.registry, runtime.clock, secrets, strict=strict, renderer=runtime.renderer, forward=forward
    )


async def _scope(runtime: Runtime) -> Scope:
    """The environment that the settings name."""
    organization = await organizations.first(runtime.database)
    if organization is None:
        raise Refusal("SigningKeyNotFoundError", "This database has no environments yet.")
    slug = runtime.settings.environment
    return runtime.scope((await environments.by_slug(runtime.database, organization.id, slug)).id)
