"""socket.io, over WebSocket only: the transport that Novu's clients choose for any server but Novu's own."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from socketio import AsyncServer  # pyright: ignore[reportMissingTypeStubs]
from socketio.exceptions import ConnectionRefusedError as Refused  # pyright: ignore[reportMissingTypeStubs]

from ...errors import NovukitError, SessionInvalid
from ..inbox import Session
from .admission import Admission
from .event import Event
from .hub import TOO_SLOW, Ending, Hub
from .plain import BUFFER, Receive, Send

OPENING = 10.0
"""Seconds that a client may take to say which namespace it wants, or to leave after it was refused."""
LINGER = 2.0
"""Seconds between the word that it is over and the end of the connection."""
LONGEST_FRAME = 10_000
_OURS = "novukit.socket"


class SocketIo:
    """The server of python-socketio, with its clients in the hub.

    Any namespace will do: Novu's client makes one of a path in ``socketUrl``.
    """

    def __init__(self, hub: Hub, admission: Admission) -> None:
        self._hub, self._admission = hub, admission
        self._io: Any = AsyncServer(
            async_mode="asgi",
            transports=["websocket"],
            cors_allowed_origins=[],  # the origin was looked at before
            max_http_buffer_size=LONGEST_FRAME,
            namespaces="*",
            logger=False,
            engineio_logger=False,
        )
        self._io.on("connect", self._connected, namespace="*")
        self._io.on("disconnect", self._disconnected, namespace="*")
        self._sockets: dict[str, SocketIoSocket] = {}

    async def serve(self, scope: Any, receive: Receive, send: Send, token: str) -> None:
        """One connection, from its handshake to its end."""
        socket = SocketIoSocket(self._io, token)
        scope[_OURS] = socket
        opening = asyncio.get_running_loop().call_later(OPENING, socket.expect)
        try:
            await self._io.handle_request(scope, receive, send)
        except asyncio.CancelledError:
            if not socket.cut_off:
                raise
        finally:
            opening.cancel()
            self._left(socket)

    async def close(self) -> None:
        """End the server's own task."""
        await self._io.shutdown()

    async def _connected(self, namespace: str, sid: str, environ: Any, _auth: Any = None) -> None:
        socket: SocketIoSocket = environ["asgi.scope"][_OURS]
        if socket.sid:
            raise Refused("one connection has one namespace here")
        try:
            session = await self._admission.session(socket.token)
        except SessionInvalid as err:
            raise Refused(err.message) from None
        except NovukitError:
            socket.cut()  # refused in words it would not try again
            raise
        socket.sid, socket.namespace, socket.session = sid, namespace, session
        self._sockets[sid] = socket
        # Behind the answer to the client, which is put into its buffer in this turn of the loop.
        asyncio.get_running_loop().call_soon(self._arrive, socket, session)

    def _arrive(self, socket: SocketIoSocket, session: Session) -> None:
        if socket.gone:
            return
        if refused := self._hub.arrive(session, socket):
            socket.close(refused)
        else:
            socket.beside(self._admission.watch(socket.token, session, socket))

    async def _disconnected(self, _namespace: str, sid: str, _reason: str = "") -> None:
        if socket := self._sockets.pop(sid, None):
            self._left(socket)

    def _left(self, socket: SocketIoSocket) -> None:
        self._sockets.pop(socket.sid, None)
        socket.end()
        if socket.session is not None:
            self._hub.leave(socket.session, socket)


class SocketIoSocket:
    """One client. It is made in the task that serves its connection."""

    def __init__(self, io: Any, token: str) -> None:
        self._io, self.token = io, token
        self.sid, self.namespace = "", "/"
        self.session: Session | None = None
        self.cut_off = self.gone = False
        self._serving = asyncio.current_task()
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, event: Event) -> None:
        """See :class:`hub.Socket`."""
        connection = self._connection()
        if connection is None or connection.closed:
            return
        if connection.queue.qsize() >= BUFFER:
            self.close(TOO_SLOW)
            return
        await self._io.emit(event.name, event.data, to=self.sid, namespace=self.namespace)

    def close(self, ending: Ending) -> None:
        """See :class:`hub.Socket`. Who is told that it is over does not come back by itself; who is cut off does."""
        self.beside(self._finish() if ending.final else self._break())

    def expect(self) -> None:
        """The time is up for a client to be who it says."""
        if self.session is None:
            self.cut()

    def cut(self) -> None:
        """Break the connection."""
        self.beside(self._break())

    def beside(self, work: Any) -> None:
        """Do ``work`` as long as the connection is there."""
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """The connection is gone. It may be while its session is still being looked at."""
        self.gone = True
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def _connection(self) -> Any:
        name = self._io.manager.eio_sid_from_sid(self.sid, self.namespace) if self.sid else None
        return self._io.eio.sockets.get(name)

    async def _finish(self) -> None:
        await self._io.disconnect(self.sid, namespace=self.namespace)
        await asyncio.sleep(LINGER)
        await self._break()

    async def _break(self) -> None:
        """Twice, for the library waits once more for a writer that the client may have blocked."""
        self.cut_off = True
        for _ in range(2):
            if self._serving is not None and not self._serving.done():
                self._serving.cancel()
                await asyncio.sleep(1)
