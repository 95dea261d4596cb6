"""A message: one content to one subscriber through one channel, from its intent to what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from .base import Model
from .context import ContextKeys


class MessageStatus(StrEnum):
    """``calling`` is the intent; ``unknown`` means the call's outcome cannot be known, and is never folded away."""

    CALLING = "calling"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class DeliveryStatus(StrEnum):
    """How far a message has come, as far as its vendor tells; each is more than the one before."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"


class Message(Model):
    """One content to one subscriber through one channel.

    ``status`` is what came of the call. What the vendor told later stands beside it, in the times from
    ``delivered_at`` to ``undelivered_at``: the first time that each thing happened.
    """

    id: UUID
    environment_id: UUID
    execution_id: UUID
    event_id: UUID
    transaction_id: str
    workflow_id: str
    subscriber_uuid: UUID
    subscriber_id: str
    step_id: str
    step_key: str
    channel: str
    status: MessageStatus
    content: dict[str, Any]
    provider_id: str | None
    integration_id: UUID | None
    provider_message_id: str | None
    idempotency_key: str
    attempts: int
    possible_duplicate: bool
    error: str | None
    severity: str
    critical: bool
    tags: tuple[str, ...]
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    snoozed_until: datetime | None
    primary_done_at: datetime | None = None
    secondary_done_at: datetime | None = None
    sent_at: datetime | None
    created_at: datetime
    updated_at: datetime
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    undelivered_at: datetime | None = None
    returned_at: datetime | None = None
    """When it last came back from a snooze by itself."""
    context_keys: ContextKeys = ""

    @property
    def delivery(self) -> DeliveryStatus | None:
        """How far it has come; None while it was not sent. What only adds up can never go back."""
        if self.clicked_at:
            return DeliveryStatus.CLICKED
        if self.opened_at:
            return DeliveryStatus.OPENED
        if self.delivered_at:
            return DeliveryStatus.DELIVERED
        return DeliveryStatus.SENT if self.status is MessageStatus.SENT else None
