"""Outputs: what a step asks for, in the words of Novu's protocol; what it has no words for is refused by name."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, cast

from ...errors import NovukitError
from ...model import (
    Action,
    ChannelInput,
    DelayInput,
    DigestInput,
    EmailInput,
    InAppInput,
    PushInput,
    Redirect,
    StepCall,
    StepKind,
    ThrottleInput,
)  # fmt: skip
from ...rendering import Renderer
from .refusal import thrown, unsayable

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_EVERY = {"unless_seen", "unless_read", "retry", "on_unknown", "providers", "body", "template", "variables"}
_SAYABLE = {
    StepKind.EMAIL: {"subject", "layout", "preheader", "sender", "sender_name", "reply_to"},
    StepKind.IN_APP: {"subject", "avatar", "redirect", "primary_action", "secondary_action", "data"},
    StepKind.PUSH: {"subject"},
}
"""What may be given, by kind. ``retry`` and ``on_unknown`` speak to novukit's engine alone: Novu has its own rules."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What words and times depend on."""

    now: datetime
    zone: str | None
    variables: Mapping[str, Any]
    live: Mapping[str, Any]
    renderer: Renderer | None


def outputs_of(call: StepCall, setting: Setting) -> dict[str, Any] | None:
    """What ``call`` asks for; None where it has nothing to wait for. Raises :class:`Refusal`."""
    match call.inputs:
        case DigestInput() as asked:
            return _digest(call.id, asked, setting)
        case DelayInput() as asked:
            return _delay(call.id, asked, setting)
        case ThrottleInput() as asked:
            return _throttle(call.id, asked)
        case ChannelInput() as asked:
            _refuse_more(call, asked)
            return _message(call, asked, setting)
        case _:
            raise AssertionError(call.kind)


def _refuse_more(call: StepCall, asked: ChannelInput) -> None:
    sayable = _EVERY | _SAYABLE.get(call.kind, set())
    fields = type(asked).model_fields
    for name, field in fields.items():
        if name not in sayable and getattr(asked, name) != field.get_default(call_default_factory=True):
            hint = "Give providers={…} by their ids." if name == "overrides" else ""
            raise unsayable(call.id, f"{name}=", hint)


def _message(call: StepCall, asked: ChannelInput, setting: Setting) -> dict[str, Any]:
    match asked:
        case EmailInput():
            return _email(call.id, asked, setting)
        case InAppInput():
            return _without_nothing(
                subject=asked.subject, body=_text(call.id, asked, asked.body, setting), avatar=asked.avatar,
                redirect=_redirect(asked.redirect), primaryAction=_action(asked.primary_action),
                secondaryAction=_action(asked.secondary_action), data=asked.data or None,
            )  # fmt: skip
        case PushInput():
            return {"subject": asked.subject, "body": _text(call.id, asked, asked.body, setting)}
        case _:
            return {"body": _text(call.id, asked, cast("Any", asked).body, setting)}


def _email(step: str, asked: EmailInput, setting: Setting) -> dict[str, Any]:
    sender = {"email": asked.sender, "name": asked.sender_name or asked.sender} if asked.sender else None
    if asked.sender_name and not asked.sender:
        raise unsayable(step, "sender_name= without sender=")
    if asked.template is None:
        body = html.escape(asked.body).replace("\n", "<br>\n")
    else:
        try:
            body = _renderer(step, setting).html(
                asked.template, _variables(asked, setting), layout=asked.layout, subject=asked.subject,
                preheader=asked.preheader, live=setting.live,
            )  # fmt: skip
        except NovukitError as err:
            raise thrown(step, err) from None
    # A template has the preheader in it already.
    preheader = asked.preheader if asked.template is None else ""
    return _without_nothing(
        subject=asked.subject, body=body, replyTo=asked.reply_to, preheader=preheader or None, **{"from": sender}
    )


def _text(step: str, asked: ChannelInput, body: str, setting: Setting) -> str:
    if asked.template is None:
        return body
    try:
        return _renderer(step, setting).text(asked.template, _variables(asked, setting), live=setting.live)
    except NovukitError as err:
        raise thrown(step, err) from None


def _variables(asked: ChannelInput, setting: Setting) -> dict[str, Any]:
    return {**setting.variables, **asked.variables}


def _renderer(step: str, setting: Setting) -> Renderer:
    if setting.renderer is None:
        raise unsayable(step, "template= where no templates are configured")
    return setting.renderer


def _digest(step: str, asked: DigestInput, setting: Setting) -> dict[str, Any]:
    if asked.by:
        raise unsayable(step, "key=", "Novu groups by a path in the payload, and a value does not tell its path.")
    if asked.cron is not None:
        if setting.zone not in (None, "UTC", "Etc/UTC"):
            raise unsayable(step, f"cron= in the subscriber's time zone {setting.zone}")
        return {"type": "timed", "cron": asked.cron}
    assert asked.window is not None
    back = None if asked.look_back is None else amount_of(asked.look_back)
    return _without_nothing(type="regular", **amount_of(asked.window), lookBackWindow=back)


def _delay(step: str, asked: DelayInput, setting: Setting) -> dict[str, Any] | None:
    lasts = asked.duration if asked.until is None else asked.until - setting.now
    assert lasts is not None
    if lasts <= timedelta():
        if lasts < timedelta() and asked.if_past != "now":
            raise unsayable(step, f"if_past={asked.if_past!r} for a moment that has passed")
        return None
    return {"type": "regular", **amount_of(lasts)}


def _throttle(step: str, asked: ThrottleInput) -> dict[str, Any]:
    if asked.by:
        raise unsayable(step, "key=", "Novu counts by a path in the payload, and a value does not tell its path.")
    if asked.on_limit != "stop":
        raise unsayable(step, f"on_limit={asked.on_limit!r}")
    lasts = amount_of(asked.window)
    if lasts["unit"] == "seconds":
        raise unsayable(step, "a window that is no whole number of minutes")
    return {"type": "fixed", **lasts, "threshold": asked.limit}


def amount_of(lasts: timedelta) -> dict[str, Any]:
    """A span as an amount of the largest unit that says it exactly; part of a second counts as one."""
    seconds = ceil(lasts.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return {"amount": seconds // size, "unit": unit}


def _action(action: Action | None) -> dict[str, Any] | None:
    return None if action is None else _without_nothing(label=action.label, redirect=_redirect(action.redirect))


def _redirect(redirect: Redirect | None) -> dict[str, Any] | None:
    return None if redirect is None else {"url": redirect.url, "target": redirect.target}


def _without_nothing(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
