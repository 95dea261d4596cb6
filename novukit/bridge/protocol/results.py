"""Results: what the state of a call says of an earlier step, as the author's code is used to get it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ...errors import StepFailed
from ...model import Digest, DigestEvent, Reason, Sent, StepCall, StepKind, Throttled
from .refusal import Refusal
from .samples import sample

WRAPPED = "_value"
"""Novu keeps objects alone. Any other result of a custom step travels under this name."""


class Remembered(BaseModel):
    """One entry of the state."""

    outputs: dict[str, Any] = {}
    status: str = "completed"
    error: str = ""


def result_of(workflow: str, call: StepCall, earlier: Remembered | None) -> Any:
    """The result of ``call``, which came before the step that is asked for.

    Raises :class:`StepFailed` if it failed, and :class:`Refusal` when the state does not tell of it.
    """
    if earlier is None:
        raise Refusal(
            "ExecutionStateCorruptError", f"The state does not tell of the earlier step {call.id!r}.",
            {"workflowId": workflow, "stepId": call.id},
        )  # fmt: skip
    if call.kind.is_channel:
        if earlier.status == "failed":
            raise StepFailed(call.name, Reason.PROVIDER_REJECTED, earlier.error)
        return Sent(status="skipped" if earlier.status == "skipped" else "sent")
    try:
        return _read(call, earlier.outputs)
    except (ValidationError, KeyError, TypeError, ValueError):
        raise Refusal(
            "ExecutionStateResultInvalidError", f"What the state says of the earlier step {call.id!r} makes no sense."
        ) from None


def _read(call: StepCall, outputs: dict[str, Any]) -> Any:
    match call.kind:
        case StepKind.DIGEST:
            return Digest(tuple(DigestEvent[Any].model_validate(event) for event in outputs["events"]))
        case StepKind.THROTTLE:
            return Throttled(
                throttled=outputs["throttled"], count=outputs.get("executionCount", 0),
                limit=outputs.get("threshold", 1), window_start=outputs.get("windowStart", "1970-01-01T00:00:00Z"),
            )  # fmt: skip
        case StepKind.CUSTOM:
            kept = outputs[WRAPPED] if set(outputs) == {WRAPPED} else outputs
            return kept if call.returns is None else TypeAdapter(call.returns).validate_python(kept, strict=False)
        case _:
            return None


def mock_of(call: StepCall, payload: dict[str, Any], now: str) -> Any:
    """A result of ``call`` made up for a preview."""
    match call.kind:
        case StepKind.DIGEST:
            return _read(call, {"events": [{"id": "preview", "time": now, "payload": payload}]})
        case StepKind.THROTTLE:
            return _read(call, {"throttled": False, "executionCount": 1, "windowStart": now})
        case StepKind.CUSTOM:
            kind: TypeAdapter[Any] = TypeAdapter(call.returns)
            return kind.validate_python(sample(kind.json_schema()), strict=False)
        case StepKind.DELAY:
            return None
        case _:
            return Sent()
