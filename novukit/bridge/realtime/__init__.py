"""What reaches an open inbox without being asked for: notifications as they come, and counters that are true."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import asgi
from litestar.types import Receive, Scope, Send

from ...engine import Runtime
from ...errors import NotFound
from . import plain
from .admission import Admission, take_token
from .hub import Hub
from .socket_io import SocketIo

__all__ = ["Realtime"]

PLAIN = "/v1/inbox/ws"
SOCKET_IO = ["/socket.io", "/v1/inbox/socket.io"]

Door = Callable[[Any, Any, Any, str], Awaitable[None]]


class Realtime:
    """The sockets of one server process, and the two doors that they come through.

    It hears of changes as a ``Hearer`` of notices: ``heard`` and ``missed`` are the hub's.
    """

    def __init__(self, rt: Runtime) -> None:
        self.hub = Hub(rt)
        self._admission = Admission(rt)
        self._socket_io = SocketIo(self.hub, self._admission)

    async def close(self) -> None:
        """Close all sockets and note who has left, in bounded time; before the database is closed."""
        await self.hub.close()
        await self._socket_io.close()

    def handlers(self) -> list[Any]:
        """The routes."""
        hub, admission, socket_io = self.hub, self._admission, self._socket_io

        async def by_itself(scope: Any, receive: Any, send: Any, token: str) -> None:
            await plain.serve(hub, admission, token, receive, send)

        # Functions, not bound methods: Litestar copies what a route is made of. Not its scope, though: a URL's token is
        # to be gone from the scope that the server logs.
        @asgi(PLAIN, copy_scope=False)
        async def plain_socket(scope: Scope, receive: Receive, send: Send) -> None:
            await _enter(by_itself, scope, receive, send)

        @asgi(SOCKET_IO, copy_scope=False)
        async def socket_io_socket(scope: Scope, receive: Receive, send: Send) -> None:
            await _enter(socket_io.serve, scope, receive, send)

        return [plain_socket, socket_io_socket]


async def _enter(door: Door, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        raise NotFound(
            "Here is a WebSocket and nothing else.", hint="Connect with ws:// or wss://; see docs/realtime.md."
        )
    await door(scope, receive, send, take_token(scope))
