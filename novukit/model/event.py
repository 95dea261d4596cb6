"""An event: one accepted trigger, known by its transaction id, and the asking that leads to it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from .base import Model
from .context import MOST_CONTEXTS, ContextKeys, ContextPart, EventContext, GivenContext
from .subscriber import ChannelAddress, Subscriber, SubscriberId
from .topic import TopicKey

TransactionId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class TopicRecipient(Model):
    """Every subscriber of a topic but those in ``exclude`` (subscriber ids)."""

    topic_key: TopicKey
    exclude: tuple[SubscriberId, ...] = ()


class Everyone(Model):
    """Every subscriber of the environment."""

    kind: Literal["everyone"] = "everyone"


Recipient = Subscriber | TopicRecipient | Everyone


class Trigger(Model):
    """What the caller asks for, checked but not yet accepted."""

    workflow: str
    to: tuple[Recipient, ...] = Field(min_length=1, max_length=100)
    # By factories: a plain default would be deep-copied for each trigger.
    payload: dict[str, Any] = Field(default_factory=dict[str, Any])
    overrides: dict[str, Any] = Field(default_factory=dict[str, Any])
    actor: Subscriber | None = None
    tenant: dict[str, Any] | None = None
    context: dict[ContextPart, GivenContext] | None = Field(default=None, max_length=MOST_CONTEXTS)
    """What it happens in, by the type of context."""
    transaction_id: TransactionId | None = None
    addresses: dict[SubscriberId, tuple[ChannelAddress, ...]] = Field(
        default_factory=dict[SubscriberId, tuple[ChannelAddress, ...]]
    )
    """Device tokens and webhooks that came with recipients, by subscriber id; kept when the trigger is accepted."""


class EventStatus(StrEnum):
    """``expanding``: a topic or broadcast whose members are still being turned into executions."""

    EXPANDING = "expanding"
    EXPANDED = "expanded"
    CANCELLED = "cancelled"


class TriggerStatus(StrEnum):
    """How a trigger was answered (the wire contract's words)."""

    PROCESSED = "processed"
    NOT_ACTIVE = "trigger_not_active"
    NO_STEPS = "no_workflow_steps_defined"
    ERROR = "error"


class Triggered(Model):
    """The answer to a trigger. ``duplicate``: this transaction id was accepted before; nothing new began."""

    status: TriggerStatus
    transaction_id: str | None = None
    event_id: UUID | None = None
    executions: int = 0
    duplicate: bool = False


class Event(Model):
    """One accepted trigger."""

    id: UUID
    environment_id: UUID
    transaction_id: str
    workflow_id: str
    payload: dict[str, Any]
    overrides: dict[str, Any]
    actor: dict[str, Any] | None
    tenant: dict[str, Any] | None
    context: dict[str, EventContext]
    context_keys: ContextKeys
    status: EventStatus
    executions: int
    created_at: datetime
