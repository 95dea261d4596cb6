"""The plain WebSocket: ``{"event": …, "data": …}`` as text, one way; ``ping`` is answered with ``pong``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ...errors import NovukitError, SessionInvalid
from .admission import Admission, ended
from .event import Event
from .hub import TOO_SLOW, Ending, Hub

BUFFER = 500
"""Frames that wait for a client. One that is further behind is closed, and fetches when it is back."""
GOODBYE = 1.0
"""Seconds that a client may take for the last frame."""
UNAVAILABLE = 1013

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class PlainSocket:
    """One client. ``run`` lasts as long as the connection does."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[str] = asyncio.Queue(BUFFER)
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def send(self, event: Event) -> None:
        """See :class:`hub.Socket`."""
        self._put(event.text)

    def close(self, ending: Ending) -> None:
        """See :class:`hub.Socket`."""
        if not self._ended.done():
            self._ended.set_result(ending)

    async def run(self, receive: Receive, send: Send, watching: Coroutine[Any, Any, None] | None) -> None:
        """Carry frames until either side ends it, or ``watching`` does."""
        works = [self._write(send), self._read(receive), *([watching] if watching else [])]
        tasks = {asyncio.ensure_future(work) for work in works}
        try:
            await asyncio.wait({self._ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._ended.done():
            await _say_goodbye(send, self._ended.result())

    def _put(self, frame: str) -> None:
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.close(TOO_SLOW)

    async def _write(self, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "text": await self._frames.get()})

    async def _read(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            if message.get("text") == "ping":
                self._put("pong")


async def serve(hub: Hub, admission: Admission, token: str, receive: Receive, send: Send) -> None:
    """One connection, from its handshake to its end. Who is told that it is open hears from then on."""
    await receive()
    socket, session = PlainSocket(), None
    try:
        session = await admission.session(token)
        if refused := hub.arrive(session, socket):
            socket.close(refused)
    except SessionInvalid as err:
        socket.close(ended(err))
    except NovukitError as err:
        socket.close(Ending(UNAVAILABLE, err.message))
    try:
        await send({"type": "websocket.accept"})  # also when it is refused: a page can read a close code, but no 403
        await socket.run(receive, send, admission.watch(token, session, socket) if session else None)
    finally:
        if session is not None:
            hub.leave(session, socket)


async def _say_goodbye(send: Send, ending: Ending) -> None:
    """Close with a reason, which has at most 123 bytes. A client that does not read is left to the server."""
    reason = ending.reason.encode()[:123].decode("utf-8", "ignore")
    try:
        async with asyncio.timeout(GOODBYE):
            await send({"type": "websocket.close", "code": ending.code, "reason": reason})
    except (OSError, TimeoutError):
        return
