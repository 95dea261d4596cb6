"""Who may come into an inbox: ``Authorization: Bearer <token>``, for the one subscriber whose session it is."""

from __future__ import annotations

from typing import TypeAlias

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from ...engine import Runtime
from ...errors import SessionInvalid
from ...store import sessions
from ..auth import Connection
from . import token
from .token import Session

_HOW = 'Open a session with POST /v1/inbox/session, and send "Authorization: Bearer <its token>".'
_MOST_KEPT = 1_000


class Porter:
    """Lets in whoever holds a token that is still good.

    Each time the database is asked, in one query: a subscriber who was deleted, or a secret that was rotated, ends a
    session at once, on every server.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._opened: dict[str, str] = {}

    async def admit(self, connection: Connection) -> Session:
        """Whose session a request carries. Raises :class:`SessionInvalid`, with what to do."""
        sent = connection.headers.getall("authorization", [])
        if not sent:
            raise SessionInvalid("The call carries no token of an inbox session.", hint=_HOW)
        scheme, _, text = sent[0].strip().partition(" ")
        if len(sent) > 1 or scheme.lower() != "bearer":
            raise SessionInvalid("The inbox takes one header Authorization, with the scheme Bearer.", hint=_HOW)
        return await self.session(text.strip())

    async def session(self, text: str) -> Session:
        """The session that a token is for. Raises :class:`SessionInvalid`."""
        named = token.named(text)
        held = await sessions.held(self._runtime.database, named.environment_id, named.subscriber_uuid)
        if held is None:
            raise SessionInvalid("The session's token is not valid.", hint=_HOW)
        session = token.read(text, self._secret(named, held.sealed), now=self._runtime.clock.now())
        if not held.subscriber:
            raise SessionInvalid("The subscriber of this session was deleted.", hint=_HOW)
        return session

    def _secret(self, named: Session, sealed: str) -> str:
        """The environment's inbox secret. What was opened is kept by how it is stored, so a new one is never missed."""
        if sealed not in self._opened:
            if len(self._opened) >= _MOST_KEPT:
                self._opened.clear()
            self._opened[sealed] = sessions.opened(self._runtime.secrets, named.environment_id, sealed)
        return self._opened[sealed]


TheSession: TypeAlias = SkipValidation[NamedDependency[Session]]
"""``session: TheSession``: whose inbox the request is for."""
