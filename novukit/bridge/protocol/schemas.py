"""The schemas of Novu's outputs and results, by step kind (@novu/framework 2.13.2)."""

from __future__ import annotations

from typing import Any

from ...model import StepKind

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_TRUTH: Schema = {"type": "boolean"}
_UNIT: Schema = {"type": "string", "enum": ["seconds", "minutes", "hours", "days", "weeks", "months"]}


def closed(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


EMPTY = closed()
OPEN: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": True}
_REDIRECT = closed(("url",), url=_TEXT, target=_TEXT)
_BUTTON = closed(("label",), label=_TEXT, redirect=_REDIRECT)
_WAIT: dict[str, Schema] = {"type": _TEXT, "amount": _NUMBER, "unit": _UNIT, "cron": _TEXT, "extendToSchedule": _TRUTH}

OUTPUTS: dict[StepKind, Schema] = {
    StepKind.EMAIL: closed(
        ("subject", "body"), subject=_TEXT, body=_TEXT, replyTo=_TEXT, preheader=_TEXT,
        **{"from": closed(("email",), email=_TEXT, name=_TEXT)},
    ),
    StepKind.IN_APP: closed(
        subject=_TEXT, body=_TEXT, avatar=_TEXT, primaryAction=_BUTTON, secondaryAction=_BUTTON, data=OPEN,
        redirect=_REDIRECT,
    ),
    StepKind.SMS: closed(("body",), body=_TEXT),
    StepKind.PUSH: closed(("subject", "body"), subject=_TEXT, body=_TEXT),
    StepKind.CHAT: closed(("body",), body=_TEXT),
    StepKind.DIGEST: closed((), **_WAIT, lookBackWindow=closed(("amount", "unit"), amount=_NUMBER, unit=_UNIT)),
    StepKind.DELAY: closed((), **_WAIT),
    StepKind.THROTTLE: closed(("type",), type=_TEXT, amount=_NUMBER, unit=_UNIT, threshold=_NUMBER),
    StepKind.CUSTOM: OPEN,
}  # fmt: skip
"""What a step says."""

RESULTS: dict[StepKind, Schema] = {
    **dict.fromkeys((StepKind.EMAIL, StepKind.SMS, StepKind.PUSH, StepKind.CHAT), EMPTY),
    StepKind.IN_APP: closed(
        ("seen", "read"), seen=_TRUTH, read=_TRUTH, lastSeenDate={**_TEXT, "nullable": True},
        lastReadDate={**_TEXT, "nullable": True},
    ),
    StepKind.DIGEST: closed(
        ("events",), eventCount=_NUMBER,
        events={"type": "array", "items": closed(("id", "time", "payload"), id=_TEXT, time=_TEXT, payload=OPEN)},
    ),
    StepKind.DELAY: closed(("duration",), duration=_NUMBER),
    StepKind.THROTTLE: closed(
        ("throttled",), throttled=_TRUTH, executionCount=_NUMBER, threshold=_NUMBER, windowStart=_TEXT
    ),
    StepKind.CUSTOM: OPEN,
}  # fmt: skip
"""What comes of a step."""


def both(schema: Schema) -> dict[str, Schema]:
    """A schema twice, as the protocol has it: as it is checked, and as its author wrote it."""
    return {"schema": schema, "unknownSchema": schema}
