"""``Shift``: one worker's time at work: its lease, and the journal that extends it."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from ..store import executions, workers
from ..store.journal import Journal
from .runtime import Runtime

MARGIN = 1.0
"""Seconds of lease that must be left when something with an effect is about to begin (of a short lease, a quarter)."""


class Shift:
    """A worker while it holds its lease. Leases belong to workers, not to executions; each commit extends them."""

    def __init__(self, rt: Runtime, lease: timedelta) -> None:
        self._rt, self._lease = rt, lease
        self.worker_id: UUID = rt.new_id()
        self.journal = Journal(rt.database, self.worker_id, lease)
        self.journal.on_extended(self._extended)
        self._good_until = 0.0
        self._held: set[UUID] = set()
        self._unsettled: set[UUID] = set()
        self._in_doubt = False

    async def begin(self) -> None:
        """Take the lease."""
        until = self._rt.clock.now() + self._lease
        await workers.enlist(
            self._rt.database, self.worker_id, host=socket.gethostname(), pid=os.getpid(), lease_until=until
        )
        self._extended(until)

    async def beat(self) -> bool:
        """Extend the lease when no commit has. False when another worker took our work: begin a new shift."""
        until = self._rt.clock.now() + self._lease
        if not await workers.extend(self._rt.database, self.worker_id, until):
            self._good_until = 0.0
            return False
        self._extended(until)
        if self._unsettled:
            ids, self._unsettled = self._unsettled, set()
            try:
                await self.journal.work(f"a/give-back/{self.worker_id}", lambda: self._release(list(ids)))
            except BaseException:
                self._unsettled |= ids
                raise
        return True

    async def _release(self, ids: list[UUID]) -> tuple[None, tuple[()]]:
        """In the journal: after all that these executions had written."""
        await executions.release(self._rt.database, self.worker_id, ids)
        return None, ()

    @asynccontextmanager
    async def taking(self) -> AsyncGenerator[None]:
        """Around a claim: what one took whose answer was lost is given back before the next one."""
        if self._in_doubt:
            await executions.release_all_but(self._rt.database, self.worker_id, self._held | self._unsettled)
        self._in_doubt = True
        yield
        self._in_doubt = False

    def take(self, ids: Iterable[UUID]) -> None:
        """These executions are ours to run now."""
        taken = set(ids)
        self._held |= taken
        self._unsettled -= taken

    def let_go(self, execution_id: UUID) -> None:
        """Its run has ended here."""
        self._held.discard(execution_id)

    def give_back(self, execution_id: UUID) -> None:
        """An execution could not be settled: free it with the next beat, for we still own it on record."""
        self._unsettled.add(execution_id)

    async def end(self) -> int:
        """Let everything be written, give back what is left, and how many executions that was."""
        try:
            await self.journal.drain()
            return await workers.leave(self._rt.database, self.worker_id)
        finally:
            self.journal.close()

    def holds(self) -> bool:
        """Whether the lease is good for an effect that begins now.

        Judged by the monotonic clock: a worker that was frozen past its lease gives up instead of sending.
        """
        margin = min(MARGIN, self._lease.total_seconds() / 4)
        return self._rt.clock.monotonic() + margin < self._good_until

    def _extended(self, until: datetime) -> None:
        left = (until - self._rt.clock.now()).total_seconds()
        self._good_until = max(self._good_until, self._rt.clock.monotonic() + left)
