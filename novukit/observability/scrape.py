"""``Scrape``: the answer to a Prometheus scrape, as an ASGI app: metrics of this process, and the cached backlog."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..store.backlog import Backlog

if TYPE_CHECKING:
    from .metrics import Metrics

log = logging.getLogger("novukit.observability")

FRESH = 10.0
"""Seconds for which the backlog is not counted anew, however many scrape."""
PATIENCE = 3.0
"""Seconds that counting may take. A scrape gives up after ten (Prometheus, «scrape_timeout»)."""

LIVE = "/v1/health/live"
"""As on the server: whoever looks after a worker's process asks there."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Scrape:
    """Answers ``GET /metrics``. With a ``token`` only to those who carry it: ``Authorization: Bearer …``."""

    def __init__(
        self, metrics: Metrics, look: Callable[[], Awaitable[Backlog]], clock: Clock, token: str | None = None
    ) -> None:
        self._metrics, self._look, self._clock, self._token = metrics, look, clock, token
        self._looking = asyncio.Lock()
        self._looked = float("-inf")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        path = scope["path"] if scope["method"] in ("GET", "HEAD") else ""
        if path == LIVE:
            await _answer(send, 200, b"application/json", b'{"status":"ok"}')
        elif path != "/metrics":
            await _answer(send, 404, b"text/plain", b"There is only GET /metrics here.\n")
        elif not self._admits(headers.get(b"authorization", b"")):
            await _answer(send, 401, b"text/plain", b"A token is needed.\n", (b"www-authenticate", b"Bearer"))
        else:
            kind, text = await self.text(headers.get(b"accept", b"").decode("latin-1"))
            await _answer(send, 200, kind.encode(), text)

    async def text(self, accept: str = "") -> tuple[str, bytes]:
        """The content type and the text of all metrics, in the format that ``accept`` prefers."""
        from prometheus_client.exposition import choose_encoder

        await self._refresh()
        encode, kind = choose_encoder(accept)
        return kind, encode(self._metrics.registry)

    def _admits(self, given: bytes) -> bool:
        return self._token is None or hmac.compare_digest(given, b"Bearer " + self._token.encode())

    async def _refresh(self) -> None:
        async with self._looking:
            if self._clock.monotonic() - self._looked < FRESH:
                return
            try:
                async with asyncio.timeout(PATIENCE):
                    backlog = await self._look()
            except Exception as err:
                log.warning("the backlog could not be counted (%s)", type(err).__name__)
                backlog = None
            self._metrics.show(backlog, self._clock.now())
            self._looked = self._clock.monotonic()


async def _answer(send: Send, status: int, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
