"""Perform: from the outputs of a step to the same call that a Python workflow would make of it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...authoring import Step
from ...errors import BridgeFailed
from ...model import Action, Redirect, Sent, StepKind, StepSpec
from ...rendering import Renderer
from . import times
from .answer import Answer, object_in

_MARKUP = re.compile(r"<[a-zA-Z!/]")
_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """What a step's times and words depend on, beside its outputs."""

    payload: Mapping[str, Any]
    zone: str | None
    renderer: Renderer


async def perform(step: Step[Any], spec: StepSpec, answer: Answer, case: Case) -> Any:
    """Let ``step`` do what the application said of ``spec``, and give its result.

    Raises :class:`BridgeFailed`, or :class:`StepMisuse`, for outputs that cannot be done.
    """
    return await (_send if spec.kind.is_channel else _act)(step, spec, answer, case)


async def _send(step: Step[Any], spec: StepSpec, answer: Answer, case: Case) -> Sent:
    asked, name = answer.outputs, spec.id
    match spec.kind:
        case StepKind.EMAIL:
            return await step.email(name, **_email(asked, case.renderer), providers=answer.providers)
        case StepKind.IN_APP:
            return await step.in_app(name, **_in_app(asked), providers=answer.providers)
        case StepKind.SMS:
            return await step.sms(name, body=asked.get("body", ""), providers=answer.providers)
        case StepKind.PUSH:
            body, subject = asked.get("body", ""), asked.get("subject", "")
            return await step.push(name, subject=subject, body=body, providers=answer.providers)
        case _:
            if "card" in asked and not asked.get("body"):
                raise BridgeFailed(f"Step {name!r}: novukit sends no cards.", hint="Give the step a body as well.")
            return await step.chat(name, body=asked.get("body", ""), providers=answer.providers)


async def _act(step: Step[Any], spec: StepSpec, answer: Answer, case: Case) -> Any:
    asked, name = answer.outputs, spec.id
    match spec.kind:
        case StepKind.DIGEST:
            return await _digest(step, name, answer, case)
        case StepKind.DELAY:
            return await _delay(step, name, answer, case)
        case StepKind.THROTTLE:
            limit, key = asked.get("threshold", 1), times.key_of(asked.get("throttleKey"), case.payload)
            return await step.throttle(name, limit=_whole(limit), window=span(name, answer, case), key=key)
        case _:
            return await step.custom(name, _given, asked)


def span(step: str, answer: Answer, case: Case) -> timedelta:
    """How long a wait lasts, from when the application was asked."""
    return times.end_of(step, answer.outputs, case.payload, answer.at, case.zone) - answer.at


async def _given(outputs: dict[str, Any]) -> dict[str, Any]:
    """A custom step has been run where its code is; here its outputs are kept."""
    return outputs


async def _digest(step: Step[Any], name: str, answer: Answer, case: Case) -> Any:
    asked, key = answer.outputs, times.key_of(answer.outputs.get("digestKey"), case.payload)
    on = bool(asked.get("extendToSchedule"))
    if asked.get("cron") is not None:
        return await step.digest(name, cron=asked["cron"], key=key, extend_to_schedule=on)
    back, look_back = object_in(asked.get("lookBackWindow")), None
    if back is not None:
        look_back = times.end_of(name, back, case.payload, answer.at, case.zone) - answer.at
    window = span(name, answer, case)
    return await step.digest(name, window=window, key=key, look_back=look_back, extend_to_schedule=on)


async def _delay(step: Step[Any], name: str, answer: Answer, case: Case) -> None:
    on = bool(answer.outputs.get("extendToSchedule"))
    if answer.outputs.get("unit") in times.UNITS:
        await step.delay(name, span(name, answer, case), extend_to_schedule=on)
    else:
        await step.delay(name, until=answer.at + span(name, answer, case), extend_to_schedule=on)


def _email(asked: Mapping[str, Any], renderer: Renderer) -> dict[str, Any]:
    body, sender = str(asked.get("body", "")), object_in(asked.get("from"))
    made: dict[str, Any] = {"subject": asked.get("subject", ""), "body": body, "reply_to": asked.get("replyTo")}
    if sender is not None:
        made |= {"sender": sender.get("email"), "sender_name": sender.get("name")}
    if _MARKUP.search(body):
        made["body"] = renderer.text_from_html(body)
        made["overrides"] = {"html": _with_preheader(body, str(asked.get("preheader") or ""))}
    return made


def _with_preheader(body: str, preheader: str) -> str:
    """The line that mail programs show beside the subject, where readers do not see it."""
    if not preheader:
        return body
    line = f'<div style="display:none">{html.escape(preheader)}</div>'
    found = _BODY.search(body)
    return f"{body[: found.end()]}{line}{body[found.end() :]}" if found else line + body


def _in_app(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": asked.get("subject"), "body": asked.get("body") or "", "avatar": asked.get("avatar"),
        "redirect": _redirect(asked.get("redirect")), "primary_action": _action(asked.get("primaryAction")),
        "secondary_action": _action(asked.get("secondaryAction")), "data": asked.get("data"),
    }  # fmt: skip


def _action(asked: Any) -> Action | None:
    found = object_in(asked)
    if found is None:
        return None
    return Action(label=found.get("label", ""), redirect=_redirect(found.get("redirect")))


def _redirect(asked: Any) -> Redirect | None:
    found = object_in(asked) or {}
    if not found.get("url"):
        return None
    url = str(found["url"])
    return Redirect(url=url, target=found.get("target") or ("_self" if url.startswith("/") else "_blank"))


def _whole(number: Any) -> Any:
    """JSON has one kind of number; ``1.0`` is a whole one."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
