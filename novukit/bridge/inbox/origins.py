"""``Origins``: from which pages a browser may speak to the inbox (CORS); to the rest of the API none may."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Send

from ...errors import OriginRefused
from ...settings import Settings
from ..problems import answer

PATHS = ("/v1/inbox", "/v1/web-chat", "/socket.io")
METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
# By name: in a browser `*` does not cover Authorization.
HEADERS = "Authorization, Content-Type, Novu-API-Version, Novu-Client-Version, Novu-Application-Identifier"
SHOWN = "X-Request-Id, Retry-After"
REMEMBERED = "7200"
"""Seconds that a browser may keep the answer to a preflight."""


class Origins:
    """Goes around the whole bridge, before any route: what an unwelcome page asks for changes nothing.

    Sockets are held to the same. A request without ``Origin`` comes from no page and is let through.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        # Development's pages come from any port of this machine; and there is nothing to be had.
        listed = settings.inbox.origins or (("*",) if settings.environment == "development" else ())
        self._any = "*" in listed
        self._patterns = [_pattern(one) for one in listed if one != "*"]
        self._own = {_host(settings.public_url)} if settings.public_url else set[str]()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer preflights, refuse the unwelcome, and tell browsers what they may read."""
        headers: dict[bytes, str] = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        origin = headers.get(b"origin")
        if origin is None or not _is_inbox(scope):
            await self._app(scope, receive, send)
        elif not self.welcome(origin, headers.get(b"host", "")):
            await _refuse(origin, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _welcome_ahead(origin, send)
        else:
            await self._app(scope, receive, _readable(origin, send))

    def welcome(self, origin: str, host: str) -> bool:
        """Whether pages of ``origin`` may speak to the inbox of a server that was asked as ``host``."""
        if self._any or any(pattern.fullmatch(origin.lower()) for pattern in self._patterns):
            return True
        return _host(origin) in ({host.lower()} | self._own)


def _is_inbox(scope: Any) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return any(path == one or path.startswith(f"{one}/") for one in PATHS)


def _pattern(listed: str) -> re.Pattern[str]:
    scheme, _, host = listed.lower().rstrip("/").partition("://")
    inside = r"[a-z0-9.-]+\." if host.startswith("*.") else ""
    return re.compile(f"{scheme}://{inside}{re.escape(host.removeprefix('*.'))}")


def _host(url: str) -> str:
    """Host and port; without a scheme, for a proxy that speaks TLS hides the server's own."""
    return urlsplit(url).netloc.lower()


async def _refuse(origin: str, scope: Any, receive: Any, send: Any) -> None:
    error = OriginRefused(
        f"Pages of {origin[:100]!r} may not speak to this inbox.",
        hint=f'Allow them in novukit.toml: [inbox] origins = ["{origin[:100]}"].',
    )
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": OriginRefused.code})
        return
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    response: Any = answer(request, error)
    response.headers["Vary"] = "Origin"
    await response.to_asgi_response(None, request)(scope, receive, send)


async def _welcome_ahead(origin: str, send: Send) -> None:
    headers = {
        **_told(origin),
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": REMEMBERED,
    }
    await send({"type": "http.response.start", "status": 204, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _readable(origin: str, send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = _raw({**_told(origin), "Access-Control-Expose-Headers": SHOWN})
            message["headers"] = [*message.get("headers", []), *told]
        await send(message)

    return sending


def _told(origin: str) -> dict[str, str]:
    # Never with credentials: the token travels in a header, and cookies are none of the inbox's business.
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
