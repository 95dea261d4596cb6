"""``@workflow``: turns an async function into a workflow that can be discovered, triggered and run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast, overload

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError

from ..errors import InvalidInput, Issue, PayloadInvalid, WorkflowInvalid
from ..model import (
    Everyone,
    Recipient,
    Severity,
    StepKind,
    Subscriber,
    TopicRecipient,
    Trigger,
    Triggered,
    WorkflowPreferences,
    WorkflowSpec,
)  # fmt: skip
from . import sending, sources, wording
from .context import Context, payload_type
from .discovery import discover

P = TypeVar("P", bound=BaseModel | None)

To = str | Subscriber | TopicRecipient | Everyone
"""Whom a trigger may be for; a ``str`` is a subscriber's id."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Workflow(Generic[P]):
    """A workflow: its id, what it declares, and the function that runs it. Made by :func:`workflow`.

    ``where`` is the file and line of its definition, ``payload_type`` is ``None`` if it takes no payload.
    """

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    severity: Severity
    preferences: WorkflowPreferences
    payload_type: type[BaseModel] | None
    run: Callable[[Context[P]], Coroutine[Any, Any, None]]
    where: str

    def spec(self) -> WorkflowSpec:
        """What this workflow declares, with the steps that its source has. Read once.

        Raises :class:`WorkflowInvalid` with file and line of what breaks a rule.
        """
        return self._spec

    @cached_property
    def literals(self) -> frozenset[str]:
        """Every text that stands in its source in so many letters."""
        source = sources.of(self.run)
        nodes = ast.walk(source.node) if source is not None else ()
        return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))

    @cached_property
    def declared(self) -> frozenset[tuple[str, StepKind]]:
        """Its steps, by id and kind."""
        return frozenset((step.id, step.kind) for step in self.spec().steps)

    @cached_property
    def sends(self) -> bool:
        """Whether any of its steps sends a message."""
        return any(step.kind.is_channel for step in self.spec().steps)

    @cached_property
    def _spec(self) -> WorkflowSpec:
        return WorkflowSpec(
            id=self.id, name=self.name, description=self.description, tags=self.tags, severity=self.severity,
            preferences=self.preferences, payload_schema=self._schema(), steps=discover(self.id, self.run),
        )  # fmt: skip

    def _schema(self) -> dict[str, Any] | None:
        if self.payload_type is None:
            return None
        try:
            return self.payload_type.model_json_schema()
        except PydanticUserError as err:
            raise WorkflowInvalid(
                f"{self.where}: the payload {self.payload_type.__name__} has no JSON Schema: "
                f"{err.message.splitlines()[0].rstrip('.')}.",
                hint="Use field types that JSON can hold.",
            ) from None

    def parse_payload(self, payload: Mapping[str, Any]) -> P:
        """``payload``, which is JSON data, as the author's model. A workflow without payload ignores it.

        Raises :class:`PayloadInvalid` with an issue for every field that is wrong.
        """
        model = self.payload_type
        if model is None:
            return cast("P", None)
        try:
            return cast("P", model.model_validate(payload))
        except ValidationError:
            # A strict model takes a date from text only if it is told that this was JSON.
            return cast("P", self._parse_json(model, payload))

    def _parse_json(self, model: type[BaseModel], payload: Mapping[str, Any]) -> BaseModel:
        from pydantic_core import PydanticSerializationError, to_json

        try:
            return model.model_validate_json(to_json(dict(payload)))
        except ValidationError as err:
            issues = wording.issues_of(err, model, under="/payload")
        except (PydanticSerializationError, TypeError, ValueError):
            issues = [Issue("/payload", "not_json", "The payload is not JSON data.")]
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise PayloadInvalid(
            f"The payload does not fit workflow {self.id!r}: {issues[0].message.rstrip('.')}{more}.",
            hint=issues[0].hint, issues=issues,
        )  # fmt: skip

    @overload
    async def trigger(
        self: Workflow[None], *, to: To | Sequence[To], payload: None = None, transaction_id: str | None = None,
        actor: str | Subscriber | None = None, tenant: str | Mapping[str, Any] | None = None,
        context: Mapping[str, str | Mapping[str, Any]] | None = None, overrides: Mapping[str, Any] | None = None,
    ) -> Triggered: ...  # fmt: skip
    @overload
    async def trigger(
        self, *, to: To | Sequence[To], payload: P, transaction_id: str | None = None,
        actor: str | Subscriber | None = None, tenant: str | Mapping[str, Any] | None = None,
        context: Mapping[str, str | Mapping[str, Any]] | None = None, overrides: Mapping[str, Any] | None = None,
    ) -> Triggered: ...  # fmt: skip
    async def trigger(
        self,
        *,
        to: To | Sequence[To],
        payload: BaseModel | None = None,
        transaction_id: str | None = None,
        actor: str | Subscriber | None = None,
        tenant: str | Mapping[str, Any] | None = None,
        context: Mapping[str, str | Mapping[str, Any]] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Triggered:
        """Ask for this workflow to run for ``to``: a subscriber's id, a subscriber, a topic, everyone, or up to 100.

        ``transaction_id`` makes it idempotent: the same id is accepted once. ``actor`` is who caused it, ``context``
        what it happens in: ``{"tenant": "acme"}``, or ``{"tenant": {"id": "acme", "data": {…}}}``. It goes to the
        server that NOVUKIT_URL names with NOVUKIT_SECRET_KEY, or to a test's harness.
        Raises :class:`PayloadInvalid`, :class:`InvalidInput`, and what the server answers with.
        """
        trigger = self._asked(
            to=_recipients(to), payload=self._dumped(payload), transaction_id=transaction_id,
            actor=_subscriber(actor, "/actor"), overrides=dict(overrides or {}),
            tenant={"identifier": tenant} if isinstance(tenant, str) else tenant and dict(tenant),
            context={kind: {"id": one} if isinstance(one, str) else one for kind, one in context.items()}
            if context else None,
        )  # fmt: skip
        return await sending.sender()(trigger)

    def _asked(self, **values: Any) -> Trigger:
        try:
            return Trigger(workflow=self.id, **values)
        except ValidationError as err:
            issues = wording.issues_of(err, Trigger)
            raise InvalidInput(
                f"Workflow {self.id!r} cannot be triggered like this: {issues[0].message}", issues=issues
            ) from None

    def _dumped(self, payload: object) -> dict[str, Any]:
        model = self.payload_type
        if model is None:
            if payload is not None:
                raise PayloadInvalid(f"Workflow {self.id!r} takes no payload.", hint="Its context is Context[None].")
            return {}
        if isinstance(payload, Mapping):
            payload = self.parse_payload(cast("Mapping[str, Any]", payload))
        if not isinstance(payload, model):
            raise PayloadInvalid(
                f"The payload of workflow {self.id!r} must be {model.__name__}, not {wording.kind_of(payload)}."
            )
        data = payload.model_dump(mode="json", by_alias=True)
        # A model may have been changed, or built unchecked: what is wrong shall be seen here and not at the server.
        self.parse_payload(data)
        return data


def workflow(
    id: str,
    *,
    name: str | None = None,
    description: str = "",
    tags: Sequence[str] = (),
    severity: Severity = "none",
    critical: bool = False,
    preferences: WorkflowPreferences | None = None,
) -> Callable[[Callable[[Context[P]], Coroutine[Any, Any, None]]], Workflow[P]]:
    """Make a workflow of ``async def f(ctx: Context[Payload]) -> None``.

    ``id`` is how it is triggered and kept: letters, digits and ``_ . -``, at most 100. ``name`` is what people see.
    ``critical``: subscribers cannot switch it off; the same as ``read_only`` in ``preferences``, which are the
    defaults of its channels. Raises :class:`WorkflowInvalid` with file and line of what breaks a rule.
    """
    if callable(id):
        raise WorkflowInvalid(
            f"{sources.place_of(id) or 'unknown'}: @workflow has no id.", hint='Write @workflow("welcome").'
        )
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    names, place = frame.f_locals, sources.where(frame.f_code.co_filename, frame.f_lineno)

    def define(run: Callable[[Context[P]], Coroutine[Any, Any, None]]) -> Workflow[P]:
        where = sources.place_of(run) or place
        rules = preferences or WorkflowPreferences()
        spec = _checked(
            where, id=id, name=id if name is None else name, description=description, severity=severity,
            tags=[tags] if isinstance(tags, str) else tags,
            preferences=rules.model_copy(update={"read_only": rules.read_only or critical}),
        )  # fmt: skip
        return Workflow(
            id=spec.id, name=spec.name, description=spec.description, tags=spec.tags, severity=spec.severity,
            preferences=spec.preferences, payload_type=payload_type(run, where, names), run=run, where=where,
        )  # fmt: skip

    return define


def _checked(where: str, **values: Any) -> WorkflowSpec:
    try:
        return WorkflowSpec(**values)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        if first["loc"] == ("id",):
            raise WorkflowInvalid(
                f"{where}: {str(first['input'])[:64]!r} cannot be the id of a workflow.",
                hint="An id has 1 to 100 letters, digits and _ . - and does not begin with . or -.",
            ) from None
        raise WorkflowInvalid(f"{where}: {wording.place(first['loc'])} {wording.said(first)}.") from None


def _recipients(to: To | Sequence[To]) -> list[Recipient]:
    # What is neither a recipient nor a list of them goes on as it is, for the model to refuse.
    many = list(to) if isinstance(to, Sequence) and not isinstance(to, str) else [to]
    return [
        one if isinstance(one, TopicRecipient | Everyone) else _subscriber(one, f"/to/{at}")
        for at, one in enumerate(many)
    ]


@overload
def _subscriber(who: str | Subscriber, path: str) -> Subscriber: ...
@overload
def _subscriber(who: str | Subscriber | None, path: str) -> Subscriber | None: ...
def _subscriber(who: str | Subscriber | None, path: str) -> Subscriber | None:
    if not isinstance(who, str):
        return who
    try:
        return Subscriber(subscriber_id=who)
    except ValidationError as err:
        (issue, *_) = wording.issues_of(err, Subscriber, under=path)
        raise InvalidInput(
            f"{who[:64]!r} cannot be the id of a subscriber.",
            hint="It has 1 to 255 characters, no / or %, and no blank at either end.", issues=[issue],
        ) from None  # fmt: skip
