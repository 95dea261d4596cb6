"""Keep what the HTTP libraries log of our requests out of the logs: URLs and headers hold secrets."""

from __future__ import annotations

import logging
from contextvars import ContextVar

OURS: ContextVar[bool] = ContextVar("novukit_request", default=False)
"""True while the guarded client makes a request; other users of the same libraries log as they like."""

LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "hpack.hpack", "hpack.table")


def drop_ours(_: logging.LogRecord) -> bool:
    """Whether a record is kept."""
    return not OURS.get()


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(drop_ours)
