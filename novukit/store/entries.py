"""``Entry``: what a running execution puts on record, and the one statement that writes each kind for a whole group.

Entries are never changed once made. They are not ``frozen``, for that makes the making of one five times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from ..model import Checkpoint, ContextKeys, ExecutionStatus, MessageStatus, Reason, Way
from . import activities
from .activities import Line
from .batch import Batch, Part
from .database import encode, plain
from .each import not_by_index


@dataclass(slots=True)
class SaveCheckpoint:
    """The record of a step, as it now stands."""

    environment_id: UUID
    execution_id: UUID
    checkpoint: Checkpoint
    result: str | None = None
    """Its result as JSON text, where somebody has made that already."""
    new: bool = False
    """Whether nothing can be on record of this step: to look for it costs a tenth of a commit."""


@dataclass(slots=True)
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
    content: str
    """As JSON text."""
    provider_id: str | None
    integration_id: UUID | None
    idempotency_key: str
    severity: str
    critical: bool
    tags: Sequence[str]
    at: datetime
    attempts: int = 1
    possible_duplicate: bool = False
    context_keys: ContextKeys = ""


@dataclass(slots=True)
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
    callback_id: str | None = None
    """The vendor's id once more, if the vendor's callbacks will name it."""


@dataclass(slots=True)
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
    runs: int = 0
    """Which run this is the end of. By the time that it is written its worker may be in the next one."""
    workflow_id: str = ""
    """For whoever watches; it is not written."""


Entry = SaveCheckpoint | OpenMessage | UpdateMessage | Settle | Line

_HELD = "exists (select 1 from {fence})"
"""Nothing is written by a worker that has lost its lease. SQLite stops before it comes to that."""


def fence(worker_id: UUID, until: datetime, checks: Sequence[str]) -> Part:
    """Extend the worker's lease, and let nothing be written unless it holds and none of ``checks`` found anything."""
    return _fence(tuple(checks)), [(worker_id, until)]


def stopping(worker_id: UUID) -> Part:
    """Which of the worker's executions are to stop. Mostly none is, and an index of those (migration 0011) says so at
    once: none has to be looked up. Comes before ``REFUSED``.
    """
    return _STOPPING_OF_WORKER, [(worker_id,)]


@cache
def _fence(checks: tuple[str, ...]) -> Batch:
    clear = "".join(f" and not exists (select 1 from {{{check}}})" for check in checks)
    return Batch(
        "fence",
        # Never back: an extension that waited long must not shorten one that did not.
        "update novukit_worker set lease_until = case when novukit_worker.lease_until > u.until "
        "then novukit_worker.lease_until else u.until end "
        f"from {{rows}} where novukit_worker.id = u.id{clear} returning novukit_worker.id",
        columns="id uuid, until timestamptz",
        here="(select 1) as f", returns=True, stop="none",
    )  # fmt: skip


_STOPPING = "select x.id from novukit_execution x where x.status = 'running' and x.cancel_requested_at is not null"
_STOPPING_OF_WORKER = Batch(
    "stopping", f"{_STOPPING} and {not_by_index('x.worker_id = $1')}", here=f"({_STOPPING}) as s", returns=True
)
REFUSED = Batch(
    "refused",
    # «is true», or Postgres makes a join of it.
    "select u.id from {rows} where (u.id in (select id from {stopping})) is true", columns="id uuid",
    here="(select 1 limit 0) as r", returns=True, stop="found",
)  # fmt: skip
CHANGED = Batch(
    "changed",
    "select u.id from {rows} join novukit_preference p on p.environment_id = u.environment_id "
    "and p.subscriber_uuid = u.subscriber_uuid and p.workflow_id in ('', u.workflow_id) "
    "where p.updated_at <> u.everywhere and p.updated_at <> u.here",
    columns="id uuid, environment_id uuid, subscriber_uuid uuid, workflow_id text, everywhere timestamptz, "
    "here timestamptz", steady="environment_id",
    here="(select 1 limit 0) as r", returns=True, stop="found",
)  # fmt: skip
SUPPRESSED = Batch(
    "suppressed",
    "select u.id from {rows} join novukit_suppression s on s.environment_id = u.environment_id "
    "and s.channel = u.channel and s.address = u.address "
    # From a critical workflow one cannot unsubscribe; an address that bounces or complains is none, whatever one sends.
    "where s.released_at is null and not (u.critical and s.reason = 'unsubscribed')",
    columns="id uuid, environment_id uuid, channel text, address text, critical boolean",
    steady="environment_id channel critical",
    here="(select 1 limit 0) as r", returns=True, stop="found",
)  # fmt: skip

_OPEN_MESSAGE = Batch(
    "opened",
    "insert into novukit_message (id, environment_id, execution_id, event_id, transaction_id, workflow_id, "
    "subscriber_uuid, subscriber_id, step_id, step_key, channel, status, content, provider_id, integration_id, "
    "idempotency_key, attempts, possible_duplicate, severity, critical, tags, context_keys, sent_at, created_at, "
    "updated_at) "
    "select u.id, u.environment_id, u.execution_id, u.event_id, u.transaction_id, u.workflow_id, u.subscriber_uuid, "
    "u.subscriber_id, u.step_id, u.step_key, u.channel, u.status, u.content, u.provider_id, u.integration_id, "
    "u.idempotency_key, u.attempts, u.possible_duplicate, u.severity, u.critical, u.tags, u.context_keys, u.sent_at, "
    "u.at, u.at "
    f"from {{rows}} where {_HELD} "
    "on conflict (environment_id, execution_id, step_id, step_key) do update set status = excluded.status, "
    "content = excluded.content, provider_id = excluded.provider_id, integration_id = excluded.integration_id, "
    "attempts = excluded.attempts, error = null, updated_at = excluded.updated_at, "
    "possible_duplicate = (novukit_message.possible_duplicate or excluded.possible_duplicate) "
    "where novukit_message.status <> 'sent'",
    columns="id uuid, environment_id uuid, execution_id uuid, event_id uuid, transaction_id text, workflow_id text, "
    "subscriber_uuid uuid, subscriber_id text, step_id text, step_key text, channel text, status text, content jsonb, "
    "provider_id text, integration_id uuid, idempotency_key text, severity text, critical boolean, tags jsonb, "
    "sent_at timestamptz, at timestamptz, attempts integer, possible_duplicate boolean, context_keys text",
    steady="environment_id step_key severity critical tags attempts possible_duplicate context_keys",
)
_UPDATE_MESSAGE = Batch(
    "updated",
    "update novukit_message as m set status = u.status, attempts = u.attempts, updated_at = u.at, "
    "provider_message_id = coalesce(u.provider_message_id, m.provider_message_id), "
    "callback_id = coalesce(u.callback_id, m.callback_id), "
    "possible_duplicate = (m.possible_duplicate or u.possible_duplicate), error = u.error, "
    "sent_at = case when u.status = 'sent' then u.at else m.sent_at end, "
    # In doubt, a vendor's event can find it by our key alone; only then, for an index on every key is dear.
    "doubtful_key = case when u.status = 'unknown' then m.idempotency_key else m.doubtful_key end "
    f"from {{rows}} where m.environment_id = u.environment_id and m.id = u.id and m.status <> 'sent' and {_HELD}",
    columns="id uuid, environment_id uuid, status text, attempts integer, at timestamptz, provider_message_id text, "
    "possible_duplicate boolean, error text, callback_id text",
    steady="environment_id attempts possible_duplicate error callback_id",
)
_NEW_CHECKPOINT = Batch(
    "begun",
    "insert into novukit_checkpoint (environment_id, execution_id, step_id, step_key, kind, status, result, reason, "
    "detail, attempts, args_hash, message_id, wake_at, started_at, finished_at, position, way) "
    "select u.environment_id, u.execution_id, u.step_id, u.step_key, u.kind, u.status, u.result, u.reason, u.detail, "
    "u.attempts, u.args_hash, u.message_id, u.wake_at, u.started_at, u.finished_at, u.position, u.way "
    f"from {{rows}} where {_HELD}",
    columns="execution_id uuid, environment_id uuid, step_id text, step_key text, kind text, status text, "
    "result jsonb, reason text, detail text, attempts integer, args_hash text, message_id uuid, wake_at timestamptz, "
    "started_at timestamptz, finished_at timestamptz, position integer, way jsonb",
    steady="environment_id step_key reason detail attempts message_id wake_at way",
)
_SAVE_CHECKPOINT = replace(
    _NEW_CHECKPOINT,
    name="saved",
    sql=f"{_NEW_CHECKPOINT.sql} "
    "on conflict (environment_id, execution_id, step_id, step_key) do update set status = excluded.status, "
    "result = excluded.result, reason = excluded.reason, detail = excluded.detail, attempts = excluded.attempts, "
    "args_hash = excluded.args_hash, message_id = excluded.message_id, wake_at = excluded.wake_at, "
    "started_at = excluded.started_at, finished_at = excluded.finished_at, way = excluded.way "
    # What is complete stays as it was when it became so: its row tells of that, there is no other line.
    "where novukit_checkpoint.status <> 'completed'",
)
_SETTLE = Batch(
    "settled",
    "update novukit_execution as x set status = u.status, step = u.step, reason = u.reason, detail = u.detail, "
    # One that was to be cancelled meanwhile does not sleep: it is due at once, and ends.
    "wake_at = case when u.status = 'waiting' and x.cancel_requested_at is not null then x.cancel_requested_at "
    "else u.wake_at end, workflow_version = coalesce(u.version, x.workflow_version), finished_at = u.finished_at, "
    # Whoever let go of it did not die of it.
    "worker_id = null, takeovers = 0 "
    "from {rows} where x.environment_id = u.environment_id and x.id = u.id "
    f"and {not_by_index('x.worker_id = u.worker_id')} and x.runs = u.runs and {_HELD}",
    columns="id uuid, environment_id uuid, worker_id uuid, runs integer, status text, wake_at timestamptz, step text, "
    "reason text, detail text, version text, finished_at timestamptz",
    steady="environment_id worker_id runs wake_at step reason detail version",
)


def writing(entries: Sequence[Entry], worker_id: UUID, *, again: bool) -> list[Part]:
    """The statements that write ``entries``, messages before the steps that name them; ``again`` if perhaps not first.

    Of two entries about the same step or execution the later one counts: they are one moment.
    """
    opened: list[tuple[Any, ...]] = []
    updated: list[tuple[Any, ...]] = []
    begun: dict[tuple[UUID, str, str], tuple[Any, ...]] = {}
    saved: dict[tuple[UUID, str, str], tuple[Any, ...]] = {}
    settled: dict[tuple[UUID, int], tuple[Any, ...]] = {}
    lines: list[Line] = []
    for e in entries:
        match e:
            case Line():
                lines.append(e)
            case SaveCheckpoint():
                step = e.execution_id, e.checkpoint.step_id, e.checkpoint.key
                (begun if step in begun or (e.new and not again) else saved)[step] = _checkpoint_row(e)
            case Settle():
                settled[e.execution_id, e.runs] = _settle_row(e, worker_id)
            case OpenMessage():
                opened.append(_message_row(e))
            case UpdateMessage():
                updated.append(_update_row(e))
    return [
        (_OPEN_MESSAGE, opened),
        (_UPDATE_MESSAGE, updated),
        (_NEW_CHECKPOINT, list(begun.values())),
        (_SAVE_CHECKPOINT, list(saved.values())),
        # By id, as a cancel locks them, so that neither waits for the other in a ring.
        (_SETTLE, [settled[each] for each in sorted(settled)]),
        activities.writing(lines, _HELD, again=again),
    ]


def _message_row(e: OpenMessage) -> tuple[Any, ...]:
    return (
        e.id, e.environment_id, e.execution_id, e.event_id, e.transaction_id, e.workflow_id, e.subscriber_uuid,
        e.subscriber_id, e.step_id, e.step_key, e.channel, str(e.status), e.content, e.provider_id,
        e.integration_id, e.idempotency_key, e.severity, e.critical, encode(list(e.tags)),
        e.at if e.status is MessageStatus.SENT else None, e.at, e.attempts, e.possible_duplicate, e.context_keys,
    )  # fmt: skip


def _update_row(e: UpdateMessage) -> tuple[Any, ...]:
    return (
        e.id, e.environment_id, str(e.status), e.attempts, e.at, e.provider_message_id, e.possible_duplicate,
        plain(e.error) if e.error else None, e.callback_id,
    )  # fmt: skip


def _checkpoint_row(e: SaveCheckpoint) -> tuple[Any, ...]:
    c = e.checkpoint
    return (
        e.execution_id, e.environment_id, c.step_id, c.key, str(c.kind), str(c.status),
        e.result or (None if c.result is None else encode(c.result)),
        str(c.reason) if c.reason else None, plain(c.detail),
        c.attempts, c.args_hash, c.message_id, c.wake_at, c.started_at, c.finished_at, c.position,
        None if c.way is None else _way(c.way),
    )  # fmt: skip


def _way(way: Way) -> str:
    slot = way.slot.isoformat() if way.slot else None
    return encode({"left": [[str(one), attempts] for one, attempts in way.left], "slot": slot})


def _settle_row(e: Settle, worker_id: UUID) -> tuple[Any, ...]:
    return (
        e.execution_id, e.environment_id, worker_id, e.runs, str(e.status), e.wake_at, e.step,
        str(e.reason) if e.reason else None, plain(e.detail), e.version, e.at if e.status.is_final else None,
    )  # fmt: skip
