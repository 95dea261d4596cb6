"""Once: the custom step. Run the author's function, keep its typed result, and never run it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..crash import crash_point
from ..errors import BridgeFailed, BridgeUnavailable, NotSerialisable, StepFailed
from ..model import Checkpoint, CustomInput, Reason, Retry, StepCall, StepStatus
from ..store.database import encode_plain
from .backoff import wait_before
from .frame import Frame, finish
from .unwind import Abandoned, Suspend

RETRY = Retry(attempts=4)


async def custom(frame: Frame, call: StepCall, row: Checkpoint | None) -> Any:
    """Run ``call.function`` once and keep its result as JSON.

    The author gets the value as it will be after a replay, so that code which works now works then. The function may
    run again only if the process died before its result was on disk: make it idempotent where that matters.
    """
    assert isinstance(call.inputs, CustomInput)
    assert call.function is not None
    checkpoint = row or frame.fresh(call)
    await frame.durable()
    if frame.shift.closing or not frame.shift.holds():
        raise Abandoned
    crash_point("custom.before")
    try:
        value = await call.function()
        crash_point("custom.after")
    except asyncio.CancelledError:
        raise
    except BridgeFailed as err:
        failed = replace(checkpoint, attempts=checkpoint.attempts + 1, detail=str(err)[:500])
        return _unanswered(frame, call, failed, err, call.inputs.retry or RETRY)
    except Exception as err:
        failed = replace(checkpoint, attempts=checkpoint.attempts + 1, detail=f"{type(err).__name__}: {err}"[:500])
        return _failed(frame, call, failed, Reason.CUSTOM_FAILED, call.inputs.retry or RETRY)
    attempts = checkpoint.attempts + 1
    try:
        kept = to_jsonable_python(value)
        text = encode_plain(kept)
        again = revive(call, kept)
    except (PydanticSerializationError, ValidationError, NotSerialisable, ValueError) as err:
        failed = replace(
            checkpoint,
            attempts=attempts,
            detail=f"The result of type {type(value).__name__} cannot be kept: {err}"[:500],
        )
        return _failed(frame, call, failed, Reason.NOT_SERIALISABLE, Retry(attempts=1))
    done = finish(checkpoint, StepStatus.COMPLETED, frame.now(), result=kept, attempts=attempts)
    frame.record(frame.told(done, result=None if kept is None else text))
    return again


def revive(call: StepCall, kept: Any) -> Any:
    """The recorded value in the type that the function says it returns."""
    return kept if call.returns is None else _validator(call.returns).validate_python(kept, strict=False)


def _unanswered(frame: Frame, call: StepCall, failed: Checkpoint, err: BridgeFailed, retry: Retry) -> Any:
    """A workflow that runs elsewhere was not reached, which may pass; or it refused, which will not."""
    if isinstance(err, BridgeUnavailable):
        return _failed(frame, call, failed, Reason.BRIDGE_UNAVAILABLE, retry, err.retry_after)
    return _failed(frame, call, failed, Reason.BRIDGE_FAILED, Retry(attempts=1))


def _failed(
    frame: Frame, call: StepCall, failed: Checkpoint, reason: Reason, retry: Retry, retry_after: float | None = None
) -> Any:
    if failed.attempts < retry.attempts:
        wake_at = frame.now() + wait_before(failed.attempts + 1, retry, frame.rt.random, retry_after)
        frame.record(frame.told(replace(failed, status=StepStatus.RETRYING, reason=reason, wake_at=wake_at)))
        raise Suspend(call.name, wake_at)
    frame.record(frame.told(finish(failed, StepStatus.FAILED, frame.now(), reason, failed.detail)))
    raise StepFailed(call.name, reason, failed.detail)


@lru_cache(maxsize=512)
def _validator(returns: Any) -> Any:
    """What a type adapter asks, without the way through it."""
    return TypeAdapter[Any](returns).validator
