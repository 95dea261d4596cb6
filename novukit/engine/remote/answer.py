"""``Answer``: what the application said of one step; kept before anything is done, so that it is asked once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from pydantic import Field, ValidationError

from ...errors import BridgeFailed
from ...model import Model, Reason, StepKind


class Answer(Model):
    """What the application said of a step, at ``at``. With ``skipped`` the step is not performed, for that reason."""

    at: datetime
    outputs: dict[str, Any] = Field(default_factory=dict[str, Any])
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    skipped: Reason | None = None


def object_in(value: Any) -> dict[str, Any] | None:
    """``value`` if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def list_in(value: Any) -> list[Any]:
    """``value`` if it is a JSON list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def read(step: str, kind: StepKind, body: dict[str, Any], at: datetime) -> Answer:
    """The answer in a body. Raises :class:`BridgeFailed` when there is none in it."""
    outputs = object_in(body.get("outputs"))
    if outputs is None:
        raise BridgeFailed(f"The bridge answered for step {step!r} without outputs.")
    if (object_in(body.get("options")) or {}).get("skip") is True:
        return Answer(at=at, skipped=Reason.SKIP_CONDITION)
    # The framework answers like this when the workflow ends before the step. A custom step may return nothing.
    if not outputs and kind is not StepKind.CUSTOM:
        return Answer(at=at, skipped=Reason.NOT_REACHED)
    try:
        providers = {name: _flat(step, name, over) for name, over in (object_in(body.get("providers")) or {}).items()}
        return Answer(at=at, outputs=outputs, providers=providers)
    except ValidationError as err:
        where = ".".join(map(str, err.errors()[0]["loc"]))
        raise BridgeFailed(f"The bridge's answer for step {step!r} makes no sense at {where}.") from None


def _flat(step: str, name: str, over: Any) -> Any:
    """A provider's overrides. What goes past the framework's checks (``_passthrough.body``) joins the rest."""
    found = object_in(over)
    if found is None or (past := object_in(found.get("_passthrough"))) is None:
        return over
    if past.get("headers") or past.get("query"):
        raise BridgeFailed(
            f"Step {step!r}: novukit passes a body on to {name}, but no headers and no query.",
            hint="Put what you need into _passthrough.body.",
        )
    return {key: value for key, value in found.items() if key != "_passthrough"} | (object_in(past.get("body")) or {})
