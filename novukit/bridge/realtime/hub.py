"""``Hub``: which sockets are here and whose they are; it looks into the database and tells them what is new.

A notice says only where to look. What goes out is read at that moment, so the last counters sent are always true.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from ...engine import Notice, Runtime
from ...store import messages, subscribers
from ...store.messages import InboxFilter
from ..inbox import Session
from ..inbox.token import GOOD_FOR
from .event import MOST_COUNTED, Event, received, unread_changed, unseen_changed
from .presence import Presence

log = logging.getLogger("novukit.realtime")

BREATH = 0.1
"""Seconds between two looks into the same inbox: what a burst brings goes out together."""
AT_ONCE = 4
"""Looks at a time, so that a broadcast to all who are here leaves the database's connections to others."""
LOOKED_AT = 100
"""New notifications that one look reads."""
MOST_NEWS = 1000
"""New notifications that are still to be read for one inbox. Of more the oldest are not shown as they come."""
MOST_SOCKETS = 30
"""Sockets of one inbox in one process: tabs and devices."""
TROUBLE = 1.0
"""Seconds before the next look when the database did not answer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a socket is closed: a WebSocket close code, and words. After a ``final`` one coming back is of no use."""

    code: int
    reason: str
    final: bool = False


EXPIRED = Ending(4401, "the session is over: open a new one", final=True)
GONE = Ending(4401, "the subscriber was deleted", final=True)
TOO_MANY = Ending(4429, f"a subscriber has at most {MOST_SOCKETS} sockets here", final=True)
TOO_SLOW = Ending(1013, "too slow: connect again and fetch")
STOPPING = Ending(1001, "the server stops")


class Socket(Protocol):
    """A client's connection, through whichever door it came. Neither method waits for the client."""

    async def send(self, event: Event) -> None:
        """Put an event into its buffer; a buffer that is full ends it as ``TOO_SLOW``."""
        ...

    def close(self, ending: Ending) -> None:
        """End it."""
        ...


Inbox = tuple[UUID, UUID, str]
"""The environment, the subscriber, the context keys: who shares all three sees the same."""


class _Room:
    """The sockets of one inbox, and what they are still to be told."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.news: dict[UUID, None] = {}
        self.changed = False
        self.looking = False

    async def tell(self, *events: Event) -> None:
        for socket in tuple(self.sockets):
            for event in events:
                await socket.send(event)


class Hub:
    """The sockets of one process."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._rooms: dict[tuple[UUID, UUID], dict[str, _Room]] = {}
        self._looks = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._presence = Presence(rt, self.has)
        self.count = 0
        """How many sockets are open here."""

    def has(self, environment_id: UUID, subscriber_uuid: UUID) -> bool:
        """Whether a subscriber has a socket here."""
        return (environment_id, subscriber_uuid) in self._rooms

    def arrive(self, session: Session, socket: Socket) -> Ending | None:
        """Take a socket in, or say why not.

        If anything has changed since its session was opened, which is what its page goes by, it gets the counters. So a
        client that comes back, from a lost connection or another server, learns that it must look.
        """
        whose = (session.environment_id, session.subscriber_uuid)
        rooms = self._rooms.setdefault(whose, {})
        if sum(len(room.sockets) for room in rooms.values()) >= MOST_SOCKETS:
            return TOO_MANY
        room = rooms.setdefault(session.context_keys, _Room())
        room.sockets.add(socket)
        self.count += 1
        self._presence.changed(*whose)
        self._beside(self._greet(session, room))
        return None

    def leave(self, session: Session, socket: Socket) -> None:
        """A socket is closed. To leave twice is to leave once."""
        whose = (session.environment_id, session.subscriber_uuid)
        rooms = self._rooms.get(whose, {})
        room = rooms.get(session.context_keys)
        if room is None or socket not in room.sockets:
            return
        room.sockets.remove(socket)
        self.count -= 1
        if not room.sockets:
            del rooms[session.context_keys]
        if not rooms:
            del self._rooms[whose]
            self._presence.changed(*whose)

    def heard(self, environment_id: UUID, notices: Sequence[Notice]) -> None:
        """Something changed in these inboxes. Most are of subscribers who are not here."""
        for subscriber_uuid, message_id in notices:
            for keys, room in self._rooms.get((environment_id, subscriber_uuid), {}).items():
                if message_id is not None:
                    room.news[message_id] = None
                    if len(room.news) > MOST_NEWS:
                        del room.news[next(iter(room.news))]
                self._look_soon((environment_id, subscriber_uuid, keys), room)

    def missed(self) -> None:
        """Anything may have changed: everyone gets the counters."""
        for inbox, room in self._all():
            self._look_soon(inbox, room)

    async def close(self) -> None:
        """Close all sockets; their clients will find another server."""
        for task in (tasks := set(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        rooms, self._rooms, self.count = self._rooms, {}, 0
        for whose, theirs in rooms.items():
            self._presence.changed(*whose)
            for socket in [socket for room in theirs.values() for socket in room.sockets]:
                socket.close(STOPPING)
        await self._presence.close()

    def _all(self) -> Iterator[tuple[Inbox, _Room]]:
        for whose, rooms in self._rooms.items():
            for keys, room in rooms.items():
                yield (*whose, keys), room

    async def _greet(self, session: Session, room: _Room) -> None:
        scope = self._rt.scope(session.environment_id)
        try:
            async with self._looks:
                changed = await messages.changed_since(scope, session.subscriber_uuid, session.expires_at - GOOD_FOR)
        except Exception as err:
            log.warning("an inbox could not be looked into (%s: %s)", type(err).__name__, err)
            changed = True
        if changed:
            self._look_soon((session.environment_id, session.subscriber_uuid, session.context_keys), room)

    def _look_soon(self, inbox: Inbox, room: _Room) -> None:
        room.changed = True
        if not room.looking:
            room.looking = True
            self._beside(self._look_while_changed(inbox, room))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_while_changed(self, inbox: Inbox, room: _Room) -> None:
        while room.changed and room.sockets:
            room.changed = False
            news = list(room.news)[:LOOKED_AT]
            pause = BREATH
            try:
                async with self._looks:
                    await self._look(inbox, room, news)
            except Exception as err:
                log.warning("an inbox could not be looked into (%s: %s); it is tried again", type(err).__name__, err)
                room.changed, pause = True, TROUBLE
            else:
                for message_id in news:
                    room.news.pop(message_id, None)
                room.changed = room.changed or bool(room.news)
            await asyncio.sleep(pause)
        room.looking = False

    async def _look(self, inbox: Inbox, room: _Room, news: list[UUID]) -> None:
        environment_id, subscriber_uuid, keys = inbox
        scope = self._rt.scope(environment_id)
        who = (await subscribers.by_uuids(scope, [subscriber_uuid])).get(subscriber_uuid)
        if who is None:
            for socket in tuple(room.sockets):
                socket.close(GONE)
            return
        if not who.is_online:  # another process has seen them leave
            self._presence.changed(environment_id, subscriber_uuid)
        if news:
            asked = InboxFilter(ids=news, context_keys=keys)
            page = await messages.inbox_page(scope, subscriber_uuid, asked, limit=LOOKED_AT)
            for one in reversed(page.data):
                await room.tell(received(one, who, scope.now()))
        if len(room.news) > len(news):
            return  # the next look tells the counters, too
        unread = await messages.unread(scope, subscriber_uuid, MOST_COUNTED + 1, context_keys=keys)
        asked = InboxFilter(seen=False, archived=False, snoozed=False, context_keys=keys)
        unseen = await messages.count(scope, subscriber_uuid, asked, MOST_COUNTED + 1)
        await room.tell(unread_changed(unread), unseen_changed(unseen))
