"""The plain WebSocket: ``{"event": …, "data": …}`` as text, one way; ``ping`` is answered with ``pong``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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

    async def run(self, receive: Receive, send: Send, watching: Awaitable[None]) -> None:
        """Carry frames until either side ends it."""
        tasks = {asyncio.ensure_future(work) for work in (self._write(send), self._read(receive), watching)}
        try:
            await asyncio.wait({self._ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._ended.done():
            await say_goodbye(send, self._ended.result())

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
    """One connection, from its handshake to its end."""
    await receive()
    await send({"type": "websocket.accept"})  # a page can read a close code, but no refused handshake
    try:
        session = await admission.session(token)
    except SessionInvalid as err:
        return await say_goodbye(send, ended(err))
    except NovukitError as err:
        return await say_goodbye(send, Ending(UNAVAILABLE, err.message))
    socket = PlainSocket()
    if refused := hub.arrive(session, socket):
        return await say_goodbye(send, refused)
    try:
        await socket.run(receive, send, admission.watch(token, session, socket))
    finally:
        hub.leave(session, socket)


async def say_goodbye(send: Send, ending: Ending) -> None:
    """Close with a reason, which has at most 123 bytes. A client that does not read is left to the server."""
    reason = ending.reason.encode()[:123].decode("utf-8", "ignore")
    try:
        async with asyncio.timeout(GOODBYE):
            await send({"type": "websocket.close", "code": ending.code, "reason": reason})
    except (OSError, TimeoutError):
        return
