"""Gate: may this integration be called now? If it is resting, or at its rate, the execution sleeps on record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from ..model import Checkpoint, MessageStatus, Reason, StepCall, StepStatus, Way
from ..providers import Delivery
from ..store import circuits
from ..store.entries import Entry
from .frame import Frame
from .pace import LATE
from .route import Route
from .unwind import Suspend

log = logging.getLogger("novukit.engine")

Note = Callable[[Checkpoint, MessageStatus], Sequence[Entry]]
"""What else is put on record of a message when its step goes to sleep."""


def nothing(at: Checkpoint, status: MessageStatus) -> Sequence[Entry]:
    """The note of a step that has no message yet."""
    return ()


async def enter(frame: Frame, call: StepCall, row: Checkpoint, route: Route, note: Note = nothing) -> Checkpoint:
    """Wait until ``route`` may be called: a moment in memory, or asleep on record. Gives the step's record after that.

    A message waits for its slot once: the slot is on record with it, and still its own when it wakes.
    """
    breaker, clock = route.breaker, frame.rt.clock
    if (rest := breaker.wait(clock.monotonic())) > 0:
        _rest(frame, call, row, route, rest, note)
    if route.pace is not None:
        row = await _paced(frame, call, row, route, note)
    if not breaker.enter(clock.monotonic()):
        _rest(frame, call, row, route, breaker.wait(clock.monotonic()), note)
    return row


async def _paced(frame: Frame, call: StepCall, row: Checkpoint, route: Route, note: Note) -> Checkpoint:
    assert route.pace is not None
    now, kept = frame.now(), row.way.slot if row.way else None
    slot = kept if kept and now <= kept + timedelta(seconds=LATE) else await route.pace.take()
    wait = (slot - frame.now()).total_seconds()
    if wait > frame.rt.routes.paces.patience:
        said = f"{route.integration.identifier} sends {route.pace.rate:g} messages a second."
        if frame.rt.observer is not None:
            frame.rt.observer.paced(route.integration.identifier)
        _sleep(frame, call, row, slot, Reason.PACED, said, note, slot)
    if wait > 0:
        with frame.shift.standing_aside():
            await frame.rt.clock.sleep(wait)
    return _without_slot(row)


def _rest(frame: Frame, call: StepCall, row: Checkpoint, route: Route, seconds: float, note: Note) -> NoReturn:
    """Sleep until the integration is tried again. Not all at one moment: only one of them may try."""
    spread = 1 + frame.rt.random.random()
    until = frame.now() + timedelta(seconds=seconds * spread)
    said = f"{route.integration.identifier} is given a rest."
    _sleep(frame, call, _without_slot(row), until, Reason.CIRCUIT_OPEN, said, note)


def _sleep(
    frame: Frame, call: StepCall, row: Checkpoint, until: datetime, reason: Reason, detail: str, note: Note,
    slot: datetime | None = None,
) -> NoReturn:  # fmt: skip
    unknown = row.reason is Reason.OUTCOME_UNKNOWN  # that nobody knows is not forgotten while it waits
    way = replace(row.way or Way(), slot=slot) if slot or row.way else None
    asleep = replace(
        row, status=StepStatus.WAITING if note is nothing else StepStatus.RETRYING, wake_at=until, detail=detail,
        reason=Reason.OUTCOME_UNKNOWN if unknown else reason, way=way,
    )  # fmt: skip
    status = MessageStatus.UNKNOWN if unknown else MessageStatus.RETRYING
    frame.record([*frame.told(asleep), *note(asleep, status)])
    raise Suspend(call.name, until)


def _without_slot(row: Checkpoint) -> Checkpoint:
    if row.way is None or row.way.slot is None:
        return row
    return replace(row, way=Way(row.way.left) if row.way.left else None)


async def show(frame: Frame, route: Route, delivery: Delivery) -> None:
    """Put on record that a breaker has opened or closed, for people to see. Nothing hangs on it, so it may fail."""
    integration, rt, is_open = route.integration, frame.rt, route.breaker.is_open
    name = f"{integration.identifier} in {rt.routes.environment(integration.environment_id)}"
    if is_open:
        log.warning("%s is given a rest: %s", name, delivery.detail or delivery.outcome)
    else:
        log.warning("%s is used again", name)
    if rt.observer is not None:
        rt.observer.circuit(rt.routes.environment(integration.environment_id), integration.identifier, is_open=is_open)
    try:
        if is_open:
            await circuits.begin(frame.scope, integration.id, frame.shift.worker_id, delivery.detail)
        else:
            await circuits.end(frame.scope, integration.id, frame.shift.worker_id)
    except Exception as err:
        log.warning("the state of %s could not be shown (%s: %s)", name, type(err).__name__, err)
