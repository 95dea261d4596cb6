"""``create_asgi``: the bridge as an ASGI app over one runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar import Litestar, Request, Router, asgi
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.plugins import InitPlugin
from litestar.plugins.pydantic import PydanticInitPlugin, PydanticSchemaPlugin
from litestar.types import Message, Receive, Send
from litestar.types import Scope as AsgiScope

from ..engine import Receiver, Runtime
from ..engine.observer import Tracer
from ..model import Caller
from . import body, docs, health, idempotency, inbox, parameters, problems
from .api import HANDLERS, absent, callbacks
from .auth import Connection, Doorman, Here, TheRuntime
from .protocol import of_runtime
from .realtime import Realtime
from .wire import is_wire, read

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class _StrictBodies(InitPlugin):
    """Has :func:`wire.read` asked before the decoder of Litestar's pydantic plugin, which knows no pointers."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.type_decoders = [(is_wire, read), *(app_config.type_decoders or [])]
        return app_config


def create_asgi(runtime: Runtime, scrape: Asgi | None = None, realtime: Realtime | None = None) -> Litestar:
    """The REST API, sockets, health and OpenAPI. Whoever opened the runtime's database closes it; this opens nothing.

    ``scrape`` answers ``GET /metrics``; without it there is no such route. ``realtime`` has the sockets; it must be
    closed before the database is.
    """
    doorman, receiver = Doorman(runtime.database), Receiver(runtime)

    # Functions, not bound methods: Litestar copies what a router is made of, and would copy the doorman's database.
    async def admit(connection: Connection, _: BaseRouteHandler) -> None:
        if "auth" not in connection.scope:  # under an idempotency key they are let in before
            connection.scope["auth"] = await doorman.admit(connection)

    async def give_request_id(message: Message, scope: AsgiScope) -> None:
        if message["type"] == "http.response.start":
            name = problems.request_id(scope, runtime.new_id)
            message["headers"] = [*message.get("headers", []), (b"x-request-id", name.encode())]

    # Each asks for the one before: Litestar resolves several at a time as tasks, which costs more than they do.
    def the_caller(request: Request[Any, Any, Any], here: Here) -> Caller:
        return request.scope["auth"]

    def the_walls(request: Request[Any, Any, Any], runtime: TheRuntime) -> Here:
        return runtime.database.scope(request.scope["auth"].environment.id)

    def the_runtime() -> TheRuntime:
        return runtime

    docs.describe_errors([*HANDLERS, *callbacks.HANDLERS, *inbox.HANDLERS])
    api = Router(
        path="/",
        guards=[admit, parameters.check],
        middleware=[idempotency.middleware(runtime, doorman)],
        dependencies={
            "caller": Provide(the_caller, sync_to_thread=False),
            "here": Provide(the_walls, sync_to_thread=False),
            "doorman": Provide(lambda: doorman, sync_to_thread=False),
        },
        route_handlers=[*HANDLERS, *absent.HANDLERS],
    )
    # No key, but a vendor's signature; and any query, for that is the vendor's own.
    told = Router(
        path="/",
        dependencies={"receiver": Provide(lambda: receiver, sync_to_thread=False)},
        route_handlers=callbacks.HANDLERS,
    )
    app = Litestar(
        route_handlers=[
            api,
            told,
            *inbox.routers(runtime),
            *(realtime or Realtime(runtime)).handlers(),
            *health.HANDLERS,
            *docs.HANDLERS,
            *_novu(runtime),
            *(_metrics(scrape) if scrape is not None else []),
        ],
        dependencies={"runtime": Provide(the_runtime, sync_to_thread=False)},
        request_class=body.StrictRequest,
        request_max_body_size=body.SMALL_BODY,
        exception_handlers={Exception: problems.answer},
        before_send=[give_request_id],
        middleware=[partial(_Traced, tracer=runtime.tracer)] if runtime.tracer is not None else [],
        plugins=[PydanticInitPlugin(prefer_alias=True), PydanticSchemaPlugin(prefer_alias=True), _StrictBodies()],
        openapi_config=docs.CONFIG,
        logging_config=None,  # Litestar's own would replace the logging of whoever mounts us
    )
    app.state.runtime = runtime
    app.asgi_handler = inbox.Origins(app.asgi_handler, runtime.settings)  # before any route, or the lack of one
    return app


class _Traced:
    """Goes on with the trace that a request's headers carry."""

    def __init__(self, app: Asgi, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        with self._tracer.request(headers):
            await self._app(scope, receive, send)


def _novu(runtime: Runtime) -> list[Any]:
    """The route of Novu's server. It carries a signature, and errors have Novu's codes."""
    protocol = of_runtime(runtime)

    @asgi("/api/novu", copy_scope=True)
    async def novu(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await protocol(scope, receive, send)

    return [novu]


def _metrics(scrape: Asgi) -> list[Any]:
    """The route of Prometheus. It has a token of its own: whoever scrapes need not be able to send."""

    @asgi("/metrics", copy_scope=True)
    async def metrics(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await scrape(scope, receive, send)

    return [metrics]


def until_stopped(app: Litestar) -> Asgi:
    """``app`` for a server that cancels what takes too long when it stops: the answer is a 503, and no fault."""

    async def asking(scope: Any, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, sending)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            response: Any = problems.stopping(request)
            await response.to_asgi_response(None, request)(scope, receive, send)

    return asking
