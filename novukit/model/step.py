"""A step: what the author asks for (``StepCall``), and what comes of it (``StepStatus``, ``Reason``, the results)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from .base import Model
from .content import Action, Attachment, Priority, Redirect, Severity

P = TypeVar("P")


class StepKind(StrEnum):
    """What a step does. The first five are channel steps, the rest action steps."""

    EMAIL = "email"
    IN_APP = "in_app"
    SMS = "sms"
    PUSH = "push"
    CHAT = "chat"
    DIGEST = "digest"
    DELAY = "delay"
    THROTTLE = "throttle"
    CUSTOM = "custom"

    @property
    def is_channel(self) -> bool:
        return self in CHANNELS


CHANNELS = (StepKind.EMAIL, StepKind.IN_APP, StepKind.SMS, StepKind.PUSH, StepKind.CHAT)
Channel = Literal["email", "in_app", "sms", "push", "chat"]


class StepStatus(StrEnum):
    """Where a step stands. ``calling`` is the intent: the provider is about to be, or was, called."""

    WAITING = "waiting"
    CALLING = "calling"
    RETRYING = "retrying"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    MERGED = "merged"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Recorded for good: a replay gives the result back and never performs the step again."""
        return self in (StepStatus.COMPLETED, StepStatus.SKIPPED, StepStatus.MERGED)


class Reason(StrEnum):
    """Why a step or an execution ended as it did. A closed list; ``docs/reasons.md`` explains each."""

    # a channel step was skipped
    PREFERENCE = "preference"
    OUTSIDE_SCHEDULE = "outside_schedule"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    ALREADY_SEEN = "already_seen"
    ALREADY_READ = "already_read"
    # a remote step was skipped
    SKIP_CONDITION = "skip_condition"
    NOT_REACHED = "not_reached"
    # a step waits
    PACED = "paced"
    CIRCUIT_OPEN = "circuit_open"
    BRIDGE_UNAVAILABLE = "bridge_unavailable"
    # a step failed
    NO_INTEGRATION = "no_integration"
    NO_SENDER = "no_sender"
    ROUTE_FAILED = "route_failed"
    PROVIDER_MISSING = "provider_missing"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_THROTTLED = "provider_throttled"
    RECIPIENT_GONE = "recipient_gone"
    OUTCOME_UNKNOWN = "outcome_unknown"
    GIVEN_UP = "given_up"
    UNSUPPORTED_FEATURE = "unsupported_feature"
    CREDENTIALS_INVALID = "credentials_invalid"
    PLUGIN_ERROR = "plugin_error"
    TEMPLATE_FAILED = "template_failed"
    CONTENT_INVALID = "content_invalid"
    NOT_SERIALISABLE = "not_serialisable"
    CUSTOM_FAILED = "custom_failed"
    BRIDGE_FAILED = "bridge_failed"
    PAST_DATE = "past_date"
    # a step is tried again
    NOT_SENT = "not_sent"
    # an action step
    DIGEST_MERGED = "digest_merged"
    DIGEST_FIRST = "digest_first"
    THROTTLED = "throttled"
    LATE = "late"
    # an execution
    STEP_FAILED = "step_failed"
    WORKFLOW_RAISED = "workflow_raised"
    STEP_MISUSE = "step_misuse"
    PAYLOAD_INVALID = "payload_invalid"
    SUBSCRIBER_DELETED = "subscriber_deleted"
    REPLAY_DIVERGED = "replay_diverged"
    POISON = "poison"
    WORKFLOW_GONE = "workflow_gone"
    CANCELLED = "cancelled"


class Retry(Model):
    """How often, and how far apart, a step is tried again.

    The wait before attempt *n* is drawn evenly from 0 to ``min(cap, first * 2**(n-2))`` («full jitter», AWS
    Architecture Blog, «Exponential Backoff And Jitter»); a provider's ``Retry-After`` is honoured where it is longer.
    """

    attempts: int = Field(default=6, ge=1, le=50)
    first: timedelta = Field(default=timedelta(seconds=5), gt=timedelta(0))
    cap: timedelta = Field(default=timedelta(hours=1), gt=timedelta(0))


OnUnknown = Literal["retry", "park", "next"]


class ChannelInput(Model):
    """What every channel step may be told, whatever its channel."""

    unless_seen: str | None = None
    unless_read: str | None = None
    template: str | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    integration: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict[str, Any])
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    """Overrides for one provider each, by its id."""
    retry: Retry | None = None
    on_unknown: OnUnknown = "retry"


class EmailInput(ChannelInput):
    """The words of an e-mail before they are rendered: ``body`` is text, HTML comes from ``template``."""

    subject: str
    body: str = ""
    layout: str | None = None
    preheader: str = ""
    to: str | None = None
    sender: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    attachments: tuple[Attachment, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = Field(default_factory=dict[str, str])


class InAppInput(ChannelInput):
    """The words of an in-app message."""

    body: str = ""
    subject: str | None = None
    avatar: str | None = None
    redirect: Redirect | None = None
    primary_action: Action | None = None
    secondary_action: Action | None = None
    severity: Severity | None = None
    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class SmsInput(ChannelInput):
    """The words of an SMS."""

    body: str = ""
    to: str | None = None
    sender: str | None = None


class PushInput(ChannelInput):
    """The words of a push message."""

    subject: str
    body: str = ""
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    image: str | None = None
    badge: int | None = Field(default=None, ge=0)
    sound: str | None = None
    url: str | None = None
    collapse_key: str | None = None
    ttl: timedelta | None = Field(default=None, ge=timedelta(0))
    priority: Priority | None = None


class ChatInput(ChannelInput):
    """The words of a chat message."""

    body: str = ""
    thread: str | None = None


class DigestInput(Model):
    """When a digest closes: after ``window``, or at the next slot of ``cron`` in the subscriber's zone.

    With ``extend_to_schedule`` not before the subscriber's schedule opens.
    """

    window: timedelta | None = None
    cron: str | None = None
    by: str = ""
    look_back: timedelta | None = None
    extend_to_schedule: bool = False


class DelayInput(Model):
    """How long to wait: ``duration`` from now, or ``until`` a moment.

    With ``extend_to_schedule`` on until the subscriber's schedule opens.
    """

    duration: timedelta | None = None
    until: datetime | None = None
    if_past: Literal["now", "skip", "fail"] = "now"
    extend_to_schedule: bool = False


class ThrottleInput(Model):
    """At most ``limit`` executions a ``window`` may pass."""

    limit: int = Field(ge=1)
    window: timedelta = Field(gt=timedelta(0))
    by: str = ""
    on_limit: Literal["stop", "continue"] = "stop"


class CustomInput(Model):
    """Nothing but how to retry: the function travels beside it, in ``StepCall.function``."""

    retry: Retry | None = None


StepInput = (
    EmailInput | InAppInput | SmsInput | PushInput | ChatInput | DigestInput | DelayInput | ThrottleInput | CustomInput
)


@dataclass(slots=True)
class StepCall:
    """One ``await step.<kind>(id, …)`` before anything has happened: the narrow waist of novukit.

    ``Step`` builds it; running, testing and previewing are only different runners for it.
    ``key`` tells the rounds of a loop apart. ``function`` and ``returns`` belong to ``custom`` alone.
    Never changed once made.
    """

    id: str
    kind: StepKind
    inputs: StepInput
    key: str = ""
    function: Callable[[], Awaitable[Any]] | None = None
    returns: Any = None

    @property
    def name(self) -> str:
        """The step's id, with its key where it has one: ``email`` or ``email[2]``."""
        return f"{self.id}[{self.key}]" if self.key else self.id


class Sent(Model):
    """The result of a channel step: it went out, or it was skipped for a ``reason``."""

    status: Literal["sent", "skipped"] = "sent"
    message_id: str | None = None
    reason: Reason | None = None

    @property
    def skipped(self) -> bool:
        return self.status == "skipped"

    def kept(self) -> dict[str, Any]:
        """It as JSON data. Written out, for ``model_dump`` takes ten times as long."""
        return {"status": self.status, "message_id": self.message_id, "reason": self.reason and self.reason.value}


class DigestEvent(BaseModel, Generic[P]):
    """One trigger that a digest gathered."""

    id: str
    time: datetime
    payload: P


@dataclass(frozen=True, slots=True)
class Digest(Generic[P]):
    """The result of a digest step: what was gathered while it was open, oldest first."""

    events: tuple[DigestEvent[P], ...] = field(default=())

    @property
    def payloads(self) -> list[P]:
        """The payloads alone, oldest first."""
        return [event.payload for event in self.events]

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[P]:
        return iter(self.payloads)


class Throttled(Model):
    """The result of a throttle step."""

    throttled: bool
    count: int
    limit: int
    window_start: datetime

    def __bool__(self) -> bool:
        return self.throttled
