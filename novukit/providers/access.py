"""Access tokens (OAuth, JWT) that several sends share: fetched once, by one of them, and anew before they run out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .flight import CURRENT
from .outcome import ProviderError


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the moment from which the vendor takes it no more."""

    value: str = field(repr=False)
    expires_at: datetime


class TokenCache:
    """The access token of one provider instance. Make it in ``__init__``, and ask it in ``send``::

        self.token = TokenCache(self.fetch_token, self.now)
        ...
        headers = {"Authorization": f"Bearer {await self.token.get()}"}

    ``fetch`` gets a token from the vendor; ask over ``self.http`` with ``sends=False``, so that a lost answer is known
    not to have sent the message. However many ask, one fetches and the others wait for it. ``early`` is how long before
    its end a token is replaced, at most half of its life; if that fails, it serves until its end.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        now: Callable[[], datetime],
        *,
        early: timedelta = timedelta(minutes=5),
    ) -> None:
        self._fetch, self._now, self._early = fetch, now, early
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._renew_at = datetime.min.replace(tzinfo=UTC)

    async def get(self) -> str:
        """The token, fetched if there is none that is fresh. Raises what ``fetch`` raises."""
        if (flight := CURRENT.get()) is not None:
            # Whoever waits here for another's answer has sent nothing yet.
            flight.observed = True
        if (token := self._fresh()) is None:
            async with self._lock:
                token = self._fresh() or await self._renewed()
        return token.value

    def forget(self, value: str) -> None:
        """Drop the token if it is ``value``: the vendor has refused it before its time."""
        if self._token is not None and self._token.value == value:
            self._token = None

    def _fresh(self) -> Token | None:
        token = self._token
        return token if token is not None and self._now() < self._renew_at else None

    async def _renewed(self) -> Token:
        old, asked = self._token, self._now()
        try:
            token = await self._fetch()
        except ProviderError:
            if old is not None and asked < old.expires_at:
                return old
            raise
        self._token = token
        self._renew_at = token.expires_at - min(self._early, (token.expires_at - asked) / 2)
        return token
