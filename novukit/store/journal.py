"""``Journal``: all that a worker's running executions write goes through it, in groups, one transaction a group.

What is waiting is written with one statement per kind and committed once; whoever put something is woken when it is
durable. There is no timer: while one group is being committed the next one gathers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ..crash import crash_commit
from ..errors import LeaseLost
from . import entries, workers
from .batch import Part, together
from .database import Database
from .entries import Entry, OpenMessage, UpdateMessage
from .outage import outage

MAX_GROUP = 500
PATIENCE = 30.0
"""Seconds for which a group is tried again while the database is away. What waits for it stays in hand meanwhile."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for «when it was never chosen»: a null would be equal to nothing."""

log = logging.getLogger("novukit.store")


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of which execution writes. A worker may come to run the same execution again: each run has a number."""

    environment_id: UUID
    execution_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Preferred:
    """The preferences that something was decided by: whose, for which workflow, and when they had last been changed."""

    subscriber_uuid: UUID
    workflow_id: str
    everywhere: datetime | None
    here: datetime | None


@dataclass(frozen=True, slots=True)
class Addressed:
    """To which address a message goes, in its normal form; ``critical`` if its workflow is."""

    message_id: UUID
    channel: str
    address: str
    critical: bool


Work = Callable[[], Awaitable[tuple[Any, Sequence[Entry]]]]
"""Reads and decides inside the group's transaction; gives a result and the entries that follow from it."""


class CancelRequested(Exception):
    """The execution was cancelled before this could be written; nothing of the put was."""


class PreferencesChanged(Exception):
    """The subscriber chose anew before this could be written; nothing of the put was."""


class AddressSuppressed(Exception):
    """The address may not be written to; nothing of the put was written."""


@dataclass(slots=True)
class _Put:
    """What one caller put at once: all of it is written, or none."""

    entries: Sequence[Entry]
    done: asyncio.Future[Any]
    run: Run | None = None
    unless_cancelled: bool = False
    preferred: Preferred | None = None
    addressed: Addressed | None = None
    after: asyncio.Future[Any] | None = None
    lock: str = ""
    work: Work | None = None
    result: Any = None
    refused: Exception | None = None
    settled: bool = False
    """An attempt whose answer was lost has settled this run: there is nothing left to write."""
    follow: Sequence[Entry] = field(default=())

    @property
    def written(self) -> Sequence[Entry]:
        """What of it is written."""
        return () if self.refused or self.settled else (*self.entries, *self.follow)


class Journal:
    """The one writer of a worker. ``lease`` says how long each commit extends the worker's lease."""

    def __init__(self, database: Database, worker_id: UUID, lease: timedelta) -> None:
        self._database, self._worker_id, self._lease = database, worker_id, lease
        self._waiting: list[_Put] = []
        self._flusher: asyncio.Task[None] | None = None
        self.no_calls: type[BaseException] | None = None
        """Once set, nothing is taken with which a call would begin (``unless_cancelled``): it gets this."""
        self._extended: Callable[[datetime], None] = lambda until: None
        self._watching: Callable[[Sequence[Entry], float], None] | None = None

    def on_extended(self, told: Callable[[datetime], None]) -> None:
        """Tell ``told`` the lease's new end after each commit."""
        self._extended = told

    def on_committed(self, told: Callable[[Sequence[Entry], float], None]) -> None:
        """Tell ``told`` what each commit wrote, and how many seconds it took."""
        self._watching = told

    def put(
        self, *entries: Entry, run: Run | None = None, unless_cancelled: bool = False,
        preferred: Preferred | None = None, addressed: Addressed | None = None,
        after: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:  # fmt: skip
        """Write ``entries`` of ``run`` with the next group; the future is done when they are durable.

        It says whether the execution had been asked to stop by then. With ``unless_cancelled`` nothing is written in
        that case, and :class:`CancelRequested` raised; with ``preferred`` :class:`PreferencesChanged`, when the
        subscriber has chosen anew since; with ``addressed`` :class:`AddressSuppressed`, when that is. If the put
        ``after`` which this one comes failed, so does this one.
        :class:`LeaseLost` when another worker may own the work by now.
        """
        done = asyncio.get_running_loop().create_future()
        return self._add(_Put(entries, done, run, unless_cancelled, preferred, addressed, after))

    def work(
        self, lock: str, work: Work, *, run: Run | None = None, unless_cancelled: bool = False,
        after: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:  # fmt: skip
        """Run ``work`` in the next group's transaction, holding ``lock``; the future gives its result when durable.

        ``work`` may be asked again when the answer of a commit got lost: it must then decide the same.
        """
        done = asyncio.get_running_loop().create_future()
        return self._add(_Put((), done, run, unless_cancelled, None, None, after, lock, work))

    async def drain(self) -> None:
        """Wait until nothing is left to write."""
        while self._flusher and not self._flusher.done():
            await asyncio.wait({self._flusher})

    def close(self) -> None:
        """Write nothing more; whoever still waits for something gets :class:`LeaseLost`."""
        if self._flusher and not self._flusher.done():
            self._flusher.cancel()

    def _add(self, put: _Put) -> asyncio.Future[Any]:
        if put.unless_cancelled and put.work is None and self.no_calls is not None:
            _refuse(put.done, self.no_calls())
            return put.done
        self._waiting.append(put)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush_all())
        return put.done

    async def _flush_all(self) -> None:
        group: list[_Put] = []
        try:
            while self._waiting:
                await asyncio.sleep(0)  # let whoever is ready in this turn of the loop come along
                size = _one_statement_holds(self._waiting)
                group, self._waiting = self._waiting[:size], self._waiting[size:]
                await self._flush(group)
        except asyncio.CancelledError:
            _fail([*group, *self._waiting], LeaseLost())
            self._waiting = []

    async def _flush(self, group: list[_Put]) -> None:
        """Commit a group. One bad put must not fail its neighbours: on an error the group is halved."""
        group = [put for put in group if not _failed_before(put)]
        if not group:
            return
        began = self._database.clock.monotonic()
        try:
            until = await self._commit_with_patience(group)
        except LeaseLost as err:
            _fail(group, err)
        except Exception as err:
            if len(group) == 1 or _may_pass(err):
                _fail(group, err)
                return
            half = len(group) // 2
            await self._flush(group[:half])
            await self._flush(group[half:])
        else:
            self._extended(until)
            for put in group:
                if not put.done.done():
                    if put.refused:
                        _refuse(put.done, put.refused)
                    else:
                        put.done.set_result(put.result)
            if self._watching is not None:
                written = [put for put in group if not (put.refused or put.settled)]
                seconds = self._database.clock.monotonic() - began
                self._watching([e for put in written for e in (*put.entries, *put.follow)], seconds)

    async def _commit_with_patience(self, group: list[_Put]) -> datetime:
        """Commit; while the database is away, do it again: each statement may be repeated, a lost answer is harmless.

        To give up early would let a provider's answer go that is in hand, and the message would go out twice.
        """
        clock, attempt = self._database.clock, 0
        give_up = clock.monotonic() + PATIENCE
        while True:
            attempt += 1
            try:
                return await self._commit(group, again=attempt > 1)
            except Exception as err:
                if not _may_pass(err) or clock.monotonic() > give_up:
                    raise
                if attempt in (3, 10, 30):
                    log.warning("the database is away (%s: %s); what is in hand waits", type(err).__name__, err)
                await clock.sleep(min(0.05 * 2**attempt, 1.0))

    async def _commit(self, group: list[_Put], *, again: bool) -> datetime:
        until = self._database.clock.now() + self._lease
        if again or any(put.work for put in group):
            await self._commit_step_by_step(group, until, again)
        else:
            await self._commit_at_once(group, until)
        crash_commit("after", (e for put in group for e in put.written))
        return until

    async def _commit_at_once(self, group: list[_Put], until: datetime) -> None:
        """One statement, one round trip. When it finds that something must not be written it writes nothing at all,
        says what, and is done again without that.
        """
        while True:
            live = [put for put in group if not put.refused]
            checks = _checks(live)
            found = await self._write(live, until, checks, again=False)
            if found["fence"]:
                return
            if not _leave_out(live, found):
                raise LeaseLost

    async def _commit_step_by_step(self, group: list[_Put], until: datetime, again: bool) -> None:
        database = self._database
        async with database.transaction():
            if not await workers.extend(database, self._worker_id, until):
                raise LeaseLost
            if again:
                await self._leave_out_settled(group)
            for check in _checks([put for put in group if not put.settled]):
                _leave_out(group, await together(database, [entries.stopping(self._worker_id), check]))
            live = [put for put in group if not (put.refused or put.settled)]
            for put in sorted((p for p in live if p.work), key=lambda p: p.lock):
                assert put.work is not None
                await database.lock(put.lock)  # sorted by name: two workers never wait for each other in a ring
                put.result, put.follow = await put.work()
            await self._write(live, until, [], again=again)
            crash_commit("mid", (e for put in live for e in put.written))

    async def _write(
        self, live: list[_Put], until: datetime, checks: list[Part], *, again: bool
    ) -> Mapping[str, list[UUID]]:
        fence = entries.fence(self._worker_id, until, [check.name for check, _ in checks])
        parts = [entries.stopping(self._worker_id), *checks, fence]
        parts += entries.writing([e for put in live for e in put.written], self._worker_id, again=again)
        crash_commit("before", (e for put in live for e in put.written))
        found = await together(self._database, parts)
        stopping = set(found.get("stopping", ()))
        for put in live:
            if put.run and not put.work:
                put.result = bool(stopping) and put.run.execution_id in stopping
        return found

    async def _leave_out_settled(self, group: list[_Put]) -> None:
        """The last attempt may have been committed, and only its answer lost: then what it settled is no longer ours.

        Whoever has it now may be further on; to write it again would take that back.
        """
        runs = {put.run for put in group if put.run}
        if not runs:
            return
        rows = await self._database.fetch_hot(
            "select environment_id, id, runs from novukit_execution where worker_id = $1 and id = any($2::uuid[])",
            self._worker_id, sorted({run.execution_id for run in runs}),
        )  # fmt: skip
        ours = {Run(row["environment_id"], row["id"], row["runs"]) for row in rows}
        for put in group:
            put.settled = put.run is not None and put.run not in ours


def _checks(live: list[_Put]) -> list[Part]:
    """What must be so when a group is written: nobody is stopped, nobody has chosen anew, no address is suppressed."""
    guarded = [(p.run.execution_id,) for p in live if p.run and p.unless_cancelled]
    chosen = [
        (
            p.run.execution_id, p.run.environment_id, c.subscriber_uuid, c.workflow_id, c.everywhere or NEVER,
            c.here or NEVER,
        )
        for p in live if p.run and (c := p.preferred)
    ]  # fmt: skip
    addressed = [
        (a.message_id, p.run.environment_id, a.channel, a.address, a.critical)
        for p in live if p.run and (a := p.addressed)
    ]  # fmt: skip
    checks = (entries.REFUSED, guarded), (entries.CHANGED, chosen), (entries.SUPPRESSED, addressed)
    return [part for part in checks if part[1]]


def _leave_out(group: list[_Put], found: Mapping[str, list[UUID]]) -> bool:
    """Refuse what a check has found, with what came after it. Whether that was anything that is still to be written."""
    stopped, changed = set(found.get("refused", ())), set(found.get("changed", ()))
    suppressed = set(found.get("suppressed", ()))
    refused: dict[asyncio.Future[Any], Exception] = {}
    for put in group:
        if put.after in refused:
            put.refused = refused[put.after]
        elif put.run and put.unless_cancelled and put.run.execution_id in stopped:
            put.refused = CancelRequested()
        elif put.run and put.preferred and put.run.execution_id in changed:
            put.refused = PreferencesChanged()
        elif put.addressed and put.addressed.message_id in suppressed:
            put.refused = AddressSuppressed()
        if put.refused:
            refused[put.done] = put.refused
    return bool(refused)


def _one_statement_holds(waiting: list[_Put]) -> int:
    """How many puts, from the first one, fit into one group: one statement can change a message only once."""
    seen: set[UUID] = set()
    for size, put in enumerate(waiting[:MAX_GROUP]):
        for entry in put.entries:
            if type(entry) is OpenMessage or type(entry) is UpdateMessage:
                if entry.id in seen:
                    return max(size, 1)
                seen.add(entry.id)
    return min(len(waiting), MAX_GROUP)


def _fail(group: list[_Put], err: BaseException) -> None:
    for put in group:
        if not put.done.done():
            _refuse(put.done, err)


def _refuse(done: asyncio.Future[Any], err: BaseException) -> None:
    """Tell whoever awaits ``done``. Nobody may: then it must not make noise when it is forgotten."""
    done.set_exception(err)
    done.exception()


def _failed_before(put: _Put) -> bool:
    """Whether what ``put`` comes after was not written; then it fails alike."""
    before = put.after
    if before is None or not before.done() or before.cancelled() or (err := before.exception()) is None:
        return False
    _fail([put], err)
    return True


def _may_pass(err: BaseException) -> bool:
    """Whether the same commit may succeed later; its outcome may be unknown."""
    return not isinstance(err, LeaseLost) and outage(err) is not None
