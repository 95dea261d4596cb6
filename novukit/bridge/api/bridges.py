"""Bridges: applications with Novu's framework, whose workflows run there step by step (`npx novu sync`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from pydantic import Field

from ...engine import remote
from ...store import bridges
from ..auth import Here, TheCaller, TheRuntime
from ..idempotency import KEEPING
from ..wire import Data, Wire, envelope
from .workflows import WorkflowOut, out

TAGS = ["Bridge"]

Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://\S+$")]


class BridgeIn(Wire):
    """Where an application is: the URL of the framework's own route."""

    bridge_url: Url


class ValidationOut(Wire):
    """Whether an application can be used, and if not, why."""

    is_valid: bool
    error: str | None = None


class StatusOut(Wire):
    """Where the environment's application is, whether it answers, and how many of its workflows are stored."""

    status: Literal["ok", "error", "none"]
    bridge_url: str | None
    error: str | None = None


@post("/v1/bridge/sync", summary="Sync with an application", tags=TAGS, opt={KEEPING: "apart"})
async def sync(
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    data: JSONBody[BridgeIn],
    source: Annotated[str | None, QueryParameter(description="Who asks, such as cli. It makes no difference.")] = None,
) -> Data[list[WorkflowOut]]:
    """Store the workflows that an application declares; those that it declares no more are deleted."""
    return envelope([out(one) for one in await remote.sync(runtime, here, data.bridge_url, caller.key_id)])


@post("/v1/bridge/validate", status_code=200, summary="Try an application", tags=TAGS, opt={KEEPING: "apart"})
async def validate(here: Here, runtime: TheRuntime, data: JSONBody[BridgeIn]) -> Data[ValidationOut]:
    """Whether an application answers at a URL. Nothing is kept."""
    wrong = await remote.validate(runtime, here, data.bridge_url)
    return envelope(ValidationOut(is_valid=wrong is None, error=wrong and wrong.message))


@get("/v1/bridge/status", summary="Show the application", tags=TAGS)
async def status(here: Here, runtime: TheRuntime) -> Data[StatusOut]:
    """Where the environment's application is, and whether it answers."""
    bridge = await bridges.get(here)
    if bridge is None:
        return envelope(StatusOut(status="none", bridge_url=None))
    wrong = await remote.validate(runtime, here, bridge.url)
    return envelope(StatusOut(status="error" if wrong else "ok", bridge_url=bridge.url, error=wrong and wrong.message))


HANDLERS: list[Any] = [sync, validate, status]
