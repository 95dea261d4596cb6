"""Planted bugs: each takes one guard out of the real engine. The simulation must find every one of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock
from uuid import UUID

from novukit.engine import deliver, fanout, shift, wait
from novukit.engine.frame import Frame, finish
from novukit.engine.runtime import start
from novukit.model import Reason, StepKind, StepStatus, Triggered, TriggerStatus
from novukit.providers import Outcome, dispatch
from novukit.store import digests, entries, events, executions, recipients, workers
from novukit.store.entries import SaveCheckpoint
from novukit.store.journal import Journal

from . import clients

Patches = list[Any]


@dataclass(frozen=True)
class Mutant:
    """A bug, and the promises of which one must be seen to break. ``patches`` are made anew for each world; ``without``
    is what the schema lacks, ``rewrite`` what is said instead in SQL; ``deaf`` workers look only when they are rung.
    """

    name: str
    breaks: frozenset[str]
    patches: Callable[[], Patches]
    without: str = ""
    rewrite: tuple[str, str] | None = None
    deaf: bool = False
    rare: bool = False
    """Found, but only in hundreds of seeds."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The engine with the bug."""
        with ExitStack() as stack:
            for patch in self.patches():
                stack.enter_context(patch)
            yield


MUTANTS: dict[str, Mutant] = {}


def mutant(name: str, *breaks: str, **more: Any) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    def keep(patches: Callable[[], Patches]) -> Callable[[], Patches]:
        MUTANTS[name] = Mutant(name, frozenset(breaks), patches, **more)
        return patches

    return keep


def _instead(owner: Any, name: str, made: Callable[[Any], Any]) -> Any:
    """A patch that is made of the original."""
    return mock.patch.object(owner, name, made(getattr(owner, name)))


@mutant("a new key for each attempt", "I3")
def _new_key() -> Patches:
    return [mock.patch.object(deliver, "key_of", lambda frame, call: frame.rt.new_id().hex)]


@mutant("a finished step runs again", "I2", "I7")
def _runs_again() -> Patches:
    def made(claim: Any) -> Any:
        async def forgetful(*args: Any, **more: Any) -> Any:
            claimed = await claim(*args, **more)
            for one in claimed:
                kept = {k: c for k, c in one.checkpoints.items() if c.status is not StepStatus.COMPLETED}
                one.checkpoints = kept
            return claimed

        return forgetful

    return [_instead(executions, "claim", made)]


@mutant("the result of a custom step is not kept", "I6")
def _not_kept() -> Patches:
    def made(record: Any) -> Any:
        def forgetful(self: Frame, told: Sequence[Any], *args: Any, **more: Any) -> Any:
            kept = [
                e for e in told
                if not (isinstance(e, SaveCheckpoint) and e.checkpoint.kind is StepKind.CUSTOM)
            ]  # fmt: skip
            return record(self, kept, *args, **more)

        return forgetful

    return [_instead(Frame, "record", made)]


@mutant("nobody takes over from the dead", "L1")
def _no_reaper() -> Patches:
    async def reap(*_: Any, **__: Any) -> int:
        return 0

    return [mock.patch.object(workers, "reap", reap)]


@mutant("a worker looks only when it is rung", "L1", deaf=True)
def _deaf() -> Patches:
    return []


@mutant("a digest is read, then closed", "I5")
def _read_then_close() -> Patches:
    async def close(frame: Frame, place: Any, lock: str, row: Any) -> Any:
        rows = await frame.scope.database.fetch(
            "select e.transaction_id, e.payload, e.created_at from novukit_digest_window w "
            "join novukit_digest_member m on m.window_id = w.id join novukit_event e on e.id = m.event_id "
            "where w.owner_execution_id = $1 and w.status = 'open' order by m.joined_at, e.id",
            frame.execution.id,
        )
        read = [
            {"id": one["transaction_id"], "time": one["created_at"].isoformat(), "payload": json.loads(one["payload"])}
            for one in rows
        ]

        async def decide() -> Any:
            events_ = await digests.close(frame.scope, place, frame.execution.id)
            told = read or events_ or [wait.own_event(frame)]
            return told, frame.told(finish(row, StepStatus.COMPLETED, frame.now(), result=told))

        return wait.gathered(await frame.decide(lock, decide))

    return [mock.patch.object(wait, "_close", close)]


@mutant("a cancel is looked at only when an execution is claimed", "I4")
def _cancel_at_claim() -> Patches:
    def made(put: Any) -> Any:
        def deaf(self: Journal, *told: Any, unless_cancelled: bool = False, **more: Any) -> Any:
            return put(self, *told, **more)

        return deaf

    return [_instead(Journal, "put", made)]


@mutant("no look at the lease before a call", "I2")
def _no_self_check() -> Patches:
    return [mock.patch.object(shift.Shift, "holds", return_value=True)]


@mutant("a commit without its fence", "I11")
def _no_fence() -> Patches:
    async def extend(*_: Any, **__: Any) -> bool:
        return True

    def fence(worker_id: UUID, until: Any, checks: Sequence[str]) -> Any:
        made = entries._fence(tuple(checks))
        return replace(made, sql="select u.id from {rows}", stop=None), [(worker_id, until)]

    return [mock.patch.object(workers, "extend", extend), mock.patch.object(entries, "fence", fence)]


@mutant(
    "a transaction id is looked up, then taken", "I0", without=",\n    unique (environment_id, transaction_id)",
    rewrite=(" on conflict (environment_id, transaction_id) do nothing", ""),
)  # fmt: skip
def _check_then_insert() -> Patches:
    def made(insert: Any) -> Any:
        async def checked(database: Any, new: Any, *more: Any) -> set[UUID]:
            fresh = [one for one in new if await events.seen(one[0], one[1].transaction_id) is None]
            return await insert(database, fresh, *more) if fresh else set()

        return checked

    return [_instead(events, "insert", made)]


@mutant("accepted before it is on record", "I1")
def _answered_first() -> Patches:
    def made(ask: Any) -> Any:
        async def hasty(rt: Any, scope: Any, wanted: Any) -> Triggered:
            seen = await events.seen(scope, wanted.transaction_id)
            if seen is not None:
                return await ask(rt, scope, wanted)
            later: asyncio.Future[UUID] = asyncio.get_running_loop().create_future()

            async def in_time() -> None:
                answer = await ask(rt, scope, wanted)
                later.done() or later.set_result(answer.event_id)

            start(in_time())
            await asyncio.sleep(0.01)
            event_id = later.result() if later.done() else rt.new_id()
            return Triggered(
                status=TriggerStatus.PROCESSED, transaction_id=wanted.transaction_id, event_id=event_id, executions=1
            )

        return hasty

    return [_instead(clients, "trigger", made)]


@mutant("«cancelled» is said while a worker runs it", "I4", "I11")
def _cancelled_too_soon() -> Patches:
    def made(cancel_idle: Any) -> Any:
        async def hasty(scope: Any, *, event_id: UUID | None = None, ids: Sequence[UUID] = ()) -> Any:
            idle = await cancel_idle(scope, event_id=event_id, ids=ids)
            rows = await scope.database.fetch(
                "update novukit_execution set status = 'cancelled', reason = 'cancelled', finished_at = $2, "
                "worker_id = null where environment_id = $1 and event_id = $3 and status = 'running' "
                "returning id, event_id",
                scope.environment_id, scope.now(), event_id,
            )  # fmt: skip
            return [*idle, *(executions.Touched(row["id"], row["event_id"]) for row in rows)]

        return hasty

    return [_instead(executions, "cancel_idle", made)]


@mutant("the cursor moves before its page", "I12")
def _cursor_first() -> Patches:
    def made(open_executions: Any) -> Any:
        async def late(scope: Any, event: Any, ids: Any, window: Any = None) -> Any:
            start(_in_its_own(scope, event, ids, window))
            return 1, await recipients.last(scope, event, len(ids))

        async def _in_its_own(scope: Any, event: Any, ids: Any, window: Any) -> None:
            await asyncio.sleep(0.01)
            async with scope.database.transaction():
                await open_executions(scope, event, ids, window)

        return late

    return [_instead(fanout.recipients, "open_executions", made)]


@mutant("an unknown outcome counts as a refusal", "P4")
def _unknown_is_refused() -> Patches:
    def made(ask: Any) -> Any:
        async def sure(*args: Any, **more: Any) -> Any:
            delivery = await ask(*args, **more)
            if delivery.outcome is Outcome.UNKNOWN:
                return replace(delivery, outcome=Outcome.UNAVAILABLE, reason=Reason.PROVIDER_UNAVAILABLE)
            return delivery

        return sure

    return [_instead(dispatch, "deliver", made)]


@mutant("a lost answer is written again as it was", "I11")
def _written_again() -> Patches:
    async def leave_out(self: Journal, group: Any) -> None:
        """Nothing."""

    return [mock.patch.object(Journal, "_leave_out_settled", leave_out)]


@mutant("preferences are read once, and not looked at again", "I14")
def _preferences_once() -> Patches:
    def made(put: Any) -> Any:
        def sure(self: Journal, *told: Any, preferred: Any = None, **more: Any) -> Any:
            return put(self, *told, **more)

        return sure

    return [_instead(Journal, "put", made)]


@mutant("a worker forgets a run when an earlier one ends", "I2", "I11", rare=True)
def _forgets_a_run() -> Patches:
    return [mock.patch.object(shift.Shift, "let_go", lambda self, one: self._held.pop(one.id, None))]
