"""``Presence``: a subscriber is online while a socket of theirs is open, in whichever process."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

from ...engine import Runtime
from ...store import presence

log = logging.getLogger("novukit.realtime")

PAUSE = 2.0
"""Seconds from a change to its record, with all that changes meanwhile: whoever turns a page has not been away."""


class Presence:
    """Writes down who came and who left, all of a while in one statement for each environment.

    Each process knows its own sockets only. One that writes that somebody left says so to the others, and a process
    where they still are writes that they are online.
    """

    def __init__(self, rt: Runtime, here: Callable[[UUID, UUID], bool]) -> None:
        self._rt, self._here = rt, here
        self._changed: set[tuple[UUID, UUID]] = set()
        self._writing: asyncio.Task[None] | None = None

    def changed(self, environment_id: UUID, subscriber_uuid: UUID) -> None:
        """A subscriber may have come or left."""
        self._changed.add((environment_id, subscriber_uuid))
        if self._writing is None or self._writing.done():
            writing = self._write_soon()
            self._writing = asyncio.get_running_loop().create_task(writing, context=contextvars.Context())

    async def close(self) -> None:
        """Write down what is still to be written, in bounded time."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait({self._writing})
        try:
            async with asyncio.timeout(PAUSE):
                await self._write()
        except Exception as err:
            log.warning("who is online could not be written down (%s: %s)", type(err).__name__, err)

    async def _write_soon(self) -> None:
        while self._changed:
            await asyncio.sleep(PAUSE)
            try:
                await self._write()
            except Exception as err:  # what was to be written stays in hand
                log.warning("who is online could not be written down (%s: %s)", type(err).__name__, err)

    async def _write(self) -> None:
        changed, self._changed = self._changed, set()
        by_environment: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for environment_id, subscriber_uuid in changed:
            by_environment[environment_id].append(subscriber_uuid)
        try:
            for environment_id, several in by_environment.items():
                await self._write_of(environment_id, several)
        except BaseException:
            self._changed |= changed
            raise

    async def _write_of(self, environment_id: UUID, several: list[UUID]) -> None:
        scope = self._rt.scope(environment_id)
        here = [one for one in several if self._here(environment_id, one)]
        left = [one for one in several if not self._here(environment_id, one)]
        await presence.note(scope, here, online=True)
        if went := await presence.note(scope, left, online=False):
            await self._rt.publish(environment_id, [(one, None) for one in went])
