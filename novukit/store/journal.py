"""``Journal``: all that a worker's running executions write goes through it, in groups, one transaction a group.

What is waiting is written with one statement per kind and committed once; whoever put something is woken when it is
durable. There is no timer: while one group is being committed the next one gathers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ..errors import LeaseLost
from ..model import Checkpoint, ExecutionStatus, MessageStatus, Reason
from . import activities, workers
from .activities import Line
from .database import Database, encode, in_list, plain
from .outage import outage

MAX_GROUP = 500
PATIENCE = 30.0
"""Seconds for which a group is tried again while the database is away. What waits for it stays in hand meanwhile."""

log = logging.getLogger("novukit.store")


@dataclass(frozen=True, slots=True)
class SaveCheckpoint:
    """The record of a step, as it now stands."""

    environment_id: UUID
    execution_id: UUID
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """A rendered message, on record before its provider is called."""

    id: UUID
    environment_id: UUID
    execution_id: UUID
    event_id: UUID
    transaction_id: str
    workflow_id: str
    subscriber_uuid: UUID
    subscriber_id: str
    step_id: str
    step_key: str
    channel: str
    status: MessageStatus
    content: dict[str, Any]
    provider_id: str | None
    integration_id: UUID | None
    idempotency_key: str
    severity: str
    critical: bool
    tags: Sequence[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """What became of a message. A status of ``sent`` is never taken back."""

    id: UUID
    environment_id: UUID
    status: MessageStatus
    attempts: int
    at: datetime
    provider_message_id: str | None = None
    possible_duplicate: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Where an execution stands when its worker lets go of it."""

    execution_id: UUID
    environment_id: UUID
    status: ExecutionStatus
    at: datetime
    wake_at: datetime | None = None
    step: str | None = None
    reason: Reason | None = None
    detail: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of which execution writes. A worker may come to run the same execution again: each run has a number."""

    execution_id: UUID
    number: int


Entry = SaveCheckpoint | OpenMessage | UpdateMessage | Settle | Line
Work = Callable[[], Awaitable[tuple[Any, Sequence[Entry]]]]
"""Reads and decides inside the group's transaction; gives a result and the entries that follow from it."""


class CancelRequested(Exception):
    """The execution was cancelled before this could be written; nothing of the put was."""


@dataclass(slots=True)
class _Put:
    """What one caller put at once: all of it is written, or none."""

    entries: Sequence[Entry]
    done: asyncio.Future[Any]
    run: Run | None = None
    unless_cancelled: bool = False
    after: asyncio.Future[Any] | None = None
    lock: str = ""
    work: Work | None = None
    result: Any = None
    refused: bool = False
    settled: bool = False
    """An attempt whose answer was lost has settled this run: there is nothing left to write."""
    follow: Sequence[Entry] = field(default=())


class Journal:
    """The one writer of a worker. ``lease`` says how long each commit extends the worker's lease."""

    def __init__(self, database: Database, worker_id: UUID, lease: timedelta) -> None:
        self._database, self._worker_id, self._lease = database, worker_id, lease
        self._waiting: list[_Put] = []
        self._flusher: asyncio.Task[None] | None = None
        self._extended: Callable[[datetime], None] = lambda until: None

    def on_extended(self, told: Callable[[datetime], None]) -> None:
        """Tell ``told`` the lease's new end after each commit."""
        self._extended = told

    def put(
        self, *entries: Entry, run: Run | None = None, unless_cancelled: bool = False,
        after: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:  # fmt: skip
        """Write ``entries`` of ``run`` with the next group; the future is done when they are durable.

        With ``unless_cancelled`` nothing is written and :class:`CancelRequested` raised when the execution has been
        asked to stop. If the put ``after`` which this one comes failed, so does this one. :class:`LeaseLost` when
        another worker may own the work by now.
        """
        done = asyncio.get_running_loop().create_future()
        return self._add(_Put(entries, done, run, unless_cancelled, after))

    def work(
        self, lock: str, work: Work, *, run: Run | None = None, unless_cancelled: bool = False,
        after: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:  # fmt: skip
        """Run ``work`` in the next group's transaction, holding ``lock``; the future gives its result when durable.

        ``work`` may be asked again when the answer of a commit got lost: it must then decide the same.
        """
        done = asyncio.get_running_loop().create_future()
        return self._add(_Put((), done, run, unless_cancelled, after, lock, work))

    async def drain(self) -> None:
        """Wait until nothing is left to write."""
        while self._flusher and not self._flusher.done():
            await asyncio.wait({self._flusher})

    def close(self) -> None:
        """Write nothing more; whoever still waits for something gets :class:`LeaseLost`."""
        if self._flusher and not self._flusher.done():
            self._flusher.cancel()

    def _add(self, put: _Put) -> asyncio.Future[Any]:
        # A put that nobody awaits to its end must not make noise when the worker's lease is gone.
        put.done.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._waiting.append(put)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush_all())
        return put.done

    async def _flush_all(self) -> None:
        group: list[_Put] = []
        try:
            while self._waiting:
                await asyncio.sleep(0)  # let whoever is ready in this turn of the loop come along
                group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
                await self._flush(group)
        except asyncio.CancelledError:
            _fail([*group, *self._waiting], LeaseLost())
            self._waiting = []

    async def _flush(self, group: list[_Put]) -> None:
        """Commit a group. One bad put must not fail its neighbours: on an error the group is halved."""
        group = [put for put in group if not _failed_before(put)]
        if not group:
            return
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
                        put.done.set_exception(CancelRequested())
                    else:
                        put.done.set_result(put.result)

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
        database, now = self._database, self._database.clock.now()
        until = now + self._lease
        async with database.transaction():
            if not await workers.extend(database, self._worker_id, until):
                raise LeaseLost
            if again:
                await self._leave_out_settled(group)
            await self._refuse_cancelled(group)
            live = [put for put in group if not (put.refused or put.settled)]
            for put in sorted((p for p in live if p.work), key=lambda p: p.lock):
                assert put.work is not None
                await database.lock(put.lock)  # sorted by name: two workers never wait for each other in a ring
                put.result, put.follow = await put.work()
            await self._write([e for put in live for e in (*put.entries, *put.follow)])
        return until

    async def _leave_out_settled(self, group: list[_Put]) -> None:
        """The last attempt may have been committed, and only its answer lost: then what it settled is no longer ours.

        Whoever has it now may be further on; to write it again would take that back.
        """
        runs = {put.run for put in group if put.run}
        if not runs:
            return
        ids = sorted({run.execution_id for run in runs})
        rows = await self._database.fetch(
            f"select id, runs from novukit_execution where worker_id = $1 and id in {in_list(ids, 2)}",
            self._worker_id, *ids,
        )  # fmt: skip
        ours = {Run(row["id"], row["runs"]) for row in rows}
        for put in group:
            put.settled = put.run is not None and put.run not in ours

    async def _refuse_cancelled(self, group: list[_Put]) -> None:
        ids = list({put.run.execution_id for put in group if put.run and put.unless_cancelled and not put.settled})
        if not ids:
            return
        rows = await self._database.fetch(
            "select id from novukit_execution "
            f"where id in {in_list(ids)} and cancel_requested_at is not null for share",
            *ids,
        )
        gone = {row["id"] for row in rows}
        for put in group:
            put.refused = put.unless_cancelled and put.run is not None and put.run.execution_id in gone

    async def _write(self, entries: list[Entry]) -> None:
        many = self._database.execute_many
        await many(_OPEN_MESSAGE, [_message_row(e) for e in entries if isinstance(e, OpenMessage)])
        await many(_UPDATE_MESSAGE, [_update_row(e) for e in entries if isinstance(e, UpdateMessage)])
        await many(_SAVE_CHECKPOINT, [_checkpoint_row(e) for e in entries if isinstance(e, SaveCheckpoint)])
        # By id, as a cancel locks them, so that neither waits for the other in a ring.
        settled = sorted((e for e in entries if isinstance(e, Settle)), key=lambda e: e.execution_id)
        await many(_SETTLE, [_settle_row(e, self._worker_id) for e in settled])
        await activities.write(self._database, [e for e in entries if isinstance(e, Line)])


def _fail(group: list[_Put], err: BaseException) -> None:
    for put in group:
        if not put.done.done():
            put.done.set_exception(err)


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


_OPEN_MESSAGE = (
    "insert into novukit_message (id, environment_id, execution_id, event_id, transaction_id, workflow_id, "
    "subscriber_uuid, subscriber_id, step_id, step_key, channel, status, content, provider_id, integration_id, "
    "idempotency_key, attempts, possible_duplicate, severity, critical, tags, sent_at, created_at, updated_at) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, "
    "$23) on conflict (environment_id, execution_id, step_id, step_key) do update set status = excluded.status, "
    "content = excluded.content, provider_id = excluded.provider_id, integration_id = excluded.integration_id, "
    "attempts = excluded.attempts, error = null, updated_at = excluded.updated_at "
    "where novukit_message.status <> 'sent'"
)
_UPDATE_MESSAGE = (
    "update novukit_message set status = $3, attempts = $4, updated_at = $5, "
    "provider_message_id = coalesce($6, provider_message_id), possible_duplicate = (possible_duplicate or $7), "
    "error = $8, sent_at = case when $3 = 'sent' then $5 else sent_at end "
    "where id = $1 and environment_id = $2 and status <> 'sent'"
)
_SAVE_CHECKPOINT = (
    "insert into novukit_checkpoint (environment_id, execution_id, step_id, step_key, kind, status, result, reason, "
    "detail, attempts, args_hash, message_id, wake_at, started_at, finished_at, position) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
    "on conflict (environment_id, execution_id, step_id, step_key) do update set status = excluded.status, "
    "result = excluded.result, reason = excluded.reason, detail = excluded.detail, attempts = excluded.attempts, "
    "args_hash = excluded.args_hash, message_id = excluded.message_id, wake_at = excluded.wake_at, "
    "started_at = excluded.started_at, finished_at = excluded.finished_at"
)
_SETTLE = (
    "update novukit_execution set status = $4, step = $6, reason = $7, detail = $8, "
    # One that was to be cancelled meanwhile does not sleep: it is due at once, and ends.
    "wake_at = case when $4 = 'waiting' and cancel_requested_at is not null then cancel_requested_at else $5 end, "
    "workflow_version = coalesce($9, workflow_version), finished_at = $10, worker_id = null "
    "where id = $1 and environment_id = $2 and worker_id = $3"
)


def _message_row(e: OpenMessage) -> tuple[Any, ...]:
    return (
        e.id, e.environment_id, e.execution_id, e.event_id, e.transaction_id, e.workflow_id, e.subscriber_uuid,
        e.subscriber_id, e.step_id, e.step_key, e.channel, e.status.value, encode(e.content), e.provider_id,
        e.integration_id, e.idempotency_key, 1, False, e.severity, e.critical, encode(list(e.tags)),
        e.at if e.status is MessageStatus.SENT else None, e.at,
    )  # fmt: skip


def _update_row(e: UpdateMessage) -> tuple[Any, ...]:
    return (
        e.id, e.environment_id, e.status.value, e.attempts, e.at, e.provider_message_id, e.possible_duplicate,
        plain(e.error) if e.error else None,
    )  # fmt: skip


def _checkpoint_row(e: SaveCheckpoint) -> tuple[Any, ...]:
    c = e.checkpoint
    return (
        e.environment_id, e.execution_id, c.step_id, c.key, c.kind.value, c.status.value,
        None if c.result is None else encode(c.result), c.reason.value if c.reason else None, plain(c.detail),
        c.attempts, c.args_hash, c.message_id, c.wake_at, c.started_at, c.finished_at, c.position,
    )  # fmt: skip


def _settle_row(e: Settle, worker_id: UUID) -> tuple[Any, ...]:
    return (
        e.execution_id, e.environment_id, worker_id, e.status.value, e.wake_at, e.step,
        e.reason.value if e.reason else None, plain(e.detail), e.version, e.at if e.status.is_final else None,
    )  # fmt: skip
