"""``BridgeProtocol``: the ASGI app that Novu's server calls; its one URL is Novu's ``/api/novu``."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ...authoring import Registry, Workflow
from ...clock import Clock
from ...engine.remote import signature
from ...engine.remote.answer import object_in
from ...rendering import Renderer
from .discovery import code_of, counts, discovered
from .execution import Ask, execute
from .refusal import Refusal

log = logging.getLogger("novukit.bridge")

SDK_VERSION, FRAMEWORK_VERSION = "2.13.2", "2024-06-26"
"""Whose protocol we speak: that of this @novu/framework."""
LARGEST_BODY = 2_000_000
_HEADERS = {
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    "access-control-allow-private-network": "true",
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "*",
    "access-control-max-age": "604800",
    "novu-framework-version": FRAMEWORK_VERSION,
    "novu-framework-sdk": SDK_VERSION,
    "novu-framework-server": "novukit",
    "user-agent": f"novu-framework:v{SDK_VERSION}",
}

Keys = Callable[[], Awaitable[list[str]]]
"""The secret keys of which any may have signed a call; asked for at each one."""
Forward = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Triggers a workflow, by id, with the body of a call."""


class BridgeProtocol:
    """Serves ``registry`` to Novu's server. ``strict``: every call but a health check must be signed with one of
    ``keys``. ``renderer`` is for steps with templates; without ``forward`` nothing can be triggered through here.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        keys: Keys,
        *,
        strict: bool = True,
        renderer: Renderer | None = None,
        forward: Forward | None = None,
    ) -> None:
        self._registry, self._clock, self._keys, self._strict = registry, clock, keys, strict
        self._renderer, self._forward = renderer, forward

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request. Nothing that goes wrong leaves here but as an answer."""
        if scope["type"] != "http":
            raise NotImplementedError(f"The bridge protocol has no {scope['type']}.")
        began = self._clock.monotonic()
        try:
            status, body = 200, await self._answer(scope, await _body(receive))
            if "outputs" in body:
                took = round((self._clock.monotonic() - began) * 1000, 3)
                body["metadata"] = {"status": "success", "error": False, "duration": took}
        except Refusal as no:
            status, body = no.status, no.body()
        except Exception:
            log.exception("a call of the bridge protocol failed")
            status, body = 500, {"message": "Something in novukit broke.", "code": "BridgeError"}
        await _respond(send, status, body)

    async def _answer(self, scope: Any, body: bytes) -> dict[str, Any]:
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        method, action = scope["method"], query.get("action") or "health-check"
        if method not in ("GET", "POST", "OPTIONS"):
            raise Refusal("MethodNotAllowedError", f"{method} is not allowed here. Use GET, POST or OPTIONS.")
        if method == "OPTIONS":
            return {}
        if method == "GET" and action == "health-check":
            return self._health()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        await self._check(headers.get(signature.HEADER), b"{}" if method == "GET" else body)
        return self._shown(action, query) if method == "GET" else await self._done(action, query, _object(body))

    async def _check(self, header: str | None, body: bytes) -> None:
        if not self._strict:
            return
        if wrong := signature.flaw(header, await self._keys(), body, self._clock.now()):
            raise Refusal(wrong.value, _FLAWS[wrong])

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok", "sdkVersion": SDK_VERSION, "frameworkVersion": FRAMEWORK_VERSION,
            "discovered": counts(self._registry),
        }  # fmt: skip

    def _shown(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        match action:
            case "discover":
                return discovered(self._registry)
            case "code":
                return {"code": code_of(self._workflow(query), query.get("stepId"))}
            case _:
                raise _no_action(action)

    async def _done(self, action: str, query: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        match action:
            case "execute" | "preview":
                ask = Ask(
                    self._workflow(query), query.get("stepId", ""), body, self._clock.now(), self._renderer,
                    preview=action == "preview",
                )  # fmt: skip
                return await execute(ask)
            case "trigger" if self._forward is not None:
                return await self._forward(self._workflow(query).id, body)
            case _:
                raise _no_action(action)

    def _workflow(self, query: Mapping[str, str]) -> Workflow[Any]:
        name = query.get("workflowId", "")
        if name not in self._registry:
            raise Refusal("WorkflowNotFoundError", f"There is no workflow {name[:100]!r}.")
        return self._registry.get(name)


_FLAWS = {
    signature.Flaw.NOT_FOUND: f"The call has no header {signature.HEADER}.",
    signature.Flaw.INVALID: f"The header {signature.HEADER} is not of the form t=<milliseconds>,v1=<hex>.",
    signature.Flaw.EXPIRED: "The signature is older, or newer, than five minutes. Are the clocks right?",
    signature.Flaw.MISMATCH: "The signature is not that of this body with a secret key that is known here.",
    signature.Flaw.NO_KEY: "There is no secret key here to check the signature with.",
}


def _no_action(action: str) -> Refusal:
    return Refusal("InvalidActionError", f"There is no action {action[:40]!r} for this method.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if (told := object_in(found)) is None:
        raise Refusal("InvalidActionError", "The body is not a JSON object.")
    return told


async def _body(receive: Any) -> bytes:
    read = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal("BridgeError", "The caller went away.")
        read += message.get("body", b"")
        if len(read) > LARGEST_BODY:
            raise Refusal("InvalidActionError", f"The body is larger than {LARGEST_BODY:,} bytes.")
        if not message.get("more_body"):
            return bytes(read)


async def _respond(send: Any, status: int, body: dict[str, Any]) -> None:
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {**_HEADERS, "content-length": str(len(content))}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
