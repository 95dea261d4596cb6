"""Follow: run a workflow whose code is elsewhere. For each step its application is asked once, and we do the rest.

What the application says of a step is on record before the step begins, as the result of a call of its own
(``welcome[bridge]``). So a crash, a retry and a resume send the same words, and no finished step is asked for again.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from ...authoring import Step
from ...errors import BridgeFailed, StepMisuse
from ...model import CustomInput, Reason, Retry, StepCall, StepKind, StepSpec
from ..bulkhead import Place
from . import calling
from .answer import Answer, read
from .directory import ASK, RemoteWorkflow
from .perform import Case, perform
from .state import Done, state_of

if TYPE_CHECKING:
    from ..frame import Frame
    from ..replay import Replay

RETRY = Retry(attempts=30, first=timedelta(seconds=2), cap=timedelta(minutes=10))
"""An application is away for a deployment, or for a night: about two hours of patience, then the step fails and can be
resumed."""
_ASKING = CustomInput(retry=RETRY)
_TOLD = ("subscriber_id", "first_name", "last_name", "email", "phone", "avatar", "locale", "timezone", "data")


async def follow(frame: Frame, replay: Replay, workflow: RemoteWorkflow) -> None:
    """Go through the steps of ``workflow`` in the order in which they were discovered."""
    subscriber = frame.execution.subscriber
    case = Case(frame.execution.payload, subscriber.timezone if subscriber else None, frame.rt.renderer)
    step: Step[Any] = Step(replay)
    done: list[Done] = []
    for spec in workflow.spec().steps:
        ask = partial(_ask, frame, spec, tuple(done), case)
        asking = StepCall(spec.id, StepKind.CUSTOM, _ASKING, key=ASK, function=ask, returns=Answer)
        answer: Answer = await replay(asking)
        if answer.skipped is not None:
            replay.skip(StepCall(spec.id, spec.kind, CustomInput()), answer.skipped)
            done.append(Done(spec, answer))
        else:
            done.append(Done(spec, answer, await perform(step, spec, answer, case)))


async def _ask(frame: Frame, spec: StepSpec, done: tuple[Done, ...], case: Case) -> Answer:
    """What the application says of ``spec``; refused here and now if it cannot be done."""
    rt, execution = frame.rt, frame.execution
    place = await rt.remotes.place(rt, execution.environment_id)
    body: dict[str, Any] = {
        "payload": execution.payload,
        "controls": {},
        "subscriber": _person(frame),
        "context": execution.context or {},
        "env": {**frame.catalogue.variables, "name": place.environment.name, "type": place.environment.type},
        "state": await state_of(frame.scope, done, case),
    }
    if execution.actor:
        body["actor"] = {to_camel(name): value for name, value in execution.actor.items()}
    about = {"workflowId": execution.workflow_id, "stepId": spec.id}
    try:
        async with Place(frame, rt.routes.bulkheads.of_bridge(execution.environment_id)):
            said = await calling.call(
                rt.remotes.http, place.url, place.secret, rt.clock.now(), "execute", body, **about
            )
    except BridgeFailed as err:
        # It went past the step, to one that comes later: a condition has led around this one.
        if err.step is None or err.step in {one.spec.id for one in done}:
            raise
        return Answer(at=frame.now(), skipped=Reason.NOT_REACHED)
    answer = read(spec.id, spec.kind, said, frame.now())
    if answer.skipped is None:
        await _rehearse(spec, answer, case)
    return answer


async def _rehearse(spec: StepSpec, answer: Answer, case: Case) -> None:
    """Refuse what cannot be done before it is on record, so that a resume asks the application again."""

    async def nothing(call: StepCall) -> None:
        """The runner that performs no step."""

    try:
        await perform(Step(nothing), spec, answer, case)
    except (StepMisuse, ValidationError) as err:
        said = str(err).splitlines()[0]
        raise BridgeFailed(f"The bridge's outputs for step {spec.id!r} cannot be done: {said}") from None


def _person(frame: Frame) -> dict[str, Any]:
    person = frame.execution.subscriber
    if person is None:
        return {}
    return {to_camel(name): value for name in _TOLD if (value := getattr(person, name)) is not None}
