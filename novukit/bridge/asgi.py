"""``create_asgi``: the bridge as an ASGI app over one runtime."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.plugins import InitPlugin
from litestar.plugins.pydantic import PydanticInitPlugin, PydanticSchemaPlugin
from litestar.types import Message
from litestar.types import Scope as AsgiScope

from ..engine import Runtime
from ..model import Caller
from . import body, docs, health, parameters, problems
from .api import HANDLERS
from .auth import Connection, Doorman, Here, TheRuntime
from .wire import is_wire, read


class _StrictBodies(InitPlugin):
    """Has :func:`wire.read` asked before the decoder of Litestar's pydantic plugin, which knows no pointers."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.type_decoders = [(is_wire, read), *(app_config.type_decoders or [])]
        return app_config


def create_asgi(runtime: Runtime) -> Litestar:
    """The REST API, health and OpenAPI. Whoever opened the runtime's database closes it; this opens nothing."""
    doorman = Doorman(runtime.database)

    # Functions, not bound methods: Litestar copies what a router is made of, and would copy the doorman's database.
    async def admit(connection: Connection, _: BaseRouteHandler) -> None:
        connection.scope["auth"] = await doorman.admit(connection)

    async def give_request_id(message: Message, scope: AsgiScope) -> None:
        if message["type"] == "http.response.start":
            name = problems.request_id(scope, runtime.new_id)
            message["headers"] = [*message.get("headers", []), (b"x-request-id", name.encode())]

    def the_caller(request: Request[Any, Any, Any]) -> Caller:
        return request.scope["auth"]

    def the_walls(request: Request[Any, Any, Any]) -> Here:
        return runtime.database.scope(request.scope["auth"].environment.id)

    def the_runtime() -> TheRuntime:
        return runtime

    docs.describe_errors(HANDLERS)
    api = Router(
        path="/",
        guards=[admit, parameters.check],
        dependencies={
            "caller": Provide(the_caller, sync_to_thread=False),
            "here": Provide(the_walls, sync_to_thread=False),
            "doorman": Provide(lambda: doorman, sync_to_thread=False),
        },
        route_handlers=HANDLERS,
    )
    app = Litestar(
        route_handlers=[api, *health.HANDLERS, *docs.HANDLERS],
        dependencies={"runtime": Provide(the_runtime, sync_to_thread=False)},
        request_class=body.StrictRequest,
        request_max_body_size=body.SMALL_BODY,
        exception_handlers={Exception: problems.answer},
        before_send=[give_request_id],
        plugins=[PydanticInitPlugin(prefer_alias=True), PydanticSchemaPlugin(prefer_alias=True), _StrictBodies()],
        openapi_config=docs.CONFIG,
        logging_config=None,  # Litestar's own would replace the logging of whoever mounts us
    )
    app.state.runtime = runtime
    return app
