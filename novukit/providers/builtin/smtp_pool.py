"""A few connections to one mail server, each used for many messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from novukit.providers import Throttled

from .smtp_session import Broken, Mail, Session

LINE_SECONDS = 50.0
"""How long a message stands in line for a connection. It is short of any lease, and nothing was sent by then."""


class Pool:
    """At most ``connections`` at a time, each for ``messages`` at most, closed when unused for ``idle`` seconds.

    A connection is kept only after the server has said plainly what became of the message. ``open`` makes one that is
    ready for a message by a moment of the loop's clock, ``patience`` seconds (the pool's) after a message's turn came.
    """

    def __init__(
        self,
        open: Callable[[float], Awaitable[Session]],
        *,
        connections: int,
        messages: int,
        idle: float,
        patience: float,
    ) -> None:
        self._open = open
        self._connections, self._messages, self._patience, self._idle = connections, messages, patience, idle
        self._places = asyncio.Semaphore(connections)
        self._kept: dict[Session, asyncio.TimerHandle] = {}
        self._closed = False

    async def transmit(self, mail: Mail) -> list[str]:
        """Hand ``mail`` over, as Session.transmit does, on a kept connection if there is one that answers.

        One that turns out to be dead before the message was handed over costs nothing but time: a fresh one is tried.
        Raises what Session.open and Session.transmit raise, and Throttled if no connection came free.
        """
        await self._take_place()
        try:
            ready_by = asyncio.get_running_loop().time() + self._patience
            kept = await self._take_kept()
            if kept is not None:
                try:
                    return await self._use(kept, mail, ready_by)
                except Broken:
                    pass
            return await self._use(await self._open(ready_by), mail, ready_by)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Say good-bye on what is kept; what is in use is closed after its message."""
        self._closed = True
        await asyncio.gather(*(session.leave() for session in self._take_all()))

    async def _take_place(self) -> None:
        try:
            async with asyncio.timeout(LINE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            said = f"All {self._connections} connections were busy for {LINE_SECONDS:g} s."
            raise Throttled(said) from None

    async def _take_kept(self) -> Session | None:
        """The connection that was used last and still answers, or None."""
        while self._kept:
            session, timer = self._kept.popitem()
            timer.cancel()
            if not session.is_connected:
                session.close()
                continue
            try:
                answers = await session.reset()
            except BaseException:
                session.close()
                raise
            if answers:
                return session
            session.close()
            # What silenced this one has silenced the older ones, too, and asking each would take its time.
            for older in self._take_all():
                older.close()
        return None

    async def _use(self, session: Session, mail: Mail, ready_by: float) -> list[str]:
        try:
            return await session.transmit(mail, ready_by)
        finally:
            if self._closed or not session.is_reusable or session.messages >= self._messages:
                session.close()
            else:
                later = asyncio.get_running_loop().call_later
                self._kept[session] = later(self._idle, self._let_go, session)

    def _let_go(self, session: Session) -> None:
        del self._kept[session]
        session.close()

    def _take_all(self) -> list[Session]:
        taken = list(self._kept)
        for timer in self._kept.values():
            timer.cancel()
        self._kept.clear()
        return taken
