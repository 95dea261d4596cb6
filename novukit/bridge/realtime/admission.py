"""``Admission``: whose token opens a socket, and for how long it does."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ...engine import Runtime
from ...errors import NovukitError, SessionInvalid
from ..inbox import Porter, Session
from .hub import Ending, Socket

log = logging.getLogger("novukit.realtime")

LOOK_AGAIN = 300.0
"""Seconds between two looks at a token: it may have been ended by a new inbox secret, or its subscriber deleted."""


class Admission:
    """Looks at a socket's token when it is opened, and as long as it is open. (Its origin was looked at before.)"""

    def __init__(self, rt: Runtime) -> None:
        self._rt, self._porter = rt, Porter(rt)

    async def session(self, token: str) -> Session:
        """The session that a token is for. Raises :class:`SessionInvalid`."""
        return await self._porter.session(token)

    async def watch(self, token: str, session: Session, socket: Socket) -> None:
        """Close ``socket`` when its session is over."""
        while True:
            left = (session.expires_at - self._rt.clock.now()).total_seconds()
            await asyncio.sleep(min(max(left, 0.0), LOOK_AGAIN * (0.5 + random.random())))  # noqa: S311 - not all at once
            try:
                await self._porter.session(token)
            except SessionInvalid as err:
                socket.close(ended(err))
                return
            except NovukitError as err:  # the database is away, and the session may well be good
                log.debug("a session could not be looked at (%s)", err)


def ended(err: SessionInvalid) -> Ending:
    """How a socket ends whose token is not good."""
    return Ending(4401, err.message, final=True)


def take_token(scope: Any) -> str:
    """The token of a socket's URL, which is taken out: servers and middlewares write URLs to their logs."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "token"]).encode()
    return next((value for name, value in pairs if name == "token"), "")
