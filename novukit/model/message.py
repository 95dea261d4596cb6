"""A message: one content to one subscriber through one channel, from its intent to what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from .base import Model


class MessageStatus(StrEnum):
    """``calling`` is the intent; ``unknown`` means the call's outcome cannot be known, and is never folded away."""

    CALLING = "calling"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Message(Model):
    """One content to one subscriber through one channel."""

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
