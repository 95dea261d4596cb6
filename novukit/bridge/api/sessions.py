"""Inbox sessions of the caller's environment, as a whole: their end."""

from __future__ import annotations

from typing import Any

from litestar import delete

from ...store import sessions
from ..auth import Here, TheRuntime
from ..wire import Data, Wire, envelope

TAGS = ["Keys"]


class Ended(Wire):
    """No token that was given before is taken any more."""

    acknowledged: bool = True


@delete("/v1/inbox-sessions", status_code=200, summary="End all inbox sessions", tags=TAGS)
async def end_all(here: Here, runtime: TheRuntime) -> Data[Ended]:
    """End every session of every subscriber of the environment, on all servers at once. Pages open new ones."""
    await sessions.rotate(here, runtime.secrets)
    return envelope(Ended())


HANDLERS: list[Any] = [end_all]
