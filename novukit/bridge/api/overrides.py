"""Overrides as the wire writes them, held to what the workflow has: a step, a channel, a text without line breaks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from ...errors import Issue, did_you_mean
from ...model import Channel, Email, Severity, WorkflowSpec
from ..body import pointer
from ..wire import Wire
from .recipients import read_at

Line = Annotated[str, StringConstraints(max_length=998, pattern=r"^[^\r\n]*$")]
"""What ends up in a header: no line breaks, and no more than RFC 5322 allows."""

Headers = dict[Annotated[str, StringConstraints(pattern=r"^[!-9;-~]+$")], Line]
ProviderData = dict[str, dict[str, Any]]


class ChannelOverrides(Wire):
    """What one channel is told; fields that novukit does not know are for the provider."""

    model_config = ConfigDict(extra="allow")

    integration_identifier: str | None = None


class EmailOverrides(ChannelOverrides):
    """What e-mail steps are told."""

    to: tuple[Email, ...] | Email | None = None
    from_: Email | None = Field(default=None, alias="from")
    sender_name: Line | None = None
    reply_to: Email | None = None
    cc: tuple[Email, ...] | None = None
    bcc: tuple[Email, ...] | None = None
    subject: Line | None = None
    html: str | None = None
    text: str | None = None
    headers: Headers | None = None


class SmsOverrides(ChannelOverrides):
    """What SMS steps are told."""

    to: Line | None = None
    from_: Line | None = Field(default=None, alias="from")
    content: str | None = None


class LayoutOverrides(Wire):
    """What the e-mails of a channel are told."""

    layout_id: str | None = None


class StepOverrides(LayoutOverrides):
    """What one step is told."""

    providers: ProviderData | None = None


class Overrides(Wire):
    """What a trigger may override."""

    steps: dict[str, StepOverrides] | None = None
    channels: dict[Channel, LayoutOverrides] | None = None
    providers: ProviderData | None = None
    email: EmailOverrides | None = None
    sms: SmsOverrides | None = None
    push: ChannelOverrides | None = None
    chat: ChannelOverrides | None = None
    layout_identifier: str | None = None
    severity: Severity | None = None


def check(value: dict[str, Any], issues: list[Issue]) -> Overrides | None:
    """Overrides in their form; what is wrong with it goes to ``issues``."""
    found: list[Issue] = []
    asked = read_at(Overrides, value, "/overrides", found)
    for issue in found:
        hint = issue.hint
        name = issue.path.removeprefix("/overrides/")
        if issue.code == "unknown_field" and "/" not in name:
            hint = f"Overrides for a provider go under overrides.providers.{name}."
        issues.append(Issue(issue.path, issue.code, issue.message, hint))
    return asked


def fit(asked: Overrides, workflow: WorkflowSpec, issues: list[Issue]) -> None:
    """Hold overrides to what ``workflow`` has: an override that nothing takes is a mistake."""
    steps = {step.id: step.kind.value for step in workflow.steps}
    for name in asked.steps or {}:
        if name not in steps:
            message = f"the workflow {workflow.id!r} has no step {name[:64]!r}"
            issues.append(Issue(pointer("/overrides/steps", name), "unknown_step", message, did_you_mean(name, steps)))
    told: dict[str, Any] = {"email": asked.email, "sms": asked.sms, "push": asked.push, "chat": asked.chat}
    paths = {channel: f"/overrides/{channel}" for channel, value in told.items() if value is not None}
    paths |= {channel: f"/overrides/channels/{channel}" for channel in asked.channels or {}}
    shown = ", ".join(f"{name} ({kind})" for name, kind in steps.items())
    for channel, path in paths.items():
        if channel not in steps.values():
            message = f"the workflow {workflow.id!r} has no {channel} step"
            issues.append(Issue(path, "unknown_channel", message, f"Its steps: {shown}."))
