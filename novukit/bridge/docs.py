"""The OpenAPI description of the API, and a page to read and try it that needs nothing from elsewhere.

Litestar's own pages load their scripts from other hosts, and the packages that carry Swagger UI either bring a
framework with them or do not know OpenAPI 3.1. The page here is one file of ours; it works without a network.
"""

from __future__ import annotations

from importlib import metadata
from importlib.resources import files

from litestar import MediaType, Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme


CONFIG = OpenAPIConfig(
    title="novukit",
    version=metadata.version("novukit"),
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
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    openapi_router=Router(path="/", route_handlers=[]),
)


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


HANDLERS = [page]
