"""Planted faults: what novukit would be without one of its promises. Each must turn the matrix red.

They are planted in the processes that die and in those that recover, by putting something else in the place of a
function. A function that is not there any more fails the test loudly.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

from novukit.engine import Shift, deliver, frame, replay, wait
from novukit.engine.route import Routes
from novukit.model import StepKind, StepStatus
from novukit.providers import Delivery, Outcome, dispatch
from novukit.store import digests, recipients, workers

MUTANTS: dict[str, Callable[[], None]] = {}


def mutant(plant: Callable[[], None]) -> Callable[[], None]:
    """Make a fault known by its name."""
    MUTANTS[plant.__name__] = plant
    return plant


def instead(place: Any, name: str, other: Any) -> Any:
    """Put ``other`` in the place of what is there, and give that."""
    before = getattr(place, name)
    setattr(place, name, other)
    return before


def _module(verb: str) -> Any:
    """The module of a verb, which the package shows as a function."""
    return import_module(f"novukit.engine.{verb}")


def _outcome(of: Outcome, becomes: Outcome) -> None:
    async def misread(*args: Any, **kwargs: Any) -> Delivery:
        delivery = await true(*args, **kwargs)
        return replace(delivery, outcome=becomes, reason=None) if delivery.outcome is of else delivery

    true = instead(dispatch, "deliver", misread)


@mutant
def answer_before_commit() -> None:
    """P1: the client is told before the trigger is durable. (``living`` does it.)"""


@mutant
def forgotten_transaction() -> None:
    """P2: a trigger is new each time it is asked for."""
    from . import living

    async def forgetful(rt: Any, scope: Any, ask: Any) -> Any:
        done = await true(rt, scope, ask.model_copy(update={"transaction_id": f"{ask.transaction_id}.{rt.new_id()}"}))
        return done.model_copy(update={"transaction_id": ask.transaction_id})

    true = instead(living, "trigger", forgetful)


@mutant
def no_self_check() -> None:
    """P3: nobody looks at the lease before a call."""
    instead(Shift, "holds", lambda self: True)  # pyright: ignore[reportUnknownLambdaType]


@mutant
def done_again() -> None:
    """P3: an e-mail that is complete on record is performed anew."""

    async def amnesia(self: Any, call: Any) -> Any:
        row = self._recorded.get((call.id, call.key))
        if row is not None and row.kind is StepKind.EMAIL and row.status is StepStatus.COMPLETED:
            del self._recorded[call.id, call.key]
        return await true(self, call)

    true = instead(replay.Replay, "__call__", amnesia)


@mutant
def no_intent() -> None:
    """P4: the provider is called before anything is on record."""

    async def nothing(self: Any, entries: Any, *args: Any) -> None:
        return None

    instead(frame.Frame, "unless_cancelled", nothing)


@mutant
def checkpoint_before_call() -> None:
    """P4: «sent» is on record before the provider is called."""

    async def hasty(it: Any, call: Any, asked: Any, calling: Any, route: Any, content: Any) -> Any:
        sent = deliver._sent(it, call, calling, route, Delivery(Outcome.ACCEPTED))
        await it.durable()
        await dispatch.deliver(route.provider, content, deliver.key_of(it, call))
        return sent

    instead(deliver, "_call", hasty)


@mutant
def another_key() -> None:
    """P4: a repeat goes out under a key of its own."""
    repeated: set[str] = set()

    async def again(it: Any, call: Any, *rest: Any) -> Any:
        repeated.add(deliver.key_of(it, call))
        return await true_again(it, call, *rest)

    async def renamed(provider: Any, content: Any, key: str, **more: Any) -> Any:
        return await true_deliver(provider, content, f"{key}-again" if key in repeated else key, **more)

    true_again, true_deliver = instead(deliver, "_again", again), instead(dispatch, "deliver", renamed)


@mutant
def unknown_as_refusal() -> None:
    """P4: no answer is taken for a no."""
    _outcome(Outcome.UNKNOWN, Outcome.UNAVAILABLE)


@mutant
def refusal_as_success() -> None:
    """P4: a 503 is taken for a yes."""
    _outcome(Outcome.UNAVAILABLE, Outcome.ACCEPTED)


@mutant
def goes_back() -> None:
    """P4: a message that was handed on is the first provider's again."""

    def primary(self: Any, environment_id: Any, integration_id: Any) -> Any:
        every = self._known[environment_id].integrations
        channel = next(one.channel for one in every if one.id == integration_id)
        return true(self, environment_id, next(one.id for one in every if one.primary and one.channel == channel))

    true = instead(Routes, "by_id", primary)


@mutant
def no_look_up() -> None:
    """P4: a provider that could be asked is not."""

    async def not_there(*args: Any) -> None:
        return None

    instead(dispatch, "look_up", not_there)


@mutant
def unadmitted() -> None:
    """P4: a possible duplicate is not told."""

    def innocent(*args: Any, possible_duplicate: bool = False, **more: Any) -> Any:
        return true(*args, **more)

    true = instead(deliver, "_update", innocent)


@mutant
def no_reaper() -> None:
    """P5: what a dead worker had taken stays with it."""

    async def nothing(*args: Any) -> list[Any]:
        return []

    instead(workers, "reap", nothing)


@mutant
def cancelled_while_calling() -> None:
    """P6: «cancelled» is said of what is still under way."""

    def hasty(found: bool, cancelled: int = 0, cancelling: int = 0) -> Any:
        return true(found, cancelled + cancelling, 0)

    true = instead(_module("cancel"), "CancelAnswer", hasty)


@mutant
def window_left_open() -> None:
    """P7: a digest that was sent still takes events."""

    async def ajar(scope: Any, place: Any, execution_id: Any) -> Any:
        gathered = await true(scope, place, execution_id)
        await scope.database.fetch(
            "update novukit_digest_window set status = 'open' where environment_id = $1 and owner_execution_id = $2",
            scope.environment_id, execution_id,
        )  # fmt: skip
        return gathered

    true = instead(digests, "close", ajar)


@mutant
def early_timer() -> None:
    """P8: a delay is shorter than it was asked to be."""

    async def impatient(it: Any, call: Any, row: Any) -> Any:
        shorter = call.inputs.model_copy(update={"duration": call.inputs.duration / 4})
        return await true(it, replace(call, inputs=shorter), row)

    true = wait.delay
    instead(replay, "_VERBS", {**replay._VERBS, StepKind.DELAY: impatient})


@mutant
def cursor_before_page() -> None:
    """P17: the cursor moves in a commit of its own, and the page follows."""

    async def apart(rt: Any) -> bool:
        held: list[Any] = []

        async def later(scope: Any, event: Any, ids: Any, window: Any = None) -> Any:
            held.append((scope, event, ids, window))
            return 0, await recipients.last(scope, event, len(ids))

        open_them = recipients.open_executions
        with _for_now(recipients, "open_executions", later):
            worked = await true(rt)
        for args in held:
            async with rt.database.transaction():
                await open_them(*args)
        return worked

    true = instead(_module("sweep"), "expand", apart)


@mutant
def no_reason() -> None:
    """P22: a failure does not say why."""

    def speechless(row: Any, status: Any, at: Any, reason: Any = None, *args: Any, **more: Any) -> Any:
        return true(row, status, at, None, *args, **more)

    true = instead(deliver, "finish", speechless)


@contextmanager
def _for_now(place: Any, name: str, other: Any) -> Any:
    before = instead(place, name, other)
    try:
        yield
    finally:
        setattr(place, name, before)
