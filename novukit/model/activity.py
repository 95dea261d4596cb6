"""Activity: the append-only log. Its kinds are a closed list of sentences."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from .base import Model


class ActivityKind(StrEnum):
    """What can happen. ``sentence`` says it to a person."""

    TRIGGER_ACCEPTED = "trigger.accepted"
    TRIGGER_EXPANDED = "trigger.expanded"
    TRIGGER_CANCELLED = "trigger.cancelled"
    EXECUTION_RESUMED = "execution.resumed"
    EXECUTION_TAKEN_OVER = "execution.taken_over"
    EXECUTION_COMPLETED = "execution.completed"
    EXECUTION_MERGED = "execution.merged"
    EXECUTION_CANCELLED = "execution.cancelled"
    EXECUTION_FAILED = "execution.failed"
    EXECUTION_PARKED = "execution.parked"
    STEP_WAITING = "step.waiting"
    STEP_CALLING = "step.calling"
    STEP_COMPLETED = "step.completed"
    STEP_SKIPPED = "step.skipped"
    STEP_MERGED = "step.merged"
    STEP_RETRYING = "step.retrying"
    STEP_FAILED = "step.failed"
    STEP_HANDED_ON = "step.handed_on"
    STEP_UNKNOWN = "step.unknown"
    STEP_RESOLVED_SENT = "step.resolved_sent"
    STEP_RESOLVED_NOT_SENT = "step.resolved_not_sent"
    STEP_RESOLVED_FAILED = "step.resolved_failed"
    STEP_CONFIRMED = "step.confirmed"
    STEP_ARGUMENTS_CHANGED = "step.arguments_changed"
    DIGEST_HANDED_OVER = "digest.handed_over"
    MESSAGE_ACCEPTED = "message.accepted"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_OPENED = "message.opened"
    MESSAGE_CLICKED = "message.clicked"
    MESSAGE_BOUNCED = "message.bounced"
    MESSAGE_COMPLAINED = "message.complained"
    MESSAGE_UNSUBSCRIBED = "message.unsubscribed"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_TOKEN_GONE = "message.token_gone"  # noqa: S105 - a name, no password
    ADDRESS_SUPPRESSED = "address.suppressed"
    TOKENS_FORGOTTEN = "tokens.forgotten"

    @property
    def sentence(self) -> str:
        return SENTENCES[self]


SENTENCES: dict[ActivityKind, str] = {
    ActivityKind.TRIGGER_ACCEPTED: "The trigger was accepted.",
    ActivityKind.TRIGGER_EXPANDED: "Every member has an execution.",
    ActivityKind.TRIGGER_CANCELLED: "The transaction was cancelled.",
    ActivityKind.EXECUTION_RESUMED: "The execution was resumed by hand at its failed step.",
    ActivityKind.EXECUTION_TAKEN_OVER: "The worker's lease lapsed; another worker may go on.",
    ActivityKind.EXECUTION_COMPLETED: "The execution is complete.",
    ActivityKind.EXECUTION_MERGED: "The execution ended in another one's digest.",
    ActivityKind.EXECUTION_CANCELLED: "The execution was cancelled.",
    ActivityKind.EXECUTION_FAILED: "The execution failed and can be resumed.",
    ActivityKind.EXECUTION_PARKED: "The execution needs a person and can be resumed.",
    ActivityKind.STEP_WAITING: "The step waits, and the execution sleeps.",
    ActivityKind.STEP_CALLING: "The message is on record and the provider is about to be called.",
    ActivityKind.STEP_COMPLETED: "The step is complete.",
    ActivityKind.STEP_SKIPPED: "The step was skipped.",
    ActivityKind.STEP_MERGED: "The trigger joined an open digest.",
    ActivityKind.STEP_RETRYING: "The step will be tried again; until then the execution sleeps.",
    ActivityKind.STEP_FAILED: "The step failed for good.",
    ActivityKind.STEP_HANDED_ON: "An integration could not take the message, and the next one does.",
    ActivityKind.STEP_UNKNOWN: "The provider's answer was lost; whether the message went out is not known.",
    ActivityKind.STEP_RESOLVED_SENT: "A person said that the message went out; the execution goes on.",
    ActivityKind.STEP_RESOLVED_NOT_SENT: "A person said that the message did not go out; it is sent again.",
    ActivityKind.STEP_RESOLVED_FAILED: "A person gave the message up; the execution goes on as if it had been refused.",
    ActivityKind.STEP_CONFIRMED: "The provider told later that it has the message; the execution goes on.",
    ActivityKind.STEP_ARGUMENTS_CHANGED: "The step is on record with other arguments; the recorded result was used.",
    ActivityKind.DIGEST_HANDED_OVER: "The digest was handed to another execution.",
    ActivityKind.MESSAGE_ACCEPTED: "The provider told that it has the message.",
    ActivityKind.MESSAGE_DELIVERED: "The message was delivered.",
    ActivityKind.MESSAGE_OPENED: "The message was opened.",
    ActivityKind.MESSAGE_CLICKED: "A link in the message was clicked.",
    ActivityKind.MESSAGE_BOUNCED: "The message bounced.",
    ActivityKind.MESSAGE_COMPLAINED: "The recipient complained about the message.",
    ActivityKind.MESSAGE_UNSUBSCRIBED: "The recipient unsubscribed with the message.",
    ActivityKind.MESSAGE_FAILED: "The provider had taken the message, and could not deliver it.",
    ActivityKind.MESSAGE_TOKEN_GONE: "The provider told of device tokens that are gone.",
    ActivityKind.ADDRESS_SUPPRESSED: "The address is suppressed: nothing more is sent to it.",
    ActivityKind.TOKENS_FORGOTTEN: "Device tokens that are gone were forgotten.",
}


class Activity(Model):
    """One line of the log."""

    id: UUID
    environment_id: UUID
    event_id: UUID | None
    execution_id: UUID | None
    kind: ActivityKind
    step: str
    reason: str | None
    detail: str
    message_id: UUID | None
    data: dict[str, Any] | None = None
    at: datetime
