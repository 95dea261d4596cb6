"""The OpenAPI description of the API, and a page to read and try it that needs nothing from elsewhere.

Litestar's own pages load their scripts from other hosts, and the packages that carry Swagger UI either bring a
framework with them or do not know OpenAPI 3.1. The page here is one file of ours; it works without a network.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from litestar import MediaType, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from .. import __version__
from .problems import ErrorBody

_ERRORS = {
    400: "The body cannot be read.",
    401: "There is no valid secret key.",
    404: "There is nothing under this id in the environment.",
    422: "The input breaks a rule; `details` tells each one.",
}


class _NoPages(Router):
    """Takes the routes that Litestar would add for the description, and drops them.

    At ``/`` they would answer for every path of one word, and in HTML; :data:`HANDLERS` has what is needed.
    """

    def register(self, value: Any) -> list[Any]:
        return []


CONFIG = OpenAPIConfig(
    title="novukit",
    version=__version__,
    description="Notification workflows. Paths, names and bodies are Novu's, so that Novu's SDKs work unchanged.",
    components=Components(
        security_schemes={
            "secretKey": SecurityScheme(
                type="apiKey",
                name="Authorization",
                security_scheme_in="header",
                description="`ApiKey <secret key>`. The key opens the environment that it belongs to.",
            )
        }
    ),
    security=[{"secretKey": []}],
    use_handler_docstrings=True,
    render_plugins=[JsonRenderPlugin()],
    openapi_router=_NoPages(path="/openapi", route_handlers=[]),
)


def describe_errors(handlers: Iterable[HTTPRouteHandler]) -> None:
    """Describe the errors of the API's handlers with our body; Litestar would describe its own."""
    for handler in handlers:
        ours = {
            status: ResponseSpec(ErrorBody, generate_examples=False, description=text)
            for status, text in _ERRORS.items()
        }
        handler.responses = {**ours, **(handler.responses or {})}


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def description(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The description of the API, OpenAPI 3.1."""
    return request.app.openapi_schema.to_schema()


@get("/docs", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
def page() -> Response[str]:
    """The page to read and try the API."""
    return Response(
        files(__package__ or "").joinpath("docs.html").read_text("utf-8"),
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )


HANDLERS = [description, page]
