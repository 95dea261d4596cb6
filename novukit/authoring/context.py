"""``Context``: what one execution of a workflow may look at; and how a workflow's signature tells its payload type."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, RootModel

from ..errors import WorkflowInvalid
from ..model import Catalogue, EventContext, StoredSubscriber, Subscriber, Variables, Words
from .step import Step

P = TypeVar("P", bound=BaseModel | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Generic[P]):
    """What one execution of a workflow may look at. ``Context[None]`` is that of a workflow without payload.

    ``actor`` is who caused the trigger, ``tenant`` whatever the caller said of the tenant, ``contexts`` what it happens
    in, by type: ``ctx.contexts["tenant"].id``. ``environment`` is the slug of the environment that this runs in,
    ``catalogue`` what ``t`` and ``env`` are taken from.
    """

    payload: P
    subscriber: StoredSubscriber
    step: Step[P]
    transaction_id: str
    environment: str
    execution_id: UUID
    actor: Subscriber | None = None
    tenant: dict[str, Any] | None = None
    contexts: Mapping[str, EventContext] = field(default_factory=dict[str, EventContext])
    workflow_id: str = ""
    catalogue: Catalogue = field(default_factory=Catalogue, repr=False)

    @property
    def t(self) -> Words:
        """The workflow's texts in the subscriber's language: ``ctx.t("greeting", name="Ada")``, ``ctx.t["menu"]``.

        Where a text is missing in every locale the key stands for it. ``{name}`` in a text is replaced by what is
        given, ``{payload.title}`` and ``{subscriber.first_name}`` by what is known anyway.
        """
        values = {"payload": self.payload, "subscriber": self.subscriber}
        return self.catalogue.words(("workflow", self.workflow_id), self.subscriber.locale, values)

    @property
    def env(self) -> Variables:
        """The environment's variables: ``ctx.env["SHOP_URL"]``. Raises :class:`NotFound` for one without a value."""
        return self.catalogue.variables


def payload_type(function: Callable[..., Any], where: str, names: Mapping[str, Any]) -> type[BaseModel] | None:
    """The type of the payload, out of ``async def workflow(ctx: Context[Payload])``.

    ``names`` are the local names at the definition, for payload types that are defined in a function.
    Raises :class:`WorkflowInvalid` that says what to write, if it is not that.
    """
    name = getattr(function, "__name__", "workflow")
    wanted = f"Write `async def {name if name.isidentifier() else 'workflow'}(ctx: Context[Payload]) -> None`."
    if not inspect.iscoroutinefunction(function):
        raise WorkflowInvalid(f"{where}: workflow function {name!r} is not async.", hint=wanted)
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) != 1 or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise WorkflowInvalid(
            f"{where}: workflow function {name!r} must take the context and nothing else.", hint=wanted
        )
    if parameters[0].annotation is inspect.Parameter.empty:
        raise WorkflowInvalid(f"{where}: the parameter of {name!r} has no type.", hint=wanted)
    return _of_context(_hint(function, parameters[0].name, where, names), where, name)


def _hint(function: Callable[..., Any], parameter: str, where: str, names: Mapping[str, Any]) -> Any:
    try:
        return get_type_hints(function, localns=dict(names))[parameter]
    except NameError as err:
        raise WorkflowInvalid(
            f"{where}: the signature names {err.name!r}, which cannot be found.",
            hint="Define or import it above the workflow, and not under TYPE_CHECKING: it is needed at run time.",
        ) from None
    except Exception as err:  # annotations are the author's code
        raise WorkflowInvalid(f"{where}: the signature cannot be read: {err}.") from None


def _of_context(hint: Any, where: str, name: str) -> type[BaseModel] | None:
    if hint is Context:
        raise WorkflowInvalid(
            f"{where}: {name!r} does not say what its payload is.",
            hint="Write Context[Payload] with a pydantic model, or Context[None] if there is none.",
        )
    if get_origin(hint) is not Context:
        raise WorkflowInvalid(
            f"{where}: the parameter of {name!r} must be a Context, not {_said(hint)}.",
            hint="Write Context[Payload] with a pydantic model, or Context[None] if there is no payload.",
        )
    (payload,) = get_args(hint)
    if payload is NoneType or payload is None:
        return None
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)) or issubclass(payload, RootModel):
        raise WorkflowInvalid(
            f"{where}: the payload of {name!r} must be a pydantic model or None, not {_said(payload)}.",
            hint="Declare its fields: `class Payload(BaseModel): …`.",
        )
    return payload


def _said(hint: Any) -> str:
    """A type as its author wrote it, without the modules that it comes from."""
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return re.sub(r"[\w.<>]+\.(\w)", r"\1", str(hint)).replace("NoneType", "None")
