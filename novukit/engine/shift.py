"""``Shift``: one worker's time at work: its lease, and the journal that extends it."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from ..store import executions, workers
from ..store.executions import Claimed
from ..store.journal import Journal
from ..store.workers import Found
from .remote.directory import IDLE
from .runtime import Runtime
from .unwind import Abandoned

MARGIN = 1.0
"""Seconds of lease that must be left when something with an effect is about to begin (of a short lease, a quarter)."""
OLD = 0.7
"""The part of its lease after which a worker that has nothing to do extends it, if its rounds have not."""


class Shift:
    """A worker while it holds its lease. Leases belong to workers, not to executions; each commit extends them."""

    def __init__(self, rt: Runtime, lease: timedelta) -> None:
        self._rt, self._lease = rt, lease
        self._margin = min(MARGIN, lease.total_seconds() / 4)
        self.worker_id: UUID = rt.new_id()
        self.journal = Journal(rt.database, self.worker_id, lease)
        self.journal.on_extended(self._extended)
        if rt.observer is not None:
            self.journal.on_committed(rt.observer.committed)
        self._good_until = self._extended_at = 0.0
        self._held: dict[UUID, int] = {}
        self._unsettled: dict[UUID, int] = {}
        self._places: dict[UUID, UUID] = {}
        """The environments of the unsettled ones, who are rung for when they are free."""
        self._in_doubt = False
        self.aside = 0
        """How many of the executions that run here stand in line for an integration: they take no place."""
        self.stepped_aside: Callable[[], None] = lambda: None

    async def begin(self) -> None:
        """Take the lease."""
        until = self._rt.clock.now() + self._lease
        await workers.enlist(
            self._rt.database, self.worker_id, host=socket.gethostname(), pid=os.getpid(), lease_until=until
        )
        self._extended(until)

    async def beat(self) -> bool:
        """Extend the lease, and free what could not be settled. False when it was lost: begin a new shift."""
        until = self._rt.clock.now() + self._lease
        if not await workers.extend(self._rt.database, self.worker_id, until):
            self._good_until = 0.0
            return False
        self._extended(until)
        if self._unsettled:
            runs, self._unsettled = self._unsettled, {}
            try:
                await self.journal.work(f"a/give-back/{self.worker_id}", lambda: self._release(runs))
            except BaseException:
                self._unsettled = runs | self._unsettled
                raise
            for environment_id in {self._places.pop(one) for one in runs if one in self._places}:
                await self._rt.ring(environment_id)
        return True

    async def keep(self) -> bool:
        """Beat, unless a commit or a look has just done so. An idle worker loses nothing with its lease."""
        busy = self._held or self._unsettled
        age = self._rt.clock.monotonic() - self._extended_at
        if not self._unsettled and age < self._lease.total_seconds() * (0.25 if busy else OLD):
            return self._good_until > 0
        return await self.beat()

    async def look(self) -> Found | None:
        """What there is to do, in one statement, which extends the lease as well when that has grown older. None when
        it was lost.
        """
        await self._rt.remotes.refresh(self._rt, IDLE)
        database, workflows = self._rt.database, self._rt.workflow_ids
        blocked = self._rt.routes.bulkheads.blocked()
        if self._rt.clock.monotonic() - self._extended_at < self._lease.total_seconds() / 4:
            return await workers.look(database, workflows, blocked)
        until = self._rt.clock.now() + self._lease
        found = await workers.look_and_extend(database, workflows, self.worker_id, until, blocked)
        if found is None:
            self._good_until = 0.0
        else:
            self._extended(until)
        return found

    @property
    def closing(self) -> bool:
        """Whether nothing with an effect may begin any more."""
        return self.journal.no_calls is not None

    def close(self) -> None:
        """Begin no call any more: what would, is given back. Calls under way go on."""
        self.journal.no_calls = Abandoned

    async def _release(self, runs: Mapping[UUID, int]) -> tuple[None, tuple[()]]:
        """In the journal: after all that these executions had written."""
        await executions.release(self._rt.database, self.worker_id, runs)
        return None, ()

    @asynccontextmanager
    async def taking(self) -> AsyncGenerator[None]:
        """Around a claim: what one took whose answer was lost is given back before the next one."""
        if self._in_doubt:
            known = {*self._held.items(), *self._unsettled.items()}
            await executions.release_all_but(self._rt.database, self.worker_id, known)
        self._in_doubt = True
        yield
        self._in_doubt = False

    def take(self, claimed: Iterable[Claimed]) -> None:
        """These executions are ours to run now. An earlier run of one may still be waiting for its last answer here."""
        for one in claimed:
            self._held[one.id] = one.runs
            self._unsettled.pop(one.id, None)
            self._places.pop(one.id, None)

    def let_go(self, execution: Claimed) -> None:
        """Its run has ended here."""
        if self._held.get(execution.id) == execution.runs:
            del self._held[execution.id]

    def give_back(self, execution: Claimed) -> None:
        """A run could not be settled: free the execution with the next beat, for we still own it on record."""
        if self._held.get(execution.id) == execution.runs:
            self._unsettled[execution.id] = execution.runs
            self._places[execution.id] = execution.environment_id

    @contextmanager
    def standing_aside(self) -> Generator[None]:
        """Around a wait in line: another execution may have this one's place meanwhile."""
        self.aside += 1
        self.stepped_aside()
        try:
            yield
        finally:
            self.aside -= 1

    async def end(self) -> int:
        """Let everything be written, give back what is left and ring for it, and how many executions that was."""
        try:
            await self.journal.drain()
            given_back = await workers.leave(self._rt.database, self.worker_id)
        finally:
            self.journal.close()
        for environment_id in set(given_back):
            await self._rt.ring(environment_id)
        return len(given_back)

    def holds(self) -> bool:
        """Whether the lease is good for an effect that begins now.

        Judged by the monotonic clock: a worker that was frozen past its lease gives up instead of sending.
        """
        return self._rt.clock.monotonic() + self._margin < self._good_until

    def _extended(self, until: datetime) -> None:
        left = (until - self._rt.clock.now()).total_seconds()
        now = self._rt.clock.monotonic()
        if now + left > self._good_until:
            self._good_until, self._extended_at = now + left, now
