"""Execution: run a workflow from the top to one step, with the results of the earlier ones out of the call's state."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_snake
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ...authoring import Context, Step, Workflow
from ...engine.compose import variables_of
from ...engine.remote.answer import list_in, object_in
from ...errors import PayloadInvalid
from ...model import Catalogue, ChannelInput, EventContext, StepCall, StepKind, StoredSubscriber, Subscriber, Variables
from ...rendering import Renderer
from .outputs import Setting, outputs_of
from .refusal import Refusal, misfits, thrown, unsayable
from .results import WRAPPED, Remembered, mock_of, result_of
from .samples import sample

_OURS = uuid.UUID("5c3f1f1e-8f0c-5b1e-9d6e-6e6f76756b69")
"""The namespace of the ids that we make up: the protocol has none for an execution."""
_PERSON = set(Subscriber.model_fields)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call: a workflow, the step that is asked for, the body, and whether it is only a preview."""

    workflow: Workflow[Any]
    step: str
    body: Mapping[str, Any]
    now: datetime
    renderer: Renderer | None
    preview: bool = False

    def part(self, name: str) -> dict[str, Any]:
        """An object of the body."""
        return object_in(self.body.get(name)) or {}


class _Left(BaseException):
    """The step was reached, or cannot be: leave the author's function, whatever it catches."""


class _Playback:
    """The runner of a call. What comes after the step that is asked for never begins."""

    def __init__(self, ask: Ask, state: Mapping[str, Remembered], setting: Setting, payload: dict[str, Any]) -> None:
        self._ask, self._state, self._setting, self._payload = ask, state, setting, payload
        self.answer: dict[str, Any] | None = None
        self.refusal: Refusal | None = None

    async def __call__(self, call: StepCall) -> Any:
        if self.answer is not None or self.refusal is not None:
            raise _Left
        try:
            if call.key:
                raise unsayable(call.id, "key=", "Novu knows a step by its id alone.")
            if call.id == self._ask.step:
                self.answer = await self._perform(call)
            elif self._passed_by(call):
                self.answer = _answer({})
            else:
                return self._earlier(call)
        except Refusal as no:
            self.refusal = no
        raise _Left

    def _passed_by(self, call: StepCall) -> bool:
        """Whether ``call`` stands behind the step that is asked for: a condition has led around that one."""
        order = {step.id: at for at, step in enumerate(self._ask.workflow.spec().steps)}
        return call.id not in self._state and order.get(call.id, 0) > order[self._ask.step]

    def _earlier(self, call: StepCall) -> Any:
        if self._ask.preview:
            return mock_of(call, self._payload, self._setting.now.isoformat())
        return result_of(self._ask.workflow.id, call, self._state.get(call.id))

    async def _perform(self, call: StepCall) -> dict[str, Any]:
        if call.kind is StepKind.CUSTOM:
            return _answer(await self._custom(call))
        asked = call.inputs
        if isinstance(asked, ChannelInput) and self._was_noticed(asked):
            return _answer({}, skip=True)
        outputs = outputs_of(call, self._setting)
        if outputs is None:
            return _answer({}, skip=True)
        providers = asked.providers if isinstance(asked, ChannelInput) else {}
        return _answer(outputs, providers=providers)

    def _was_noticed(self, asked: ChannelInput) -> bool:
        """Whether ``unless_seen`` or ``unless_read`` holds the message back."""
        marks = ((asked.unless_seen, "seen"), (asked.unless_read, "read"))
        return any(name in self._state and self._state[name].outputs.get(mark) is True for name, mark in marks if name)

    async def _custom(self, call: StepCall) -> dict[str, Any]:
        assert call.function is not None
        if self._ask.preview:
            kept: Any = sample(TypeAdapter(call.returns).json_schema())
        else:
            try:
                kept = to_jsonable_python(await call.function())
            except PydanticSerializationError as err:
                raise thrown(call.id, err) from None
            except Exception as err:
                raise thrown(call.id, err) from err
        found = object_in(kept)
        return {WRAPPED: kept} if found is None else found


async def execute(ask: Ask) -> dict[str, Any]:
    """What the step says: ``outputs``, ``providers`` and ``options``. Raises :class:`Refusal`."""
    if ask.step not in {step.id for step in ask.workflow.spec().steps}:
        raise Refusal("StepNotFoundError", f"The workflow {ask.workflow.id!r} has no step {ask.step[:100]!r}.")
    payload = _payload(ask)
    person, actor = _subscriber(ask), ask.part("actor")
    catalogue = _catalogue(ask.part("env"))
    variables = variables_of(payload, person, _known(actor) or None, None, ask.part("context"))
    live = {"env": catalogue.shown, "t": catalogue.words(("workflow", ask.workflow.id), person.locale, variables)}
    setting = Setting(ask.now, person.timezone, variables, live, ask.renderer)
    playback = _Playback(ask, _state(ask), setting, payload)
    try:
        await ask.workflow.run(_context(ask, payload, person, actor, catalogue, playback))
    except _Left:
        pass
    except PayloadInvalid as err:
        raise misfits(ask.workflow.id, err.issues) from None
    except (Exception, SystemExit) as err:
        if playback.answer is None and playback.refusal is None:
            raise thrown(ask.step, err) from err
    if playback.refusal is not None:
        raise playback.refusal
    return playback.answer or _answer({})


def _answer(outputs: dict[str, Any], *, skip: bool = False, providers: Mapping[str, Any] | None = None) -> Any:
    return {"outputs": outputs, "providers": dict(providers or {}), "options": {"skip": skip}}


def _payload(ask: Ask) -> dict[str, Any]:
    given = ask.part("payload") or ask.part("data")  # older servers call it data
    schema = ask.workflow.spec().payload_schema
    if ask.preview and schema is not None:
        given = {**(object_in(sample(schema)) or {}), **given}
    return given


def _state(ask: Ask) -> dict[str, Remembered]:
    known: dict[str, Remembered] = {}
    for entry in map(object_in, list_in(ask.body.get("state"))):
        if entry is None or not isinstance(entry.get("stepId"), str):
            raise Refusal("ExecutionStateCorruptError", "An entry of the state is not what the protocol says.")
        stands = object_in(entry.get("state")) or {}
        known[entry["stepId"]] = Remembered(
            outputs=object_in(entry.get("outputs")) or {}, status=str(stands.get("status") or "completed"),
            error=str(stands.get("error") or ""),
        )  # fmt: skip
    return known


def _known(person: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a subscriber that we know, by our names, without those that say nothing."""
    return {name: v for key, v in person.items() if v is not None and (name := to_snake(key)) in _PERSON}


def _subscriber(ask: Ask) -> StoredSubscriber:
    known = {"subscriber_id": "preview" if ask.preview else "", **_known(ask.part("subscriber"))}
    made = uuid.uuid5(_OURS, str(known["subscriber_id"]))
    try:
        return StoredSubscriber.model_validate({**known, "id": made, "created_at": ask.now, "updated_at": ask.now})
    except ValidationError as err:
        raise Refusal("BridgeError", f"The call's subscriber makes no sense: {err.errors()[0]['msg']}.") from None


def _context(
    ask: Ask, payload: dict[str, Any], person: StoredSubscriber, actor: dict[str, Any], catalogue: Catalogue,
    playback: _Playback,
) -> Context[Any]:  # fmt: skip
    parse = ask.workflow.parse_payload
    # The same for each call of one execution, as far as the protocol tells them apart.
    known_as = uuid.uuid5(_OURS, f"{ask.workflow.id} {person.subscriber_id} {sorted(payload.items())!r}")
    return Context(
        payload=parse(payload), subscriber=person, step=Step(playback, parse), transaction_id=str(known_as),
        environment=str(ask.part("env").get("name") or ""), execution_id=known_as,
        actor=Subscriber.model_construct(**_known(actor)) if actor else None, workflow_id=ask.workflow.id,
        contexts=_contexts(ask.part("context")), catalogue=catalogue,
    )  # fmt: skip


def _catalogue(env: dict[str, Any]) -> Catalogue:
    """The environment's variables come with the call; texts in other languages do not."""
    variables = {name: value for name, value in env.items() if isinstance(value, str)}
    return Catalogue(variables=Variables(variables), shown=variables)


def _contexts(given: dict[str, Any]) -> dict[str, EventContext]:
    """What the event happens in; Novu sends each with its id and its data."""
    found = {kind: object_in(one) or {} for kind, one in given.items()}
    return {
        kind: EventContext(id=str(one.get("id", "")), data=object_in(one.get("data")) or {})
        for kind, one in found.items()
    }
