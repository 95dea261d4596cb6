"""Schedule: hold to the hours in which a subscriber wants to hear from outside the inbox."""

from __future__ import annotations

from datetime import datetime

from ..model import Reason, StepCall, StepKind
from ..model.schedule import parse
from ..store import preferences
from .frame import Frame


def refused(frame: Frame, call: StepCall) -> tuple[Reason, str] | None:
    """Why a channel may not be used now, if so: it is outside the subscriber's hours.

    An inbox disturbs nobody, and what is critical does not wait.
    """
    if call.kind is StepKind.IN_APP or frame.workflow.preferences.read_only:
        return None
    chosen, subscriber = frame.execution.chosen, frame.execution.subscriber
    assert chosen is not None
    assert chosen.schedule is not None
    assert subscriber is not None
    now, zone = frame.now(), subscriber.timezone
    if parse(chosen.schedule).is_open(now, zone):
        return None
    again = parse(chosen.schedule).next_open(now, zone)
    when = f"it opens at {again:%F %H:%M} UTC" if again else "it never opens"
    return Reason.OUTSIDE_SCHEDULE, f"It is outside the subscriber's schedule ({zone or 'UTC'}); {when}."


async def extended(frame: Frame, until: datetime) -> datetime:
    """``until``, or the first moment after it that lies in the subscriber's schedule."""
    execution, subscriber = frame.execution, frame.execution.subscriber
    assert subscriber is not None
    if execution.chosen is None:
        execution.chosen = await preferences.chosen(frame.scope, execution.subscriber_uuid, execution.workflow_id)
    if execution.chosen.schedule is None:
        return until
    return parse(execution.chosen.schedule).next_open(until, subscriber.timezone) or until
