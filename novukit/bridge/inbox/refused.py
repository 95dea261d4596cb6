"""What Novu's client can ask for and novukit leaves out: it says so, in a sentence."""

from __future__ import annotations

from typing import Any, NoReturn

from litestar import post, route
from litestar.params import FromPath

from ...errors import NotSupported

_CONNECTIONS, _ENDPOINTS = "/v1/inbox/channel-connections", "/v1/inbox/channel-endpoints"
_SIGN_IN = [f"{_CONNECTIONS}/oauth", f"{_ENDPOINTS}/oauth", f"{_ENDPOINTS}/link", "/v1/inbox/chat/oauth"]


@post(_SIGN_IN, include_in_schema=False)
async def sign_in() -> None:
    """A page that lets a subscriber sign in with a chat vendor."""
    _refuse("Signing in with a chat vendor is left out.", "Let your server do it: POST /v1/channel-connections.")


@post([_CONNECTIONS, _ENDPOINTS], include_in_schema=False)
async def add() -> None:
    """A page that says where a subscriber is reached."""
    _refuse("Channels cannot be added from a page.", "Let your server do it: POST /v1/channel-endpoints.")


@post("/v1/inbox/events", include_in_schema=False)
async def demo() -> None:
    """An inbox without an application."""
    _refuse("The demo without keys is left out.", "`novukit init` and `novukit dev` are as quick.")


@route(
    ["/v1/web-chat", "/v1/web-chat/{rest:path}"],
    http_method=["GET", "POST", "PATCH", "DELETE"],
    status_code=200,
    include_in_schema=False,
)
async def chat(rest: FromPath[str] = "") -> None:
    """Conversations with agents."""
    _refuse("Conversations with agents (web chat) are left out.", "novukit sends notifications.")


def _refuse(message: str, hint: str) -> NoReturn:
    raise NotSupported(message, hint=hint)


INSIDE: list[Any] = [add]
"""Those that share a path with what there is."""
OUTSIDE: list[Any] = [sign_in, demo, chat]
